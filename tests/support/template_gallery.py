"""Every template that comes with the program, filled: its example, and a text with all blocks in Arabic.

For the tests of templates and for `scripts/template_pictures.py`. The pictures are drawn here.
"""

from __future__ import annotations

import io
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from PIL import Image, ImageDraw

from audiences.models import Association, Brand
from campaigns import definition
from campaigns.blocks import parse_body
from campaigns.models import Campaign, NewsletterPart
from comms.engine import letter_words, signup_words
from comms.language.catalogues import SHIPPED
from comms.language.words import Words
from comms.pictures import Picture
from comms.rendering import slots
from comms.rendering.compile import compile_edition
from comms.rendering.context import association_data, campaign_data
from comms.rendering.letter import LetterContent, render_letter
from comms.rendering.library import BUILT_IN, TemplateLibrary
from comms.rendering.render import Rendered, Renderer
from comms.surroundings import Surroundings

EXAMPLES = BUILT_IN / "examples"
NAMES = tuple(info.name for info in TemplateLibrary().list())
LETTERS = tuple(path.stem for path in sorted((BUILT_IN / "letters").glob("*.mjml")) if path.stem != "one-person")
"""`one-person` is what all of them look like."""
LANGUAGES = ("es", "fr")
"""Of which each example has a file, beside English."""
SITE = "https://news.coalition.example"
PICTURES = f"{SITE}/media/"
BRANDS = {
    "announcement": Brand(accent="#7a2e3a", background="#f5f0e8"),
    "newsletter": Brand(accent="#1d5c63", background="#eef3f1"),
    "digest": Brand(accent="#b3541e", typeface="sans"),
    "invitation": Brand(accent="#2f3e75", background="#f1f1f6"),
    "call-for-proposals": Brand(accent="#1f6b4a", background="#f0f3ec"),
    "survey": Brand(accent="#ffd400", background="#f6f3e6", typeface="sans"),
    "letter": Brand(accent="#7a2e3a", typeface="serif"),
}
_SIZES = {"ana.jpg": (144, 144), "mae.jpg": (144, 144)}
_WIDE = (1280, 720)
AROUND = Surroundings(
    calendar_url=f"{SITE}/e/coalition/sample",
    images={f"{name}.jpg": Picture(f"{PICTURES}{name}.jpg", *_WIDE) for name in ("reading-room", "museum", "archive")},
    portraits={name: Picture(f"{PICTURES}{name}", *size) for name, size in _SIZES.items()},
)
TOPICS = ("News of the Coalition", "Calls and deadlines")
LINKS = {name: f"{SITE}/{name[0]}/token" for name in ("click", "unsubscribe", "view", "poll")} | {"pixel": ""}
ARABIC = """
# مدرسة صيفية للأرشيفات الصغيرة

السيدة {{ member.first_name or "الزميلة" }}، هذا العدد عن الماء، وعن **الناس** الذين يعرفون ما يجب عمله.

## ما علمنا إياه الفيضان

![قراء على الموائد الطويلة](reading-room.jpg)

في الثالث من مارس وقف النهر عند باب الأرشيف. [اقرأ القصة](https://example.org/flood) كاملة.

::: button https://example.org/flood
اقرأ القصة كاملة
:::

## منحة للمتاحف

![تماثيل صغيرة](museum.jpg "ثلاثة تماثيل من الطين")

- حتى خمسة عشر ألف دولار
- النموذج من أربع صفحات

::: quote آنا رويز، رئيسة الترميم
لا أحد يقرأ خطة الطوارئ وقت الطوارئ.
:::

## الأعضاء

::: columns
::: column
::: statistic 45
جمعية عضو
:::
:::
::: column
::: statistic 12,400
قارئ لنشرتنا
:::
:::
:::

## المدرسة الصيفية

::: event المدرسة الصيفية للأرشيفات
start: 2027-06-14 09:00
timezone: America/Los_Angeles
place: أرشيف ليكلاند، 12 شارع الشاطئ
link: https://example.org/summer-school

ثلاثة أيام عن الماء.
:::

::: poll أي الأيام يناسبك؟
- من الإثنين إلى الأربعاء
- من الخميس إلى السبت
:::

::: person آنا رويز
photo: ana.jpg
role: رئيسة الترميم في أرشيف ليكلاند
:::
"""


