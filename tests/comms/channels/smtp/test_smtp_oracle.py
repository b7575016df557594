"""Whatever a server does, each message ends in one result, and the result is true by the server's own books."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import assume, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from moody_server import CLOSE, Mood, MoodyServer
from smtp_samples import Books, message, send_all

from comms.channels.mail import Lost, Outgoing

MIXED = b"250-mixed\r\n550 up\r\n"
ANSWERS = (
    CLOSE,
    b"421 4.3.2 closing\r\n",
    b"450 4.7.1 later\r\n",
    b"452 4.3.1 full\r\n",
    b"550 5.1.1 no\r\n",
    b"550-5.1.1 really\r\n550 5.1.1 no\r\n",
    b"503 5.5.1 bad sequence\r\n",
    b"354 odd\r\n",
    b"250 taken\r\n",
    b"251 fine\r\n",
    b"250 one\r\n250 and one more\r\n",
    MIXED,
    b"hello there\r\n",
    b"\xff\x00\r\n",
    b"\r\n",
    b"999 what\r\n",
    b"334 VXNlcm5hbWU6\r\n",
    b"250 " + b"x" * 5000 + b"\r\n",
    b"250-x\r\n" * 50 + b"250 x\r\n",
)
PIPELINING = (b"PIPELINING", b"SIZE 10000000")
moods = st.builds(
    Mood,
    answers=st.dictionaries(st.integers(0, 30), st.sampled_from(ANSWERS), max_size=4),
    close_after_in=st.one_of(st.just(1 << 60), st.integers(1, 4000)),
    close_after_out=st.one_of(st.just(1 << 60), st.integers(1, 900)),
    piece=st.one_of(st.just(1 << 60), st.integers(1, 30)),
    reset=st.booleans(),
    extensions=st.sampled_from([PIPELINING, PIPELINING, (b"SIZE 10000000",), ()]),
)
bodies = st.lists(st.sampled_from([b"\r\n", b".", b"..\r\n", b".\r\n", b"Dear you", b"x" * 900]), max_size=9).map(
    lambda parts: b"Subject: x\r\n\r\n" + b"".join(parts) + b"\r\n"
)


def check(books: Books, server: MoodyServer) -> None:
    assert server.rudeness == []
    arrived = Counter(recipient for recipient, _ in server.taken)
    for token, given_message in books.messages.items():
        results = books.results[token]
        assert len(results) == books.taken[token] >= 1, "one result each time it was taken"
        *before, last = results
        assert all(isinstance(each, Lost) and not each.handed_over for each in before), "tried again only when safe"
        copies = arrived[given_message.recipient.encode()]
        assert copies <= books.handed_over[token], "nothing arrives that was not announced"
        if isinstance(last, Lost):
            assert last.handed_over
            assert copies <= 1
        else:
            assert copies == last.accepted, "accepted arrived once, refused never did"
    for recipient, data in server.taken:
        (number,) = (each.token for each in books.messages.values() if each.recipient.encode() == recipient)
        assert data == books.messages[number].data, "byte for byte"


@pytest.mark.parametrize("client", ["bulk", "plain"])
@examples(max_examples=150, deadline=None)
@given(plan=st.lists(moods, max_size=4), data=st.lists(bodies, min_size=1, max_size=7), sessions=st.integers(1, 3))
@example(
    plan=[Mood(answers={"RCPT1": b"550 no\r\n", "DATA1": b"354 all the same\r\n"})], data=[b"a\r\n"] * 3, sessions=1
)
@example(
    plan=[Mood(answers={"MAIL1": b"550 no\r\n", "DATA1": b"354 all the same\r\n"})], data=[b"a\r\n"] * 3, sessions=1
)
@example(plan=[Mood(answers={"DOT1": b"250 one\r\n250 and one more\r\n"})], data=[b"a\r\n"], sessions=1)
@example(plan=[Mood(answers={"DOT2": b"421 enough\r\n"})], data=[b"a\r\n"] * 5, sessions=1)
def test_every_result_is_true_by_the_books_of_the_server(
    client: str, plan: list[Mood], data: list[bytes], sessions: int
) -> None:
    if client == "plain":  # aiosmtplib takes the last code for the answer
        assume(not any(MIXED in mood.answers.values() for mood in plan))
    with MoodyServer(*plan) as server:
        books = send_all(
            server.port, [message(number, body) for number, body in enumerate(data)], sessions=sessions, client=client
        )
    check(books, server)


MESSAGES = [message(number, b"Subject: %d\r\n\r\n.dot\r\n" % number) for number in range(3)]
CONVERSATION_IN = 420
"""Octets that the client says to bring the three messages over; a little more than it needs."""
CONVERSATION_OUT = 380


@pytest.mark.parametrize("extensions", [(b"PIPELINING",), ()])
@pytest.mark.parametrize("reset", [False, True])
def test_wherever_the_connection_is_cut_nothing_is_lost_and_nothing_doubled(
    extensions: tuple[bytes, ...], reset: bool
) -> None:
    doubts = 0
    for octets in range(1, CONVERSATION_IN, 3):
        mood = Mood(close_after_in=octets, extensions=extensions, reset=reset)
        doubts += _cut(MESSAGES, mood)
    for octets in range(1, CONVERSATION_OUT, 3):
        mood = Mood(close_after_out=octets, extensions=extensions, reset=reset)
        doubts += _cut(MESSAGES, mood)
    assert doubts > 0, "some cuts fall between a dot and its answer"


def _cut(messages: list[Outgoing], mood: Mood) -> int:
    with MoodyServer(mood) as server:
        books = send_all(server.port, messages)
    check(books, server)
    doubtful = [said[-1] for said in books.results.values() if isinstance(said[-1], Lost)]
    assert len(doubtful) <= 1, "one message at most is without an answer at any time"
    return len(doubtful)
