"""A feed that nobody changed is answered from memory, with the very same words; a change is seen by the next reader."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from typing import Any

import pytest
from anyio import NoEventLoopError
from http_browser import Answer, Browser
from sent_newsletter import Sent, add_topics, publish
from starlette.applications import Starlette
from starlette.types import Message

from comms.web.app import create_app

FEED = "/feeds/coalition.atom"
ASKED: list[dict[str, str]] = [
    {},
    {"Accept_Encoding": "gzip"},
    {"If_None_Match": "*"},
    {"If_None_Match": '"another"'},
    {"Accept_Encoding": "gzip", "If_None_Match": "*"},
    {"If_Modified_Since": "Mon, 01 Mar 2027 09:30:00 GMT"},
]


class Visitor:
    """Asks the application itself, and says whether it had to wait for anything, such as a thread."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self.messages: list[Message] = []

    def get(self, path: str = FEED, **headers: str) -> int:
        asyncio.run(self._call(path, headers))
        return int(self.messages[0]["status"])

    def is_answered_at_once(self, path: str = FEED, **headers: str) -> bool:
        call = self._call(path, headers)
        try:
            call.send(None)
        except StopIteration:
            return True
        except NoEventLoopError:
            return False  # it asked for a thread
        raise AssertionError("it waits for something else")

    async def _call(self, path: str, headers: Mapping[str, str]) -> None:
        self.messages.clear()
        sent = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
        scope: dict[str, Any] = {
            "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path, "root_path": "",
            "raw_path": path.encode(), "query_string": b"", "headers": [(b"host", b"news.example.org"), *sent],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        }  # fmt: skip

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            self.messages.append(message)

        await self._app(scope, receive, send)


@pytest.fixture
def visitor(sent: Sent) -> Visitor:
    return Visitor(create_app(sent.workspace.folder))


@pytest.mark.parametrize("asked", ASKED)
def test_who_asks_again_waits_for_no_thread(visitor: Visitor, asked: dict[str, str]) -> None:
    assert not visitor.is_answered_at_once(**asked), "nobody has asked yet"
    first = visitor.get(**asked)
    assert visitor.is_answered_at_once(**asked)
    assert visitor.messages[0]["status"] == first


def test_what_was_written_since_is_looked_for_once_and_then_waited_for_no_more(sent: Sent, visitor: Visitor) -> None:
    visitor.get()
    publish(sent.workspace, "coalition", title="Another title")
    assert not visitor.is_answered_at_once()
    visitor.get()
    assert b"Another title" in visitor.messages[1]["body"]
    assert visitor.is_answered_at_once()
    sent.workspace.ledger("coalition").count_day("2027-02-01", 1)  # says nothing of any feed
    assert not visitor.is_answered_at_once()
    visitor.get()
    assert visitor.is_answered_at_once()


def test_a_feed_that_is_not_there_is_never_kept(visitor: Visitor) -> None:
    for path in ("/feeds/coalition/nothing.rss", "/feeds/nobody.rss", "/feeds/", "/feeds/x.xml"):
        assert visitor.get(path) == 404
        assert visitor.get(path) == 404


def without_date(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    return answer.status, {name: value for name, value in answer.headers.items() if name != "date"}, answer.body


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_second_answer_is_the_first_with_all_its_headers(
    browser: Browser, asked: dict[str, str], method: str
) -> None:
    headers = {name.replace("_", "-"): value for name, value in asked.items()}
    first, second, third = (without_date(browser(method, FEED, headers=headers)) for _ in range(3))
    assert first == second == third
    assert first[1]["x-content-type-options"] == "nosniff"
    assert (first[2] == b"") is (method == "HEAD" or first[0] == 304)


def test_a_change_is_seen_by_the_next_who_asks_whichever_database_it_is_in(sent: Sent, browser: Browser) -> None:
    path = "/feeds/coalition/news.rss"
    etags = [browser.get(path).headers["etag"] for _ in range(3)]
    assert len(set(etags)) == 1
    add_topics(sent.workspace, "coalition", news="The news, renamed")
    renamed = browser.get(path, If_None_Match=etags[0])
    assert renamed.status == 200
    assert b"The news, renamed" in renamed.body
    publish(sent.workspace, "coalition", content="<p>Corrected</p>")
    zipped = browser.get(path, If_None_Match=renamed.headers["etag"], Accept_Encoding="gzip")
    body = gzip.decompress(zipped.body) if "content-encoding" in zipped.headers else zipped.body
    assert b"Corrected" in body


def test_nothing_but_get_and_head_is_answered_from_memory(browser: Browser) -> None:
    assert [browser.get(FEED).status for _ in range(2)] == [200, 200]
    assert browser("POST", FEED, b"x").status == 405
