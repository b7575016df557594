"""The liaison's ten minutes in Chromium, on a phone of 360 pixels: with a finger, with a keyboard, for axe-core."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from relay_link import Offered, offered
from relay_scene import OFFER

from campaigns.figures import ToldFigures
from campaigns.relay import RelayState
from comms.engine.relaying import correcting, figures, seating
from tests.support import axe

CHROMIUM = shutil.which("chromium")
WORDS = "Our **meeting** is in Bangor."
PHONE = {"width": 360, "height": 740}
MOST = 10
"""Fewer interactions than this from the mail to the acceptance."""

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def axe_script(tmp_path_factory: pytest.TempPathFactory) -> str:
    return axe.script(tmp_path_factory.mktemp("axe"))


@pytest.fixture
def offer(tmp_path: Path) -> Iterator[Offered]:
    with offered(tmp_path / "workspace") as found:
        yield found


def mailed(offer: Offered) -> str:
    """Where the button in the mail leads, on this server."""
    box = offer.scene.workspace.association_db("coalition")
    (content,) = box.execute("SELECT content FROM letter WHERE address = 'luis@maine.example'").fetchone()
    url: str = json.loads(offer.scene.workspace.key.unseal(bytes(content)))["url"]
    return f"http://127.0.0.1:{offer.browser.port}{url[url.index('/l/') :]}"


def test_from_the_mail_to_the_acceptance_it_takes_a_few_touches(offer: Offered, chromium: Any) -> None:
    page = chromium.new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    touches = 1  # the button in the mail
    with page.expect_response(lambda response: response.url.endswith("/seen")):
        page.goto(mailed(offer))
    assert offer.state() is RelayState.SEEN
    page.tap("text=To the answer")
    page.tap("text=Yes, send it to our members")
    touches += 2
    page.wait_for_selector("[role=status] >> text=It is accepted.")
    page.close()
    assert offer.state() is RelayState.SCHEDULED
    assert touches < MOST


def test_words_of_their_own_are_saved_shown_and_accepted_within_ten_touches(offer: Offered, chromium: Any) -> None:
    page = chromium.new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto(mailed(offer))
    page.tap("#slot-near-you")
    page.keyboard.type(WORDS)
    page.wait_for_selector("#saved >> text=Saved")
    assert offer.row().adaptation.texts == {"near-you": WORDS}
    frame = page.frame_locator(".preview iframe")
    frame.locator("text=is in Bangor").wait_for(state="attached")
    page.tap("text=Yes, send it to our members")  # with the mail and the field: three touches, and the writing
    page.wait_for_selector("[role=status] >> text=It is accepted.")
    page.close()
    frozen = offer.scene.workspace.host.edition("partner.maine", "maine", "newsletter") or b""
    assert b"Bangor" in frozen


def test_an_answer_right_after_the_last_letter_is_to_the_words_as_they_stand(offer: Offered, chromium: Any) -> None:
    page = chromium.new_page(viewport=PHONE)
    page.goto(mailed(offer))
    page.focus("#slot-near-you")
    page.keyboard.type(WORDS)
    page.click("text=Yes, send it to our members")
    page.wait_for_selector("[role=status] >> text=It is accepted.")
    page.close()
    assert offer.row().adaptation.texts == {"near-you": WORDS}
    assert offer.state() is RelayState.SCHEDULED


def test_a_keyboard_alone_does_it_in_fewer_than_ten_keys(offer: Offered, chromium: Any) -> None:
    page = chromium.new_page(viewport=PHONE)
    page.goto(mailed(offer))
    keys = ["Tab", "Tab", "Enter", "Tab", "Enter"]  # past the skip link, to the answer, yes
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_selector("[role=status] >> text=It is accepted.")
    page.close()
    assert offer.state() is RelayState.SCHEDULED
    assert len(keys) + 1 < MOST


def test_without_script_the_save_button_does_the_same(offer: Offered, chromium: Any) -> None:
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(mailed(offer))
    page.fill("#slot-near-you", WORDS)
    page.click("text=Save")
    page.wait_for_selector("[role=status] >> text=Saved.")
    assert page.input_value("#slot-near-you") == WORDS
    page.click("text=Yes, send it to our members")
    page.wait_for_selector("[role=status] >> text=It is accepted.")
    context.close()
    assert offer.state() is RelayState.SCHEDULED


def test_what_is_wrong_is_said_at_its_place_while_people_write(offer: Offered, chromium: Any) -> None:
    page = chromium.new_page(viewport=PHONE)
    page.goto(mailed(offer))
    page.fill("#slot-near-you", "::: poll Which?\n- a\n- b\n:::")
    page.wait_for_selector("#wrong-near-you li")
    assert page.is_visible("#obstacle")
    page.fill("#slot-near-you", WORDS)
    page.wait_for_selector("#wrong-near-you li", state="detached")
    assert not page.is_visible("#obstacle")
    page.close()


def test_a_change_that_the_page_does_not_show_is_not_accepted_by_writing_on(offer: Offered, chromium: Any) -> None:
    page = chromium.new_page(viewport=PHONE)
    page.goto(mailed(offer))
    offer.correct("1 March", "1 April")
    page.fill("#slot-near-you", WORDS)
    page.click("text=Yes, send it to our members")
    page.wait_for_selector("[role=alert] >> text=changed after you looked")
    assert page.is_visible("ins >> text=1 April")
    page.close()
    assert offer.state() is RelayState.ADAPTING


def states(offer: Offered) -> Iterator[tuple[str, str]]:
    """(name, path) of the page in every state, as one after the other comes about."""
    seating.add(offer.scene.workspace, "maine", "Mae", "mae@maine.example")
    offer.post("/question", question="Is it free? " * 20)
    yield "offered", offer.path()
    offer.post(do="save", slot_near_you="::: poll x\n- a\n- b\n:::", was_near_you=offer.shown()["was-near-you"])
    yield "wrong words", offer.path()
    offer.post(do="save", slot_near_you=WORDS, was_near_you=offer.shown()["was-near-you"])
    offer.correct("Ask us about it.", "Ask them.")
    yield "corrected", offer.path()
    offer.accept()
    yield "scheduled", f"{offer.path()}?done=accepted"
    offer.post("/decline", reason="no money")
    yield "declined", f"{offer.path()}?done=declined"
    seating.decide(offer.scene.workspace, seating.RelayRule("maine", two_seats=True))
    offer.accept()
    yield "waiting", offer.path()
    yield "asked", offer.path(offer.seat(1))
    for state in (RelayState.EXPIRED, RelayState.SENDING, RelayState.SENT):
        offer.stand(state)
        yield state.value, offer.path()
    offer.stand(RelayState.SEEN)
    offer.send_elsewhere()
    yield "to be sent elsewhere", offer.path()
    offer.stand(RelayState.ACCEPTED)
    offer.post("/figures", copies="1,200", clicks="140")
    yield "figures told", f"{offer.path()}?done=figures"
    correcting.recall(offer.scene.workspace, "partner", "no money", who="dana")
    yield "withdrawn", offer.path()
    yield "over", offer.expired()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_people_from_using_the_page_in_any_state(
    offer: Offered, chromium: Any, axe_script: str, scheme: str
) -> None:
    context = chromium.new_context(viewport=PHONE, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    for name, path in states(offer):
        page.goto(f"http://127.0.0.1:{offer.browser.port}{path}")
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        assert axe.violations(page, axe_script) == [], name
    context.close()


def test_nothing_sticks_out_of_a_phone_and_every_target_fits_a_finger(tmp_path: Path, chromium: Any) -> None:
    word = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"
    text = OFFER.replace("What does this", f"{word} {word}").replace("1 March", word)
    with offered(tmp_path / "workspace", text=text) as offer:
        page = chromium.new_page(viewport={"width": 320, "height": 640})
        for name, path in states(offer):
            page.goto(f"http://127.0.0.1:{offer.browser.port}{path}")
            page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
            sizes = page.eval_on_selector_all(
                "button, summary, textarea, a.button, input:not([type=hidden])",
                "all => all.map(e => e.getBoundingClientRect()).map(r => Math.min(r.width, r.height))",
            )
            assert min(sizes) >= 24, name
        page.close()


def test_figures_that_can_not_be_are_mended_where_the_cursor_stands_with_a_keyboard_alone(
    offer: Offered, chromium: Any, axe_script: str
) -> None:
    offer.send_elsewhere()
    offer.accept()
    context = chromium.new_context(viewport=PHONE, bypass_csp=True)
    page = context.new_page()
    page.goto(mailed(offer))
    page.focus("#copies")
    for text, key in (("1,200", "Tab"), ("1300", "Tab"), ("140", "Enter")):
        page.keyboard.type(text)
        page.keyboard.press(key)
    page.wait_for_selector("#wrong-people")
    assert axe.violations(page, axe_script) == []
    assert page.evaluate("document.activeElement.id") == "people"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.input_value("#copies") == "1,200"
    page.keyboard.press("Control+A")
    page.keyboard.type("1150")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=status] >> text=Your figures are taken down.")
    context.close()
    kept = figures.known(offer.scene.workspace, offer.row())
    assert kept is not None
    assert kept.figures == ToldFigures(1200, 1150, 140)
