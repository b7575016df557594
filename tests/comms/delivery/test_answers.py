"""Whom an answer speaks of: the recipient, the provider of the mailbox, or the mail server that gave it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.channels.mail import Reply
from comms.delivery.answers import PROVIDERS, Fault, fault_of, provider_of, provider_that_defers, wants_less


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (421, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume"),
        (421, ""),
        (450, "4.7.1 Our system has detected an unusual rate of mail"),
        (451, "4.7.650 The mail server has been temporarily rate limited due to IP reputation"),
        (452, "Too many messages in this session"),
    ],
)
def test_servers_that_want_less_are_understood(code: int, text: str) -> None:
    assert wants_less(code, text)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (450, "4.2.0 Greylisted, please try again later"),
        (451, "4.7.1 Greylisting in action, please come back later"),
        (452, "4.2.2 The user's mailbox is over quota, try later"),
        (450, "4.1.2 Domain not found"),
        (250, "too many cooks"),
        (550, "5.7.1 rate limited"),
        (0, "Connection refused"),
        (454, "Throttling failure: Maximum sending rate exceeded."),
        (454, "Throttling failure: Daily message quota exceeded."),
    ],
)
def test_what_concerns_one_message_makes_no_other_wait(code: int, text: str) -> None:
    assert not wants_less(code, text)


@pytest.mark.parametrize(
    ("code", "text", "name"),
    [
        (421, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume", "Yahoo"),
        (421, "4.7.1 [TS03] All messages from 192.0.2.1 will be permanently deferred", "Yahoo"),
        (421, "4.7.28 Gmail has detected an unusual rate of mail originating from your IP address. gsmtp", "Google"),
        (421, "4.7.0 Our system has detected an unusual rate of unsolicited mail from your IP address", "Google"),
        (451, "4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77714)", "Microsoft"),
        (
            451,
            "4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation",
            "Microsoft",
        ),
        (421, "RP-001 (BAY004) Unfortunately, some messages from 192.0.2.1 weren't sent", "Microsoft"),
    ],
)
def test_a_provider_that_defers_our_address_is_known_by_its_words(code: int, text: str, name: str) -> None:
    provider = provider_that_defers(code, text)
    assert provider is not None
    assert provider.name == name
    assert fault_of(Reply(code, text, concerns_recipient=False)) is None, "our own mail server only passes it on"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (550, "5.7.28 Gmail has detected an unusual rate of mail"),
        (250, "2.0.0 OK [TSS04]"),
        (450, "4.2.1 The user you are trying to contact is receiving mail at a rate that is too high gsmtp"),
        (452, "4.2.2 The recipient's inbox is out of storage space gsmtp"),
        (451, "4.7.1 Greylisted"),
        (421, "4.3.2 too busy"),
        (421, ""),
    ],
)
def test_what_a_provider_says_of_a_mailbox_or_for_good_is_no_deferral_of_our_address(code: int, text: str) -> None:
    assert provider_that_defers(code, text) is None


def test_a_domain_belongs_to_one_provider_at_most() -> None:
    domains = [domain for provider in PROVIDERS for domain in provider.domains]
    assert len(domains) == len(set(domains))
    assert all(domain == domain.lower() for domain in domains)
    names = {provider.name for domain in ("gmail.com", "googlemail.com") if (provider := provider_of(domain))}
    assert names == {"Google"}
    assert provider_of("example.org") is None


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (Reply(250, "ok"), None),
        (Reply(550, "5.1.1 no such user"), None),
        (Reply(451, "4.7.1 Greylisted"), None),
        (Reply(452, "4.2.2 mailbox full"), None),
        (Reply(0, "not sent: too large"), None),
        (Reply(553, "5.7.1 sender not owned", concerns_recipient=False), None),
        (Reply(421, "4.3.2 closing", concerns_recipient=False), Fault.BUSY),
        (Reply(535, "5.7.8 bad login", concerns_recipient=False), Fault.BUSY),
        (Reply(451, "4.3.0 try later", concerns_recipient=False), Fault.BUSY),
        (Reply(452, "4.3.1 insufficient system storage"), Fault.BUSY),
        (Reply(454, "Throttling failure: Maximum sending rate exceeded."), Fault.THROTTLED),
        (Reply(432, "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded"), Fault.THROTTLED),
        (Reply(454, "Throttling failure: Daily message quota exceeded."), Fault.USED_UP),
        (Reply(550, "5.4.5 Daily user sending limit exceeded. For more information on Gmail"), Fault.USED_UP),
        (Reply(451, "Authentication failed: Maximum credits exceeded"), Fault.USED_UP),
    ],
)
def test_what_a_mail_server_of_ours_says_of_itself_is_told_from_what_it_says_of_the_recipient(
    reply: Reply, fault: Fault | None
) -> None:
    assert fault_of(reply) is fault


@given(st.integers(0, 999), st.text(max_size=300), st.booleans())
def test_every_answer_is_understood_and_an_acceptance_never_held_against_anyone(
    code: int, text: str, concerns: bool
) -> None:
    fault = fault_of(Reply(code, text, concerns_recipient=concerns))
    if 200 <= code < 300:
        assert fault is None
        assert provider_that_defers(code, text) is None
        assert not wants_less(code, text)


def test_a_long_answer_of_a_hostile_server_is_read_quickly() -> None:
    text = "messages from " * 20_000 + "all messages from " + "x" * 1_000_000
    assert provider_that_defers(451, text) is None
    assert fault_of(Reply(451, text)) is None
