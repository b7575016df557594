"""Each of these campaigns has one fault, and `campaign check` names it at its line; good ones are left in peace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from PIL import Image
from preflight_samples import GOOD, check, edited, good_workspace, line_of, save_picture

from comms.engine.workspace import Workspace

MUST, SHOULD = "must fix", "should fix"
PICTURE_ALONE = (GOOD[GOOD.index("Dear {{") :], "![Come to the spring school in May](map.jpg)\n")
PROGRAMME = "https://coalition.org/spring/programme"
SENTENCE = "Everyone who works in a small archive is welcome, whether paid or not."
WITH_IMAGES = (("  template:", "  inline_images: true\n  template:"),)
SPANISH = (("language: en", "language: es"), (SENTENCE, "el miércoles, 13 de mayo de 2027"))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with good_workspace(tmp_path_factory.mktemp("preflight") / "workspace") as workspace:
        for name in ("noise.png", "noise2.png"):
            save_picture(workspace.media_folder / name, noise=True)
        Image.new("RGB", (60, 30)).save(workspace.media_folder / "modern.webp")
        for name, size in (("setup.exe", 10), ("costs.pdf", 10), ("book.pdf", 250_000), ("film.pdf", 3_000_001)):
            (workspace.media_folder / name).write_bytes(b"%" * size)
        yield workspace


@dataclass(frozen=True)
class Fault:
    """`marker` stands on the line to blame; empty for what concerns no line."""

    rule: str
    level: str
    marker: str
    edits: tuple[tuple[str, str], ...] = ()
    sender: str = "coalition"
    """Empty: the one that the file names."""

    @property
    def senders(self) -> tuple[str, ...]:
        return (self.sender,) if self.sender else ()

    def __str__(self) -> str:
        return f"{self.rule}: {self.edits[0][1][:30] if self.edits else self.sender}"


def link(address: str, words: str = "the whole programme") -> tuple[tuple[str, str], ...]:
    return ((f"[the whole programme]({PROGRAMME})", f"[{words}]({address})"),)


def text(words: str) -> tuple[tuple[str, str], ...]:
    return ((SENTENCE, f"{SENTENCE}\n{words}"),)


def attached(name: str) -> tuple[tuple[str, str], ...]:
    return (("  template:", f"  attachments: [{name}]\n  template:"),)


def template(name: str) -> tuple[tuple[str, str], ...]:
    return (("template: announcement", f"template: {name}"),)


def respond_by(day: str) -> tuple[tuple[str, str], ...]:
    return (("schedule:", f"relay:\n  associations: all\n  respond_by: {day}\nschedule:"),)


def subject(words: str) -> tuple[tuple[str, str], ...]:
    return (("{{ member.first_name or 'Colleague' }}, join the spring school", words),)


def preview(words: str) -> tuple[tuple[str, str], ...]:
    return (("Three days in May, free for members, in Springfield and online", words),)


FAULTS = (
    # links
    Fault("", MUST, "https://https://", link("https://https://coalition.org/x")),
    Fault("link-broken", MUST, "https://intranet/", link("https://intranet/page")),
    Fault("link-broken", MUST, "coalition..org", link("https://coalition..org/")),
    Fault("link-broken", MUST, ":99999", link("https://coalition.org:99999/")),
    Fault("link-mailto", MUST, "mailto:office)", (("mailto:office@coalition.org", "mailto:office"),)),
    Fault("link-mailto", MUST, "tel:office", (("mailto:office@coalition.org", "tel:office"),)),
    Fault("link-lookalike", MUST, "the whole programme", link("https://co\u0430lition.org/")),
    Fault("link-http", SHOULD, "http://coalition", link("http://coalition.org/spring")),
    Fault("link-number", SHOULD, "8.8.4.4", link("https://8.8.4.4/page")),
    Fault("link-differs", SHOULD, "[www.library.org]", link(PROGRAMME, "www.library.org")),
    Fault("link-shortened", SHOULD, "bit.ly", link("https://bit.ly/3xyz")),
    Fault("link-reserved", SHOULD, "example.com", link("https://www.example.com/")),
    Fault("link-staging", SHOULD, "staging.", link("https://staging.coalition.org/spring")),
    Fault("link-staging", SHOULD, "localhost", link("http://localhost:8000/")),
    Fault("link-staging", SHOULD, "192.168", link("https://192.168.0.10/")),
    Fault("link-staging", SHOULD, "mastodon:", (("archives. {{ url }}", "archives. https://dev.coalition.org/"),)),
    Fault(
        "link-tracked-twice", SHOULD, "utm_source=b", (("?utm_source=newsletter", "?utm_source=a&utm_source=b"),)
    ),
    Fault("tracking-link", SHOULD, "?who=", (("?utm_source=newsletter", "?who={{ member.address }}"),)),
    # words
    Fault("words-filler", MUST, "Lorem ipsum", text("Lorem ipsum dolor sit amet.")),
    Fault("words-filler", MUST, "TKTK", text("The fee is TKTK dollars.")),
    Fault("words-foreign-field", MUST, "*|FNAME|*", text("Dear *|FNAME|*, welcome.")),
    Fault("words-foreign-field", MUST, "%%first_name%%", subject("%%first_name%%, join the spring school")),
    Fault("words-braces", SHOULD, "{first_name}", text("Dear {first_name}, welcome.")),
    Fault("words-braces", SHOULD, "\\{{", text("Dear \\{{ member.name }}, welcome.")),
    Fault("words-note", SHOULD, "XXX", text("The fee is XXX dollars.")),
    Fault("words-note", SHOULD, "summary:", (("Three days in May for small", "TK days in May for small"),)),
    Fault("words-placeholder", SHOULD, "[your name]", text("With kind regards, [your name]")),
    # the lines that readers see first
    Fault("subject-long", SHOULD, "subject:", subject("Join " + "us and all our friends " * 3)),
    Fault("subject-capitals", SHOULD, "subject:", subject("JOIN THE SPRING SCHOOL")),
    Fault("subject-shouting", SHOULD, "subject:", subject("Join the school!!")),
    Fault("subject-reply", SHOULD, "subject:", subject("Re: the spring school")),
    Fault("preview-missing", SHOULD, "subject:", (("  preview: Three days", "  # Three days"),)),
    Fault("preview-long", SHOULD, "preview:", preview("Three days in May, free for members. " * 5)),
    Fault("preview-repeats", SHOULD, "preview:", preview("Colleague, join the spring school.")),
    # headings and pictures
    Fault("heading-skipped", SHOULD, "#### Where", (("### Where", "#### Where"),)),
    Fault("heading-several", SHOULD, "# The programme", (("## The programme", "# The programme"),)),
    Fault("picture-missing", MUST, "lost.jpg", (("map.jpg", "lost.jpg"),)),
    Fault("picture-broken", MUST, "broken.jpg", (("map.jpg", "broken.jpg"),)),
    Fault("picture-heavy", SHOULD, "noise.png", (("map.jpg", "noise.png"),)),
    Fault("picture-heavy-total", SHOULD, "", (("(map.jpg)\n", "(noise.png)\n\n![More of it](noise2.png)\n"),)),
    Fault("picture-kind", SHOULD, "modern.webp", (("map.jpg", "modern.webp"),)),
    Fault("attachment-missing", MUST, "attachments:", attached("lost.pdf")),
    Fault("attachment-missing", MUST, "attachments:", attached("../comms.toml")),
    Fault("attachment-kind", MUST, "attachments:", attached("setup.exe")),
    Fault("attachment-large", MUST, "attachments:", attached("film.pdf")),
    Fault("attachment-heavy", SHOULD, "attachments:", attached("book.pdf")),
    Fault("attachment-heavy", SHOULD, "inline_images:", (("(map.jpg)", "(noise.png)"), *WITH_IMAGES)),
    Fault("mail-mostly-images", SHOULD, "", (PICTURE_ALONE,)),
    Fault("picture-alt", SHOULD, "IMG_2031", (("Two people mend a torn map at a long table", "IMG_2031.jpg"),)),
    Fault("tracking-image", SHOULD, "spy.org", (("(map.jpg)", "(https://spy.org/open.gif?c=12)"),)),
    # dates and language
    Fault("date-schedule-past", SHOULD, "at: 2026", (("at: 2027-04-01", "at: 2026-04-01"),)),
    Fault("date-event-past", SHOULD, "start:", (("start: 2027-05-12", "start: 2027-02-12"),)),
    Fault("date-weekday", SHOULD, "Wednesday", (("12 May 2027", "13 May 2027"),)),
    Fault("date-weekday", SHOULD, "miércoles", SPANISH),
    Fault("date-response-past", SHOULD, "respond_by", respond_by("2027-01-01")),
    Fault("language-unknown", SHOULD, "language:", (("language: en", "language: xq"),)),
    Fault("language-direction", SHOULD, "language:", (("language: en", "language: he"),)),
    # templates
    Fault("footer-unsubscribe", MUST, "template:", template("no-way-out")),
    Fault("footer-postal", MUST, "template:", template("no-post")),
    Fault("language-not-said", SHOULD, "template:", template("no-language")),
    Fault("contrast-text", SHOULD, "template:", template("grey")),
    Fault("tracking-pixel", MUST, "template:", template("pixel")),
    Fault("text-lacks-links", SHOULD, "template:", template("own-link")),
    Fault("template-broken", MUST, "template:", template("nowhere")),
    Fault("text-differs", SHOULD, "template:", template("wordy")),
    # the sender
    Fault("sender-reserved", SHOULD, "", sender="reserved"),
    Fault("footer-placeholder", SHOULD, "", sender="unset"),
    Fault("sender-unknown", MUST, "association:", (("title: Spring", "association: nobody\ntitle: Spring"),), ""),
    Fault("contrast-brand", SHOULD, "", sender="pale"),
    Fault("sender-freemail", MUST, "", sender="volunteers"),
    Fault("sender-silent", SHOULD, "", sender="silent"),
    Fault("sender-name", SHOULD, "", sender="silent"),
    # readers and channels
    Fault("field-gap", MUST, "subject:", (("member.first_name or 'Colleague'", "member.first_name"),)),
    Fault("field-unknown", MUST, "member.frist_name", text("Dear {{ member.frist_name }}, welcome.")),
    Fault("topic-unknown", SHOULD, "topic:", (("topic: news", "topic: gossip"),)),
    Fault("rule-broken", MUST, "segment:", (("  topic: news", "  topic: news\n  segment: sate = WA"),)),
    Fault("audience-empty", SHOULD, "segment:", (("  topic: news", "  topic: news\n  segment: state = TX"),)),
    Fault("post-long", MUST, "mastodon:", (("Three days in May for small archives. {{", "So long. " * 60 + "{{"),)),
    Fault("schedule-closed", SHOULD, "at: 2027", sender="mondays"),
    Fault("schedule-over", MUST, "repeat:", (("at: 2027-04-01", "repeat: FREQ=DAILY;COUNT=2\n  at: 2026-04-01"),)),
    Fault("feed-unknown", MUST, "::: feed", text("\n::: feed nobodys-blog\n:::\n")),
    Fault("relay-not-offered", SHOULD, "relay:", (("schedule:", "relay:\n  associations: all\nschedule:"),)),
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_named_at_its_line_with_its_level_its_reason_and_what_to_do(
    workspace: Workspace, fault: Fault
) -> None:
    campaign = edited(*fault.edits)

    found = [finding for finding in check(workspace, campaign, *fault.senders) if finding.rule == fault.rule]

    assert found, [finding.rule for finding in check(workspace, campaign, *fault.senders)]
    assert {finding.level for finding in found} == {fault.level}
    assert found[0].line == (line_of(campaign, fault.marker) if fault.marker else 0)
    assert all(finding.message and (finding.why or not finding.rule) for finding in found)


def test_more_than_forty_faults_are_seeded_each_with_an_edit_of_its_own() -> None:
    assert len({(fault.edits, fault.sender, fault.rule) for fault in FAULTS}) == len(FAULTS) > 40


GOOD_EDITS: dict[str, tuple[tuple[str, str], ...]] = {
    "as it is": (),
    "an accented host": link("https://bücher-münchen.de/"),
    "a host in Cyrillic": link("https://пример-музея.рф/"),
    "the words show the site itself": link(PROGRAMME, "coalition.org"),
    "the words show a file": link("https://coalition.org/a.pdf", "programme.pdf"),
    "a whole name that only sounds like a test site": link("https://dev.to/archives"),
    "two different tracking parameters": (("?utm_source=newsletter", "?utm_source=a&utm_medium=b"),),
    "a letter to forward": (("mailto:office@coalition.org", "mailto:?subject=Read%20this"),),
    "a telephone number": (("mailto:office@coalition.org", "tel:+1-555-0100"),),
    "one exclamation mark": subject("Join the spring school!"),
    "a subject of one word in capitals": subject("NASA opens its archive"),
    "a date without a year that fits": text("See you on Friday, 14 May."),
    "brackets in the text": text("He said that [they] came at 9 a.m. on 3/4."),
    "a price in braces of mathematics": text("The set {a, b} has 2 members, 100 % of them here."),
    "first headings that exclude each other": (
        ("# Spring school", "::: when state = WA\n# Western school\n:::\n::: otherwise\n# Spring school\n:::"),
    ),
    "a small attachment": attached("costs.pdf"),
    "images that go with the mail": WITH_IMAGES,
    "a decorative image": (("![Two people mend a torn map at a long table](map.jpg)", "![](map.jpg){decorative}"),),
    "a link with what is no secret of the reader": (("?utm_source=newsletter", "?state={{ member.state or 'any' }}"),),
    "a template of one's own": template("plain"),
}


@pytest.mark.parametrize("name", GOOD_EDITS)
def test_a_good_campaign_is_left_in_peace(workspace: Workspace, name: str) -> None:
    campaign = edited(*GOOD_EDITS[name])
    if name == "a template of one's own":  # it shows plain paragraphs and nothing else
        campaign = campaign[: campaign.index("![Two")].replace(f" and [the whole programme]({PROGRAMME}) is open.", ".")

    assert check(workspace, campaign) == ()


def test_what_concerns_the_campaign_alone_is_said_once_however_many_send_it(workspace: Workspace) -> None:
    found = check(workspace, edited(*text("Lorem ipsum.")), "coalition", "pale")

    assert [finding.rule for finding in found].count("words-filler") == 1


def test_every_finding_of_a_file_with_many_faults_comes_out_what_must_be_fixed_first(workspace: Workspace) -> None:
    found = check(workspace, edited(*text("Lorem ipsum, [your name]."), *subject("JOIN THE SPRING SCHOOL")))

    assert [finding.rule for finding in found] == ["words-filler", "subject-capitals", "words-placeholder"]
    assert GOOD.count("\n") > max(finding.line for finding in found)
