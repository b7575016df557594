"""The public feeds and the list of them (OPML), written once for each change and kept warm for all who ask."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comms.engine import feeds, listings
from comms.engine.feeds import MEDIA_TYPES, Format
from comms.web.conditional import Prepared, public_response
from comms.web.pages import Pages
from comms.web.workspaces import Workspaces

_FEED = re.compile(
    r"(?P<association>[a-z0-9-]{1,64})(?P<path>(?:/[^/.]+){0,2})(?:\.(?P<page>[1-9][0-9]{0,5}))?"
    rf"\.(?P<kind>{'|'.join(MEDIA_TYPES)})",
    re.ASCII,
)
_MOST_KEPT = 64 * 1024 * 1024
_FOR_GOOD_S = 86_400


class FeedRoutes:
    """Routes of the feeds."""

    def __init__(self, workspaces: Workspaces, pages: Pages) -> None:
        self._workspaces = workspaces
        self._pages = pages
        self._kept = Kept(_MOST_KEPT)

    def routes(self) -> list[Route]:
        return [Route("/feeds.opml", self.opml), Route("/feeds/{name:path}", self.feed)]

    def opml(self, request: Request) -> Response:
        """Every public feed, for a reader to take in one go."""
        body = listings.opml(self._workspaces.here())
        response = public_response(request.headers, body, "text/x-opml; charset=utf-8")
        response.headers["Content-Disposition"] = 'attachment; filename="feeds.opml"'
        return response

    def feed(self, request: Request) -> Response:
        """One feed in one format, or an archive document of it."""
        named = _FEED.fullmatch(request.path_params["name"])
        workspace = self._workspaces.here()
        stamp = feeds.stamp(workspace, named["association"]) if named else None
        if named is None or stamp is None:
            return self._pages.not_found(request)
        page = int(named["page"]) if named["page"] else None
        kind = cast(Format, named["kind"])

        def make() -> Prepared | None:
            public = feeds.feed(workspace, named["association"], named["path"], kind, page)
            if public is None:
                return None
            return Prepared(public.body, f"{MEDIA_TYPES[kind]}; charset=utf-8", modified=public.updated)

        prepared = self._kept.get(named.group(), stamp, make)
        if prepared is None:
            return self._pages.not_found(request)
        return prepared.response(request.headers, max_age=_FOR_GOOD_S if page else 300)


class Kept:
    """Answers that were made already, by name, as long as their stamp is the same; those used last stay."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._answers: OrderedDict[Hashable, tuple[str, Prepared]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: Hashable, stamp: str, make: Callable[[], Prepared | None]) -> Prepared | None:
        """The answer of this name and stamp, made when there is none yet; None is never kept."""
        with self._lock:
            stamped = self._answers.get(name)
            if stamped is not None and stamped[0] == stamp:
                self._answers.move_to_end(name)
                return stamped[1]
        prepared = make()
        if prepared is not None:
            with self._lock:
                self._keep(name, stamp, prepared)
        return prepared

    def _keep(self, name: Hashable, stamp: str, prepared: Prepared) -> None:
        before = self._answers.pop(name, None)
        self._size += prepared.size - (before[1].size if before else 0)
        self._answers[name] = (stamp, prepared)
        while self._size > self._most:
            _, (_, oldest) = self._answers.popitem(last=False)
            self._size -= oldest.size