def association(**changes: Any) -> Association:
    values: dict[str, Any] = {
        "slug": "coalition",
        "name": "The Coalition",
        "sender_address": "news@coalition.example",
        "postal_address": "12 Shore Road\nLakeland, WA 98001",
        "homepage": "https://coalition.example/",
    }
    return Association(**{**values, **changes})


def example(name: str) -> Campaign:
    """The campaign file that shows the template."""
    return definition.read_file(EXAMPLES / f"{name}.md")


def translated(name: str, tag: str) -> Campaign:
    """The example in another language, by the file beside it."""
    return example(name).variants[tag]


def arabic(name: str) -> Campaign:
    """All kinds of blocks, written from right to left, in the template."""
    blocks, problems = parse_body(ARABIC, first_line=1)
    assert problems == ()
    given = slots.samples(slots.declared(TemplateLibrary().find(name)))
    part = NewsletterPart("مدرسة صيفية", "ثلاثة أيام", name, slots=given)
    return Campaign(id="sample", title="مدرسة صيفية", language="ar", blocks=blocks, source="", newsletter=part)


def mail(campaign: Campaign, sender: Association | None = None, member: Mapping[str, Any] | None = None) -> Rendered:
    """What a member gets, in the brand that its template is shown in."""
    assert campaign.newsletter is not None
    name = campaign.newsletter.template
    sender = sender or association(brand=BRANDS[name])
    edition = compile_edition(campaign, sender, TemplateLibrary().find(name), media_url=PICTURES, around=AROUND)
    context = {
        "member": {"first_name": "Ana"} if member is None else dict(member),
        "association": association_data(sender),
        "campaign": campaign_data(campaign),
        "links": LINKS,
        "url": f"{SITE}/",
        "today": date(2027, 3, 1),
    }
    return Renderer(edition).render(context)


def letter(name: str, sender: Association | None = None, language: str = "en") -> Rendered:
    """A letter to one person, in the words that it is sent with."""
    sender = sender or association(brand=BRANDS["announcement"])
    template = TemplateLibrary([BUILT_IN / "letters"]).find(name)
    return render_letter(_LETTERS[name](SHIPPED.words(language), sender.name), sender, template, media_url=PICTURES)


def _confirm(words: Words, name: str) -> LetterContent:
    wordings = [signup_words.topic_wording(words, title, name) for title in TOPICS]
    until = datetime(2027, 3, 5, 9, tzinfo=UTC)
    return signup_words.confirmation(words, name, wordings, url=f"{SITE}/s/token", expires_at=until, invited=False)


def _welcome(words: Words, name: str) -> LetterContent:
    return letter_words.welcome(words, name, TOPICS, url=f"{SITE}/p/token", own=None)


def _preferences(words: Words, name: str) -> LetterContent:
    return letter_words.preferences(words, name, url=f"{SITE}/p/token")


def _offer(words: Words, name: str) -> LetterContent:
    return LetterContent(
        subject=words.gettext("A question about %(title)s", title="Summer school"),
        heading=words.gettext("Will you pass this on?"),
        paragraphs=(
            words.gettext("Please answer by %(day)s. Silence sends nothing.", day=words.day(date(2027, 3, 1))),
        ),
        button=words.gettext("Look at it and answer"),
        url=f"{SITE}/r/token",
        notes=(words.gettext("The link is yours: whoever has it can answer for %(association)s.", association=name),),
        why=words.gettext("You get this because you speak for %(association)s.", association=name),
        language=words.language,
    )


def _link(words: Words, name: str) -> LetterContent:
    told = words.gettext("Here is a new link to “%(title)s”. Earlier ones need no longer work.", title="Summer school")
    return replace(
        _offer(words, name),
        subject=words.gettext("Your link: %(title)s", title="Summer school"),
        heading=words.gettext("Your link"),
        paragraphs=(told,),
    )


def _reply(words: Words, name: str) -> LetterContent:
    return LetterContent(
        subject="Re: Summer school",
        heading=words.gettext("An answer to what you relayed"),
        paragraphs=("Is there still a place in Bangor?",),
        points=("ana@archives.example",),
        button=words.gettext("Answer by mail"),
        url="mailto:ana@archives.example",
        notes=(words.gettext("Your answer goes to the person who wrote this, and nobody else sees it."),),
        language=words.language,
    )


