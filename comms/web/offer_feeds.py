"""The signed feeds of what is offered to associations, the keys to check them with, and answers from other engines."""

from __future__ import annotations

from typing import cast

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from comms.engine import offer_feeds
from comms.engine.offer_feeds import MEDIA_TYPES, Format
from comms.engine.relaying import peers
from comms.errors import StateError
from comms.kits.answers import LARGEST
from comms.kits.asking import HEADER
from comms.kits.signing import SignatureError
from comms.web.conditional import public_response
from comms.web.pages import Pages
from comms.web.workspaces import Workspaces

log = structlog.get_logger(__name__)


class OfferFeeds:
    """Routes of offers, for engines and feed readers."""

    def __init__(self, workspaces: Workspaces, pages: Pages) -> None:
        self._workspaces = workspaces
        self._pages = pages

    def routes(self) -> list[Route]:
        return [
            Route("/relay/keys.json", self.keys),
            Route("/relay/{association}/answers", self.answers, methods=["POST"], max_body_size=LARGEST),
            Route("/relay/{association}/files/{sha256}", self.file),
            *(Route(f"/relay/{{association}}/feed.{kind}", self.feed, name=kind) for kind in MEDIA_TYPES),
        ]

    def keys(self, request: Request) -> Response:
        """The public keys."""
        body = offer_feeds.public_keys(self._workspaces.here())
        return public_response(request.headers, body, "application/json")

    async def answers(self, request: Request) -> Response:
        """What an association's own engine answers. 200: it is kept; 403: it is not that engine's; 409: not as things
        are, with the number of the latest answer where that is why."""
        slug, body = str(request.path_params["association"]), await request.body()
        try:
            taken = await self._workspaces.run(lambda workspace: peers.take(workspace, slug, body))
        except SignatureError as error:
            log.warning("refused an answer to an offer", association=slug[:64], reason=error.message)
            return JSONResponse({"error": error.message}, status_code=403)
        except StateError as error:
            return JSONResponse({"error": error.message}, status_code=409)
        return JSONResponse({"number": taken.number}, status_code=200 if taken.ok else 409)

    def feed(self, request: Request) -> Response:
        """One association's offers. No search engine is to list them."""
        kind = cast(Format, request.url.path.rpartition(".")[2])
        workspace, slug = self._workspaces.here(), str(request.path_params["association"])
        early = offer_feeds.is_early(workspace, slug, request.headers.get(HEADER, ""))
        body = offer_feeds.feed(workspace, slug, kind, early=early)
        if body is None:
            return self._pages.not_found(request)
        return _answer(request, body, f"{MEDIA_TYPES[kind]}; charset=utf-8", early=early)

    def file(self, request: Request) -> Response:
        """A file that goes with an offer, by its hash: for engines, which know what they asked for."""
        workspace, slug = self._workspaces.here(), str(request.path_params["association"])
        early = offer_feeds.is_early(workspace, slug, request.headers.get(HEADER, ""))
        body = offer_feeds.file(workspace, slug, str(request.path_params["sha256"]), early=early)
        if body is None:
            return self._pages.not_found(request)
        # Never packed, and nobody asks for it twice: what is named by its hash does not change.
        return Response(
            body,
            media_type="application/octet-stream",
            headers={"Content-Disposition": "attachment", "Vary": HEADER, **_kept(early=early)},
        )


def _answer(request: Request, body: bytes, media_type: str, *, early: bool) -> Response:
    response = public_response(request.headers, body, media_type, vary=HEADER)
    response.headers.update({"X-Robots-Tag": "noindex", **(_kept(early=True) if early else {})})
    return response


def _kept(*, early: bool) -> dict[str, str]:
    """Who may keep an answer: of what has an embargo only who asked."""
    return {"Cache-Control": "private, no-cache" if early else "public, max-age=300"}
