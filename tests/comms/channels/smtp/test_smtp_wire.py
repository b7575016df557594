"""What goes over the wire is what the message says, no more and no less, or a reason why it can not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comms.channels.mail import Outgoing
from comms.channels.smtp.wire import (
    FINAL_DOT,
    LONGEST_ADDRESS,
    Capabilities,
    mail_command,
    original_recipient,
    rcpt_command,
    rcpt_parameters,
    stuffed,
    why_unfit,
    xtext,
)

NOTHING = Capabilities()
ALL = Capabilities.of_ehlo([b"me", b"SIZE 1000", b"8BITMIME", b"SMTPUTF8", b"DSN", b"PIPELINING"])


def message(data: bytes = b"Subject: x\r\n\r\nhello\r\n", to: str = "ana@example.org", **more: Any) -> Outgoing:
    return Outgoing(**{"sender": "news@coalition.example", **more}, recipient=to, data=data)


# --- the message itself -----------------------------------------------------------------------

dotty = st.lists(st.sampled_from([b"\r\n", b".", b"..", b"x", b".\r\n", b" ", b"\xc3\xa9"])).map(b"".join)


@given(dotty)
@example(b".")
@example(b"\r\n.\r\n")
@example(b"")
def test_a_server_that_undoes_the_dots_has_the_message_and_sees_one_end(data: bytes) -> None:
    wire = stuffed(message(data)) + FINAL_DOT
    lines = wire.split(b"\r\n")
    end = lines.index(b".")
    assert lines[end + 1 :] == [b""], "nothing behind the first line that is a dot alone"
    received = b"".join(line.removeprefix(b".") + b"\r\n" for line in lines[:end])
    assert received == (data if data.endswith(b"\r\n") else data + b"\r\n")


@given(st.lists(st.sampled_from([b"a", b" .", b"=\r\n", b"\r\n"])).map(b"".join))
def test_what_its_maker_vouches_for_goes_out_as_it_would_if_it_were_looked_at(data: bytes) -> None:
    data = f"Subject: x{data.decode()}\r\n".encode()
    plain, looked_at = message(data, is_plain=True), message(data)
    for server in (NOTHING, ALL):
        assert why_unfit(plain, server) == why_unfit(looked_at, server)
        assert mail_command(plain, server) == mail_command(looked_at, server)
    assert stuffed(plain) == stuffed(looked_at)


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"a", b"\x0b", b"\x0c", b"\x85", b"\x1c"])).map(b"".join))
@example(b"a\r\n.\nMAIL FROM:<x>")
@example(b"\r\r\n")
def test_a_message_with_a_lone_line_end_is_refused_and_any_other_is_not(data: bytes) -> None:
    reason = why_unfit(message(data), ALL)
    assert bool(re.search(rb"(?<!\r)\n|\r(?!\n)", data)) == ("CR LF" in reason)


# --- what this server can not take -------------------------------------------------------------


@pytest.mark.parametrize(
    ("unfit", "capabilities", "words"),
    [
        (message(b"x" * 1001), ALL, "1,001 octets, and the mail server takes at most 1,000"),
        (message("Subject: x\r\n\r\né\r\n".encode()), NOTHING, "8BITMIME"),
        (message("Subject: é\r\n\r\nx\r\n".encode()), Capabilities({"8BITMIME": ""}), "SMTPUTF8"),
        (message(to="josé@example.org"), NOTHING, "SMTPUTF8"),
        (message(sender="josé@example.org"), NOTHING, "SMTPUTF8"),
        (message(to=""), ALL, "no recipient"),
        (message(to="a" * LONGEST_ADDRESS + "@example.org"), ALL, "envelope"),
        (message(envelope_id="=" * 40), ALL, "envelope id"),
    ],
)
def test_what_this_server_can_not_take_is_refused_with_the_reason(
    unfit: Outgoing, capabilities: Capabilities, words: str
) -> None:
    assert words in why_unfit(unfit, capabilities)


@pytest.mark.parametrize(
    "address",
    ["a@b\r\nRCPT TO:<c@d", "a@b> SIZE=1", "a b@c", "a\x00@b", "<a@b>", "a\x7f@b", "a\u2028@b", "\ud800@b", "a@b\n"],
)
def test_an_address_that_would_say_more_than_an_address_is_refused(address: str) -> None:
    for unfit in (message(to=address), message(sender=address)):
        reason = why_unfit(unfit, ALL)
        assert "can not stand in the envelope" in reason
        assert reason.isprintable()


@given(st.text(max_size=300), st.text(max_size=300))
def test_whatever_is_not_refused_makes_one_line(sender: str, to: str) -> None:
    given_message = message(to=to, sender=sender)
    if not why_unfit(given_message, ALL):
        for command in (mail_command(given_message, ALL), rcpt_command(given_message, ALL)):
            assert len(command.splitlines()) == 1
            assert command.count(b">") == 1
            assert len(command) < 512


@given(st.text(st.characters(codec="utf-8"), max_size=60).map(lambda local: f"{local}@example.org"))
def test_an_original_recipient_is_one_word_of_ascii_from_which_the_address_can_be_read_back(address: str) -> None:
    kind, _, written = original_recipient(address).partition(";")
    decoded = (
        re.sub(r"\+([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), written)
        if kind == "rfc822"
        else re.sub(r"\\x\{([0-9A-F]+)\}", lambda code: chr(int(code[1], 16)), written)
    )
    assert decoded == address
    assert re.fullmatch("[!-~]*", written)
    assert "=" not in written


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("ana@example.org", "rfc822;ana@example.org"),
        ("a+b=c@example.org", "rfc822;a+2Bb+3Dc@example.org"),
        ("josé@例え.example", r"utf-8;jos\x{E9}@\x{4F8B}\x{3048}.example"),
        ("a+é\\b@example.org", r"utf-8;a\x{2B}\x{E9}\x{5C}b@example.org"),
    ],
)
def test_an_original_recipient_is_written_as_its_type_demands(address: str, written: str) -> None:
    assert original_recipient(address) == written


def test_an_original_recipient_too_long_for_the_command_is_left_out() -> None:
    asked = message(to="é" * 120 + "@example.org", envelope_id="d1")
    assert rcpt_parameters(asked, ALL) == ["NOTIFY=FAILURE"]


# --- parameters -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_message", "capabilities", "mail", "rcpt"),
    [
        (message(b"abc\r\n"), NOTHING, b"", b""),
        (message(b"abc\r\n"), ALL, b" SIZE=5", b""),
        (message(b".\r\n"), ALL, b" SIZE=3", b""),
        (message(b"\r\n\r\n\xc3\xa9\r\n"), ALL, b" SIZE=8 BODY=8BITMIME", b""),
        (message(b"\xc3\xa9\r\n"), ALL, b" SIZE=4 BODY=8BITMIME SMTPUTF8", b""),
        (
            message(b"", envelope_id="d+1=2"),
            ALL,
            b" SIZE=0 RET=HDRS ENVID=d+2B1+3D2",
            b" NOTIFY=FAILURE ORCPT=rfc822;ana@example.org",
        ),
        (message(b"", envelope_id="d1"), NOTHING, b"", b""),
    ],
)
def test_parameters_are_those_that_the_server_offers_and_the_message_needs(
    given_message: Outgoing, capabilities: Capabilities, mail: bytes, rcpt: bytes
) -> None:
    assert mail_command(given_message, capabilities) == b"MAIL FROM:<news@coalition.example>" + mail + b"\r\n"
    assert rcpt_command(given_message, capabilities) == b"RCPT TO:<ana@example.org>" + rcpt + b"\r\n"


@given(st.text())
def test_xtext_holds_only_what_may_stand_there_and_can_be_undone(text: str) -> None:
    written = xtext(text)
    assert re.fullmatch(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*", written)
    undone = re.sub(rb"\+(..)", lambda code: bytes([int(code[1], 16)]), written.encode())
    assert undone == text.encode(errors="replace")


# --- what a server says of itself --------------------------------------------------------------


def test_extensions_are_read_however_they_are_written() -> None:
    said = Capabilities.of_ehlo([b"mail.test hello", b"pipelining", b"Size 2048", b"AUTH=LOGIN", b"AUTH PLAIN X"])
    assert "PIPELINING" in said
    assert "HELLO" not in said
    assert said.largest == 2048
    assert said.mechanisms == {"LOGIN", "PLAIN", "X"}


@pytest.mark.parametrize("size", [b"SIZE", b"SIZE 0", b"SIZE lots", b"SIZE " + b"9" * 5000, "SIZE ٣".encode()])
def test_a_size_that_says_nothing_limits_nothing(size: bytes) -> None:
    assert Capabilities.of_ehlo([b"me", size]).largest == 0


@given(st.lists(st.binary(max_size=60)))
def test_no_greeting_breaks_it(lines: list[bytes]) -> None:
    said = Capabilities.of_ehlo(lines)
    assert said.largest >= 0
    assert isinstance(said.mechanisms, frozenset)
