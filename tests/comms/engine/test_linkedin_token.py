"""What `doctor` says of the token for LinkedIn: before it ends, not after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from comms.engine import checking, services
from comms.engine.preflight import Network
from comms.engine.services import Finding
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from tests.conftest import HOST
from tests.support import fake_linkedin
from tests.support.fake_linkedin import FakeLinkedIn

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
APP = {
    "COMMS_LINKEDIN__CLIENT_ID": fake_linkedin.CLIENT_ID,
    "COMMS_LINKEDIN__CLIENT_SECRET": fake_linkedin.CLIENT_SECRET,
}
RENEWING = {**APP, "COMMS_LINKEDIN__REFRESH_TOKEN": fake_linkedin.REFRESH_TOKEN}


@pytest.fixture
def page() -> Iterator[FakeLinkedIn]:
    with fake_linkedin.running() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_workspace(tmp_path / "workspace", HOST).close()
    return tmp_path / "workspace"


def finding(folder: Path, page: FakeLinkedIn, **environment: str) -> Finding:
    settings = {
        "COMMS_LINKEDIN__API_URL": page.url,
        "COMMS_LINKEDIN__OAUTH_URL": page.url,
        "COMMS_LINKEDIN__ORGANIZATION": fake_linkedin.ORGANIZATION,
        "COMMS_LINKEDIN__ACCESS_TOKEN": fake_linkedin.ACCESS_TOKEN,
        **environment,
    }
    with Workspace(folder, environment=settings, clock=lambda: NOW) as workspace:
        (found,) = services.linkedin(workspace)
        return found


def test_without_an_account_nothing_is_said(folder: Path) -> None:
    with Workspace(folder, environment={}) as workspace:
        assert list(services.linkedin(workspace)) == []


@pytest.mark.parametrize(("days", "ok"), [(60, True), (15, True), (13, False), (0, False)])
def test_a_token_that_ends_within_two_weeks_is_to_be_mended(
    folder: Path, page: FakeLinkedIn, days: int, *, ok: bool
) -> None:
    page.ends = int((NOW + timedelta(days=days)).timestamp())
    found = finding(folder, page, **APP)
    assert found.ok == ok
    assert f"{NOW + timedelta(days=days):%Y-%m-%d}" in found.what
    assert "access_token" in found.mend


def test_a_token_that_is_over_is_said(folder: Path, page: FakeLinkedIn) -> None:
    page.access = "AQV-another"
    found = finding(folder, page, **APP)
    assert not found.ok
    assert "is over" in found.what


def test_a_token_that_can_be_renewed_is_renewed_and_only_the_end_of_that_is_to_be_mended(
    folder: Path, page: FakeLinkedIn
) -> None:
    page.access = "AQV-another"
    page.ends = int((NOW + timedelta(days=3)).timestamp())
    found = finding(folder, page, **RENEWING)
    assert found.ok
    assert "renewed by itself until 2027-11-29" in found.what
    assert page.refreshes == 1
    assert finding(folder, page, **RENEWING).ok
    assert page.refreshes == 1


def test_a_check_that_asks_outside_warns_of_it(folder: Path, page: FakeLinkedIn, tmp_path: Path) -> None:
    page.access = "AQV-another"
    file = tmp_path / "campaign.md"
    file.write_text("---\ncampaign: a\ntitle: A\nlanguage: en\nsocial:\n  linkedin: Words\n---\n\nWords.\n")
    environment = {
        "COMMS_LINKEDIN__API_URL": page.url,
        "COMMS_LINKEDIN__OAUTH_URL": page.url,
        "COMMS_LINKEDIN__ORGANIZATION": fake_linkedin.ORGANIZATION,
        "COMMS_LINKEDIN__ACCESS_TOKEN": fake_linkedin.ACCESS_TOKEN,
        **APP,
    }
    with Workspace(folder, environment=environment, clock=lambda: NOW) as workspace:
        online = checking.check(workspace, file, network=Network.of_this_machine())
        (found,) = [each for each in online.findings if each.rule == "online-token"]
        assert (found.line, found.field, found.level) == (6, "social.linkedin", "should fix")
        assert "is over" in found.message
        asked = len(page.requests)
        assert "online-token" not in {each.rule for each in checking.check(workspace, file).findings}
        assert len(page.requests) == asked


def test_what_linkedin_does_not_tell_is_not_guessed(folder: Path, page: FakeLinkedIn) -> None:
    assert "60 days" in finding(folder, page).what
    assert page.requests == []
    assert not finding(folder, page, **{**APP, "COMMS_LINKEDIN__CLIENT_SECRET": "wrong"}).ok
    assert not finding(folder, page, COMMS_LINKEDIN__ORGANIZATION="my-library").ok
