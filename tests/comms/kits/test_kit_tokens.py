"""Keyed tokens: the same person is found in two lists, and only by who has the key; who opted out is in none."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.addresses import normalise_address
from audiences.errors import ImportFileError
from comms.errors import StateError, UsageError
from comms.kits import token_files
from comms.kits.tokens import TOKEN, RelayKey, dealt

NOW = datetime(2027, 2, 1, tzinfo=UTC)
KEY = RelayKey(bytes(32))
ADDRESSES = st.emails().filter(lambda address: _known(address))
TOKENS = st.integers(0, 30).map(lambda number: f"{number:064x}")


def _known(address: str) -> bool:
    try:
        return bool(normalise_address(address))
    except ValueError:
        return False


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# --- tokens -----------------------------------------------------------------------------------


@given(address=ADDRESSES, spaces=st.text(" \t", max_size=3))
def test_one_person_has_one_token_however_the_address_is_typed(address: str, spaces: str) -> None:
    token = KEY.token(normalise_address(address))

    assert TOKEN.fullmatch(token)
    for typed in (address.upper(), address.lower(), f"{spaces}{address}{spaces}"):
        assert KEY.token(normalise_address(typed)) == token


@given(first=ADDRESSES, second=ADDRESSES)
def test_two_people_have_two_tokens_and_another_key_has_others(first: str, second: str) -> None:
    one, two = normalise_address(first), normalise_address(second)

    assert (KEY.token(one) == KEY.token(two)) is (one.lower() == two.lower())
    assert RelayKey(b"\1" * 32).token(one) != KEY.token(one)


def test_keys_come_back_from_their_files_and_are_new_each_time() -> None:
    first, second = RelayKey.new(), RelayKey.new()

    assert RelayKey.read(first.text).token("a@example.org") == first.token("a@example.org")
    assert first.text != second.text
    assert first.name != second.name
    assert first.name not in first.text
    assert first.text.split()[1] not in repr(first)


@given(st.one_of(st.text(max_size=200), st.just("00" * 32), st.just(f"comms-relay-key-1 {'00' * 31}"),
                 st.just(f"comms-relay-key-1 {'0g' * 32}"), st.just("\0" * 70)))  # fmt: skip
def test_anything_else_is_no_key_a_workspaces_among_them(text: str) -> None:
    with pytest.raises(UsageError, match="no relay key"):
        RelayKey.read(text)


# --- who writes to whom -----------------------------------------------------------------------


@given(
    lists=st.dictionaries(st.sampled_from("abcdef"), st.frozensets(TOKENS), max_size=6), campaign=st.text(max_size=5)
)
def test_each_person_is_written_to_by_exactly_one_of_those_who_have_them(
    lists: dict[str, frozenset[str]], campaign: str
) -> None:
    leave = dealt(lists, campaign)

    assert set(leave) == set(lists)
    for token in frozenset[str]().union(*lists.values()):
        holders = [each for each, tokens in lists.items() if token in tokens]
        assert len([each for each in holders if token not in leave[each]]) == 1
    for each, tokens in leave.items():
        assert tokens <= lists[each]
    assert dealt(dict(reversed(lists.items())), campaign) == leave


def test_associations_take_turns_from_campaign_to_campaign() -> None:
    tokens = [f"{number:064x}" for number in range(3_000)]
    lists = {"a": tokens, "b": tokens, "c": tokens}
    first, second = dealt(lists, "first"), dealt(lists, "second")

    for each in lists:
        assert abs(len(first[each]) - 2_000) < 150
        assert first[each] != second[each]


# --- files ------------------------------------------------------------------------------------


def test_two_lists_are_compared_without_anyone_seeing_an_address(tmp_path: Path) -> None:
    lake = write(tmp_path / "lake.csv", "email,name,consent", "Ana@example.org,Ana,yes", "lee@example.org,Lee,no",
                 "ben@example.org,Ben,yes", "nonsense,N,yes")  # fmt: skip
    hill = write(tmp_path / "hill.csv", "Email Address", "ana@EXAMPLE.org", "lee@example.org", "cleo@example.org")
    people = {name: token_files.read_list(file, KEY, NOW) for name, file in (("lake", lake), ("hill", hill))}
    lists = {}
    for name, found in people.items():
        token_files.write_tokens(tmp_path / f"{name}.tokens", KEY, found.addresses)
        key, lists[name] = token_files.read_tokens(tmp_path / f"{name}.tokens")
        assert key == KEY.name
        assert b"example" not in (tmp_path / f"{name}.tokens").read_bytes()
    leave = dealt(lists, "c1")
    left = {}
    for name, found in people.items():
        token_files.write_answer(tmp_path / f"{name}.answer", KEY.name, lists[name], leave[name])
        left[name] = token_files.match(tmp_path / f"{name}.answer", KEY, found)

    assert (people["lake"].left_out, len(people["lake"].refused), len(lists["lake"])) == (1, 1, 2)
    assert sorted([*left["lake"].leave, *left["hill"].leave]) in (["Ana@example.org"], ["ana@example.org"])
    assert sum(each.send for each in left.values()) == 4
    assert all((each.unanswered, each.foreign) == (0, 0) for each in left.values())


def test_who_opted_out_in_one_row_has_no_token_from_another(tmp_path: Path) -> None:
    file = write(tmp_path / "m.csv", "email,consent", "ana@example.org,yes", "ANA@example.org,no", "b@example.org,yes")

    assert list(token_files.read_list(file, KEY, NOW).addresses.values()) == ["b@example.org"]


def test_the_order_of_tokens_says_nothing_of_the_order_of_the_list(tmp_path: Path) -> None:
    names = [f"m{number}@example.org" for number in range(50)]
    for number, order in enumerate((names, names[::-1])):
        people = token_files.read_list(write(tmp_path / f"{number}.csv", "email", *order), KEY, NOW)
        token_files.write_tokens(tmp_path / f"{number}.tokens", KEY, people.addresses)

    assert (tmp_path / "0.tokens").read_bytes() == (tmp_path / "1.tokens").read_bytes()


def test_a_list_that_changed_since_is_matched_as_far_as_it_goes(tmp_path: Path) -> None:
    tokens = [KEY.token("a@example.org"), KEY.token("gone@example.org")]
    token_files.write_answer(tmp_path / "answer", KEY.name, tokens, frozenset(tokens))
    people = token_files.read_list(write(tmp_path / "m.csv", "email", "a@example.org", "new@example.org"), KEY, NOW)
    found = token_files.match(tmp_path / "answer", KEY, people)

    assert (found.leave, found.send, found.unanswered, found.foreign) == (("a@example.org",), 0, 1, 1)


def test_addresses_to_leave_out_are_no_formulas(tmp_path: Path) -> None:
    token_files.write_exclude(tmp_path / "out.csv", ["=1+1@example.org", "a@example.org"])

    assert (tmp_path / "out.csv").read_text() == "email\n'=1+1@example.org\na@example.org\n"


def test_an_answer_to_another_key_is_refused_by_name(tmp_path: Path) -> None:
    token_files.write_answer(tmp_path / "answer", "0" * 16, [], frozenset())
    people = token_files.TokenList({})
    with pytest.raises(UsageError, match="another key"):
        token_files.match(tmp_path / "answer", KEY, people)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("email\na@example.org\n", "no list of tokens"),
        ("", ""),
        ("\x00\x01\x02" * 100, ""),
        (f"token:{KEY.name},answer\nnonsense,leave\n", ":2: the first cell is no token"),
        (f"token:{KEY.name},answer\n\n{'0' * 64},perhaps\n", ":3: the answer is neither"),
        (f"token:{KEY.name},answer\n{'0' * 64}\n", "the answer is neither"),
        (f"token:{KEY.name},answer\n{'1' * 1_000_000},send\n", ""),
        (f"token:{KEY.name},answer\n{'(' * 100_000}\n", "no token"),
    ],
)
def test_a_damaged_answer_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "answer").write_text(text)
    with pytest.raises(UsageError) as refused:
        token_files.match(tmp_path / "answer", KEY, token_files.TokenList({}))
    assert message in refused.value.message
    assert refused.value.hint


@given(data=st.binary(max_size=300))
def test_no_file_of_tokens_brings_a_traceback(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.mktemp("t") / "tokens"
    file.write_bytes(b"token:x\n" + data)
    tokens: frozenset[str] = frozenset()
    with contextlib.suppress(UsageError):
        _, tokens = token_files.read_tokens(file)
    assert all(TOKEN.fullmatch(token) for token in tokens)


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    file = write(tmp_path / "there", "email", "a@example.org")
    for write_it in (
        lambda: token_files.write_key(file, KEY),
        lambda: token_files.write_tokens(file, KEY, []),
        lambda: token_files.write_answer(file, "k", [], frozenset()),
        lambda: token_files.write_exclude(file, []),
    ):
        with pytest.raises(StateError, match="exists already"):
            write_it()
    assert file.read_text() == "email\na@example.org\n"


def test_a_key_is_for_its_owner_alone_and_a_missing_one_is_named(tmp_path: Path) -> None:
    token_files.write_key(tmp_path / "key", KEY)

    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    assert token_files.read_key(tmp_path / "key").name == KEY.name
    with pytest.raises(UsageError, match="can not be read"):
        token_files.read_key(tmp_path / "none")
    with pytest.raises(ImportFileError):
        token_files.read_list(tmp_path / "none.csv", KEY, NOW)
