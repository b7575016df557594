"""What is said to a server keeps to RFC 2920, and every message gets its one result, whatever is answered."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smtp_samples import Books, message

from comms.channels.mail import Lost, Reply
from comms.channels.smtp.conversation import Conversation, SessionOverError
from comms.channels.smtp.replies import ServerReply
from comms.channels.smtp.wire import Capabilities

PIPELINED, ONE_BY_ONE = Capabilities({"PIPELINING": ""}), Capabilities()
DATA = b"body %d\r\n"


class Talk:
    """A conversation, and what was said in it."""

    def __init__(self, messages: int, capabilities: Capabilities = PIPELINED, *, is_kept: bool = False) -> None:
        self.books = Books([message(number, DATA % number) for number in range(1, messages + 1)])
        self.conversation = Conversation(
            capabilities, self.books.take, self.books.on_handover, self.books.on_result, is_kept=is_kept
        )
        self.groups = [b"".join(self.conversation.start())]

    def hear(self, *codes: int, unsent: int = 0) -> bytes:
        """What is said after the last of these answers; nothing may be said after the others."""
        for code in codes[:-1]:
            assert self._receive(code, 0) == b""
        return self._receive(codes[-1], unsent)

    def _receive(self, code: int, unsent: int) -> bytes:
        said = b"".join(self.conversation.receive(ServerReply(code, (b"text",)), unsent=unsent, is_last=True))
        if said:
            self.groups.append(said)
        return said

    def results(self) -> dict[int, Reply | Lost]:
        return {token: said[0] for token, said in self.books.results.items() if said}


def envelope(number: int) -> bytes:
    return b"MAIL FROM:<news@coalition.example>\r\nRCPT TO:<p%d@example.org>\r\nDATA\r\n" % number


# --- groups -----------------------------------------------------------------------------------


def test_a_body_and_the_next_envelope_share_one_group() -> None:
    talk = Talk(3)
    assert talk.groups == [envelope(1)]
    assert talk.hear(250, 250, 354) == b"body 1\r\n.\r\n" + envelope(2)
    assert talk.hear(250, 250, 250, 354) == b"body 2\r\n.\r\n" + envelope(3)
    assert talk.hear(250, 250, 250, 354) == b"body 3\r\n.\r\n"
    assert not talk.conversation.is_over
    assert talk.hear(250) == b""
    assert talk.conversation.is_over
    assert all(isinstance(each, Reply) and each.accepted for each in talk.results().values())


def test_without_pipelining_each_step_waits_for_the_answer_to_the_one_before() -> None:
    talk = Talk(2, ONE_BY_ONE)
    for code in [250, 250, 354, 250, 250, 250, 354, 250]:
        talk.hear(code)
    assert b"".join(talk.groups) == envelope(1) + b"body 1\r\n.\r\n" + envelope(2) + b"body 2\r\n.\r\n"
    assert len(talk.groups) == 8
    assert talk.conversation.is_over


@pytest.mark.parametrize("codes", [(250, 550, 503), (250, 250, 451), (550, 503, 503)])
def test_after_a_refusal_the_next_message_starts_afresh_in_one_group(codes: tuple[int, ...]) -> None:
    talk = Talk(2)
    assert talk.hear(*codes) == b"RSET\r\n" + envelope(2)
    assert talk.hear(250, 250, 250, 354) == b"body 2\r\n.\r\n"
    assert talk.books.handed_over == {2: 1}


def test_one_by_one_nothing_more_is_asked_for_a_message_that_was_refused() -> None:
    talk = Talk(2, ONE_BY_ONE)
    assert talk.hear(250) == b"RCPT TO:<p1@example.org>\r\n"
    assert talk.hear(550) == b"RSET\r\n"
    assert talk.hear(250) == b"MAIL FROM:<news@coalition.example>\r\n"


def test_a_server_that_wants_a_message_for_nobody_gets_a_dot_alone() -> None:
    talk = Talk(2)
    assert talk.hear(250, 550, 354) == b".\r\nRSET\r\n" + envelope(2)
    assert talk.books.handed_over == {}
    assert talk.hear(554, 250, 250, 250, 354) == b"body 2\r\n.\r\n"
    assert talk.results()[1] == Reply(550, "text")


def test_a_server_that_wants_a_message_of_nobody_gets_not_even_a_dot() -> None:
    talk = Talk(2)
    with pytest.raises(SessionOverError, match="sender that it refused"):
        talk.hear(550, 250, 354)
    assert talk.results() == {1: Reply(550, "text", concerns_recipient=False)}


def test_a_session_ends_clean_when_the_last_message_is_refused() -> None:
    talk = Talk(1)
    assert talk.hear(250, 550, 354) == b".\r\nRSET\r\n"
    assert not talk.conversation.is_over
    talk.hear(250, 250)
    assert talk.conversation.is_over


# --- what is lost, and how --------------------------------------------------------------------


def test_the_envelope_in_flight_behind_a_lost_body_is_safe() -> None:
    talk = Talk(3)
    talk.hear(250, 250, 354)
    talk.conversation.lose("gone", unsent=0)
    assert talk.results() == {1: Lost("gone", handed_over=True), 2: Lost("gone", handed_over=False)}


def test_a_body_whose_dot_is_still_here_has_not_arrived() -> None:
    rides_behind = len(envelope(2))
    for unsent, handed_over in [(rides_behind + 1, False), (rides_behind, True), (0, True)]:
        talk = Talk(2)
        talk.hear(250, 250, 354)
        talk.conversation.lose("gone", unsent=unsent)
        assert talk.results()[1] == Lost("gone", handed_over=handed_over), unsent


def test_an_acceptance_of_what_has_not_left_is_not_believed_and_a_refusal_is() -> None:
    for code, result in [(250, Lost("gone", handed_over=False)), (552, Reply(552, "text"))]:
        talk = Talk(1)
        talk.hear(250, 250, 354)
        with pytest.raises(SessionOverError):
            talk.hear(code, unsent=1)
        talk.conversation.lose("gone", unsent=1)
        assert talk.results()[1] == result


def test_a_farewell_before_the_first_word_is_no_try_when_the_session_carried_something() -> None:
    talk = Talk(2)
    talk.hear(250, 250, 354)
    with pytest.raises(SessionOverError):
        talk.hear(250, 421)
    talk.conversation.lose("gone", unsent=0)
    assert talk.results()[2] == Lost("gone", handed_over=False, kept=True)


def test_a_farewell_to_the_first_message_of_a_session_is_its_answer() -> None:
    talk = Talk(1)
    with pytest.raises(SessionOverError):
        talk.hear(421)
    assert talk.results() == {1: Reply(421, "text", concerns_recipient=False)}


def test_more_answers_than_questions_stop_the_body() -> None:
    talk = Talk(1)
    talk.hear(250, 250)
    with pytest.raises(SessionOverError, match="more answers"):
        talk.conversation.receive(ServerReply(354, (b"go",)), unsent=0, is_last=False)
    assert talk.books.handed_over == {}


# --- for every server -------------------------------------------------------------------------

GROUP = re.compile(rb"((body \d\r\n)?\.\r\n)?(RSET\r\n)?(MAIL FROM:[^\r]*\r\nRCPT TO:[^\r]*\r\nDATA\r\n)?")
STEP = re.compile(rb"(body \d\r\n\.\r\n|\.\r\n|RSET\r\n|MAIL FROM:[^\r]*\r\n|RCPT TO:[^\r]*\r\n|DATA\r\n)?")
codes = st.sampled_from([250, 250, 250, 354, 354, 251, 421, 450, 503, 550, 552, 334, 221])


@given(
    st.integers(0, 6),
    st.lists(st.tuples(codes, st.sampled_from([0, 0, 0, 5, 5000]), st.sampled_from([True, True, True, False]))),
    st.booleans(),
    st.booleans(),
)
def test_each_message_taken_gets_one_result_and_each_group_is_allowed(
    messages: int, answers: list[tuple[int, int, bool]], is_pipelined: bool, is_kept: bool
) -> None:
    talk = Talk(messages, PIPELINED if is_pipelined else ONE_BY_ONE, is_kept=is_kept)
    unsent = 0
    try:
        for code, unsent, is_last in answers:
            if talk.conversation.is_over:
                break
            said = talk.conversation.receive(ServerReply(code, (b"text",)), unsent=unsent, is_last=is_last)
            talk.groups.append(b"".join(said))
    except SessionOverError:
        pass
    if not talk.conversation.is_over:
        talk.conversation.lose("gone", unsent=unsent)
    assert {token: len(said) for token, said in talk.books.results.items()} == {
        token: talk.books.taken[token] for token in talk.books.messages
    }
    for group in talk.groups:
        assert (GROUP if is_pipelined else STEP).fullmatch(group)
    bodies = [number for group in talk.groups for number in re.findall(rb"body (\d+)", group)]
    assert [int(number) for number in bodies] == list(talk.books.handed_over), "announced, each once, in this order"
    for token, result in talk.results().items():
        if isinstance(result, Lost):
            assert talk.books.handed_over[token] or not result.handed_over
            assert not (result.kept and result.handed_over)
        else:
            assert talk.books.handed_over[token] or not result.accepted
