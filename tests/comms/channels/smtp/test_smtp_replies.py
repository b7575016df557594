"""The reply reader gives what a simple reading of the whole would give, however the bytes are cut."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.channels.smtp.replies import LARGEST_REPLY, LONGEST_LINE, GarbledReplyError, ReplyReader, ServerReply


def simply_read(data: bytes) -> tuple[list[ServerReply], bool]:
    """A reference: all replies at the start of `data`, and whether what follows them can not become one."""
    replies: list[ServerReply] = []
    lines: list[tuple[bytes, bytes]] = []
    for line in re.findall(rb"[^\n]*\n", data):
        match = re.fullmatch(rb"([2-5]\d\d)([ -][^\n]*?)?\r?\n", line, re.DOTALL)
        if not match or (lines and match[1] != lines[0][0]):
            return replies, True
        lines.append((match[1], match[2] or b" "))
        if lines[-1][1][:1] == b" ":
            replies.append(ServerReply(int(match[1]), tuple(text[1:] for _, text in lines)))
            lines = []
    return replies, False


def read(pieces: list[bytes]) -> tuple[list[ServerReply], bool]:
    reader = ReplyReader()
    replies: list[ServerReply] = []
    for piece in pieces:
        reader.feed(piece)
        try:
            while (reply := reader.take()) is not None:
                replies.append(reply)
        except GarbledReplyError:
            return replies, True
    return replies, False


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]


texts = st.binary(max_size=20).map(lambda text: text.replace(b"\n", b"").rstrip(b"\r"))
lines = st.builds(
    lambda code, mark, text, end: code + (mark + text if mark else b"") + end,
    st.sampled_from([b"250", b"354", b"550", b"199", b"600", b"25", b""]),
    st.sampled_from([b" ", b"-", b"-", b"", b"\t"]),
    texts,
    st.sampled_from([b"\r\n", b"\r\n", b"\n"]),
)
good_replies = st.builds(
    lambda code, parts: b"".join(b"%d-%s\r\n" % (code, text) for text in parts[:-1]) + b"%d %s\r\n" % (code, parts[-1]),
    st.integers(200, 599),
    st.lists(texts, min_size=1, max_size=4),
)


@given(st.lists(st.one_of(lines, good_replies, good_replies), max_size=8), st.lists(st.integers(0, 2000), max_size=30))
def test_it_reads_as_a_simple_reading_of_the_whole_does(parts: list[bytes], places: list[int]) -> None:
    data = b"".join(parts)
    assert read(cut(data, places)) == simply_read(data)


@given(st.lists(good_replies, max_size=5))
def test_replies_that_come_octet_by_octet_are_all_read(parts: list[bytes]) -> None:
    data = b"".join(parts)
    replies, garbled = read([data[number : number + 1] for number in range(len(data))])
    assert not garbled
    assert b"".join(b"%d" % reply.code for reply in replies) == b"".join(part[:3] for part in parts)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=10))
def test_any_octets_at_all_are_read_or_refused(data: bytes, places: list[int]) -> None:
    assert read(cut(data, places)) == read([data])


@pytest.mark.parametrize(
    ("data", "code", "text"),
    [
        (b"250\r\n", 250, ""),
        (b"250 \r\n", 250, ""),
        (b"250 2.1.0 fine\n", 250, "2.1.0 fine"),
        (b"550-5.1.1 no such\r\n550 5.1.1 user\r\n", 550, "5.1.1 no such 5.1.1 user"),
        (b"550 Empf\xe4nger \x00\x1b[31m unbekannt\r\n", 550, "Empf nger [31m unbekannt"),
        ("550 Empfänger unbekannt\r\n".encode(), 550, "Empfänger unbekannt"),
    ],
)
def test_the_text_is_kept_and_made_fit_to_be_shown(data: bytes, code: int, text: str) -> None:
    ((reply,), _) = read([data])
    assert (reply.code, reply.text) == (code, text)
    reply.text.encode("utf-8")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"250-one\r\n251 two\r\n", "mixed 250 and 251"),
        (b"hello\r\n", "nonsense: b'hello'"),
        (b"\r\n", "nonsense"),
        (b"999 what\r\n", "nonsense"),
        (b"150 wait\r\n", "nonsense"),
        (b"2500 fine\r\n", "nonsense"),
        ("٢٥٠ fine\r\n".encode(), "nonsense"),
        (b"2" * LONGEST_LINE, "line of more than"),
        (b"250 " + b"x" * LONGEST_LINE + b"\r\n", "line of more than"),
        (b"250-x\r\n" * (LARGEST_REPLY // 7 + 1), "answer of more than"),
    ],
)
def test_what_is_no_reply_is_told_and_stays_told(data: bytes, words: str) -> None:
    reader = ReplyReader()
    reader.feed(data)
    for _ in range(2):
        with pytest.raises(GarbledReplyError, match=words):
            reader.take()
    reader.feed(b"250 fine\r\n")
    with pytest.raises(GarbledReplyError):
        reader.take()


def test_the_longest_line_that_is_allowed_is_read() -> None:
    line = b"250 " + b"x" * (LONGEST_LINE - 6) + b"\r\n"
    assert len(line) == LONGEST_LINE
    assert read([line])[0][0].lines == (line[4:-2],)


def test_it_says_whether_anything_was_left_behind() -> None:
    reader = ReplyReader()
    for data, is_clean in [(b"250-a\r\n", False), (b"250 b\r\n", True), (b"220 go\r\n2", False), (b"50 x\r\n", True)]:
        reader.feed(data)
        while reader.take():
            pass
        assert reader.is_clean == is_clean, data
