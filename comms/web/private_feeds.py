"""The feeds of single members, for whoever has the address. Nothing of them is kept in memory, or told to a log."""

from __future__ import annotations

import re
from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comms.engine import feeds, private_feeds
from comms.engine.feeds import MEDIA_TYPES, Format
from comms.web.conditional import public_response
from comms.web.pages import Pages
from comms.web.workspaces import Workspaces

_NAME = re.compile(rf"(?P<token>[^/]{{1,200}})\.(?P<kind>{'|'.join(MEDIA_TYPES)})", re.ASCII)


class PrivateFeedRoutes:
    """Route of the private feeds. `headers.py` makes every answer below it one that nobody may keep or index."""

    def __init__(self, workspaces: Workspaces, pages: Pages) -> None:
        self._workspaces = workspaces
        self._pages = pages

    def routes(self) -> list[Route]:
        return [Route("/r/{name}", self.feed)]

    def feed(self, request: Request) -> Response:
        """One member's feed; 410 for every address that leads to none now, so that readers stop asking."""
        named = _NAME.fullmatch(request.path_params["name"])
        if named is None:
            return self._pages.not_found(request)
        kind = cast(Format, named["kind"])
        found = private_feeds.read(self._workspaces.here(), named["token"], kind)
        if found is None:
            words = self._pages.words(request)
            return self._pages.message(
                words,
                words.gettext("This feed is not there"),
                words.gettext("It ended, was replaced by a new one, or never was."),
                words.gettext("The link at the foot of every newsletter leads to a page where a new one can be made."),
                status=410,
            )
        return public_response(request.headers, found.body, feeds.content_type(kind), modified=found.updated)
