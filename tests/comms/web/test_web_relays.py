"""The page of an offer, over real HTTP: what a liaison sees there, and what each answer does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from relay_link import SEND, TODAY, Offered, at, offered
from relay_scene import OFFER

from campaigns.relay import RelayState
from comms.engine.relaying import correcting, seating

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
POSTS = ("", "/seen", "/time", "/decline", "/question", "/colleague", "/correction", "/again")
WORDS = "Our **meeting** is in Bangor."


@pytest.fixture
def offer(tmp_path: Path) -> Iterator[Offered]:
    with offered(tmp_path / "workspace") as found:
        yield found


def write(offer: Offered, text: str, do: str = "save", **fields: str) -> str:
    """Put words into the open place; returns where the page leads."""
    shown = {name.replace("-", "_"): value for name, value in offer.shown().items()}
    return offer.post(slot_near_you=text, **{**shown, "do": do, **fields}).headers["location"]


# --- looking ----------------------------------------------------------------------------------


def test_the_page_shows_what_goes_out_to_how_many_by_whom_and_when(offer: Offered) -> None:
    page = offer.page()
    assert page.status == 200
    for words in (
        "We seek a partner",
        "You answer as Luis of maine for Maine Libraries.",
        "news@maine.example",
        "1 High Street, maine",
        "Could you host us?",
        "70 of your members",
        "9:00",
        "What does this mean where you are?",
        "Ask us about it.",
    ):
        assert words in page.text, words
    assert f'value="{at(SEND, "09:00")}"' in page.text
    assert f'max="{at(TODAY + timedelta(days=40), "23:59")}"' in page.text
    assert "ohio" not in page.text.lower()


def test_only_this_page_runs_a_script_and_nobody_keeps_or_finds_it(offer: Offered) -> None:
    headers = offer.page().headers
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert (headers["cache-control"], headers["x-robots-tag"]) == ("private, no-store", "noindex, nofollow")
    assert headers["referrer-policy"] == "same-origin"
    assert "script-src" not in offer.page("/").headers["content-security-policy"]
    assert offer.page("/relay.js").headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_programs_that_follow_the_link_change_nothing(offer: Offered, method: str) -> None:
    path = offer.path()
    for each in (path, f"{path}/preview/en", f"{path}/link/en/0", f"{path}?done=accepted", f"{path}/seen"):
        offer.browser(method, each)
    assert offer.state() is RelayState.OFFERED
    assert offer.scene.workspace.relays.steps(offer.row().id) == []


def test_that_somebody_looked_is_noted_once_when_the_page_s_script_says_so(offer: Offered) -> None:
    for _ in range(2):
        assert offer.post("/seen").status == 204
    assert offer.state() is RelayState.SEEN
    (step,) = offer.scene.workspace.relays.steps(offer.row().id)
    assert step.who == "Luis of maine"


def test_the_preview_is_the_newsletter_with_their_words_and_can_stand_in_the_page_alone(offer: Offered) -> None:
    write(offer, WORDS)
    preview = offer.page(f"{offer.path()}/preview/en")
    assert "meeting</strong> is in Bangor." in preview.text
    assert "Maine Libraries" in preview.text
    assert "Ask us about it." not in preview.text
    assert "frame-ancestors 'self'" in preview.headers["content-security-policy"]
    assert "script-src" not in preview.headers["content-security-policy"]
    assert offer.page(f"{offer.path()}/preview/es").status == 404
    offer.accept()
    frozen = offer.scene.workspace.host.edition("partner.maine", "maine", "newsletter") or b""
    assert json.loads(frozen)["html"].split("<body", 1)[1].count("Bangor") == preview.text.count("Bangor")


def test_links_of_the_preview_can_be_tried_and_lead_nowhere_else(tmp_path: Path) -> None:
    text = OFFER.replace("The deadline", "[Read](https://example.org/rfp). The deadline")
    with offered(tmp_path / "workspace", text=text) as offer:
        preview, path = offer.page(f"{offer.path()}/preview/en"), offer.path()
        assert f'href="{path}/link/en/0"' in preview.text
        answer = offer.page(f"{path}/link/en/0")
        assert (answer.status, answer.headers["location"]) == (302, "https://example.org/rfp")
        for index in ("99", "x", "-1", "%D9%A1"):
            assert offer.page(f"{path}/link/en/{index}").status == 404


# --- yes --------------------------------------------------------------------------------------


def test_one_button_puts_it_on_the_schedule_in_the_name_of_the_seat(offer: Offered) -> None:
    page = offer.follow(offer.accept())
    assert "Thank you. It is accepted." in page.text
    assert "You need do nothing more." in page.text
    assert offer.state() is RelayState.SCHEDULED
    assert {step.who for step in offer.scene.workspace.relays.steps(offer.row().id)} == {"Luis of maine"}


def test_what_was_changed_after_the_page_was_loaded_is_shown_and_asked_again(offer: Offered) -> None:
    shown = {name.replace("-", "_"): value for name, value in offer.shown().items()}
    offer.correct("1 March", "1 April")
    answer = offer.post(do="accept", **shown)
    assert answer.status == 409
    assert "changed after you looked at it" in answer.text
    assert offer.state() is RelayState.OFFERED
    assert offer.post(do="accept").status == 409, "nothing was looked at"
    assert offer.accept().status == 303
    assert offer.state() is RelayState.SCHEDULED


def test_words_that_nobody_has_seen_in_the_preview_are_kept_and_looked_at_before_they_are_accepted(
    offer: Offered,
) -> None:
    location = write(offer, WORDS, do="accept")
    assert "Look at the preview, then accept." in offer.page(location).text
    assert offer.state() is RelayState.ADAPTING
    assert offer.row().adaptation.texts == {"near-you": WORDS}
    offer.accept()
    assert offer.state() is RelayState.SCHEDULED


def test_what_is_wrong_with_the_words_stands_at_their_place_and_keeps_them_from_being_sent(offer: Offered) -> None:
    write(offer, "::: poll Which?\n- a\n- b\n:::")
    page = offer.page()
    assert '<ul class="problems" id="wrong-near-you"' in page.text
    assert "a slot can not hold what" in page.text
    assert "What does this mean where you are?: line 1: a slot can not hold what" in page.text, "named as the page does"
    answer = offer.accept()
    assert answer.status == 409
    assert "It can not be sent as it is." in answer.text
    assert offer.state() is RelayState.ADAPTING
    assert "::: poll Which?" in answer.text


def test_two_people_are_asked_where_the_association_wants_two(offer: Offered) -> None:
    workspace = offer.scene.workspace
    second = seating.add(workspace, "maine", "Mae", "mae@maine.example")
    seating.decide(workspace, seating.RelayRule("maine", two_seats=True))
    first = offer.seat(0)
    assert "once a colleague agrees, too" in offer.page(offer.path(first)).text
    page = offer.follow(offer.accept(offer.path(first)))
    assert "A colleague of yours is asked to agree, too." in page.text
    assert 'value="accept"' not in page.text
    again = offer.post(to=offer.path(first), do="accept", fingerprint=offer.shown(offer.path(first))["fingerprint"])
    assert again.status == 409
    assert offer.state() is RelayState.AWAITING
    assert "Luis of maine has accepted for Maine Libraries." in offer.page(offer.path(second)).text
    offer.accept(offer.path(second))
    assert offer.state() is RelayState.SCHEDULED


# --- words and hours --------------------------------------------------------------------------


def test_two_people_who_write_at_once_lose_nothing(offer: Offered) -> None:
    shown = {name.replace("-", "_"): value for name, value in offer.shown().items()}
    write(offer, WORDS)
    answer = offer.post(slot_near_you="Mine & <only>", **{**shown, "do": "accept"})
    assert answer.status == 409
    assert "A colleague changed the same words meanwhile." in answer.text
    assert "Mine &amp; &lt;only&gt;</textarea>" in answer.text
    assert f'<pre dir="auto">{WORDS}</pre>' in answer.text
    assert offer.row().adaptation.texts == {"near-you": WORDS}
    assert "saved" in write(offer, "Both of us")


def test_a_correction_beneath_their_words_shows_what_stood_there_what_does_and_theirs(offer: Offered) -> None:
    write(offer, WORDS)
    offer.correct("Ask us about it.", "Ask them by telephone.")
    page = offer.page().text
    assert '<pre dir="auto">Ask us about it.</pre>' in page
    assert '<pre dir="auto">Ask them by telephone.</pre>' in page
    assert f"{WORDS}</textarea>" in page
    assert "Ask them by telephone.</ins>" in page


def test_words_for_a_place_that_a_correction_took_away_are_kept_and_shown(offer: Offered) -> None:
    write(offer, WORDS)
    offer.correct('::: slot near-you "What does this mean where you are?"\nAsk us about it.\n:::\n', "")
    page = offer.page().text
    assert "A place that you had filled was taken away." in page
    assert f'<pre dir="auto">{WORDS}</pre>' in page
    offer.accept()
    assert (offer.state(), offer.row().adaptation.texts) == (RelayState.SCHEDULED, {"near-you": WORDS})
    assert b"Bangor" not in (offer.scene.workspace.host.edition("partner.maine", "maine", "newsletter") or b"")


def test_words_are_saved_as_they_are_written_and_what_was_shown_can_be_accepted(offer: Offered) -> None:
    shown = {name.replace("-", "_"): value for name, value in offer.shown().items()}
    answer = script(offer, slot_near_you=WORDS, **shown)
    assert answer["said"] == "Saved"
    assert offer.row().adaptation.texts == {"near-you": WORDS}
    assert answer["places"]["near-you"]["problems"] == []
    assert offer.post(do="accept", fingerprint=answer["fingerprint"]).status == 303
    assert offer.state() is RelayState.SCHEDULED


def test_words_that_can_not_be_sent_are_kept_and_the_page_says_so(offer: Offered) -> None:
    shown = {name.replace("-", "_"): value for name, value in offer.shown().items()}
    answer = script(offer, slot_near_you="{{ nobody }}", **shown)
    assert answer["said"] == "Saved. It can not be sent as it is yet: what is wrong stands below."
    page = offer.page(write(offer, "{{ somebody }}"))
    assert "Saved. It can not be sent as it is yet" in page.text
    assert "Look at the preview, then accept." not in page.text
    assert offer.row().adaptation.texts == {"near-you": "{{ somebody }}"}


def test_saving_words_does_not_pass_a_correction_off_as_seen(offer: Offered) -> None:
    shown = {name.replace("-", "_"): value for name, value in offer.shown().items()}
    offer.correct("1 March", "1 April")
    answer = script(offer, slot_near_you=WORDS, **shown)
    assert "load this page again" in answer["said"]
    assert offer.post(do="accept", fingerprint=answer["fingerprint"]).status == 409
    assert offer.row().adaptation.texts == {"near-you": WORDS}


def script(offer: Offered, **fields: str) -> dict[str, Any]:
    """What the page's script gets when it saves."""
    body = urlencode({"do": "save", **{name.replace("_", "-"): value for name, value in fields.items()}})
    answer = offer.browser("POST", offer.path(), body.encode(), {**FORM, "Accept": "application/json"})
    found: dict[str, Any] = json.loads(answer.body)
    return found


