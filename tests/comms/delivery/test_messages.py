"""A message of a batch, encoded in bulk, is what Python's own parser reads of the message made whole."""

from __future__ import annotations

import email
import re
from dataclasses import asdict
from email.message import EmailMessage
from email.policy import default
from typing import Any

import dkim
import pytest
from delivery_samples import ASSOCIATION, EDITION, SIGNER, a_batch, recipient
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences import attributes
from audiences.models import Association
from comms.delivery.batches import Recipient
from comms.delivery.messages import MessageMaker, feedback_id, list_id
from comms.links import LinkMaker, MemberToken
from comms.rendering.dkim import new_rsa_key, relaxed_body
from comms.rendering.edition import Edition
from comms.rendering.errors import RenderError, UnsendableAddress
from comms.rendering.mime import build
from comms.rendering.render import Renderer

SITE = "https://news.example.org"
KEY = new_rsa_key(ASSOCIATION.sender_address.rpartition("@")[2], "comms1")
NEWSLETTER = Edition(
    campaign="spring",
    title="Spring",
    language="en",
    association="coalition",
    subject="{{ member.name or 'Reader' }}, what is new?",
    preview="",
    html="<p>Dear {{ member.name or 'reader' }},</p>\n"
    '<a href="{{ links.click }}/0">One</a>. <a href="{{ links.click }}/1">Two</a>\n'
    "{% if member.city %}<p>In {{ member.city|upper }}:</p>{% else %}<p>.</p>{% endif %}\n"
    "{% for tag in member.tags or [] %}<i>{{ tag }}</i>{% endfor %}"
    '<a href="{{ links.unsubscribe }}">Leave</a>{% if links.pixel %}<img src="{{ links.pixel }}" />{% endif %}\n',
    text="Dear {{ member.name or 'reader' }},\n.\n{{ links.click }}/0 {{ member.city or '' }}\n"
    "-- \n{{ links.unsubscribe }}\n",
    links=("https://example.org/1", "https://example.org/2"),
)

values = (
    st.text(max_size=40)
    | st.text(alphabet=" .=\r\n\t<&é字😀\ud800\x00", max_size=20)
    | st.sampled_from(["", ".", "=", "x" * 1_200, "é" * 500, "a\r", "\nBcc: all@example.org\n", "مرحبا", "trailing "])
    | st.integers(-(10**6), 10**6)
)
readers = st.builds(
    lambda known, tags, tracked: Recipient(7, "ana@example.org", None, attributes.encode({**known, **tags}), tracked),
    st.dictionaries(st.sampled_from(["name", "city"]), values),
    st.fixed_dictionaries({}, optional={"tags": st.lists(values, max_size=3)}),
    st.booleans(),
)


def a_maker(edition: Edition = NEWSLETTER, **changes: Any) -> MessageMaker:
    batch = a_batch([], edition=edition.to_json(), **changes)
    return MessageMaker(batch, Renderer(edition), LinkMaker(batch.site_url, SIGNER))


def parsed(raw: bytes) -> EmailMessage:
    read = email.message_from_bytes(raw, policy=default)
    assert isinstance(read, EmailMessage)
    assert not read.defects
    return read


def contents(read: EmailMessage) -> list[tuple[str, str]]:
    """Every part that is shown: its kind, and what it decodes to."""
    return [(part.get_content_type(), part.get_content()) for part in read.walk() if not part.is_multipart()]


def headers(read: EmailMessage) -> dict[str, str]:
    """All headers but the date, and but the boundary, which says nothing."""
    return {name: re.sub('boundary=".*"', "", value) for name, value in read.items() if name != "Date"}


@settings(max_examples=300, deadline=None)
@given(readers)
def test_a_message_made_in_bulk_is_the_message_made_whole(reader: Recipient) -> None:
    maker = a_maker()
    sender, address, raw, _ = maker.make(reader)
    mine, whole = parsed(raw), parsed(build(maker.message(reader)))
    assert contents(mine) == contents(whole)
    assert sorted(headers(mine).items()) == sorted(headers(whole).items())
    assert len(headers(mine)) == len(mine.keys()) - 1
    assert (sender, address) == ("news@coalition.example", "ana@example.org")


@settings(max_examples=300, deadline=None)
@given(readers)
def test_no_line_of_a_message_is_too_long_or_needs_a_dot_before_it(reader: Recipient) -> None:
    raw = a_maker().make(reader)[2]
    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r") == raw.count(b"\r\n")
    head, _, body = raw.partition(b"\r\n\r\n")
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    parts = [line for line in body.split(b"\r\n") if not line.startswith(b"--=_")]
    assert all(len(line) <= 76 and not line.startswith(b".") for line in parts)
    assert not any(line.endswith((b" ", b"\t")) for line in parts)


