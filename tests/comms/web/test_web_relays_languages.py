"""The page of an offer speaks its reader's language, whole, in every state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from relay_link import Offered, offered
from test_web_languages import bare

from campaigns.relay import RelayState
from comms.engine.relaying import correcting, seating
from tests.support.pseudo import TAG, write_catalogue

THEIRS = (
    "We seek a partner", "Maine Libraries", "The Coalition", "news@maine.example", "news@coalition.example",
    "luis@maine.example", "1 High Street, maine", "Could you host us?", "What does this mean where you are?",
    "Ask us about it.", "Ask them.", "Luis of maine", "Mae", "another day", "The deadline is 1 March.", "no money",
    "::: slot near-you", ":::", "Is it free", "In Bangor", "UTC", "dana",
)  # fmt: skip
"""What people wrote, and names."""
DATE = re.compile(r"([a-zĵŭ]+, )?la \d+-a de [A-Za-zŭ]+ \d{4}|20\d\d-[A-Za-zŭ]+-\d\d|\b\d\d?:\d\d\b")
"""A day or an hour in the made-up language."""


@pytest.fixture
def offer(tmp_path: Path) -> Iterator[Offered]:
    with offered(tmp_path / "workspace") as found:
        write_catalogue(found.scene.workspace.folder)
        seating.add(found.scene.workspace, "maine", "Mae", "mae@maine.example")
        yield found


def left(offer: Offered, path: str | None = None) -> set[str]:
    """Words of the page that no catalogue gave."""
    answer = offer.page(path, Accept_Language=TAG)
    assert f'<html lang="{TAG}"' in answer.text
    text = DATE.sub(" ", answer.text.replace("&#34;", " "))
    for name in sorted(THEIRS, key=len, reverse=True):
        text = text.replace(name, " ")
    return {line for line in bare(text) if line.strip(" .:,()?“”<>")}


def test_no_word_of_ours_is_forgotten_in_any_state(offer: Offered) -> None:
    found = {}

    def look(name: str, path: str | None = None) -> None:
        found[name] = left(offer, path)

    offer.post("/question", question="Is it free?")
    offer.post("/colleague", seat=str(offer.seat(1).id))
    look("offered")
    offer.post(do="save", slot_near_you="In Bangor", was_near_you=offer.shown()["was-near-you"])
    offer.correct("Ask us about it.", "Ask them.")
    look("corrected")
    offer.accept()
    look("scheduled", f"{offer.path()}?done=accepted")
    offer.post("/decline", reason="no money")
    look("declined")
    seating.decide(offer.scene.workspace, seating.RelayRule("maine", two_seats=True))
    offer.accept()
    look("waiting")
    look("asked", offer.path(offer.seat(1)))
    for state in (RelayState.EXPIRED, RelayState.SENDING, RelayState.SENT):
        offer.stand(state)
        look(state.value)
    offer.stand(RelayState.SEEN)
    offer.send_elsewhere()
    look("to be sent elsewhere")
    offer.stand(RelayState.ACCEPTED)
    look("figures asked")
    offer.post("/figures", copies="1200", clicks="140")
    look("figures told", f"{offer.path()}?done=figures")
    correcting.recall(offer.scene.workspace, "partner", "no money", who="dana")
    look("withdrawn")
    look("over", offer.expired())
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    ("language", "words"), [("es", "Sí, enviarlo a nuestros miembros"), ("fr", "Oui, l’envoyer à nos membres")]
)
def test_the_page_is_there_in_the_languages_that_come_with_it(offer: Offered, language: str, words: str) -> None:
    page = offer.page(Accept_Language=language).text
    assert words in page
    assert f'<html lang="{language}" dir="ltr">' in page
