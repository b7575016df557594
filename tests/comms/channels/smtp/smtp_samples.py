"""Runs a mail session over messages as a sender would, and keeps books of all that it said."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from comms.channels.mail import Lost, MailSession, Outgoing, Reply, Result, ServerUnreachableError
from comms.channels.newsletter import mail_session
from comms.channels.smtp import new_event_loop
from comms.config import Smtp

T = TypeVar("T")
SENDER = "news@coalition.example"


def settings(port: int, **changes: Any) -> Smtp:
    return Smtp(**{"host": "127.0.0.1", "port": port, "timeout": 5.0, **changes})


def run(main: Coroutine[Any, Any, T], loop: Callable[[], asyncio.AbstractEventLoop] = new_event_loop) -> T:
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(main)


def message(number: int, data: bytes = b"Subject: x\r\n\r\nhello\r\n") -> Outgoing:
    return Outgoing(SENDER, f"p{number}@example.org", data, number)


class Books:
    """Messages that wait, and everything that was said of each."""

    def __init__(self, messages: list[Outgoing]) -> None:
        self.waiting = deque(messages)
        self.messages = {each.token: each for each in messages}
        self.taken: Counter[int] = Counter()
        self.handed_over: Counter[int] = Counter()
        self.results: dict[int, list[Result]] = {each.token: [] for each in messages}
        self.unreachable: list[str] = []

    def take(self) -> Outgoing | None:
        if not self.waiting:
            return None
        taken = self.waiting.popleft()
        self.taken[taken.token] += 1
        return taken

    def on_handover(self, token: int) -> None:
        self.handed_over[token] += 1

    def on_result(self, token: int, result: Result) -> None:
        self.results[token].append(result)

    def on_result_try_again(self, token: int, result: Result) -> None:
        """Notes the result; what certainly has not arrived goes to the end of the queue."""
        self.on_result(token, result)
        if isinstance(result, Lost) and not result.handed_over:
            self.waiting.append(self.messages[token])

    def replies(self) -> list[Reply]:
        """The last word on each message, where it is the server's."""
        return [said[-1] for said in self.results.values() if said and isinstance(said[-1], Reply)]


async def deliver_all(session: MailSession, books: Books, *, tries: int = 100) -> None:
    """Open and deliver until nothing waits, trying again what is safe to try again."""
    try:
        while books.waiting and tries:
            tries -= 1
            try:
                await session.open()
            except ServerUnreachableError as error:
                books.unreachable.append(error.message)
                continue
            await session.deliver(books.take, books.on_handover, books.on_result_try_again)
    finally:
        await session.close()


def send_all(port: int, messages: list[Outgoing], *, sessions: int = 1, **changes: Any) -> Books:
    """Send over real connections."""
    books = Books(messages)

    async def main() -> None:
        made = [mail_session(settings(port, **changes)) for _ in range(sessions)]
        await asyncio.gather(*(deliver_all(session, books) for session in made))

    run(main())
    return books
