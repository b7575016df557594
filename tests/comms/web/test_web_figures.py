"""Figures over real HTTP: the form on the page of an offer, and posts of tools that sign them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from http_browser import Answer
from relay_link import Offered, offered

from campaigns.figures import ToldFigures
from campaigns.relay import RelayState
from campaigns.told import ToldRow
from comms.engine.relaying import closing, figures, posted
from comms.kits import signed_figures

GOOD = {"copies": "1,200", "people": "1150", "clicks": "140", "replies": ""}


@pytest.fixture
def offer(tmp_path: Path) -> Iterator[Offered]:
    """Maine has its members elsewhere, and has accepted."""
    with offered(tmp_path / "workspace") as found:
        found.send_elsewhere()
        assert found.accept().status == 303
        yield found


def known(offer: Offered) -> ToldRow | None:
    return figures.known(offer.scene.workspace, offer.row())


def values(page: str) -> dict[str, str]:
    """What stands in the fields of the form."""
    fields = re.findall(r'<input type="text"[^>]* name="(\w+)" value="([^"]*)"', page)
    return dict(fields)


# --- the form ---------------------------------------------------------------------------------


def test_who_sends_elsewhere_accepts_without_an_hour_and_then_tells_figures(tmp_path: Path) -> None:
    with offered(tmp_path / "workspace") as offer:
        offer.send_elsewhere()
        page = offer.page().text
        assert "You send with a tool of your own" in page
        assert 'type="datetime-local"' not in page
        assert "of your members" not in page
        assert values(page) == {}, "nothing was sent yet"
        page = offer.follow(offer.accept()).text
        assert offer.state() is RelayState.ACCEPTED
        assert "nothing goes out from here" in page
        assert values(page) == {"copies": "", "people": "", "clicks": "", "replies": ""}
        assert values(offer.page(offer.path(slug="ohio")).text) == {}


def test_figures_are_taken_down_in_the_name_of_the_seat_and_can_be_changed(offer: Offered) -> None:
    page = offer.follow(offer.post("/figures", **GOOD)).text
    assert "Thank you. Your figures are taken down." in page
    assert "Told by Luis of maine" in page
    assert values(page) == {"copies": "1200", "people": "1150", "clicks": "140", "replies": "0"}
    offer.post("/figures", copies="1300")
    kept = known(offer)
    assert kept is not None
    assert (kept.figures, kept.who) == (ToldFigures(1300, 1300), "Luis of maine")


def test_what_can_not_be_is_said_beside_the_field_and_nothing_typed_is_lost(offer: Offered) -> None:
    offer.post("/figures", copies="50")
    typed = {"copies": "1 200", "people": "1300", "clicks": "<many>", "replies": "6"}
    answer = offer.post("/figures", **typed)
    assert answer.status == 400
    assert {name: text.replace("&lt;", "<").replace("&gt;", ">") for name, text in values(answer.text).items()} == typed
    for name, words in (("people", "from 1 to 1,200."), ("clicks", "from 0 to 120,000.")):
        assert f'<p class="wrong" id="wrong-{name}">Write a whole number {words}</p>' in answer.text
        assert re.search(rf'name="{name}"[^>]* aria-invalid="true"[^>]* aria-describedby="wrong-{name} ', answer.text)
    assert answer.text.count("aria-invalid") == 2
    assert answer.text.count("autofocus") == 1
    kept = known(offer)
    assert kept is not None
    assert kept.figures.copies == 50


def test_a_field_full_of_rubbish_is_refused_and_not_sent_back_whole(offer: Offered) -> None:
    answer = offer.post("/figures", copies="9" * 500_000)
    assert answer.status == 400
    assert len(answer.body) < 50_000
    for nonsense in ("\x00", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "-5", "1e9"):
        assert offer.post("/figures", copies=nonsense).status == 400
    assert known(offer) is None


def test_after_the_close_the_figures_stand_there_and_do_not_change(offer: Offered) -> None:
    offer.post("/figures", **GOOD)
    closing.close(offer.scene.workspace, "partner", who="dana")
    page = offer.page().text
    assert values(page) == {}
    assert "<dd>1,200</dd>" in page
    answer = offer.post("/figures", copies="9000")
    assert answer.status == 409
    assert "its figures do not change any more" in answer.text
    kept = known(offer)
    assert kept is not None
    assert kept.figures.copies == 1200


def test_who_has_not_accepted_or_sends_from_here_has_no_form_to_send(offer: Offered) -> None:
    theirs = offer.path(slug="ohio")
    assert offer.post("/figures", to=theirs, **GOOD).status == 409
    offer.post("/decline", reason="no")
    assert offer.post("/figures", **GOOD).status == 409
    assert known(offer) is None
    assert offer.browser.form(f"{offer.expired()}/figures", "copies=5").status == 410
    assert offer.browser.form("/l/nonsense/figures", "copies=5").status == 404


def test_a_page_of_another_site_can_not_tell_figures(offer: Offered) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://elsewhere.example"}
    assert offer.browser("POST", f"{offer.path()}/figures", b"copies=5", headers).status == 403
    assert known(offer) is None


# --- posts of tools ---------------------------------------------------------------------------


def post(offer: Offered, secret: str, body: bytes, *, slug: str = "maine", seconds: int | None = None) -> Answer:
    seconds = int(time.time()) if seconds is None else seconds
    headers = {
        "Comms-Timestamp": str(seconds),
        "Comms-Signature": signed_figures.signature(secret, seconds, body),
    }
    return offer.browser("POST", f"/relay/{slug}/figures", body, headers)


def body(**values: Any) -> bytes:
    return json.dumps({"campaign": "partner", "copies": 300, **values}).encode()


@pytest.fixture
def secret(offer: Offered) -> str:
    # The server goes by the real clock.
    offer.scene.workspace.now = type(offer.scene.workspace)(offer.scene.workspace.folder).now
    return posted.give(offer.scene.workspace, "maine", who="dana").secret


def test_a_tool_posts_signed_figures_and_the_page_shows_them(offer: Offered, secret: str) -> None:
    answer = post(offer, secret, body(clicks=40))
    assert (answer.status, json.loads(answer.text)) == (
        200,
        {"campaign": "partner", "association": "maine", "self_reported": True},
    )
    page = offer.page().text
    assert values(page)["copies"] == "300"
    assert "Told by the tool of Maine Libraries" in page


def test_every_refusal_has_its_status_and_says_why_in_json(offer: Offered, secret: str) -> None:
    now = int(time.time())
    url = "/relay/maine/figures"
    found = {
        "no signature": offer.browser("POST", url, body()),
        "wrong secret": post(offer, "wrong", body()),
        "stale": post(offer, secret, body(), seconds=now - 1000),
        "not JSON": post(offer, secret, b"copies=5"),
        "can not be": post(offer, secret, body(people=301)),
        "not offered": post(offer, secret, body(campaign="nothing")),
        "too large": post(offer, secret, body(x="y" * 5_000)),
        "too large, in parts": offer.browser("POST", url, iter([b"x" * 3_000] * 3)),  # type: ignore[arg-type]
    }
    assert {name: answer.status for name, answer in found.items()} == {
        "no signature": 401, "wrong secret": 403, "stale": 403, "not JSON": 400, "can not be": 400, "not offered": 404,
        "too large": 413, "too large, in parts": 413,
    }  # fmt: skip
    for name, answer in found.items():
        assert json.loads(answer.text)["error"], name
    assert post(offer, secret, b"x" * 1_000_000).status == 413
    assert "from 1 to 300, not 301" in found["can not be"].text
    assert known(offer) is None


def test_nobody_without_the_secret_can_tell_what_there_is(offer: Offered, secret: str) -> None:
    said = {
        (answer.status, answer.text)
        for slug in ("maine", "ohio", "nobody", "%00", "..%2f")
        for campaign in ("partner", "nothing")
        for answer in [post(offer, "guess", body(campaign=campaign), slug=slug)]
    }
    assert len(said) <= 2
    assert {status for status, _ in said} <= {403, 404}
    assert {answer.status for answer in (post(offer, "guess", body(), slug=slug) for slug in ("maine", "nobody"))} == {
        403
    }
    assert offer.browser.get("/relay/maine/figures").status == 405
