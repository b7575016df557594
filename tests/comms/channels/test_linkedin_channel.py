"""The LinkedIn channel, against a server that refuses what LinkedIn would refuse, and one that answers anything."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from comms import keys
from comms.channels.base import (
    AskableChannel,
    Card,
    Done,
    Figures,
    Posted,
    PostResult,
    Refused,
    SocialImage,
    SocialPost,
    Unknown,
)
from comms.channels.linkedin import LinkedInChannel
from comms.channels.linkedin_wire import LinkedInAccount, LinkedInWire
from comms.channels.remote import utc_now
from comms.channels.sessions import MemorySessions, SealedSessions
from comms.errors import ConfigError
from tests.support import fake_linkedin
from tests.support.fake_linkedin import FakeLinkedIn, Reply, problem

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
PLAIN = LinkedInAccount(fake_linkedin.ORGANIZATION, fake_linkedin.ACCESS_TOKEN)
FULL = replace(
    PLAIN,
    client_id=fake_linkedin.CLIENT_ID,
    client_secret=fake_linkedin.CLIENT_SECRET,
    refresh_token=fake_linkedin.REFRESH_TOKEN,
)
CARD = Card("https://news.example.org/a/coalition/x", "Three days in June", "For small archives.")


@pytest.fixture
def page() -> Iterator[FakeLinkedIn]:
    with fake_linkedin.running() as server:
        yield server


def channel(page: FakeLinkedIn, account: LinkedInAccount = PLAIN, seconds: float = 5) -> LinkedInChannel:
    there = replace(account, api_url=page.url, oauth_url=page.url)
    return LinkedInChannel(there, MemorySessions(), timeout=(seconds, seconds), clock=lambda: NOW)


def post(text: str = "Hello", **values: object) -> SocialPost:
    return replace(SocialPost("linkedin", text, "en", "key", since=datetime.now(UTC)), **values)  # type: ignore[arg-type]


def refused(result: PostResult) -> Refused:
    assert isinstance(result, Refused), result
    return result


def test_the_channel_can_be_asked(page: FakeLinkedIn) -> None:
    social: AskableChannel = channel(page)
    assert isinstance(social, AskableChannel)
    assert (social.name, social.limit, social.repeatable_for) == ("linkedin", 3_000, timedelta())


def test_a_post_stands_on_the_page_as_it_was_written_with_its_card_and_is_found_again(page: FakeLinkedIn) -> None:
    text = "A plan (for small_collections) <3 & more: {all}*~\n\nhttps://example.org/a_b?c=1#d @us #SmallArchives 😀"
    one = channel(page)
    assert one.find(post(text)) is None
    made = one.publish(post(text, card=CARD))
    assert isinstance(made, Posted), page.refused
    assert page.texts == [text]
    assert page.posts[0].content == {
        "article": {"source": CARD.url, "title": CARD.title, "description": CARD.description}
    }
    assert made.url == f"https://www.linkedin.com/feed/update/{page.posts[0].urn}"
    assert one.find(post(text)) == made
    assert one.find(post("another")) is None
    assert one.find(post(text, since=datetime.now(UTC) + timedelta(hours=1))) is None


def test_an_image_is_uploaded_first_and_goes_along_with_its_description(page: FakeLinkedIn) -> None:
    image = SocialImage(b"\x89PNG dots", "image/png", "A dot (round)")
    assert isinstance(channel(page).publish(post(images=(image,), card=CARD)), Posted), page.refused
    (name,) = page.images
    assert page.images[name] == image.data
    assert page.posts[0].content == {"media": {"id": f"urn:li:image:{name}", "altText": "A dot (round)"}}
    assert isinstance(channel(page).publish(post("two", images=(replace(image, alt=""),))), Posted)
    assert "altText" not in page.posts[1].content["media"]


def test_an_image_goes_nowhere_but_to_linkedin(page: FakeLinkedIn) -> None:
    with LinkedInWire(replace(PLAIN, api_url=page.url), MemorySessions(), (2, 2), utc_now) as wire:
        for url in (
            "http://169.254.169.254/x",
            "http://www.linkedin.com/x",
            "https://linkedin.com.example.org/x",
            "https://evillinkedin.com/x",
            "file:///etc/passwd",
            "http://[::1",
            f"{page.url}.example.org/x",
        ):
            assert not wire.upload(url, b"data", "image/png")
            assert wire.answer is None
    assert page.requests == []


def test_a_part_of_a_thread_is_refused_and_what_is_too_long_or_broken_is_not_sent(page: FakeLinkedIn) -> None:
    one = channel(page)
    assert "no threads" in refused(one.publish(post(reply_to="urn:li:share:1"))).reason
    assert "Shorten it by 1" in refused(one.publish(post("a" * 3_001))).reason
    assert "U+0000" in refused(one.publish(post("a\0b"))).reason
    assert page.requests == []
    assert isinstance(one.publish(post("#" * 3_000)), Posted), page.refused


def test_a_repetition_is_refused_with_advice_and_is_no_post(page: FakeLinkedIn) -> None:
    one = channel(page)
    assert isinstance(one.publish(post()), Posted)
    result = refused(one.publish(post()))
    assert result.permanent
    assert "repetition" in result.reason
    assert len(page.posts) == 1


@pytest.mark.parametrize(
    ("reply", "retry_at"),
    [
        (
            problem(429, "Resource level throttle limit for calls to this resource is reached."),
            NOW + timedelta(minutes=15),
        ),
        (problem(429, "Resource level throttle APPLICATION DAY limit is reached."), datetime(2027, 2, 2, tzinfo=UTC)),
        (problem(429, "later", Retry_After="90"), NOW + timedelta(seconds=90)),
        (problem(429, "later", Retry_After="soon"), NOW + timedelta(minutes=15)),
        (Reply(429, b"garbage"), NOW + timedelta(minutes=15)),
    ],
)
def test_a_limit_says_when_to_come_back(page: FakeLinkedIn, reply: Reply, retry_at: datetime) -> None:
    page.reply = reply
    result = refused(channel(page).publish(post()))
    assert (result.permanent, result.retry_at) == (False, retry_at)


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (replace(PLAIN, access_token="AQV-over"), "60 days"),
        (replace(PLAIN, api_version="202301"), "api_version"),
        (replace(PLAIN, organization="999"), "LinkedIn says: Invalid value for ['author']"),
    ],
)
def test_what_stands_against_an_account_is_said(page: FakeLinkedIn, account: LinkedInAccount, words: str) -> None:
    result = refused(channel(page, account).publish(post()))
    assert result.permanent
    assert words in result.reason
    assert page.posts == []


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 422, 426])
def test_a_clear_no_is_final_and_asked_once(page: FakeLinkedIn, status: int) -> None:
    page.reply = Reply(status, b'{"message": "text is\\u001b[31m bad"}', {"Location": f"{page.url}/rest/posts"})
    assert refused(channel(page).publish(post())).permanent
    assert page.requests == ["POST /rest/posts"]


@pytest.mark.parametrize(
    "body", [b"", b"garbage", b"null", b"[1]", b'{"message": 8}', b"\xff\xfe\x00", b"[" * 60_000, b"x" * 3_000_000]
)
@pytest.mark.parametrize("status", [200, 201, 400, 401, 429, 500, 503])
def test_no_body_escapes_as_an_exception(page: FakeLinkedIn, status: int, body: bytes) -> None:
    page.reply = Reply(status, body, {"x-restli-id": "urn:li:person:1"})
    assert isinstance(channel(page).publish(post()), Refused if 400 <= status < 500 else Unknown)


@pytest.mark.parametrize("fault", ["accept-then-drop", "nameless", "hang", "drip"])
def test_an_answer_that_does_not_come_leaves_the_post_unknown_within_time(page: FakeLinkedIn, fault: str) -> None:
    page.fault = fault
    began = time.monotonic()
    assert isinstance(channel(page, seconds=0.3).publish(post()), Unknown)
    assert time.monotonic() - began < 5
    if fault != "hang":
        assert isinstance(channel(page).find(post()), Posted)


def test_a_server_that_is_not_there_has_no_post() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    nowhere = replace(PLAIN, api_url=f"http://127.0.0.1:{port}")
    result = refused(LinkedInChannel(nowhere, MemorySessions()).publish(post()))
    assert not result.permanent


def test_posts_that_may_not_be_read_prove_nothing(page: FakeLinkedIn) -> None:
    page.hides_posts = True
    found = channel(page).find(post())
    assert isinstance(found, Unknown)
    assert "r_organization_social" in found.reason


def test_a_token_that_is_over_is_renewed_once_for_all_senders(page: FakeLinkedIn, tmp_path: Path) -> None:
    page.access = "AQV-another"
    there = replace(FULL, api_url=page.url, oauth_url=page.url)
    sessions = SealedSessions(tmp_path / "sessions", keys.create(tmp_path))
    channels = [LinkedInChannel(there, sessions) for _ in range(4)]
    with ThreadPoolExecutor(4) as senders:
        made = list(senders.map(lambda pair: pair[1].publish(post(f"Post {pair[0]}")), enumerate(channels)))
    assert all(isinstance(result, Posted) for result in made), made
    assert page.refreshes == 1
    kept = b"".join(path.read_bytes() for path in (tmp_path / "sessions").iterdir())
    for secret in (page.access, page.refresh, fake_linkedin.CLIENT_SECRET):
        assert secret.encode() not in kept


def test_a_token_is_renewed_a_day_before_its_end(page: FakeLinkedIn) -> None:
    sessions, hour = MemorySessions(), timedelta(hours=1)
    there = replace(FULL, api_url=page.url, oauth_url=page.url)
    page.access = "AQV-another"
    assert isinstance(LinkedInChannel(there, sessions, clock=lambda: NOW).publish(post("first")), Posted)
    for number, at in enumerate((NOW + timedelta(days=59) - hour, NOW + timedelta(days=59) + hour), 1):
        assert isinstance(LinkedInChannel(there, sessions, clock=lambda at=at: at).publish(post(str(at))), Posted)  # type: ignore[misc]
        assert page.refreshes == number


def test_a_token_that_can_not_be_renewed_is_said_without_a_secret(page: FakeLinkedIn) -> None:
    page.access, page.refresh = "AQV-another", "AQX-another"
    result = refused(channel(page, FULL).publish(post()))
    assert result.permanent
    assert "refresh_token" in result.reason
    for secret in (fake_linkedin.ACCESS_TOKEN, fake_linkedin.REFRESH_TOKEN, fake_linkedin.CLIENT_SECRET):
        assert secret not in result.reason


def test_the_state_of_a_token_is_told(page: FakeLinkedIn) -> None:
    page.ends = int((NOW + timedelta(days=5)).timestamp())
    account = replace(FULL, api_url=page.url, oauth_url=page.url)
    with LinkedInWire(account, MemorySessions(), (2, 2), lambda: NOW) as wire:
        state = wire.token_state()
        assert state is not None
        assert (state.active, state.ends) == (True, NOW + timedelta(days=5))
        page.access = "AQV-another"
        state = wire.token_state()
        assert state is not None
        assert not state.active
    with LinkedInWire(replace(account, client_secret="wrong"), MemorySessions(), (2, 2), lambda: NOW) as wire:
        assert wire.token_state() is None


@pytest.mark.parametrize(
    "values",
    [
        {"organization": "my-library"},
        {"organization": "٣"},
        {"access_token": ""},
        {"access_token": "a b"},
        {"client_secret": "a\nb"},
        {"api_version": "2026"},
        {"api_url": "api.linkedin.com"},
    ],
)
def test_settings_that_can_not_be_right_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        replace(PLAIN, **values)  # type: ignore[arg-type]


def test_secrets_are_not_shown() -> None:
    for secret in (FULL.access_token, FULL.client_secret, FULL.refresh_token):
        assert secret not in repr(FULL)
        assert secret not in FULL.drawer


def test_two_posts_at_a_time_do_not_disturb_each_other(page: FakeLinkedIn) -> None:
    one = channel(page)
    threads = [threading.Thread(target=one.publish, args=(post(f"Post {number}"),)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(page.texts) == [f"Post {number}" for number in range(5)]


def test_a_post_can_be_changed_counted_and_taken_away(page: FakeLinkedIn) -> None:
    one = channel(page)
    made = one.publish(post(card=CARD))
    assert isinstance(made, Posted)
    page.figures[made.remote_id] = (12, 3)
    assert one.figures(made.remote_id) == Figures(replies=3, shares=None, likes=12)
    assert one.edit(made.remote_id, "New (words)") == Done(), page.refused
    assert page.texts == ["New (words)"]
    assert page.posts[0].content
    assert one.delete(made.remote_id) == one.delete(made.remote_id) == Done()
    assert page.posts == []
    assert one.figures(made.remote_id) is None
    assert isinstance(one.edit(made.remote_id, "gone"), Refused)
    nowhere = channel(page, replace(PLAIN, access_token="AQV-over"))
    assert isinstance(nowhere.delete(made.remote_id), Refused)
    assert isinstance(nowhere.figures(made.remote_id), Unknown)
