"""Files that go with a mail: any parser finds them as they were, where programs look for them."""

from __future__ import annotations

import email
from base64 import b64encode
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comms.message import MailFile, Message
from comms.rendering.clean import one_line
from comms.rendering.edition import Edition
from comms.rendering.mime import build
from comms.rendering.render import Renderer

PICTURE = "https://news.example.org/media/mail/map.png"


def a_file(content: bytes = b"%PDF-1.7", name: str = "programme.pdf", **changes: Any) -> MailFile:
    return MailFile(**{"name": name, "media_type": "application/pdf", "data": b64encode(content).decode(), **changes})


def an_image(content: bytes = b"\x89PNG") -> MailFile:
    return a_file(content, "map.png", media_type="image/png", shown_at=PICTURE)


def parsed(*files: MailFile) -> EmailMessage:
    raw = build(
        Message("Coalition", "news@example.org", "maya@example.net", "News", "<p>Hello</p>", "Hello", "<1@example.org>",
                datetime(2027, 3, 1, tzinfo=UTC), "en", files=files)
    )  # fmt: skip
    assert raw.isascii()
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
    read = email.message_from_bytes(raw, policy=default)
    assert isinstance(read, EmailMessage)
    assert [part.defects for part in read.walk() if part.defects] == []
    return read


def structure(part: EmailMessage) -> Any:
    """Media types, a multipart's with what it holds."""
    kind = part.get_content_type()
    return (kind, [structure(each) for each in part.iter_parts()]) if part.is_multipart() else kind


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ((), ("multipart/alternative", ["text/plain", "text/html"])),
        (
            (an_image(),),
            ("multipart/alternative", ["text/plain", ("multipart/related", ["text/html", "image/png"])]),
        ),
        (
            (a_file(), an_image(), a_file(b"2", "b.pdf")),
            (
                "multipart/mixed",
                [
                    (
                        "multipart/alternative",
                        ["text/plain", ("multipart/related", ["text/html", "image/png"])],
                    ),
                    "application/pdf",
                    "application/pdf",
                ],
            ),
        ),
    ],
)
def test_images_stand_beside_the_html_and_attachments_behind_all(files: tuple[MailFile, ...], expected: Any) -> None:
    read = parsed(*files)
    assert structure(read) == expected
    for kind, words in (("plain", "Hello"), ("html", "<p>Hello</p>")):
        body = read.get_body((kind,))
        assert body is not None
        assert body.get_content().strip() == words
    assert [part.get_filename() for part in read.iter_attachments() if part.get_filename()] == [
        file.name for file in files if not file.shown_at
    ]


@settings(max_examples=80)
@given(
    st.binary(max_size=400),
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=80).map(one_line).filter(bool),
)
def test_any_content_and_any_name_come_back(content: bytes, name: str) -> None:
    (read,) = parsed(a_file(content, name)).iter_attachments()
    assert read.get_content() == content
    assert read.get_filename() == name
    assert read.get_content_disposition() == "attachment"


def test_no_boundary_begins_with_another() -> None:
    boundaries = [part.get_boundary() for part in parsed(a_file(), an_image()).walk() if part.is_multipart()]
    assert len(boundaries) == 3
    assert not any(a != b and str(a).startswith(str(b)) for a in boundaries for b in boundaries)


def test_a_mail_shows_the_image_that_goes_with_it_and_a_page_its_address() -> None:
    image = an_image()
    html = f'<p>{{{{ member.name or "you" }}}}</p><img src="{PICTURE}" alt="" />'
    edition = Edition("spring", "Spring", "en", "coalition", "Spring", "", html, "text", files=(image,))
    renderer = Renderer(edition)
    mailed = renderer.encode({"member": {"name": "Ana"}, "links": {}})
    assert f"cid:{image.content_id}" in mailed.html.replace("=\r\n", "")
    assert PICTURE in renderer.render({"member": {"name": "Ana"}, "links": {}}).html
    assert PICTURE in renderer.render_public({"links": {}}).html


def test_an_edition_keeps_its_files_and_is_named_after_them() -> None:
    plain = Edition("spring", "Spring", "en", "coalition", "Spring", "", "<p></p>", "text")
    heavier = Edition("spring", "Spring", "en", "coalition", "Spring", "", "<p></p>", "text", files=(a_file(),))
    assert Edition.from_json(heavier.to_json()) == heavier
    assert heavier.digest != plain.digest
    assert '"files"' not in plain.to_json()
    with pytest.raises(ValueError, match="no edition"):
        Edition.from_json(heavier.to_json().replace('"media_type"', '"kind"'))
