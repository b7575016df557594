"""The signed feeds of what is offered to associations, and the keys to check them with."""

from __future__ import annotations

from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comms.engine import offer_feeds
from comms.engine.offer_feeds import MEDIA_TYPES, Format
from comms.web.conditional import public_response
from comms.web.pages import Pages
from comms.web.workspaces import Workspaces


class OfferFeeds:
    """Routes of offers, for engines and feed readers."""

    def __init__(self, workspaces: Workspaces, pages: Pages) -> None:
        self._workspaces = workspaces
        self._pages = pages

    def routes(self) -> list[Route]:
        return [
            Route("/relay/keys.json", self.keys),
            *(Route(f"/relay/{{association}}/feed.{kind}", self.feed, name=kind) for kind in MEDIA_TYPES),
        ]

    def keys(self, request: Request) -> Response:
        """The public keys."""
        body = offer_feeds.public_keys(self._workspaces.here())
        return public_response(request.headers, body, "application/json")

    def feed(self, request: Request) -> Response:
        """One association's offers. No search engine is to list them."""
        kind = cast(Format, request.url.path.rpartition(".")[2])
        body = offer_feeds.feed(self._workspaces.here(), request.path_params["association"], kind)
        if body is None:
            return self._pages.not_found(request)
        response = public_response(request.headers, body, f"{MEDIA_TYPES[kind]}; charset=utf-8")
        response.headers["X-Robots-Tag"] = "noindex"
        return response
