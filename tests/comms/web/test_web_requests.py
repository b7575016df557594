"""The page that mails the link to one's own page, over real HTTP: the same answer for everyone."""

from __future__ import annotations

from http_browser import Answer, Browser
from sent_newsletter import Sent

from audiences.models import SuppressionScope

PATH = "/preferences/coalition"


def letters(sent: Sent) -> int:
    return int(sent.workspace.association_db("coalition").execute("SELECT count(*) FROM letter").fetchone()[0])


def ask(browser: Browser, address: str, more: str = "") -> Answer:
    return browser.form(PATH, f"address={address}&website={more}")


def test_the_answer_is_the_same_for_who_is_known_unknown_suppressed_or_asked_too_often(
    sent: Sent, browser: Browser
) -> None:
    people = sent.workspace.people("coalition")
    with people.db.atomic():
        people.suppress("ben@example.org", SuppressionScope.ASSOCIATION, "hard bounce", sent.workspace.now())
    addresses = ["new@example.org", "ben@example.org", *["ada@example.org"] * 5]
    answers = {(answer.status, answer.body) for address in addresses for answer in [ask(browser, address)]}
    assert len(answers) == 1
    assert letters(sent) == 3


def test_programs_other_sites_and_other_names_get_nothing(sent: Sent, browser: Browser) -> None:
    assert ask(browser, "ada@example.org", "https://spam.example").body == ask(browser, "new@example.org").body
    foreign = {"Origin": "https://elsewhere.example", "Content-Type": "application/x-www-form-urlencoded"}
    assert browser("POST", PATH, b"address=ada@example.org", foreign).status == 403
    for path in ("/preferences/nobody", "/preferences/%00", "/preferences/" + "x" * 5000):
        assert browser.get(path).status == 404
        assert browser.form(path, "address=ada@example.org").status == 404
    assert letters(sent) == 0


def test_what_is_no_address_is_said_so_and_shown_again(sent: Sent, browser: Browser) -> None:
    answer = ask(browser, "%22%3E%3Cscript%3E")
    assert answer.status == 400
    assert 'role="alert"' in answer.text
    assert 'value="&#34;&gt;&lt;script&gt;"' in answer.text


def test_the_sign_up_page_leads_here(sent: Sent, browser: Browser) -> None:
    assert f'href="{PATH}"' in browser.get("/subscribe/coalition").text
