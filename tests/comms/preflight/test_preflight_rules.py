"""No rule fails on what hostile people write, every rule is explained, and the command says what was found."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from preflight_samples import GOOD, HOST, NOW, edited, good_workspace
from test_seeded_faults import FAULTS

from campaigns.models import (
    Blocks,
    Button,
    Campaign,
    Event,
    Expression,
    Heading,
    Image,
    Link,
    NewsletterPart,
    Person,
    Plain,
    Schedule,
    Text,
    When,
)
from comms.engine import checking
from comms.engine.workspace import Workspace
from comms.preflight import markup, rules, spamassassin
from comms.preflight.facts import Facts, Mail
from comms.preflight.links import _claimed
from comms.rendering.edition import Edition
from comms.rendering.render import Rendered

ROOT = Path(__file__).resolve().parents[3]
RULES = [rule for group in rules.RULES.values() for rule in group]

# --- hostile content --------------------------------------------------------------------------

WORDS = st.text(st.characters(codec=None), max_size=60) | st.sampled_from(
    [
        "[" * 200,
        "{{" * 50,
        "_" * 500,
        "Monday, " * 40,
        "\ud800",
        "\0",
        "xn--\u0430",
        "Lorem " * 30,
        "*|" * 60,
        "a." * 99,
    ]
)
ADDRESSES = WORDS | st.builds(
    "{}://{}{}".format,
    st.sampled_from(["http", "https", "mailto", "HTTPS"]),
    WORDS,
    st.sampled_from(["", "/", ":99", "]"]),
)
HTML = WORDS | st.lists(
    st.sampled_from(
        ['<p style="color:#eee">', "</p>", "<img>", "<img src=x width=1>", '<a href="http://[">', "<h1>", "<", "<!--",
         '<td bgcolor="red" style="background:;color:;;font-size:9e9px">', "<html lang=>", "</", "<style>", "&#xD800;"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@st.composite
def bodies(draw: Callable[..., str]) -> Blocks:
    def inline() -> tuple[Plain | Expression | Link, ...]:
        link = Link(draw(ADDRESSES), (Plain(draw(WORDS)),))
        return Plain(draw(WORDS)), Expression("{{ member.x }}", draw(st.integers(0, 9))), link

    event = Event(draw(WORDS), NOW.replace(tzinfo=None), "Asia/Tokyo", (), 3, place=draw(WORDS), url=draw(ADDRESSES))
    inner = (Heading(draw(st.integers(1, 4)), inline(), 4), Text(inline(), 10**6))
    return (
        Text(inline(), draw(st.integers(0, 9))),
        Image(draw(ADDRESSES), draw(WORDS), 2, url=draw(ADDRESSES)),
        Button(draw(ADDRESSES), inline(), 2),
        Person(draw(WORDS), (), 3, photo=draw(WORDS), url=draw(ADDRESSES)),
        event,
        When("x", inner, 5, otherwise=inner),
    )


@given(bodies(), WORDS, WORDS, HTML, st.sampled_from(["en", "he", "xx", "zh-Hant-TW", "x", "e" * 60]))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_no_rule_fails_whatever_stands_in_a_campaign(
    blocks: Blocks, line: str, words: str, html: str, language: str
) -> None:
    campaign = Campaign(
        "x", words, language, blocks, source=f"{line}\n{words}", newsletter=NewsletterPart(line, words, subject_line=1),
        social={"x": words}, schedule=Schedule(NOW.replace(tzinfo=None), "member"),
    )  # fmt: skip
    edition = Edition("x", words, language, "coalition", line, words, html, words, (words,))
    mail = Mail(edition, Rendered(line, words, html, words), len(html), "https://x.org/u/1")
    for facts in (
        Facts(campaign, HOST, NOW, "", mail),
        Facts(campaign, HOST, NOW, "https://x.org", weights={"a": 10**9}),
    ):
        for finding in rules.find(facts, postal_placeholder="?"):
            assert finding.message.isprintable()
            assert finding.line >= 0


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["[insert ", "1 de ", "*|A", "a.", "{{ ", "__", "<p style='", "Monday, 1 January, "])
def test_a_long_text_takes_no_longer_than_its_length(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    campaign = Campaign("x", "X", "en", (Text((Plain(text), Link("https://x.org/", (Plain(text),))), 1),), source=text)

    list(rules.find(Facts(campaign, HOST, NOW, "https://x.org"), postal_placeholder="?"))
    markup.read(text)


@pytest.mark.parametrize(
    ("words", "host"),
    [
        ("https://www.Library.org/page?x=1", "www.library.org"),
        ("library.org", "library.org"),
        ("the library", ""),
        ("report.pdf", ""),
        ("e.g.", ""),
        ("3.5", ""),
        ("office@library.org", ""),
        ("Visit library.org today", ""),
    ],
)
def test_only_words_that_are_an_address_count_as_one(words: str, host: str) -> None:
    assert _claimed(words) == host


# --- what is read of a mail ---------------------------------------------------------------------


def test_colours_sizes_and_what_is_hidden_are_read_as_a_mail_program_shows_them() -> None:
    document = markup.read(
        '<html lang="en"><body style="background-color:#000"><div style="display:none">unseen</div>'
        '<td style="font-size:0px"><div style="font-size:20px;color:#fff">large</div> gap</td>'
        '<p bgcolor="white" style="color:rgb(1, 2, 3)">dark</p><p style="background:url(x.png)">on a picture</p></body>'
    )

    assert document.language == "en"
    assert [(words.text, words.colour, words.background, words.size) for words in document.words] == [
        ("large", "#ffffff", "#000000", 20),
        ("dark", "#010203", "#ffffff", 16),
        ("on a picture", "#000000", None, 16),
    ]


# --- SpamAssassin -----------------------------------------------------------------------------

REPORT = """\
Subject: x

