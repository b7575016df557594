"""Every page speaks its reader's language, whole; and says which one it speaks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from http_browser import Answer, Browser
from sent_newsletter import (
    DEFINITION,
    SITE,
    Sent,
    add_member,
    add_topics,
    association,
    make_workspace,
    publish,
    save_campaign,
    send,
)

from audiences.models import TRACKING, SuppressionScope
from comms.web.server import serve
from tests.support.pseudo import CLOSE, OPEN, TAG, write_catalogue

ADA, BEN, EVA = "ada@example.org", "ben@example.org", "eva@example.org"
POLL = DEFINITION.replace("language: en", "language: LANGUAGE") + "\n::: poll Which day?\n- Monday\n- Friday\n:::\n"
FORM = "application/x-www-form-urlencoded"
NAMES = {
    "The Coalition", "Lakeland Archives", "RSS", "Atom", "JSON Feed", "JSON", "hosting",
    "A partner", "In short", "partner", "A", "Hello", "Which day?", "Monday", "Friday",
    "Coalition news", "Jobs", "News from Lakeland Archives", "https://example.org/", "English", "Español", "Français",
    TAG, "2027-Februaro-01",
}  # fmt: skip
"""What people wrote, and names."""


@pytest.fixture
def sent(tmp_path: Path) -> Iterator[Sent]:
    """A newsletter to ada and ben in the made-up language, from the host of two associations."""
    host = replace(association("coalition", "The Coalition"), homepage="https://example.org/")
    with make_workspace(tmp_path / "coalition", [host, association("lakeland", "Lakeland Archives")]) as workspace:
        write_catalogue(workspace.folder)
        add_topics(workspace, "coalition", news="Coalition news", jobs="Jobs")
        add_topics(workspace, "lakeland", news="News from Lakeland Archives")
        add_member(workspace, "coalition", ADA, tracked=True)
        add_member(workspace, "coalition", BEN)
        save_campaign(workspace, ["coalition"], definition=POLL.replace("LANGUAGE", TAG))
        publish(workspace, "coalition")
        workspace.host.db.execute("UPDATE entry SET language = ?", [TAG])
        yield send(workspace, "coalition")


@pytest.fixture
def browser(sent: Sent) -> Iterator[Browser]:
    server = serve(sent.workspace.folder, "127.0.0.1", 0)
    server.start()
    yield Browser(server.port)
    server.stop()


def ask(browser: Browser, path: str, form: str | None = None, language: str = TAG) -> Answer:
    headers = {"Accept-Language": language}
    if form is None:
        return browser("GET", path, headers=headers)
    return browser("POST", path, form.encode(), {**headers, "Content-Type": FORM})


def letter_token(sent: Sent) -> str:
    (content,) = sent.workspace.association_db("coalition").execute(
        "SELECT content FROM letter WHERE template = 'confirm' ORDER BY id DESC"
    ).fetchone()  # fmt: skip
    url: str = json.loads(sent.workspace.key.unseal(bytes(content)))["url"]
    return url.removeprefix(f"{SITE}/s/")


def bare(page: str) -> set[str]:
    """The words of a page that no catalogue gave: outside brackets, in text and in attributes that are read out."""
    page = re.sub(r'(?s)<script type="application/ld\+json">.*?</script>', "", page)  # for machines
    spoken = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', page)
    text = unescape(re.sub(r"<[^>]*>", "\n", re.sub(r"(?s)<!--.*?-->", "", page)))
    left = re.sub(rf"(?s){OPEN}.*?{CLOSE}", "\n", "\n".join([text, *map(unescape, spoken)]))
    for name in sorted(NAMES, key=len, reverse=True):
        left = left.replace(name, " ")
    return {line.strip() for line in left.splitlines() if line.strip(" ,:()–")}


def all_pages(sent: Sent, browser: Browser) -> Iterator[tuple[str, Answer]]:
    public = ("/", "/a/coalition/hosting-partner", "/a/coalition", "/a/coalition?q=partner")
    for path in (*public, "/nothing", "/subscribe/coalition", "/preferences/coalition"):
        yield path, ask(browser, path)
    for path, form in (
        ("/subscribe/coalition", "address=none&topic=news"),
        ("/subscribe/coalition", f"address={EVA}"),
        ("/subscribe/coalition", f"address={EVA}&topic=news&language={TAG}"),
        ("/preferences/coalition", "address=none"),
        ("/preferences/coalition", f"address={ADA}"),
        ("/", "a=b"),
        ("/s/coalition." + "x" * 43, ""),
    ):
        yield f"{path} {form[:60]}", ask(browser, path, form)
    foreign = {"Origin": "https://elsewhere.example", "Content-Type": FORM, "Accept-Language": TAG}
    yield "foreign", browser("POST", "/subscribe/coalition", b"address=a", foreign)
    token = letter_token(sent)
    yield "waiting", ask(browser, f"/s/{token}")
    yield "confirmed", ask(browser, f"/s/{token}", "")
    yield "used", ask(browser, f"/s/{token}")
    poll = f"/p/{sent.token(ADA)}/0"
    for path, form in ((f"{poll}/0", None), (poll, "choice=1"), (f"{poll}/0", None)):
        yield f"poll {form}", ask(browser, path, form)
    yield "poll for all", ask(browser, f"/p/{sent.edition_token}/0/0")
    yield "edition", ask(browser, f"/u/{sent.edition_token}")
    yield from choices(sent, browser)


def choices(sent: Sent, browser: Browser) -> Iterator[tuple[str, Answer]]:
    mine = f"/u/{sent.token(BEN)}"
    yield "own page", ask(browser, mine)
    for path, form in (
        ("", ""), ("", "List-Unsubscribe=One-Click"), ("/topics", "topic=news&frequency-news=weekly"),
        ("/pause", "months=3"), ("/pause", "end=now"), ("/pause", "months=2"), ("/pause", "until=soon"),
        ("/pause", "until=2020-01-01"), ("/language", "language=xx"), ("/language", f"language={TAG}"),
        ("/relays", "stop=yes"), ("/relays", "stop=no"), ("/tracking", "agree=yes"), ("/tracking", "agree=no"),
        ("", "confirm=unsubscribe"),
    ):  # fmt: skip
        yield f"own page {path} {form}", ask(browser, mine + path, form)
    people = sent.workspace.people("coalition")
    with people.db.atomic():
        people.suppress(BEN, SuppressionScope.ASSOCIATION, "hard bounce", sent.workspace.now())
    yield "bounced", ask(browser, mine)
    people.db.execute("UPDATE topic SET public = 0")
    yield "bounced, and closed", ask(browser, mine)
    with people.db.atomic():
        people.db.execute("UPDATE delivery SET member_id = NULL WHERE id = ?", [sent.deliveries[BEN]])
    yield "erased", ask(browser, mine)


def test_no_word_of_any_page_was_forgotten(sent: Sent, browser: Browser) -> None:
    people = sent.workspace.people("coalition")
    people.db.execute("UPDATE member SET language = ?", [TAG])
    seen = 0
    for name, answer in all_pages(sent, browser):
        assert bare(answer.text) == set(), name
        assert OPEN in answer.text, name
        if "html" in answer.headers["content-type"]:
            assert f'<html lang="{TAG}" dir="ltr">' in answer.text, name
        seen += 1
    assert seen > 35


@pytest.mark.parametrize("language", ["es", "fr"])
def test_every_page_is_there_in_every_language(sent: Sent, browser: Browser, language: str) -> None:
    sent.workspace.people("coalition").db.execute("UPDATE member SET language = ?", [language])
    for path, word in (
        ("/", {"es": "Síganos", "fr": "Suivez-nous"}),
        ("/subscribe/coalition", {"es": "Su idioma", "fr": "Votre langue"}),
        (f"/u/{sent.token(BEN)}", {"es": "Cancelar la suscripción", "fr": "Se désinscrire"}),
        ("/nothing", {"es": "no existe", "fr": "n’existe pas"}),
    ):
        answer = ask(browser, path, language=language)
        assert word[language] in answer.text
        assert f'<html lang="{language}" dir="ltr">' in answer.text


def test_a_reader_is_spoken_to_in_their_own_language_before_that_of_their_browser(sent: Sent, browser: Browser) -> None:
    path = f"/u/{sent.token(ADA)}"
    assert OPEN in ask(browser, path, language="fr").text, "that of the campaign"
    sent.workspace.people("coalition").db.execute("UPDATE member SET language = 'es-MX'")
    assert "Boletines de The Coalition" in ask(browser, path, language="fr").text
    save_campaign(sent.workspace, ["coalition"], definition=POLL.replace("LANGUAGE", "ar"))
    sent.workspace.people("coalition").db.execute("UPDATE member SET language = 'sw'")
    assert "information" in ask(browser, path, language="sw, fr;q=0.3").text
    assert "Newsletters of" in ask(browser, path, language="sw").text


def test_what_is_chosen_as_a_language_is_spoken_at_once(sent: Sent, browser: Browser) -> None:
    answer = ask(browser, f"/u/{sent.token(ADA)}/language", "language=fr", language="en")
    assert "Votre choix est enregistré." in answer.text


def test_the_wording_that_is_recorded_is_the_one_that_was_shown(sent: Sent, browser: Browser) -> None:
    sent.workspace.people("coalition").db.execute("UPDATE member SET language = 'fr'")
    path = f"/u/{sent.token(BEN)}"
    shown = ask(browser, path).text
    ask(browser, f"{path}/tracking", "agree=yes")
    member = sent.workspace.people("coalition").find(BEN)
    assert member is not None
    assert member.id is not None
    (record,) = (r for r in sent.workspace.people("coalition").consent_log(member.id) if r.topic == TRACKING)
    assert record.wording.startswith("The Coalition peut enregistrer à mon nom")
    assert record.wording in unescape(shown)


def test_a_page_in_a_language_that_we_have_no_words_for_says_which_words_are_ours(sent: Sent, browser: Browser) -> None:
    sent.workspace.host.db.execute("UPDATE entry SET language = 'ar'")
    page = ask(browser, "/a/coalition/hosting-partner", language="he").text
    assert '<html lang="ar" dir="rtl">' in page
    assert '<footer lang="en" dir="ltr">' in page
    assert '<a class="skip" href="#main" lang="en" dir="ltr">' in page
    assert "١ فبراير ٢٠٢٧" in page or "1 فبراير 2027" in page


def test_caches_keep_pages_of_different_languages_apart(sent: Sent, browser: Browser) -> None:
    for path in ("/", "/a/coalition/hosting-partner"):
        assert "Accept-Language" in ask(browser, path).headers["vary"]
    spanish, french = (ask(browser, "/", language=tag).headers["etag"] for tag in ("es", "fr"))
    assert spanish != french


def test_the_form_offers_the_language_that_it_speaks_first(sent: Sent, browser: Browser) -> None:
    assert 'value="fr" lang="fr" selected' in ask(browser, "/subscribe/coalition", language="fr-CA").text
