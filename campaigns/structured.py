"""What stands on the lines of a container, and in it, to the block that it means: events, people, polls and so on.

Gets the content parsed already; finding and parsing it is the business of `containers.py` and `blocks.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from campaigns.carriers import Hidden
from campaigns.containers import DETAILS, Container, Detail, Report
from campaigns.errors import did_you_mean, shown
from campaigns.inline import InlineReader
from campaigns.models import (
    Block,
    Blocks,
    Event,
    FeedItems,
    Heading,
    Inline,
    ListBlock,
    Locked,
    Person,
    Plain,
    Poll,
    Quote,
    Slot,
    Statistic,
    Text,
    When,
)
from campaigns.moments import MomentError, read_moment
from campaigns.schedule import zone_names
from campaigns.urls import image_fault

MAX_WORDS = 300
"""Characters of a name, title, question, answer or place."""
MAX_NUMBER = 40
MAX_RULE = 10_000
ITEMS = range(1, 51)
"""How many a feed may show."""
DAYS = range(1, 367)
SHOWN = ("title", "summary", "image")
ANSWERS = range(2, 9)
"""How many a poll may have."""

_SLOT = re.compile(r'([a-z0-9]+(?:-[a-z0-9]+)*)(?:[ \t]+"([^"]*)")?')
_TOPIC = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_MAX_NAME = 64
_THE = {
    "event": ("title of the event", "::: event Summer school"),
    "feed": ("name or address of the feed", "::: feed museum-blog"),
    "person": ("name of the person", "::: person Ana Ruiz"),
    "poll": ("question", "::: poll Which day suits you?"),
    "quote": ("name of who said it", "::: quote Ana Ruiz, Lakeland Archives"),
    "statistic": ("number", "::: statistic 45"),
}
"""What follows the name of a container, and how it looks."""


@dataclass(frozen=True, slots=True)
class _Opening:
    """A container, what is in it, and the lines of its details by name."""

    container: Container
    content: Blocks
    line: int
    details: Mapping[str, Detail]


class StructuredReader:
    """Makes blocks of the containers of one body; problems go to `report`."""

    def __init__(self, hidden: Hidden, report: Report, inline: InlineReader) -> None:
        self._hidden = hidden
        self._report = report
        self._inline = inline
        self._readers: Mapping[str, Callable[[_Opening], Block | None]] = {
            "event": self._event,
            "feed": self._feed,
            "locked": self._locked,
            "person": self._person,
            "poll": self._poll,
            "quote": self._quote,
            "slot": self._slot,
            "statistic": self._statistic,
            "when": self._when,
        }

    @property
    def names(self) -> frozenset[str]:
        """The containers that are read here."""
        return frozenset(self._readers)

    def read(self, container: Container, content: Blocks, line: int) -> Blocks:
        """The block that a container with this content is; none where it lacks what it needs."""
        block = self._readers[container.name](_Opening(container, content, line, self._details(container)))
        return () if block is None else (block,)

    # --- the blocks -----------------------------------------------------------------------------

    def _quote(self, opening: _Opening) -> Quote | None:
        name = self._named(opening)
        self._only_prose(opening)
        if not opening.content:
            self._report(opening.line, "the quotation has no words", "write them below")
        return Quote(opening.content, opening.line, name) if name else None

    def _person(self, opening: _Opening) -> Person | None:
        name = self._named(opening)
        self._only_prose(opening)
        photo = self._detail(opening, "photo")
        if photo and (fault := image_fault(photo)):
            self._report(self._line(opening, "photo"), *fault)
        role, url = self._words(opening, "role"), self._url(opening)
        return Person(name, opening.content, opening.line, role, photo, url) if name else None

    def _statistic(self, opening: _Opening) -> Statistic | None:
        number = self._named(opening)
        if len(number) > MAX_NUMBER:
            hint = f"at most {MAX_NUMBER} characters; what it counts goes below"
            self._report(opening.line, f"the number `{shown(number)}` is too long", hint)
        label = self._one_text(opening)
        if label is None:
            self._report(opening.line, "what the number counts is not said", "write it below, in one paragraph")
        return Statistic(number, label, opening.line) if number and label else None

    def _event(self, opening: _Opening) -> Event | None:
        title, start, end = self._named(opening), self._moment(opening, "start"), self._moment(opening, "end")
        zone = self._zone(opening)
        self._only_prose(opening)
        for name, example in (("start", "2027-06-14 09:00"), ("timezone", "America/Chicago")):
            if name not in opening.details:
                hint = f"add a line directly below, like {name}: {example}"
                self._report(opening.line, f"the event has no `{name}:`", hint)
        if start and end and end < start:
            hint = "write the later time there, or leave it out"
            self._report(self._line(opening, "end"), "the event ends before it starts", hint)
        if not (title and start and zone):
            return None
        place, url = self._words(opening, "place"), self._url(opening)
        return Event(title, start, zone, opening.content, opening.line, end, place, url)

    def _poll(self, opening: _Opening) -> Poll | None:
        question = self._named(opening)
        match opening.content:
            case (ListBlock(items=items, start=None),):
                answers = tuple(_plain_words(item) for item in items)
            case _:
                self._report(opening.line, "the poll has no list of answers", "write each on a line that starts with -")
                return None
        if not all(answers):
            hint = "write a few plain words for each, without links or expressions"
            self._report(opening.line, "an answer of the poll is more than words, or nothing", hint)
        elif any(len(answer) > MAX_WORDS for answer in answers):
            self._report(opening.line, "an answer of the poll is too long", f"at most {MAX_WORDS} characters")
        elif len({answer.casefold() for answer in answers}) < len(answers):
            self._report(opening.line, "two answers of the poll are the same", "change or remove one")
        if len(answers) not in ANSWERS:
            hint = f"a poll has {ANSWERS.start} to {ANSWERS.stop - 1} answers"
            self._report(opening.line, f"a poll with {len(answers)} answers", hint)
        return Poll(question, answers, opening.line) if question else None

    def _feed(self, opening: _Opening) -> FeedItems | None:
        source = self._named(opening)
        if not all(isinstance(block, Heading | Text | ListBlock) for block in opening.content):
            message = "something other than headings, paragraphs and lists above the items of the feed"
            self._report(opening.line, message, "put it before the `::: feed`")
        topic = self._detail(opening, "topic")
        if topic and not (_TOPIC.fullmatch(topic) and len(topic) <= _MAX_NAME):
            hint = "write its short name: small letters, digits and hyphens"
            self._report(self._line(opening, "topic"), f"`{shown(topic)}` can not be the name of a topic", hint)
        count = self._number(opening, "count", self._detail(opening, "count"), ITEMS, "like count: 5")
        since = self._detail(opening, "since").lower().replace("days", "d").replace("day", "d")
        unseen = since == "last"
        hint = "in days, like since: 7d; or since: last"
        days = None if unseen else self._number(opening, "since", since.removesuffix("d").strip(), DAYS, hint)
        named = [name.strip().lower() for name in self._detail(opening, "show").split(",") if name.strip()]
        for name in named:
            if name not in SHOWN:
                hint = did_you_mean(name, SHOWN, f"there are: {', '.join(SHOWN)}")
                self._report(self._line(opening, "show"), f"an item of a feed has no `{shown(name)}`", hint)
        plain = FeedItems(source, opening.line)
        show = tuple(name for name in SHOWN if name in named or name == "title") if named else plain.show
        if not source:
            return None
        plain = replace(plain, topic=topic, opening=opening.content)
        return replace(plain, count=count or plain.count, days=days, unseen=unseen, show=show)

    def _number(self, opening: _Opening, name: str, text: str, allowed: range, hint: str) -> int | None:
        """The value of a detail as a number; None when it is left out or none."""
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
        if name in opening.details and number not in allowed:
            message = f"`{name}:` is no number from {allowed.start} to {allowed.stop - 1}"
            self._report(self._line(opening, name), message, f"write it {hint}")
            return None
        return number

    def _when(self, opening: _Opening) -> When:
        rule = self._literal(opening.container.argument, "condition", opening.line)
        if not rule:
            hint = "write the rule after the name, like `::: when state in (WA, OR)`"
            self._report(opening.line, "the condition is empty", hint)
        elif len(rule) > MAX_RULE:
            self._report(opening.line, "the condition is too long", f"at most {MAX_RULE:,} characters")
        self._filled(opening)
        return When(rule, opening.content, opening.line)

    def _slot(self, opening: _Opening) -> Slot | None:
        found = _SLOT.fullmatch(self._literal(opening.container.argument, "slot", opening.line))
        if found is None or len(found[1]) > _MAX_NAME or len(found[2] or "") > MAX_WORDS:
            hint = 'write a short name and what belongs there: `::: slot local-news "News of your association"`'
            self._report(opening.line, "the slot has no name that can be used", hint)
            return None
        return Slot(found[1], (found[2] or "").strip(), opening.content, opening.line)

    def _locked(self, opening: _Opening) -> Locked:
        if argument := opening.container.argument:
            words, _ = self._hidden.literal(argument)
            self._report(opening.line, f"`::: locked` is followed by `{shown(words)}`", "put nothing after the name")
        self._filled(opening)
        return Locked(opening.content, opening.line)

    # --- what they are made of ------------------------------------------------------------------

    def _named(self, opening: _Opening) -> str:
        """The words after the container's name; empty when they are missing."""
        what, example = _THE[opening.container.name]
        words = self._literal(opening.container.argument, what, opening.line)
        if not words:
            self._report(opening.line, f"the {what} is missing", f"write it after the name, like `{example}`")
        elif len(words) > MAX_WORDS:
            self._report(opening.line, f"the {what} is too long", f"at most {MAX_WORDS} characters")
        return words

    def _details(self, container: Container) -> Mapping[str, Detail]:
        known = DETAILS.get(container.name, ())
        found: dict[str, Detail] = {}
        for detail in container.details:
            name, line = detail.name.lower(), self._hidden.lines[detail.row]
            if name not in known:
                otherwise = f"there are: {', '.join(known)}; put an empty line before text that is none of these"
                hint = did_you_mean(name, known, otherwise)
                message = f"`{shown(self._hidden.literal(detail.name)[0])}:` says nothing about the {container.name}"
                self._report(line, message, hint)
            elif name in found:
                self._report(line, f"`{name}:` stands here twice", "remove one of the two")
            elif not detail.value:
                self._report(line, f"`{name}:` has no value", "write it after the colon, or remove the line")
            else:
                found[name] = detail
        return found

    def _line(self, opening: _Opening, name: str) -> int:
        return self._hidden.lines[opening.details[name].row] if name in opening.details else opening.line

    def _detail(self, opening: _Opening, name: str) -> str:
        """The value of a detail; empty when it is left out."""
        found = opening.details.get(name)
        return self._literal(found.value, name, self._line(opening, name)) if found else ""

    def _words(self, opening: _Opening, name: str) -> str:
        words = self._detail(opening, name)
        if len(words) > MAX_WORDS:
            self._report(self._line(opening, name), f"`{name}:` is too long", f"at most {MAX_WORDS} characters")
        return words

    def _url(self, opening: _Opening) -> str:
        found = opening.details.get("link")
        return self._inline.address(found.value, self._line(opening, "link")) if found else ""

    def _moment(self, opening: _Opening, name: str) -> datetime | None:
        text = self._detail(opening, name)
        try:
            return read_moment(text) if text else None
        except MomentError as error:
            self._report(self._line(opening, name), error.message, error.hint)
            return None

    def _zone(self, opening: _Opening) -> str:
        zone = self._detail(opening, "timezone")
        if not zone or zone in zone_names():
            return zone
        hint = did_you_mean(zone, zone_names(), "write a name like `America/Chicago` or `Europe/Paris`")
        self._report(self._line(opening, "timezone"), f"there is no time zone `{shown(zone)}`", hint)
        return ""

    def _literal(self, text: str, what: str, line: int) -> str:
        words, computed = self._hidden.literal(text)
        if computed:
            self._report(line, f"an expression in the {what}, which is the same for everyone", "write plain words")
        return words.strip()

    def _only_prose(self, opening: _Opening) -> None:
        if not all(isinstance(block, Text | ListBlock) for block in opening.content):
            message = f"something other than paragraphs and lists in the {opening.container.name}"
            self._report(opening.line, message, "put it below the `:::`")

    def _filled(self, opening: _Opening) -> None:
        if not opening.content:
            message = f"there is nothing in `::: {opening.container.name}`"
            self._report(opening.line, message, "write its content on the lines between, or remove it")

    @staticmethod
    def _one_text(opening: _Opening) -> Inline | None:
        match opening.content:
            case (Text(content=content),):
                return content
            case _:
                return None


def _plain_words(item: Blocks) -> str:
    """The words of a list's item; empty when it holds anything else."""
    match item:
        case (Text(content=content),) if all(isinstance(span, Plain) for span in content):
            return "".join(span.text for span in content if isinstance(span, Plain)).strip()
        case _:
            return ""
