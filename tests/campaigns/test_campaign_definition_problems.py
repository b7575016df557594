"""Broken definitions, each with the exact lines and fields that are blamed, and the words that must be said."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.definition import read
from campaigns.errors import DefinitionError, Problem

GOOD = "campaign: opening-hours\ntitle: New hours\nlanguage: en\nfeed:\n"  # lines 2 to 5


def _problems(text: str) -> list[Problem]:
    with pytest.raises(DefinitionError) as caught:
        read(text)
    return list(caught.value.problems)


def _places(problems: list[Problem]) -> list[tuple[int, str]]:
    return [(problem.line, problem.field) for problem in problems]


KEYS = [
    # what stands from line 6 on, the places blamed, words of the first message or hint
    ("titel: x", [(6, "titel")], "did you mean `title`?"),
    ("audience:\n  segmnt: x", [(7, "audience.segmnt")], "did you mean `segment`?"),
    ("newsletter:\n  subject: Hi\n  from: me", [(8, "newsletter.from")], "there are: subject, preview, template"),
    ("newsletter:\n  preview: x", [(6, "newsletter.subject")], "missing"),
    ("newsletter:\n  subject:", [(7, "newsletter.subject")], "no value"),
    ("newsletter:", [(6, "newsletter.subject")], "missing"),
    ("newsletter: Hello", [(6, "newsletter")], "keys are wanted"),
    ("newsletter:\n  subject: true", [(7, "newsletter.subject")], "put it in quotes"),
    ("newsletter:\n  subject: [a, b]", [(7, "newsletter.subject")], "a list where one text is wanted"),
    ("newsletter:\n  subject: ''", [(7, "newsletter.subject")], "empty"),
    ("newsletter:\n  subject: Hi\n  template: ../secret", [(8, "newsletter.template")], "not a short name"),
    ("newsletter:\n  subject: Hi {{ member.name", [(7, "newsletter.subject")], "not valid Jinja"),
    ("newsletter:\n  subject: Hi {{ name }}", [(7, "newsletter.subject")], "available: member, association"),
    ("newsletter:\n  subject: |\n    Hi\n    {{ nme }}", [(9, "newsletter.subject")], "unknown name `nme`"),
    ("newsletter:\n  subject: Hi\n  preview: '{{ 9 ** 9 }}'", [(8, "newsletter.preview")], "not available"),
    ("association: The Coalition", [(6, "association")], "lower-case letters"),
    ("audience:\n  topic: Coalition News", [(7, "audience.topic")], "not a short name"),
    ("audience: everyone", [(6, "audience")], "keys are wanted"),
    ("social:", [(6, "social")], "no network is named"),
    ("social:\n  twitter: x", [(7, "social.twitter")], "there are: x, mastodon, bluesky, linkedin"),
    ("social:\n  x: Dear {{ member.name }}", [(7, "social.x")], "same for everyone"),
    ("schedule:\n  at: 2027-02-01 09:00", [(6, "schedule.timezone")], "America/Chicago"),
    ("schedule:\n  at: 2027-02-30 09:00\n  timezone: UTC", [(7, "schedule.at")], "calendar"),
    ("schedule:\n  at: 2027-02-01 25:00\n  timezone: UTC", [(7, "schedule.at")], "calendar"),
    ("schedule:\n  at: 2027-02-01\n  timezone: UTC", [(7, "schedule.at")], "no time of day"),
    ("schedule:\n  at: 1 Feb 2027 at nine\n  timezone: UTC", [(7, "schedule.at")], "2027-02-01 09:00"),
    ("schedule:\n  at: 2027-02-01T09:00Z\n  timezone: UTC", [(7, "schedule.at")], "name the zone in `timezone`"),
    ("schedule:\n  at: 2027-02-01T09:00:00+01:00\n  timezone: UTC", [(7, "schedule.at")], "offset of its own"),
    ("schedule:\n  at: 0027-02-01 09:00\n  timezone: UTC", [(7, "schedule.at")], "out of range"),
    ("schedule:\n  at: [1]\n  timezone: UTC", [(7, "schedule.at")], "a list where"),
    ("schedule:\n  at: 2027-02-01 09:00\n  timezone: Europe/Pris", [(8, "schedule.timezone")], "`Europe/Paris`?"),
    ("schedule:\n  at: 2027-02-01 09:00\n  timezone: ../UTC", [(8, "schedule.timezone")], "no time zone"),
    ("schedule:\n  at: 2027-02-01 09:00\n  timezone: localtime", [(8, "schedule.timezone")], "no time zone"),
    ("relay:\n  respond_by: 2027-01-25", [(6, "relay")], "`associations: all`"),
    ("relay:\n  kinds: [library]\n  not_before: 2027-02-02\n  not_after: 2027-02-01", [(6, "relay")], "swap"),
    ("relay:\n  associations: maine", [(7, "relay.associations")], "[maine, vermont]"),
    ("relay:\n  associations: []", [(7, "relay.associations")], "empty"),
    ("relay:\n  associations: [all, maine]", [(7, "relay.associations")], "among the names"),
    ("relay:\n  associations:\n    - maine\n    - New York", [(9, "relay.associations")], "`New York`"),
    ("relay:\n  associations: all\n  respond_by: 25.01.2027", [(8, "relay.respond_by")], "2027-01-25"),
    ("relay:\n  associations: all\n  respond_by: 2027-13-01", [(8, "relay.respond_by")], "calendar"),
    ("tags: libraries", [(6, "tags")], "list is wanted"),
    ("tags:\n  - a\n  - yes: no", [(8, "tags")], "keys where one text is wanted"),
    ("tags: [true]", [(6, "tags")], "put it in quotes"),
    ("title: again", [(6, "title")], "already on line 3"),
    ("tags: [a", [(6, "front matter")], "bracket"),
    ("tags: *other", [(6, "front matter")], "write it out"),
    ("tags: &x [a]", [(6, "front matter")], "names a value"),
    ("tags: !!python/object:os.system [a]", [(6, "front matter")], "starts with `!`"),
    ("social:\n  x: @home", [(7, "front matter")], "begins with '@'"),
    ("social:\n  x: 'open", [(7, "front matter")], "quotes"),
    ("social:\n  x: now: here", [(7, "front matter")], "put the value in quotes"),
    ("social:\n\tx: now", [(7, "front matter")], "tab"),
    ("social:\n  x: {{ url }} now", [(7, "front matter")], "needs quotes"),
    ("social:\n  x: {{ url }}", [(7, "social.x")], "in quotes"),
    ("social:\n  x: now\n bluesky: later", [(8, "front matter")], "indentation"),
    ('social:\n  x: "a\\0b"', [(7, "social.x")], "U+0000"),
    ('social:\n  x: "\\UFFFFFFFF"', [(2, "front matter")], "can not be read"),
    ("a: [" + "[" * 50_000, [(6, "front matter")], "nested too deeply"),
    ("%YAML 1.1", [(6, "front matter")], "starts with `%`"),
    ("%YAML 1.10\n---x", [(6, "front matter")], "starts with `%`"),
    ("...\nx: y", [(7, "front matter")], "second document"),
]


@pytest.mark.parametrize(("keys", "places", "words"), KEYS, ids=[keys[:40] for keys, _, _ in KEYS])
def test_a_broken_key_is_blamed_on_its_own_line(keys: str, places: list[tuple[int, str]], words: str) -> None:
    problems = _problems(f"---\n{GOOD}{keys}\n---\nText.\n")

    assert _places(problems) == places
    assert words in str(problems[0])


FILES = [
    ("", [(1, "file")], "empty"),
    ("\n \n", [(1, "file")], "empty"),
    ("# Hello\n", [(1, "front matter")], "first line must be `---`"),
    ("\n---\ntitle: x\n---\n", [(1, "front matter")], "first line must be `---`"),
    ("---\ncampaign: a\n", [(1, "front matter")], "not closed"),
    ("---\n---\nText\n", [(2, "front matter")], "no keys"),
    ("---\n- a\n---\nText\n", [(2, "front matter")], "no keys"),
    ("---\ntitle: x\nlanguage: en\nfeed:\n---\n", [(1, "campaign")], "give the campaign an id"),
    ("---\ncampaign: A B\ntitle: x\nlanguage: en\nfeed:\n---\n", [(2, "campaign")], "hyphens"),
    (f"---\ncampaign: {'a' * 65}\ntitle: x\nlanguage: en\nfeed:\n---\n", [(2, "campaign")], "at most 64"),
    ("---\ncampaign: a\ntitle: x\nlanguage: en_US\nfeed:\n---\n", [(4, "language")], "hyphens"),
    ("---\ncampaign: a\ntitle: x\nlanguage: English text\nfeed:\n---\n", [(4, "language")], "language tag"),
    ("---\ncampaign: a\ntitle: '{{ url }}'\nlanguage: en\nfeed:\n---\n", [(3, "title")], "same for everyone"),
    ("---\ncampaign: a\ntitle: |\n  x\n  y\nlanguage: en\nfeed:\n---\n", [(3, "title")], "one line"),
    ("---\ncampaign: a\ntitle: x\nlanguage: en\n---\n", [(1, "front matter")], "no newsletter, feed or social"),
    (f"---\n{GOOD}newsletter:\n  subject: Hi\n---\n", [(8, "body")], "no text"),
    (f"---\n{GOOD}---\na\n\nb\x07c\n", [(9, "file")], "U+0007"),
    (f"---\n{GOOD}---\na \u202eb\n", [(7, "file")], "U+202E"),
    (f"---\n{GOOD}---\na \ud800b\n", [(7, "file")], "U+D800"),
    (f"---\n{GOOD}# \ufffe\n---\n", [(6, "file")], "U+FFFE"),
]


@pytest.mark.parametrize(("text", "places", "words"), FILES, ids=[repr(text[:40]) for text, _, _ in FILES])
def test_a_broken_file_is_blamed_where_it_breaks(text: str, places: list[tuple[int, str]], words: str) -> None:
    problems = _problems(text)

    assert _places(problems) == places
    assert words in str(problems[0])


def test_all_problems_of_keys_texts_and_body_come_at_once_in_order() -> None:
    problems = _problems(
        "---\r\ncampaign: X\r\nlanguage: en\r\nnewsletter:\r\n  subject: '{{ x }}'\r\n  sbject: a\r\n---\r\n"
        "<b>Hi</b>\r\n\r\n::: buton\r\n{{ y }}\r\n"
    )

    assert _places(problems) == [
        (1, "title"),
        (2, "campaign"),
        (5, "newsletter.subject"),
        (6, "newsletter.sbject"),
        *[(8, "body")] * 2,
        *[(10, "body")] * 2,
        (11, "body"),
    ]


def test_problems_of_the_body_are_found_although_the_yaml_is_broken() -> None:
    assert _places(_problems("---\ntitle: 'x\n---\n<b>\n")) == [(2, "front matter"), (4, "body")]


def _outcome(text: str) -> tuple[tuple[Problem, ...], str]:
    """Problems of a text, none when it is good, and how they print."""
    try:
        read(text)
    except DefinitionError as error:
        return error.problems, str(error)
    return (), ""


def _check(text: str) -> None:
    problems, printed = _outcome(text)
    assert bool(problems) == bool(printed)
    assert all(0 < problem.line <= text.count("\n") + text.count("\r") + 1 for problem in problems)
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)
    printed.encode()  # no lone surrogate gets out


@given(st.text(st.characters(exclude_categories=())))
@settings(max_examples=300, deadline=None)
def test_no_text_raises_anything_but_a_definition_error(text: str) -> None:
    for whole in (text, f"---\n{text}\n---\n", f"---\n{GOOD}---\n{text}", f"---\n{GOOD}social:\n  x: {text}\n---\n"):
        _check(whole)


_PIECES = [
    "{{",
    "}}",
    "{%",
    "%}",
    ":",
    "- ",
    '"',
    "'",
    "[",
    "]",
    "\n",
    "  ",
    "#",
    "&a",
    "*a",
    "!",
    "|",
    ">",
    "\\",
    "x",
]
_WORDS = [
    "member",
    ".",
    "(",
    ")",
    "`",
    "::: ",
    "button",
    "columns",
    "column",
    "<a",
    "![",
    "](",
    "**",
    "1. ",
    "{decorative}",
]


@given(st.lists(st.sampled_from(_PIECES + _WORDS)))
@settings(max_examples=500, deadline=None)
def test_no_heap_of_punctuation_raises_anything_but_a_definition_error(pieces: list[str]) -> None:
    text = "".join(pieces)
    _check(f"---\n{text}\n---\n")
    _check(f"---\n{GOOD}social:\n  x: {text}\n---\n{text}")


@pytest.mark.parametrize(
    "piece",
    [
        "{{",
        "{{ '",
        "{{(}}",
        "{% if a %}",
        "[",
        "![",
        "](",
        "*",
        "_a__ ",
        "`",
        "\\",
        "<a ",
        ">",
        "- ",
        "::: columns\n",
        "\u202e\n",
    ],
)
def test_a_body_made_to_be_slow_is_read_or_refused_in_seconds(piece: str) -> None:
    started = time.process_time()
    _outcome(f"---\n{GOOD}---\n" + piece * (95_000 // len(piece)))
    _outcome(piece * (1_000_000 // len(piece)))
    _outcome(f"---\n{GOOD}newsletter:\n  subject: >\n    {piece * (60_000 // len(piece))}\n---\nText.\n")

    assert time.process_time() - started < 30