@settings(max_examples=100, deadline=None)
@given(readers)
def test_a_message_made_in_bulk_is_signed_as_others_check_it(reader: Recipient) -> None:
    _, _, body = a_maker().make(reader)[2].partition(b"\r\n\r\n")
    assert relaxed_body(body) == body
    raw = a_maker(dkim=(asdict(KEY),)).make(reader)[2]
    assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: KEY.record.encode() if b"comms1." in name else None)


def test_nothing_of_one_reader_is_left_in_the_message_of_the_next() -> None:
    maker = a_maker()
    ana = Recipient(1, "ana@example.org", None, '{"name":"Ana","city":"Aix","tags":["archives"]}', tracked=True)
    ben = Recipient(2, "ben@example.org", None, '{"name":"Ben"}', tracked=False)
    first, second = maker.make(ana)[2], maker.make(ben)[2]
    assert not re.search(rb"Ana|Aix|AIX|archives|ana@|m\.coalition\.1\.|/o/", second)
    assert b"Ben" not in first
    assert maker.make(ana)[2].split(b"Date:")[0] == first.split(b"Date:")[0]


def test_every_reader_gets_their_own_links_and_the_same_list_headers() -> None:
    maker = a_maker(
        association=Association("coalition", "Ü", "news@münchen.example", "1 Main", reply_to="us@münchen.example")
    )
    first, second = (parsed(maker.make(recipient(number))[2]) for number in (1, 2))
    for read, number in ((first, 1), (second, 2)):
        url = read["List-Unsubscribe"].strip("<>")
        assert SIGNER.read(url.removeprefix(f"{SITE}/u/")) == MemberToken("coalition", number)
        assert dict(contents(read))["text/plain"].rstrip().endswith(url)
        assert read["To"] == f"p{number}@example.org"
    for name in ("From", "Reply-To", "List-ID", "List-Unsubscribe-Post", "Feedback-ID", "MIME-Version"):
        assert first[name] == second[name] != ""
    assert first["From"].addresses[0].addr_spec == "news@xn--mnchen-3ya.example"
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert first["Message-ID"] != second["Message-ID"]


def test_an_association_in_a_domain_with_accents_has_identifiers_and_addresses_in_ascii() -> None:
    association = Association("coalition", "Ü", "news@münchen.example", "1 Main", reply_to="us@münchen.example")
    maker = a_maker(association=association, list_id=list_id(association, None))
    head = maker.make(recipient(1))[2].partition(b"\r\n\r\n")[0]
    assert b"\r\nMessage-ID: <spring.coalition.1@xn--mnchen-3ya.example>\r\n" in head
    assert b"\r\nList-ID: <newsletter.coalition.xn--mnchen-3ya.example>\r\n" in head
    assert b"\r\nReply-To: us@xn--mnchen-3ya.example\r\n" in head


def test_a_long_unsubscribe_address_is_one_line_as_it_is() -> None:
    site = f"https://news.example.org/{'library/' * 40}end"
    raw = a_maker(site_url=site).make(recipient(1))[2]
    (line,) = re.findall(rb"\r\nList-Unsubscribe: <([^\r\n]*)>\r\n", raw)
    assert line.decode().startswith(f"{site}/u/m.coalition.1.")


@pytest.mark.parametrize(
    ("campaign", "slug", "expected"),
    [
        ("spring", "coalition", ["spring", "coalition", "newsletter"]),
        ("coalition", "coalition", ["coalition", "newsletter"]),
        ("newsletter", "maine", ["newsletter", "maine"]),
    ],
)
def test_complaints_are_counted_by_campaign_and_association_and_no_name_stands_twice(
    campaign: str, slug: str, expected: list[str]
) -> None:
    association = Association(slug, "Name", "a@example.org", "1 Main St")
    *names, sender = feedback_id(association, campaign, SITE).split(":")
    assert names == expected
    assert re.fullmatch("[0-9a-f]{12}", sender)
    assert feedback_id(ASSOCIATION, "another", SITE).endswith(f":{sender}")


def test_an_address_that_can_not_be_written_is_refused_for_each_reader() -> None:
    with pytest.raises(UnsendableAddress, match="letters before the @"):
        a_maker().make(recipient(1, address="jörg@example.org"))
    maker = a_maker(association=Association("coalition", "Name", "no address", "1 Main St"))
    for number in (1, 2):
        with pytest.raises(UnsendableAddress, match="is no e-mail address"):
            maker.make(recipient(number))


def test_a_value_that_is_missing_is_named_and_the_next_reader_is_written_to() -> None:
    maker = a_maker(EDITION)
    with pytest.raises(RenderError, match="name: this member has no value for it, and the html has no fallback"):
        maker.make(recipient(1, name=""))
    assert ("text/html", "<p>Dear Ana</p>") in contents(parsed(maker.make(recipient(2))[2]))