def test_an_hour_within_the_days_is_kept_and_any_other_is_said_to_be_wrong(offer: Offered) -> None:
    day = TODAY + timedelta(days=35)
    assert "saved" in write(offer, "", at=at(day, "07:30"))
    assert f'value="{at(day, "07:30")}"' in offer.page().text
    for wrong in (at(TODAY + timedelta(days=41), "09:00"), at(TODAY, "09:00"), "soon", "2027-13-01T09:00", "\x00"):
        answer = offer.post(do="accept", at=wrong)
        assert answer.status == 400
        assert "It can not go out at that time." in answer.text
    assert 'value="soon"' in offer.post(do="accept", at="soon").text
    assert offer.state() is RelayState.ADAPTING
    assert "saved" in write(offer, "", at="")
    assert f'value="{at(SEND, "09:00")}"' in offer.page().text


def test_the_hour_of_what_is_accepted_moves_without_anybody_agreeing_again(offer: Offered) -> None:
    offer.accept()
    page = offer.follow(offer.post("/time", at=at(SEND, "17:00")))
    assert "The time is changed." in page.text
    assert offer.state() is RelayState.SCHEDULED
    edition = offer.scene.workspace.host.campaign("partner.maine")
    assert edition is not None
    assert edition.due_at is not None
    assert edition.due_at.hour == 17


