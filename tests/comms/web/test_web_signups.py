"""Signing up over real HTTP: the same answer for everyone, and nothing for programs."""

from __future__ import annotations

import json
import statistics
import time
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest
from http_browser import Answer, Browser
from sent_newsletter import SITE, Sent

from audiences.models import SuppressionScope, Topic
from audiences.signups import SignUps

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def waiting(sent: Sent, address: str) -> int:
    return len(SignUps(sent.workspace.association_db("coalition")).of_address(address))


def letters(sent: Sent) -> int:
    return int(sent.workspace.association_db("coalition").execute("SELECT count(*) FROM letter").fetchone()[0])


def token(sent: Sent) -> str:
    (content,) = sent.workspace.association_db("coalition").execute("SELECT content FROM letter").fetchone()
    url: str = json.loads(sent.workspace.key.unseal(bytes(content)))["url"]
    return url.removeprefix(f"{SITE}/s/")


def ask(browser: Browser, address: str, more: str = "", **headers: str) -> Answer:
    body = f"address={address}&topic=news&language=en&website={more}"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return browser("POST", "/subscribe/coalition", body.encode(), {**FORM, **named})


def test_the_page_says_what_is_agreed_to_and_nothing_is_ticked_beforehand(sent: Sent, browser: Browser) -> None:
    answer = browser.get("/subscribe/coalition")
    assert answer.status == 200
    assert "The Coalition may send me “Coalition news” by e-mail, until I stop it." in answer.text
    assert "checked" not in answer.text
    for field in ("address", "language"):
        assert f'for="{field}"' in answer.text
        assert f'id="{field}"' in answer.text


def test_private_topics_are_nobodys_business(sent: Sent, browser: Browser) -> None:
    sent.workspace.add_topic("coalition", Topic("board", "Board papers", public=False))
    assert "Board" not in browser.get("/subscribe/coalition").text
    people = sent.workspace.people("coalition")
    with people.db.atomic():
        people.db.execute("UPDATE topic SET public = 0")
    assert browser.get("/subscribe/coalition").status == 404
    assert ask(browser, "eva@example.org").status == 404
    assert "/subscribe/coalition" not in browser.get("/").text


def test_the_home_page_leads_to_the_form(sent: Sent, browser: Browser) -> None:
    assert f'href="{SITE}/subscribe/coalition"' in browser.get("/").text


@pytest.mark.parametrize("slug", ["nobody", "Coalition", "..%2fhost", "%00", "x" * 5000])
def test_no_association_no_form(browser: Browser, slug: str) -> None:
    assert browser.get(f"/subscribe/{slug}").status == 404
    assert browser.form(f"/subscribe/{slug}", "address=a@example.org&topic=news").status == 404


def test_the_answer_is_the_same_for_who_is_known_unknown_suppressed_or_asked_too_often(
    sent: Sent, browser: Browser
) -> None:
    people = sent.workspace.people("coalition")
    with people.db.atomic():
        people.suppress("gone@example.org", SuppressionScope.ALL, "complaint", sent.workspace.now())
    answers = {
        (answer.status, answer.body)
        for address in ("ada@example.org", "new@example.org", "gone@example.org", *["often@example.org"] * 5)
        for answer in [ask(browser, address)]
    }
    assert len(answers) == 1
    assert letters(sent) == 5


def test_known_and_unknown_addresses_take_about_the_same_time(sent: Sent, browser: Browser) -> None:
    def took(address: str) -> float:
        start = time.perf_counter()
        ask(browser, address)
        return time.perf_counter() - start

    took("warm@example.org")
    people = sent.workspace.people("coalition")
    with people.db.atomic():
        for number in range(15):
            people.suppress(f"gone{number}@example.org", SuppressionScope.ALL, "complaint", sent.workspace.now())
    pairs = [(took(f"gone{number}@example.org"), took(f"new{number}@example.org")) for number in range(15)]
    known, unknown = (statistics.median(times) for times in zip(*pairs, strict=True))
    assert abs(known - unknown) < max(0.5 * unknown, 0.02)


def test_an_address_that_is_none_is_said_so_and_the_form_keeps_what_was_chosen(sent: Sent, browser: Browser) -> None:
    answer = browser.form("/subscribe/coalition", "address=%22%3E%3Cscript%3E&topic=jobs&language=fr")
    assert answer.status == 400
    assert 'role="alert"' in answer.text
    assert "<script>" not in answer.text
    assert 'value="&#34;&gt;&lt;script&gt;"' in answer.text
    assert 'value="jobs" checked' in answer.text
    assert 'lang="fr" selected' in answer.text
    assert browser.form("/subscribe/coalition", "address=eva@example.org").status == 400
    assert letters(sent) == 0


