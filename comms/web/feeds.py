"""The public feeds and the list of them (OPML), written once for each change and kept warm for all who ask."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from comms.config import Settings
from comms.db import DATABASE_ERRORS, Moment
from comms.engine import feeds, hubs, listings
from comms.engine.feeds import Name
from comms.errors import CommsError
from comms.web.conditional import Prepared, public_response
from comms.web.headers import secure
from comms.web.kept import Kept, Messages
from comms.web.pages import Pages
from comms.web.workspaces import Workspaces

_PREFIX = "/feeds/"
_MOST_KEPT = 64 * 1024 * 1024
_FOR_GOOD_S, _FOR_NOW_S = 86_400, 300


class FeedRoutes:
    """Routes of the feeds."""

    def __init__(self, workspaces: Workspaces, pages: Pages, settings: Settings) -> None:
        self._workspaces = workspaces
        self._pages = pages
        self._settings = settings
        self._kept = Kept(_MOST_KEPT)

    def routes(self) -> list[Route]:
        return [Route("/feeds.opml", self.opml), Route(f"{_PREFIX}{{name:path}}", self.feed)]

    def opml(self, request: Request) -> Response:
        """Every public feed, for a reader to take in one go."""
        body = listings.opml(self._workspaces.here())
        response = public_response(request.headers, body, "text/x-opml; charset=utf-8")
        response.headers["Content-Disposition"] = 'attachment; filename="feeds.opml"'
        return response

    async def feed(self, request: Request) -> Response:
        """One feed in one format, or an archive document of it."""
        text = request.path_params["name"]
        name = feeds.named(text)
        if name is None:
            return self._pages.not_found(request)
        moment = self._moment(name.association)
        prepared = await run_in_threadpool(self._made, text, name)
        if prepared is None:
            return self._pages.not_found(request)
        self._kept.hold(text, prepared, moment)
        return self._response(prepared, text, request.headers)

    def at_once(self, scope: Scope) -> Messages | None:
        """What is answered to a request while nobody writes to the databases: no thread and no table is asked.

        None when it has to be asked of `feed`. Called in the thread of the server.
        """
        path = scope["path"]
        if scope["method"] not in ("GET", "HEAD") or not path.startswith(_PREFIX):
            return None
        name = path.removeprefix(_PREFIX)
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}

        def make(prepared: Prepared) -> Response:
            response = self._response(prepared, name, headers)
            secure(response.headers, path)
            return response

        return self._kept.at_once(name, headers, make)

    def _moment(self, association: str) -> Moment | None:
        """None when it can not be told."""
        try:
            return feeds.moment(self._workspaces.here(), association)
        except (CommsError, *DATABASE_ERRORS):
            return None  # who makes the answer meets it again, and says so

    def _made(self, text: str, name: Name) -> Prepared | None:
        """The feed as it is now, rendered where it changed; None when there is none."""
        workspace = self._workspaces.here()
        stamp = feeds.stamp(workspace, name.association)
        if stamp is None:
            return None

        def make() -> Prepared | None:
            public = feeds.feed(workspace, name.association, name.path, name.kind, name.page)
            if public is None:
                return None
            return Prepared(public.body, feeds.content_type(name.kind), modified=public.updated)

        return self._kept.get(text, stamp, make)

    def _response(self, prepared: Prepared, text: str, headers: Mapping[str, str]) -> Response:
        name = feeds.named(text)
        if name is not None and name.page is not None:
            return prepared.response(headers, max_age=_FOR_GOOD_S)
        response = prepared.response(headers, max_age=_FOR_NOW_S)
        if name is not None:
            response.headers["Link"] = hubs.link(self._settings, feeds.address(self._settings, name))
        return response


class AtOnce:
    """In front of all else: answers what `feeds` can answer at once."""

    def __init__(self, app: ASGIApp, feeds: FeedRoutes) -> None:
        self._app = app
        self._feeds = feeds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages = self._feeds.at_once(scope) if scope["type"] == "http" else None
        if messages is None:
            await self._app(scope, receive, send)
            return
        for message in messages:
            await send(message)
