"""Links in mails, over real HTTP."""

from __future__ import annotations

import itertools
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from http_browser import Browser
from sent_newsletter import LINKS, Sent

from audiences.models import ANY_TOPIC, ConsentState
from comms.web.letters import PIXEL

ADA, BEN = "ada@example.org", "ben@example.org"
ONE_CLICK = "List-Unsubscribe=One-Click"
BOUNDARY = "----part"
MULTIPART = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--{BOUNDARY}--\r\n'
).encode()


def withdrawals(sent: Sent, address: str) -> int:
    people = sent.workspace.people("coalition")
    member = people.find(address)
    assert member is not None
    assert member.id is not None
    log = people.consent_log(member.id)
    return sum(record.topic == ANY_TOPIC and record.state is ConsentState.WITHDRAWN for record in log)


def bad_tokens(sent: Sent) -> list[str]:
    good = sent.token(ADA)
    return [
        "nonsense",
        "%00",
        "%ff%fe",
        "%F0%9F%93%9A",
        "x" * 5000,
        good[:-5],
        good[: good.rindex(".")],
        good.replace("m.", "e.", 1),
        good.replace("coalition", "coalitiox"),
        good.replace(f".{sent.deliveries[ADA]}.", ".77."),
        good.swapcase(),
        "%0d%0aSet-Cookie:a=b",
    ]


# --- clicks -----------------------------------------------------------------------------------


def test_a_click_leads_to_the_stored_link_and_is_kept_by_nobody(sent: Sent, browser: Browser) -> None:
    answer = browser.get(f"/c/{sent.token(ADA)}/0")
    assert (answer.status, answer.headers["location"]) == (302, LINKS[0])
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert "set-cookie" not in answer.headers
    assert sent.events() == [("clicked", sent.deliveries[ADA], 0)]


def test_head_redirects_but_counts_nothing(sent: Sent, browser: Browser) -> None:
    answer = browser("HEAD", f"/c/{sent.token(ADA)}/0")
    assert (answer.status, answer.headers["location"]) == (302, LINKS[0])
    browser("HEAD", f"/o/{sent.token(ADA)}.gif")
    browser("HEAD", f"/v/{sent.edition_token}")
    assert sent.events() == []


def test_no_token_but_ours_leads_anywhere(sent: Sent, browser: Browser) -> None:
    for token in bad_tokens(sent):
        for path in (f"/c/{token}/0", f"/u/{token}", f"/v/{token}"):
            answer = browser.get(path)
            assert answer.status == 404, path
            assert "location" not in answer.headers
            assert "set-cookie" not in answer.headers
        assert browser.form(f"/u/{token}", ONE_CLICK).status == 404
        assert browser.form(f"/u/{token}/topics", "topic=news").status == 404
    assert sent.events() == []
    assert withdrawals(sent, ADA) == 0


@pytest.mark.parametrize(
    "index",
    [
        "2",
        "-1",
        "x",
        "9" * 5000,
        "0/..",
        "0?url=https://evil.example",
        "%2e%2e",
        "%EF%BC%91",
        "0%0d%0aLocation:%20evil",
        "",
    ],
)
def test_no_index_leads_anywhere_but_to_a_stored_link(sent: Sent, browser: Browser, index: str) -> None:
    answer = browser.get(f"/c/{sent.token(ADA)}/{index}")
    if answer.status == 302:
        assert answer.headers["location"] in LINKS
    else:
        assert answer.status == 404
        assert "location" not in answer.headers


def test_a_hostile_host_header_is_not_repeated(sent: Sent, browser: Browser) -> None:
    paths = [f"/c/{sent.token(ADA)}/0", f"/c/{sent.token(ADA)}/0/", f"/u/{sent.token(ADA)}/", "/", "//evil.example/"]
    for path in paths:
        answer = browser.get(path, Host="evil.example", X_Forwarded_Host="evil.example")
        assert "evil.example" not in str(answer.headers)
        assert b"evil.example" not in answer.body


# --- pictures ---------------------------------------------------------------------------------


def test_the_picture_is_the_same_43_bytes_whatever_the_token(sent: Sent, browser: Browser) -> None:
    assert len(PIXEL) == 43
    for token in (sent.token(ADA), sent.token(BEN), sent.edition_token, "nonsense", "%00", "x" * 5000):
        answer = browser.get(f"/o/{token}.gif")
        assert (answer.status, answer.body) == (200, PIXEL)
        assert answer.headers["content-type"] == "image/gif"
        assert "no-store" in answer.headers["cache-control"]
    assert sent.events() == [("opened", sent.deliveries[ADA], None)]


def test_the_picture_is_served_even_when_the_database_is_gone(sent: Sent, browser: Browser) -> None:
    sent.workspace.association_path("coalition").unlink()
    answer = browser.get(f"/o/{sent.token(ADA)}.gif")
    assert (answer.status, answer.body) == (200, PIXEL)


# --- unsubscribing ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_no_method_but_post_unsubscribes(sent: Sent, browser: Browser, method: str) -> None:
    for query in ("", f"?{ONE_CLICK}", "?confirm=unsubscribe"):
        browser(method, f"/u/{sent.token(BEN)}{query}")
    assert withdrawals(sent, BEN) == 0


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", ONE_CLICK.encode()),
        (f"multipart/form-data; boundary={BOUNDARY}", MULTIPART),
    ],
)
def test_one_post_of_a_mail_program_unsubscribes_and_a_second_changes_nothing(
    sent: Sent, browser: Browser, kind: str, body: bytes
) -> None:
    for _ in range(2):
        answer = browser("POST", f"/u/{sent.token(BEN)}", body, {"Content-Type": kind})
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/plain")
        assert not {"set-cookie", "location", "www-authenticate"} & set(answer.headers)
    assert withdrawals(sent, BEN) == 1
    assert sent.events() == [("unsubscribed", sent.deliveries[BEN], None)]