def test_long_words_in_any_script_fit_and_a_million_bytes_do_not(offer: Offered) -> None:
    write(offer, "🏛" * 10_000)
    assert len(offer.row().adaptation.texts["near-you"]) == 10_000
    assert offer.post(slot_near_you="x" * 1_100_000).status == 413
    assert len(offer.row().adaptation.texts["near-you"]) == 10_000


@pytest.mark.parametrize("text", ["a\x00b\x1b[31m", "\ud800", "> " * 4_000, "::: quote\n" * 900, "{{ 7 * 7 }}{% for"])
def test_hostile_words_are_kept_as_words_and_never_end_in_a_fault(offer: Offered, text: str) -> None:
    body = b"do=save&slot-near-you=" + text.encode("utf-8", "surrogatepass").replace(b"%", b"%25")
    body += b"&was-near-you=" + offer.shown()["was-near-you"].encode()
    assert offer.browser("POST", offer.path(), body, FORM).status == 303
    assert offer.page().status == 200
    assert offer.page(f"{offer.path()}/preview/en").status in (200, 404)


# --- other answers ----------------------------------------------------------------------------


def test_a_no_takes_one_button_and_can_become_a_yes(offer: Offered) -> None:
    page = offer.follow(offer.post("/decline", reason="No <time>"))
    assert "You have declined." in page.text
    assert "No &lt;time&gt;" in page.text
    assert (offer.state(), offer.row().reason) == (RelayState.DECLINED, "No <time>")
    offer.accept()
    assert offer.state() is RelayState.SCHEDULED
    offer.post("/decline")
    edition = offer.scene.workspace.host.campaign("partner.maine")
    assert edition is not None
    assert edition.state == "cancelled"