Content analysis details:   (-9.0 points, 5.0 required)
Spam detection software has identified this mail.

Content analysis details:   (3.1 points, 5.0 required)

 pts rule name              description
---- ---------------------- --------------------------------------------------
 2.2 MPART_ALT_DIFF         BODY: HTML and text parts are different
-1.0 MAILING_LIST_MULTI     Multiple indicators imply a widely-seen list manager
 1.9 SUBJ_ALL_CAPS          Subject is all capitals
"""


def test_the_verdict_is_the_last_that_stands_there_with_what_counted_against_the_mail() -> None:
    verdict = spamassassin.read(REPORT)

    assert verdict == spamassassin.Verdict(3.1, (("MPART_ALT_DIFF", 2.2), ("SUBJ_ALL_CAPS", 1.9)))
    assert spamassassin.read("Subject: x") is None


def test_a_mail_is_judged_where_the_program_is_installed(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workspace.folder / "campaigns" / "good.md"
    path.write_text(GOOD, encoding="utf-8")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert checking.check(workspace, path, judge=True).findings == ()

    program = tmp_path / "spamassassin"
    program.write_text(f"#!/bin/sh\n/bin/cat > {tmp_path}/judged.eml\n/bin/cat <<'END'\n{REPORT}END\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (finding,) = checking.check(workspace, path, judge=True).findings

    assert (finding.rule, finding.level) == ("spam-score", "should fix")
    assert "3.1 points: MPART_ALT_DIFF 2.2, SUBJ_ALL_CAPS 1.9" in finding.message
    judged = (tmp_path / "judged.eml").read_text()
    assert "List-Unsubscribe: <https://news.coalition.org/u/" in judged
    assert "Subject: Colleague, join the spring school" in judged


# --- sizes ------------------------------------------------------------------------------------


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with good_workspace(tmp_path / "workspace") as workspace:
        yield workspace


def test_the_size_is_that_of_the_reader_with_the_longest_values_on_the_longer_side(workspace: Workspace) -> None:
    greeting, filler = "{{ member.first_name or 'x' }} ", "Words and more words. " * 1_500
    path = workspace.folder / "campaigns" / "long.md"
    for times, clipped in ((100, False), (1_000, True)):
        path.write_text(
            GOOD.replace("### Where", f"::: when state = WA\n{filler}\n\n{greeting * times}\n:::\n\n### Where"),
            encoding="utf-8",
        )
        rules_found = [finding.rule for finding in checking.check(workspace, path).findings]
        assert ("mail-clipped" in rules_found) is clipped


def test_a_time_that_is_past_only_in_some_places_is_no_fault(workspace: Workspace) -> None:
    path = workspace.folder / "campaigns" / "soon.md"
    recent = (NOW - timedelta(hours=13)).strftime("%Y-%m-%d %H:%M")
    path.write_text(edited(("at: 2027-04-01 09:00", f"at: {recent}")), encoding="utf-8")

    assert checking.check(workspace, path).findings == ()


# --- the page and the command -----------------------------------------------------------------


def test_every_rule_has_a_name_of_its_own_and_stands_on_the_page_as_it_is() -> None:
    page = (ROOT / "docs" / "preflight.md").read_text(encoding="utf-8")
    expected = [
        f"| `{rule.name}` | {rule.level.split()[0]} | {rule.what} | {rule.why} |"
        for group in rules.RULES.values()
        for rule in group
    ]

    assert len({rule.name for rule in RULES}) == len(RULES)
    assert [line for line in page.splitlines() if line.startswith("| `")] == expected
    assert re.findall(r"^### (.+)$", page, flags=re.M) == list(rules.RULES)


def test_every_rule_that_needs_no_network_is_seeded_with_a_fault() -> None:
    elsewhere = {
        "feed-failing",
        "feed-empty",
        "spam-score",
        "mail-clipped",
        "post-broken",
        "post-dear",
        "schedule-blackout",
        "schedule-never",
    }
    # Those of variants need a second file: tests/comms/engine/test_variants.py.
    offline = {rule.name for rule in RULES if not rule.name.startswith(("online-", "variant-"))}

    assert offline - elsewhere == {fault.rule for fault in FAULTS} - {""}


def test_the_command_says_no_for_what_must_be_fixed_and_strictly_for_the_rest(comms: Any) -> None:
    good = comms.folder / "campaigns" / "checked.md"
    good.write_text(edited(("map.jpg", "https://coalition.org/map.jpg")), encoding="utf-8")
    told = comms("campaign", "check", str(good), "--json")
    names = {problem["rule"]: problem for problem in told.json()["problems"]}

    assert told.code == 0
    assert names.keys() == {"sender-reserved", "audience-empty"}
    assert names["sender-reserved"].keys() == {"level", "line", "field", "message", "hint", "why", "rule"}
    assert comms("campaign", "check", str(good), "--strict").code == 1

    good.write_text(edited(("map.jpg", "lost.jpg")), encoding="utf-8")
    told = comms("campaign", "check", str(good))
    assert told.code == 1
    assert "an empty frame" in told.out
