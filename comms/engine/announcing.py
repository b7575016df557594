"""Tells subscribers of our hub, and hubs of others, that a feed changed; asks callbacks whether they subscribed.

One `step` begins what is due and takes in what ended. The requests themselves are made in threads that touch no
database, one for a host at a time, so that a slow one holds up nobody else. What is to be done stands in `host.db`
before it is begun: whatever is killed is done once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import chain, zip_longest
from urllib.parse import urlsplit

import structlog

from campaigns.websub import Intent, Ping, Subscriber, WebSub
from comms.db import storage_errors
from comms.engine import feeds, hub, hubs
from comms.engine.workspace import Workspace
from comms.errors import CommsError, StorageError
from comms.outside.websub import Caller, Reply

log = structlog.get_logger(__name__)

AT_A_TIME = 8
AGAIN = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8))
"""How long to wait after each try that failed; after one more, the feed has to change before there is another."""
_MOST_KEPT = 32
Task = Intent | Subscriber | Ping


@dataclass(frozen=True, slots=True)
class _Content:
    """A feed as subscribers get it. `stamp` says when it has to be made anew."""

    stamp: str
    body: bytes
    content_type: str
    link: str


def wait_after(attempts: int) -> timedelta | None:
    """How long to wait after so many tries that failed; None: no more of them. Pure."""
    return AGAIN[attempts - 1] if attempts <= len(AGAIN) else None


class Announcer:
    """Belongs to one thread, as its workspace does; `pool` makes the requests."""

    def __init__(self, workspace: Workspace, caller: Caller, pool: ThreadPoolExecutor) -> None:
        self._workspace = workspace
        self._caller = caller
        self._pool = pool
        self._under_way: dict[Future[Reply], Task] = {}
        self._kept: dict[str, _Content] = {}

    def step(self) -> bool:
        """Take in what ended, begin what is due. True while there is more to do at this moment."""
        with storage_errors(self._workspace.host_path):
            self._take_in([future for future in self._under_way if future.done()])
            self._reckon()
            self._expire()
            due = self._due()
            for task in due:
                self._begin(task)
        return bool(self._under_way or due)

    # --- what changed -------------------------------------------------------------------------

    def _reckon(self) -> None:
        """From entries that changed to those who are to be told: in one transaction for each, so that none is lost."""
        unusable: set[str] = set()
        for association, campaign in self._store.news():
            if association in unusable:
                continue
            try:
                topics = self._topics(association, campaign)
            except CommsError as error:
                if isinstance(error, StorageError) and error.passing:
                    raise
                _say_once(association, error.message)
                unusable.add(association)
                continue
            now = self._workspace.now()
            with self._workspace.host.db.atomic():
                if not self._store.take_news(association, campaign):
                    continue
                if self._workspace.settings.feeds.hub:
                    self._store.owe(topics, now)
                for address in self._workspace.settings.feeds.hubs:
                    for topic in topics:
                        self._store.owe_ping(address, str(urlsplit(address).hostname), topic, now)

    def _topics(self, association: str, campaign: str) -> list[str]:
        """The addresses of every feed that the entry stands in."""
        owner, row = self._workspace.association(association), self._workspace.host.entry(association, campaign)
        if row is None:
            return []
        paths = [
            channel.path for channel in feeds.channels(self._workspace, owner).values() if feeds.holds(channel, row)
        ]
        addresses = [feeds.urls(self._workspace, owner, path) for path in paths]
        return [url for each in addresses for url in (each.rss, each.atom, each.json)]

    # --- what is due --------------------------------------------------------------------------

    def _due(self) -> list[Task]:
        """As many as there is room for, of each host one, none of a host that is being asked; of each kind in turn."""
        room = AT_A_TIME - len(self._under_way)
        if room <= 0:
            return []
        taken = {task.host for task in self._under_way.values()}
        chosen: list[Task] = []
        for task in self._candidates(AT_A_TIME * 2):
            if task.host not in taken and len(chosen) < room:
                taken.add(task.host)
                chosen.append(task)
        return chosen

    def _candidates(self, limit: int) -> Iterator[Task]:
        store, now = self._store, self._workspace.now()
        kinds: list[Sequence[Task]] = [store.pings(now, limit)]
        if self._workspace.settings.feeds.hub:
            kinds += [store.intents(limit), store.owed(now, limit)]
        return (task for task in chain.from_iterable(zip_longest(*kinds)) if task is not None)

    def _begin(self, task: Task) -> None:
        request = self._request(task)
        if request is None:
            return
        self._note_try(task)
        self._under_way[self._pool.submit(request)] = task

    def _request(self, task: Task) -> Callable[[], Reply] | None:
        """What to do, with all that it needs; None where there is nothing to do any more, which is then noted."""
        match task:
            case Intent():
                return partial(self._caller.verify, task.callback, task.mode, task.topic, task.lease_s)
            case Ping():
                if task.hub in self._workspace.settings.feeds.hubs:
                    return partial(self._caller.ping, task.hub, task.topic)
                with self._workspace.host.db.atomic():
                    self._store.pinged(task)
            case Subscriber():
                try:
                    content = self._content(task.topic)
                    secret = self._workspace.key.unseal(task.secret) if task.secret is not None else None
                except CommsError as error:
                    if isinstance(error, StorageError) and error.passing:
                        raise
                    _say_once(task.topic, str(error))
                    content = None
                if content is not None:
                    return partial(
                        self._caller.deliver, task.callback, content.body, content.content_type, content.link, secret
                    )
                with self._workspace.host.db.atomic():
                    self._store.failed(task, "the feed can not be read now", is_last=True)
        return None

    def _note_try(self, task: Task) -> None:
        if isinstance(task, Intent):
            return
        next_at = self._workspace.now() + (wait_after(task.attempts + 1) or AGAIN[-1])
        with self._workspace.host.db.atomic():
            if isinstance(task, Ping):
                self._store.try_ping(task, next_at)
            else:
                self._store.try_delivery(task.id, next_at)

    def _content(self, topic: str) -> _Content | None:
        """The feed as it is now, made once for all its subscribers."""
        name = hub.topic_of(self._workspace, topic)
        stamp = feeds.stamp(self._workspace, name.association) if name else None
        if name is None or stamp is None:
            return None
        kept = self._kept.get(topic)
        if kept is None or kept.stamp != stamp:
            public = feeds.feed(self._workspace, name.association, name.path, name.kind)
            if public is None:
                return None
            link = hubs.link(self._workspace.settings, topic)
            kept = _Content(stamp, public.body, feeds.content_type(name.kind), link)
            self._kept.pop(topic, None)
            self._kept[topic] = kept
            if len(self._kept) > _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return kept

    # --- what ended ---------------------------------------------------------------------------

    def _take_in(self, ended: list[Future[Reply]]) -> None:
        for future in ended:
            task = self._under_way.pop(future)
            reply, now = _reply(future), self._workspace.now()
            with self._workspace.host.db.atomic():
                match task:
                    case Intent():
                        self._settle_intent(task, reply, now)
                    case Ping():
                        self._settle_ping(task, reply)
                    case Subscriber():
                        self._settle_delivery(task, reply, now)

    def _settle_intent(self, intent: Intent, reply: Reply, now: datetime) -> None:
        self._store.settle(intent, now)
        if reply.fault:
            log.info("a callback did not confirm", host=intent.host, mode=intent.mode, reason=reply.fault)
        elif intent.mode == "subscribe":
            self._store.subscribe(intent, now, now + timedelta(seconds=intent.lease_s))
        else:
            self._store.unsubscribe(intent.topic, intent.callback)

    def _settle_delivery(self, subscriber: Subscriber, reply: Reply, now: datetime) -> None:
        if reply.gone:
            self._store.unsubscribe(subscriber.topic, subscriber.callback)
        elif reply.fault:
            is_last = wait_after(subscriber.attempts + 1) is None
            self._store.failed(subscriber, reply.fault, is_last=is_last)
        else:
            self._store.delivered(subscriber, now)

    def _settle_ping(self, ping: Ping, reply: Reply) -> None:
        if not reply.fault:
            self._store.pinged(ping)
        elif wait_after(ping.attempts + 1) is None:
            self._store.pinged(ping)
            log.warning("a hub was not told of a change", hub=ping.host, reason=reply.fault)
        else:
            self._store.ping_failed(ping, reply.fault)

    def _expire(self) -> None:
        now = self._workspace.now()
        if self._store.is_over(now, now - hub.SPAN):
            with self._workspace.host.db.atomic():
                self._store.expire(now, now - hub.SPAN)

    @property
    def _store(self) -> WebSub:
        return WebSub(self._workspace.host.db)


def _reply(future: Future[Reply]) -> Reply:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - what one callback sets off must not stop the others
        log.error("a request went wrong", error=type(error).__name__)
        return Reply("it gives no sensible answer")


@cache
def _say_once(what: str, reason: str) -> None:
    """A step comes every second."""
    log.error("subscribers are not told now", of=what, reason=reason)