def test_a_question_goes_to_the_coalition_by_mail_and_into_the_history(offer: Offered) -> None:
    page = offer.follow(offer.post("/question", question="Is there a <fee>?"))
    assert "Your question is on its way." in page.text
    assert "Is there a &lt;fee&gt;?" in page.text
    assert offer.letters("news@coalition.example") == 1
    assert offer.post("/question", question="  ").status == 400
    assert offer.letters("news@coalition.example") == 1


def test_a_colleague_gets_a_link_of_their_own_once_in_ten_minutes(offer: Offered) -> None:
    mae = seating.add(offer.scene.workspace, "maine", "Mae", "mae@maine.example")
    page = offer.follow(offer.post("/colleague", seat=str(mae.id)))
    assert "The link is on its way to your colleague." in page.text
    assert "only minutes ago" in offer.follow(offer.post("/colleague", seat=str(mae.id))).text
    assert offer.letters("mae@maine.example") == 1
    assert [step.detail for step in offer.scene.workspace.relays.steps(offer.row().id)] == ["Mae"]


def test_nobody_but_a_colleague_can_be_sent_a_link(offer: Offered) -> None:
    before = offer.letters("luis@ohio.example")
    for seat in (str(offer.seat(slug="ohio").id), str(offer.seat().id), "0", "x", "", "9" * 40, "²"):
        assert offer.post("/colleague", seat=seat).status == 400
    assert offer.letters("luis@ohio.example") == before


def test_what_was_sent_can_be_corrected_on_their_page(offer: Offered) -> None:
    offer.accept()
    offer.scene.work(until=offer.scene.now + timedelta(days=31))
    assert offer.state() is RelayState.SENT
    assert "It was sent to your members." in offer.page().text
    assert "Put the correction" not in offer.page().text
    offer.correct("1 March", "1 April")
    assert "Put the correction on our page" in offer.page().text
    assert "1 March" in offer.page(f"{offer.path()}/preview/en").text, "what went out"
    assert "The correction is on your page" in offer.follow(offer.post("/correction")).text
    entry = offer.scene.workspace.host.entry("maine", "partner.maine")
    assert entry is not None
    assert "1 April" in entry.content
    assert offer.post("/correction").status == 409


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RelayState.SENDING, "It is being sent to your members right now."),
        (RelayState.SENT, "It was sent to your members."),
        (RelayState.EXPIRED, "The last day to answer is over"),
    ],
)
def test_every_state_is_said_plainly_and_offers_only_what_can_be_done(
    offer: Offered, state: RelayState, words: str
) -> None:
    offer.stand(state)
    page = offer.page().text
    assert words in page
    assert ('value="accept"' in page) == (state is RelayState.EXPIRED)
    if state is not RelayState.EXPIRED:
        assert "/decline" not in page
        for what in ("", "/decline", "/time"):
            answer = offer.post(what, do="accept", at=at(SEND, "10:00"))
            assert answer.status == 409
            assert "Here is how it stands now." in answer.text
        assert offer.state() is state


