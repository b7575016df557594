"""What an association may be called, send from and look like."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.models import Association, Brand
from comms.engine.associations import checked
from comms.engine.setup import create_workspace
from comms.errors import UsageError

GOOD = Association("coalition", "The Coalition", "news@coalition.example", "1 Main Street\nSpringfield")


def test_a_good_association_stays_as_it_is() -> None:
    brand = Brand("#abc", "#FFFFFF", "https://coalition.example/logo.png", "Logo")
    full = dataclasses.replace(
        GOOD, sender_name="Dana", reply_to="dana@coalition.example", homepage="https://coalition.example/",
        language="es-MX", timezone="America/Denver", brand=brand,
    )  # fmt: skip
    assert checked(GOOD) == GOOD
    assert checked(full) == full


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": " \0 "}, "needs a name"),
        ({"sender_address": "Dana <news@coalition.example>"}, "is not an e-mail address"),
        ({"sender_address": "news@coalition.example\r\nBcc: everyone@example.org"}, "is not an e-mail address"),
        ({"sender_address": ""}, "is not an e-mail address"),
        ({"sender_address": "grüße@coalition.example"}, "has letters before the @ that most mail servers do not take"),
        ({"reply_to": "nobody"}, "is not an e-mail address"),
        ({"reply_to": "grüße@coalition.example"}, "has letters before the @"),
        ({"timezone": "Mars/Base"}, "is no time zone"),
        ({"timezone": "../../etc/passwd"}, "is no time zone"),
        ({"language": "english please"}, "is no language tag"),
        ({"language": ""}, "is no language tag"),
        ({"brand": Brand(accent="red")}, "'red' is not a colour such as #1f4e79"),
        ({"brand": Brand(background="#fff;}")}, "is not a colour"),
        ({"brand": Brand(logo_url="file:///etc/passwd")}, "is no web address"),
        ({"brand": Brand(logo_url="javascript:alert(1)")}, "is no web address"),
        ({"brand": Brand(logo_url="https://[")}, "is no web address"),
        ({"brand": Brand(logo_url="logo.png")}, "is no web address"),
    ],
)
def test_what_would_break_its_mails_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    bad = dataclasses.replace(GOOD, **changes)
    with create_workspace(tmp_path / "coalition", GOOD) as workspace:
        with pytest.raises(UsageError, match=message):
            workspace.change_association(bad)
        with pytest.raises(UsageError, match=message):
            workspace.add_association(dataclasses.replace(bad, slug="other"))
        assert workspace.associations() == [GOOD]
        assert [path.name for path in workspace.folder.glob("associations/*.db")] == ["coalition.db"]


@given(st.text(), st.text(), st.text())
def test_no_text_of_it_can_carry_a_line_a_control_character_or_what_can_not_be_stored(
    name: str, sender_name: str, postal_address: str
) -> None:
    kept = checked(
        dataclasses.replace(GOOD, name=f"x{name}\udc80", sender_name=sender_name, postal_address=postal_address)
    )
    for text in (kept.name, kept.sender_name, *kept.postal_address.split("\n")):
        assert text == "".join(text.splitlines())
        assert text.isprintable() or not any(ord(c) < 32 for c in text)
        text.encode()


def test_line_breaks_stay_in_the_postal_address_alone() -> None:
    kept = checked(dataclasses.replace(GOOD, name="The\r\nCoalition", postal_address="1 Main St\r\n\r\n Springfield "))
    assert kept.name == "The Coalition"
    assert kept.postal_address == "1 Main St\nSpringfield"
