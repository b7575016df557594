"""When a failure is certain enough to stop writing: two witnesses that agree, and nothing that speaks against them."""

from __future__ import annotations

import pytest
from bounce_samples import dsn, letter
from hypothesis import given
from hypothesis import strategies as st

from comms.engagement.bounces import BounceClass, Kind, read_bounce
from comms.engagement.bounces.classify import classify
from comms.engagement.bounces.codes import status_in

RCPT = " (in reply to RCPT TO command)"
DATA = " (in reply to end of DATA command)"
CERTAIN = f"550 5.1.1 user unknown{RCPT}"
POLICY = (
    "spam|policy|blocked by us|bad reputation|SPF|DKIM|DMARC|not authorised|permission|denied|forbidden|prohibited"
    "|restricted|filtered|content|rate|too many mails|quota|temporarily|try later|maintenance|your server|suspended"
    "|disabled|quarantine|security|complaints|bulk|certificate|TLS|Richtlinie|politique|política|заблокирован|策略"
).split("|")


def of_class(words: str) -> BounceClass:
    return classify(words, status_in(words)).of_class


@pytest.mark.parametrize(
    "words",
    [
        "550 5.1.1 no such user",
        f"550 no such user{RCPT}",
        "550 5.1.1 not found",
        "550 5.1.1",
        "550 5.5.0 mailbox unavailable",
        "554 5.4.4 domain does not exist",
        f"550 5.1.2 unknown host{RCPT}",
        f"551 user has moved{RCPT}",
        "556 5.1.10 domain does not accept mail",
        "550 5.1.1 user unknown at mx.trusted-security.example",
    ],
)
def test_two_witnesses_that_agree_are_believed(words: str) -> None:
    assert of_class(words) is BounceClass.HARD


@pytest.mark.parametrize(
    "words",
    [
        "550 user unknown",
        f"550 record not found{RCPT}",
        f"550 5.3.0 lookup failed: directory server not found{RCPT}",
        "550 5.7.1 user unknown",
        "550 5.3.0 user unknown",
        f"550 5.1.1 user unknown{DATA}",
        "550 5.1.1 user unknown (in reply to MAIL FROM command)",
        "we have moved to a new platform",
        "554 5.3.2 system not accepting messages",
        f"550 5.4.1 recipient address rejected: access denied{RCPT}",
        f"550 unknown host mail.coalition.example{RCPT}",
        f"553 5.1.8 domain does not exist{RCPT}",
        "550 5.1.0",
        "550 5.4.4",
        "451 4.1.1 user unknown",
    ],
)
def test_one_witness_or_one_that_contradicts_is_not(words: str) -> None:
    assert of_class(words) is BounceClass.SOFT


@pytest.mark.parametrize("word", POLICY)
def test_an_unknown_user_beside_a_word_of_policy_is_never_hard(word: str) -> None:
    assert of_class(CERTAIN) is BounceClass.HARD
    assert of_class(CERTAIN.replace("unknown", f"unknown, {word}")) is BounceClass.SOFT


@given(
    before=st.sampled_from(["", "sorry, ", "message refused: ", "ошибка: "]),
    word=st.sampled_from(POLICY),
    code=st.sampled_from(["5.1.1", "5.1.10", "5.7.1", "5.0.0", ""]),
    said=st.sampled_from(
        [
            "no such user",
            "<ann@library.example>: user unknown",
            "mailbox not found",
            "utilisateur inconnu",
            "用户不存在",
            "host unknown",
            "has moved",
        ]
    ),
    place=st.sampled_from(["", RCPT, DATA]),
)
def test_no_mixture_with_policy_is_hard(before: str, word: str, code: str, said: str, place: str) -> None:
    assert of_class(f"550 {code} {before}{said}; {word}{place}") is BounceClass.SOFT


def test_codes_that_contradict_each_other_bear_out_nothing() -> None:
    about = "Final-Recipient: rfc822; ann@library.example\nAction: failed\nStatus: 5.1.1\n"

    (bounced,) = read_bounce(dsn(f"{about}Diagnostic-Code: smtp; 550 5.7.1 unknown user")).recipients

    assert bounced.of_class is BounceClass.SOFT


def test_something_missing_is_what_the_code_says_is_missing() -> None:
    assert classify("could not find it (#5.4.4)", status_in("5.4.4")) is Kind.NO_HOST
    assert classify("could not find it (#5.1.1)", status_in("5.1.1")) is Kind.NO_USER


def test_who_asks_about_a_bounce_and_quotes_it_has_not_bounced() -> None:
    quoted = "Hi, I got this:\n\n> <news@coalition.example>: 550 5.1.1 User unknown\n\nIs there another address?\n"

    assert read_bounce(letter("Your mail bounced?", quoted)).of_class is BounceClass.NONE