def test_what_the_coalition_took_back_says_why_and_asks_nothing(offer: Offered) -> None:
    correcting.recall(offer.scene.workspace, "partner", "The <grant> was withdrawn", who="dana")
    page = offer.page().text
    assert "The Coalition has taken this back." in page
    assert "The &lt;grant&gt; was withdrawn" in page
    assert 'value="accept"' not in page
    assert offer.post(do="accept").status == 409


# --- links ------------------------------------------------------------------------------------


def test_a_link_that_was_never_ours_is_a_page_that_does_not_exist(offer: Offered) -> None:
    path = offer.path()
    other = offer.path(offer.seat(slug="ohio"), slug="ohio")
    mixed = path.rpartition(".")[0] + "." + other.rpartition(".")[2]
    nothing = offer.page("/l/nothing")
    assert nothing.status == 404
    for bad in (mixed, path[:-1], f"{path}x", path.replace("l.maine", "l.ohio"), "/l/%00", f"/l/{'x' * 5000}"):
        answer = offer.page(bad)
        assert (answer.status, answer.body) == (404, nothing.body), bad
        for what in POSTS:
            assert offer.post(what, to=bad, do="accept").status == 404
    assert offer.state() is RelayState.OFFERED


@pytest.mark.parametrize("how", ["expired", "renewed"])
def test_a_link_that_is_over_answers_nothing_and_mails_a_new_one_to_its_own_seat(offer: Offered, how: str) -> None:
    path = offer.expired() if how == "expired" else offer.path()
    if how == "renewed":
        seating.renew(offer.scene.workspace, "maine", "luis@maine.example")
    page = offer.page(path)
    assert page.status == 410
    assert "This link is over" in page.text
    assert "We seek a partner" not in page.text
    assert "luis@" not in page.text
    for what in POSTS[:-1]:
        assert offer.post(what, to=path, do="accept").status == 410
    assert offer.page(f"{path}/preview/en").status == 404
    before = offer.letters("luis@maine.example")
    answers = [offer.post("/again", to=path) for _ in range(3)]
    assert {(each.status, each.body) for each in answers} == {(200, answers[0].body)}
    assert "/l/l." not in answers[0].text
    assert offer.letters("luis@maine.example") == before + 1
    assert offer.page().status == 200
    assert offer.state() is RelayState.OFFERED


def test_a_new_link_to_an_old_offer_is_not_over_when_it_comes(offer: Offered) -> None:
    offer.scene.now += timedelta(days=400)
    path = offer.path()
    offer.scene.workspace.now = lambda: offer.scene.now + timedelta(days=13)
    assert seating.sitting(offer.scene.workspace, path.removeprefix("/l/")) is not None


def test_who_has_no_seat_any_more_is_told_to_write_and_not_who_has(offer: Offered) -> None:
    seating.add(offer.scene.workspace, "maine", "Mae", "mae@maine.example")
    path = offer.path(offer.seat(0))
    seating.remove(offer.scene.workspace, "maine", "luis@maine.example")
    for answer in (offer.page(path), offer.post(to=path, do="accept"), offer.post("/again", to=path)):
        assert answer.status == 410
        assert "news@coalition.example" in answer.text
        assert "Mae" not in answer.text
        assert "maine" not in answer.text.lower()
    assert offer.state() is RelayState.OFFERED


def test_forms_of_other_sites_do_nothing(offer: Offered) -> None:
    for what in POSTS:
        answer = offer.browser(
            "POST", f"{offer.path()}{what}", b"do=accept", {**FORM, "Origin": "https://evil.example"}
        )
        assert answer.status == 403
    assert offer.state() is RelayState.OFFERED


def test_what_people_wrote_is_text_wherever_it_stands(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    text = OFFER.replace("title: We seek a partner", f"title: '{evil}'").replace("What does this", f"{evil} this")
    with offered(tmp_path / "workspace", text=text) as offer:
        db = offer.scene.workspace.host.db
        db.execute("UPDATE seat SET name = ?", [evil])
        db.execute("UPDATE association SET name = ?, postal_address = ?", [evil, evil])
        write(offer, evil)
        offer.post("/question", question=evil)
        page = offer.page().text
        assert evil not in page
        assert page.count("<script") == 1
        assert page.count("&lt;script&gt;") > 6