def _passed(words: Words, name: str) -> LetterContent:
    return LetterContent(
        subject=words.gettext(
            "Answer %(code)s through %(association)s: %(title)s", code="3f9a2c", association=name, title="Summer school"
        ),
        heading=words.gettext("An answer that is passed on"),
        paragraphs=("Is there still a place in Bangor?", "Greetings, […]"),
        button=words.gettext("Answer by mail"),
        url="mailto:news@coalition.example",
        notes=(words.gettext("Your answer goes to %(association)s, who knows who wrote this.", association=name),),
        language=words.language,
    )


def _asked(words: Words, name: str) -> LetterContent:
    host = "The Coalition"
    passed = "%(association)s has passed your answer on to %(host)s, without your name and address."
    return LetterContent(
        subject=words.gettext("Your answer was passed on: %(title)s", title="Summer school"),
        heading=words.gettext("Your answer was passed on"),
        paragraphs=(
            words.gettext(passed, association=name, host=host),
            words.gettext("If %(host)s may write to you, send the mail behind the button, as it is.", host=host),
        ),
        button=words.gettext("Tell them my address"),
        url="mailto:bounces@lists.example.org",
        notes=(words.gettext("If you do nothing, they do not learn who you are."),),
        language=words.language,
    )


def _not_passed(words: Words, name: str) -> LetterContent:
    remedy = "Forward the mail in which you got the answer, with the file message.eml that is attached."
    return LetterContent(
        subject=words.gettext("Not passed on: %(title)s", title="Summer school"),
        heading=words.gettext("Nothing was passed on"),
        paragraphs=(words.gettext(remedy),),
        button=words.gettext("Write to %(host)s yourself", host="The Coalition"),
        url="mailto:news@coalition.example",
        language=words.language,
    )


_LETTERS = {
    "passed": _passed,
    "asked": _asked,
    "not-passed": _not_passed,
    "offer": _offer,
    "link": _link,
    "reply": _reply,
    "confirm": _confirm,
    "welcome": _welcome,
    "preferences": _preferences,
}


def long_newsletter(stories: int) -> Campaign:
    """A newsletter of so many stories, each with a picture, two hundred words and a button."""
    words = "Small libraries keep the memory of their towns, and the towns know it. " * 16
    story = "## Story {n}\n\n![Picture {n}](reading-room.jpg)\n\n{words}\n\n::: button https://example.org/{n}\nRead\n:::\n\n"
    text = "# News\n\nHello.\n\n" + "".join(story.format(n=n, words=words) for n in range(stories))
    blocks, problems = parse_body(text, first_line=1)
    assert problems == ()
    return replace(example("newsletter"), blocks=blocks)


@lru_cache
def drawn(name: str) -> bytes:
    """A picture by its file name, as PNG."""
    width, height = _SIZES.get(name, _WIDE)
    draw = random.Random(name)
    image = Image.new("RGB", (width, height), "#e9dfcd")
    pen = ImageDraw.Draw(image)
    if name in _SIZES:
        pen.rectangle((0, 0, width, height), fill=draw.choice(("#c9d6d3", "#dccbb8", "#cdd0e0")))
        pen.ellipse((28, 92, 116, 190), fill="#3d4f5c")
        pen.ellipse((46, 30, 98, 92), fill="#c79a78")
        pen.pieslice((42, 22, 102, 86), 180, 360, fill="#4a2f25")
    else:
        colours = draw.choice(
            (
                ("#7a2e3a", "#d9b382", "#1d5c63", "#b3541e", "#efe3cc"),
                ("#2f3e75", "#8fa3b5", "#c58b5a", "#e6ddd0", "#53634f"),
            )
        )
        for shelf in range(3):
            floor, x = (shelf + 1) * height // 3 - 14, 24
            while x < width - 40:
                book, tall = draw.randint(18, 46), draw.randint(130, 200)
                pen.rectangle((x, floor - tall, x + book, floor), fill=draw.choice(colours))
                pen.rectangle((x + 5, floor - tall + 20, x + book - 5, floor - tall + 25), fill="#f7f1e3")
                x += book + draw.choice((2, 2, 2, 3, 34))
            pen.rectangle((0, floor, width, floor + 12), fill="#6b4a32")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
