"""Webhooks over real HTTP: kept on the disk before they are answered, and only from whoever knows the secret."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_browser import Browser
from sent_newsletter import SITE, Sent

from audiences.models import SuppressionScope
from comms.delivery.messages import message_id
from comms.engagement.bounces.policy import COMPLAINT, HARD_BOUNCE
from comms.engine import intake
from comms.engine.doors import spool
from comms.web.server import serve

SECRET = "a-secret-nobody-guesses"
KEY = "key-0123456789"
BEN = "ben@example.org"


@pytest.fixture
def hooks(sent: Sent) -> Iterator[Browser]:
    """The web face of a workspace that listens to Postmark and Mailgun."""
    settings = f'[site]\nurl = "{SITE}"\n[bounces]\nwebhook_secret = "{SECRET}"\nmailgun_key = "{KEY}"\n'
    (sent.workspace.folder / "comms.toml").write_text(settings)
    server = serve(sent.workspace.folder, "127.0.0.1", 0)
    server.start()
    yield Browser(server.port)
    server.stop()


def kept(sent: Sent) -> list[Path]:
    return [each.path for each in spool.waiting(sent.workspace.folder, 100)]


def suppressions(sent: Sent) -> list[tuple[SuppressionScope, str]]:
    return sent.workspace.people("coalition").suppressions_of(BEN)


def postmark(**changes: str) -> bytes:
    record = {
        "RecordType": "Bounce",
        "Type": "HardBounce",
        "Email": BEN,
        "From": "news@coalition.example.org",
        "Details": "smtp;550 5.1.1 no such user",
        **changes,
    }
    return json.dumps(record).encode()


def test_a_bounce_that_postmark_reports_suppresses_whom_it_was_last_sent_to(sent: Sent, hooks: Browser) -> None:
    answer = hooks("POST", f"/hooks/bounces/postmark/{SECRET}", postmark())
    assert answer.status == 200
    assert len(kept(sent)) == 1
    assert suppressions(sent) == [], "the web face opens no database"
    assert intake.follow(sent.workspace) == 1
    assert suppressions(sent) == [(SuppressionScope.ASSOCIATION, HARD_BOUNCE)]
    assert sent.events() == [("bounced", sent.deliveries[BEN], None)]


def test_a_sender_that_is_none_of_ours_is_about_nobody(sent: Sent, hooks: Browser) -> None:
    hooks("POST", f"/hooks/bounces/postmark/{SECRET}", postmark(From="news@elsewhere.example"))
    intake.follow(sent.workspace)
    assert suppressions(sent) == []


def test_a_complaint_that_mailgun_reports_is_found_by_our_message_id(sent: Sent, hooks: Browser) -> None:
    now, token = str(int(time.time())), "t" * 50
    digest = hmac.new(KEY.encode(), f"{now}{token}".encode(), hashlib.sha256).hexdigest()
    mail = message_id(sent.workspace.association("coalition"), "hosting-partner", sent.deliveries[BEN])
    event = {"event": "complained", "recipient": BEN, "message": {"headers": {"message-id": mail.strip("<>")}}}
    report = {"signature": {"timestamp": now, "token": token, "signature": digest}, "event-data": event}
    assert hooks("POST", f"/hooks/bounces/mailgun/{SECRET}", json.dumps(report).encode()).status == 200
    report["signature"] = {"timestamp": now, "token": token, "signature": "0" * 64}
    assert hooks("POST", f"/hooks/bounces/mailgun/{SECRET}", json.dumps(report).encode()).status == 403
    assert len(kept(sent)) == 1
    intake.follow(sent.workspace)
    assert suppressions(sent) == [(SuppressionScope.ASSOCIATION, COMPLAINT)]


@pytest.mark.parametrize(
    "path", [f"/hooks/bounces/postmark/{SECRET}x", "/hooks/bounces/postmark/%C3%A9", f"/hooks/bounces/ses/{SECRET}",
             f"/hooks/bounces/nobody/{SECRET}", "/hooks/bounces/postmark/"],
)  # fmt: skip
def test_a_wrong_secret_and_a_provider_that_is_not_set_up_look_alike(sent: Sent, hooks: Browser, path: str) -> None:
    assert hooks("POST", path, postmark()).status == 404
    assert kept(sent) == []


def test_nothing_is_kept_by_looking(sent: Sent, hooks: Browser) -> None:
    answer = hooks.get(f"/hooks/bounces/postmark/{SECRET}")
    assert answer.status == 405
    assert "no-store" in answer.headers["cache-control"]
    assert kept(sent) == []


def test_a_large_report_is_taken_and_one_without_end_is_not(sent: Sent, hooks: Browser) -> None:
    assert hooks("POST", f"/hooks/bounces/postmark/{SECRET}", postmark(Content="x" * 500_000)).status == 200
    assert hooks("POST", f"/hooks/bounces/postmark/{SECRET}", b"x" * 2_000_001).status == 413
    assert len(kept(sent)) == 1


def test_what_can_not_be_kept_is_not_said_to_be(sent: Sent, hooks: Browser) -> None:
    (sent.workspace.folder / spool.FOLDER).write_text("a file where the folder should be")
    assert hooks("POST", f"/hooks/bounces/postmark/{SECRET}", postmark()).status >= 500


def test_without_settings_there_is_no_such_page(browser: Browser) -> None:
    assert browser("POST", "/hooks/bounces/postmark/", postmark()).status == 404
    assert browser("POST", "/hooks/bounces/postmark/x", postmark()).status == 404