def test_the_button_of_the_page_unsubscribes_and_offers_to_keep_some(sent: Sent, browser: Browser) -> None:
    page = browser.get(f"/u/{sent.token(BEN)}")
    assert page.status == 200
    assert "b***@example.org" in page.text
    assert BEN not in page.text
    assert 'name="confirm" value="unsubscribe"' in page.text
    answer = browser.form(f"/u/{sent.token(BEN)}", "confirm=unsubscribe")
    assert answer.status == 200
    assert "You are unsubscribed." in answer.text
    assert withdrawals(sent, BEN) == 1
    kept = browser.form(f"/u/{sent.token(BEN)}/topics", "topic=jobs")
    assert 'value="jobs" checked' in kept.text
    assert 'value="news" checked' not in kept.text


def test_many_posts_at_once_leave_one_withdrawal(sent: Sent, browser: Browser) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: browser.form(f"/u/{sent.token(BEN)}", ONE_CLICK).status, range(16)))
    assert answers == [200] * 16
    assert withdrawals(sent, BEN) == 1
    assert len(sent.events()) == 1


@pytest.mark.parametrize("body", ["", "confirm=no", "List-Unsubscribe=Two-Clicks", "\0\0", "%ff=%ff", "a" * 60_000])
def test_a_post_that_does_not_say_so_unsubscribes_nobody(sent: Sent, browser: Browser, body: str) -> None:
    assert browser.form(f"/u/{sent.token(BEN)}", body).status == 400
    assert withdrawals(sent, BEN) == 0


def test_a_broken_multipart_body_is_a_plain_400(sent: Sent, browser: Browser) -> None:
    for body in (
        MULTIPART[:-20],
        b"--x",
        b"",
        MULTIPART.replace(b'name="List-Unsubscribe"', b'name="a"; filename="b"'),
    ):
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        assert browser("POST", f"/u/{sent.token(BEN)}", body, kind).status == 400
    assert withdrawals(sent, BEN) == 0


def test_a_body_beyond_64_kilobytes_is_refused(sent: Sent, browser: Browser) -> None:
    assert browser.form(f"/u/{sent.token(BEN)}", f"{ONE_CLICK}&x={'a' * 70_000}").status == 413
    assert withdrawals(sent, BEN) == 0


def test_tracking_can_be_switched_on_and_off(sent: Sent, browser: Browser) -> None:
    path = f"/u/{sent.token(BEN)}/tracking"
    assert "Stop recording" in browser.form(path, "agree=yes").text
    browser.get(f"/o/{sent.token(BEN)}.gif")
    assert "Stop recording" not in browser.form(path, "agree=no").text
    browser.get(f"/o/{sent.token(BEN)}.gif")
    assert sent.events() == [("opened", sent.deliveries[BEN], None)]


def test_an_editions_token_leads_to_a_page_that_explains(sent: Sent, browser: Browser) -> None:
    answer = browser.get(f"/u/{sent.edition_token}")
    assert answer.status == 200
    assert "use the unsubscribe link in the mail" in answer.text
    assert "<form" not in answer.text
    assert browser.form(f"/u/{sent.edition_token}", ONE_CLICK).status == 404


def test_who_never_agreed_to_tracking_leaves_no_delivery_behind_anything_but_unsubscribing(
    sent: Sent, browser: Browser
) -> None:
    for path in (
        f"/c/{sent.token(BEN)}/0",
        f"/o/{sent.token(BEN)}.gif",
        f"/v/{sent.token(BEN)}",
        f"/u/{sent.token(BEN)}",
    ):
        browser.get(path)
    assert [delivery for _, delivery, _ in sent.events()] == [None, None]


# --- every page -------------------------------------------------------------------------------


def test_every_answer_behind_a_token_is_nobodys_to_keep(sent: Sent, browser: Browser) -> None:
    paths = [f"/{kind}/{token}" for kind, token in itertools.product("uv", (sent.token(ADA), sent.edition_token, "x"))]
    for path in [*paths, "/o/x.gif", "/c/x/0"]:
        answer = browser.get(path)
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["x-robots-tag"] == "noindex, nofollow"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "script-src" not in answer.headers["content-security-policy"]


def test_a_newsletter_read_online_has_its_own_styles_and_nobodys_name(sent: Sent, browser: Browser) -> None:
    answer = browser.get(f"/v/{sent.edition_token}")
    assert answer.status == 200
    assert "style-src 'unsafe-inline'" in answer.headers["content-security-policy"]
    assert sent.token(ADA) not in answer.text
    assert "Dear colleague" in answer.text


def test_a_fault_of_ours_is_a_page_that_says_so_with_all_headers(sent: Sent, browser: Browser) -> None:
    sent.workspace.association_path("coalition").unlink()
    answer = browser.get(f"/u/{sent.token(BEN)}")
    assert answer.status == 503
    assert "does not work right now" in answer.text
    assert str(sent.workspace.folder) not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_log_line_holds_a_token(
    sent: Sent, browser: Browser, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    token = sent.token(ADA)
    for path in (f"/c/{token}/0", f"/o/{token}.gif", f"/u/{token}", f"/c/{token}/77"):
        browser.get(path)
    sent.workspace.association_path("coalition").unlink()
    for path in (f"/c/{token}/0", f"/o/{token}.gif"):
        browser.get(path)
    written = caplog.text + "".join(capfd.readouterr())
    assert token not in written
    assert token.rsplit(".", 1)[1] not in written
