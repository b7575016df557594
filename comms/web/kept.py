"""Answers that were made already and may be given again, up to a size: those used last stay. It makes none."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import Message

from comms.db import Moment
from comms.web.conditional import Asked, Prepared

Messages = tuple[Message, Message]
"""Head and body of an answer, as ASGI has them."""


@dataclass(slots=True)
class _Answer:
    stamp: str
    prepared: Prepared
    moment: Moment | None = None
    messages: dict[Asked, Messages] = field(default_factory=dict)


class Kept:
    """Answers by name. For use by many threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: Hashable, stamp: str, make: Callable[[], Prepared | None]) -> Prepared | None:
        """The answer of this name and stamp, made when there is none yet; None is never kept."""
        with self._lock:
            answer = self._answers.get(name)
            if answer is not None and answer.stamp == stamp:
                self._answers.move_to_end(name)
                return answer.prepared
        prepared = make()
        if prepared is not None:
            with self._lock:
                self._keep(name, stamp, prepared)
        return prepared

    def hold(self, name: Hashable, prepared: Prepared, moment: Moment | None) -> None:
        """The answer was asked for when `moment` had begun, and is good for as long as it lasts."""
        with self._lock:
            answer = self._answers.get(name)
            if answer is not None and answer.prepared is prepared:
                answer.moment = moment

    def at_once(
        self, name: Hashable, headers: Mapping[str, str], make: Callable[[Prepared], Response]
    ) -> Messages | None:
        """What a server sends to who asked with these headers, made once of each kind; None when nobody can tell
        whether the answer is still good. For the thread in which its moment began."""
        with self._lock:
            answer = self._answers.get(name)
            if answer is None or answer.moment is None or not answer.moment.lasts():
                return None
            self._answers.move_to_end(name)
        asked = answer.prepared.asked_for(headers)
        if asked not in answer.messages:
            answer.messages[asked] = _messages(make(answer.prepared))
        return answer.messages[asked]

    def _keep(self, name: Hashable, stamp: str, prepared: Prepared) -> None:
        before = self._answers.pop(name, None)
        self._size += prepared.size - (before.prepared.size if before else 0)
        self._answers[name] = _Answer(stamp, prepared)
        while self._size > self._most:
            _, oldest = self._answers.popitem(last=False)
            self._size -= oldest.prepared.size


def _messages(response: Response) -> Messages:
    start = {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    return start, {"type": "http.response.body", "body": response.body}