def test_a_program_that_fills_in_every_field_gets_the_same_answer_and_nothing_else(
    sent: Sent, browser: Browser
) -> None:
    assert ask(browser, "eva@example.org", "https://spam.example").body == ask(browser, "eva@example.org").body
    assert waiting(sent, "eva@example.org") == 1


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://news.example.org.evil.example", "http://["]
)
def test_a_form_on_another_site_signs_nobody_up(sent: Sent, browser: Browser, origin: str) -> None:
    assert ask(browser, "eva@example.org", Origin=origin).status == 403
    assert waiting(sent, "eva@example.org") == 0


def test_our_own_form_is_taken_by_whichever_of_our_names_it_came(sent: Sent, browser: Browser) -> None:
    assert browser.get("/subscribe/coalition").headers["referrer-policy"] == "same-origin"
    assert ask(browser, "eva@example.org", Origin=SITE).status == 200
    assert ask(browser, "eva@example.org", Origin=f"http://127.0.0.1:{browser.port}").status == 200
    assert waiting(sent, "eva@example.org") == 2


def test_the_visitors_address_is_the_one_that_the_server_in_front_of_us_names(sent: Sent, browser: Browser) -> None:
    ask(browser, "eva@example.org", X_Forwarded_For="198.51.100.1, 203.0.113.4")
    ask(browser, "eva@example.org", X_Forwarded_For="nonsense")
    ask(browser, "eva@example.org")
    kept = SignUps(sent.workspace.association_db("coalition")).of_address("eva@example.org")
    assert [each.request_address for each in kept] == ["203.0.113.4", None, "127.0.0.1"]
    assert [each.request_network for each in kept] == ["203.0.113.4", None, None]


def test_a_visitor_who_sends_the_header_too_is_not_believed(sent: Sent, browser: Browser) -> None:
    connection = HTTPConnection("127.0.0.1", browser.port, timeout=10)
    body = urlencode({"address": "eva@example.org", "topic": "news"}).encode()
    connection.putrequest("POST", "/subscribe/coalition")
    for value in ("198.51.100.1", "203.0.113.4"):  # the visitor's own, and what HAProxy adds below it
        connection.putheader("X-Forwarded-For", value)
    connection.putheader("Content-Type", "application/x-www-form-urlencoded")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    assert connection.getresponse().status == 200
    connection.close()
    (kept,) = SignUps(sent.workspace.association_db("coalition")).of_address("eva@example.org")
    assert kept.request_address == "203.0.113.4"


def test_looking_at_the_link_changes_nothing_and_the_button_does_it_once(sent: Sent, browser: Browser) -> None:
    ask(browser, "eva@example.org", X_Forwarded_For="203.0.113.4")
    path, people = f"/s/{token(sent)}", sent.workspace.people("coalition")
    for method in ("GET", "HEAD", "GET"):
        answer = browser(method, path)
        assert answer.status == 200
        assert answer.headers["cache-control"] == "private, no-store"
        assert "noindex" in answer.headers["x-robots-tag"]
    assert people.find("eva@example.org") is None
    done = browser.form(path, "")
    assert done.status == 200
    assert "You are signed up" in done.text
    assert people.find("eva@example.org") is not None
    again = browser.form(path, "")
    assert again.status == browser.get(path).status == 410
    assert "used already" in again.text


def test_a_link_that_is_not_whole_or_too_old_offers_the_form(sent: Sent, browser: Browser) -> None:
    ask(browser, "eva@example.org")
    good = token(sent)
    for other in (good[:-1] + ("A" if good[-1] != "A" else "B"), good.swapcase().replace("COALITION", "coalition")):
        for answer in (browser.get(f"/s/{other}"), browser.form(f"/s/{other}", "")):
            assert answer.status == 410
            assert 'href="/subscribe/coalition"' in answer.text
    for other in (good[:-1], good + "A", "nobody" + good[9:], "%00", "x" * 5000, good.partition(".")[2]):
        assert browser.get(f"/s/{other}").status == browser.form(f"/s/{other}", "").status == 404
    assert sent.workspace.people("coalition").find("eva@example.org") is None


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe=%ff", b"address=%ed%a0%80@x.org&topic=news", b"address=" + b"a" * 60_000 + b"&topic=news",
     b"topic=news&" * 3000, b"address=a%00@example.org&topic=%00&language=%00"],
)  # fmt: skip
def test_hostile_forms_are_refused_without_a_fault(sent: Sent, browser: Browser, body: bytes) -> None:
    answer = browser("POST", "/subscribe/coalition", body, FORM)
    assert answer.status in (400, 413)
    assert letters(sent) == 0


def test_fields_that_are_files_are_not_read(sent: Sent, browser: Browser) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="address"; filename="a"\r\n\r\na@b.org\r\n--x--\r\n'
    answer = browser("POST", "/subscribe/coalition", part, {"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status == 400
