"""Where Prometheus reads the figures of this installation, with the token of `[metrics]`; without one it is not there.

GET /metrics    Authorization: Bearer <token>

Not by the address that a request comes from: behind a reverse proxy on this machine all come from it.
"""

from __future__ import annotations

import hmac

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from comms import config
from comms.engine.metrics import Gatherer
from comms.web.exposition import CONTENT_TYPE, exposition
from comms.web.pages import Pages
from comms.web.workspaces import Workspaces


class MetricsPage:
    """The route for metrics."""

    def __init__(self, workspaces: Workspaces, settings: config.Metrics, pages: Pages) -> None:
        self._workspaces = workspaces
        self._token = settings.token.encode()
        self._pages = pages
        self._gatherer = Gatherer()

    def routes(self) -> list[Route]:
        return [Route("/metrics", self.read, methods=["GET"])]

    async def read(self, request: Request) -> Response:
        """200 with the figures; 401 without the token; 404 when none is set."""
        if not self._token:
            return self._pages.not_found(request)
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token):
            return PlainTextResponse(
                "The token of [metrics] is wanted: Authorization: Bearer ...\n",
                status_code=401,
                headers={"WWW-Authenticate": 'Bearer realm="metrics"'},
            )
        families = await self._workspaces.run(self._gatherer.gather)
        return Response(exposition(families), media_type=CONTENT_TYPE)
