"""Where the tools of associations post figures of what they sent, signed with a secret of their own. In plain English:
developers read it.

POST /relay/<association>/figures    Comms-Timestamp: <seconds since 1970>    Comms-Signature: <HMAC-SHA256>
"""

from __future__ import annotations

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from comms.engine.relaying import posted
from comms.kits.signed_figures import LARGEST, SIGNATURE, TIMESTAMP, stamped
from comms.web.workspaces import Workspaces

log = structlog.get_logger(__name__)

_UNSIGNED = f"{TIMESTAMP} (seconds since 1970) and {SIGNATURE} (64 hexadecimal digits) are wanted."


class FigureHooks:
    """The route for posted figures. Who has no secret learns neither who has one, nor what is offered to whom."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    def routes(self) -> list[Route]:
        return [Route("/relay/{association}/figures", self.take, methods=["POST"])]

    async def take(self, request: Request) -> Response:
        """200: they are known; 400: no figures; 401, 403: not signed, not with this secret, or not now; 404: not
        offered; 409: closed, counted here, or later ones are known; 413: too large; 429: too many."""
        slug = str(request.path_params["association"])
        body = await request.body()
        if len(body) > LARGEST:
            return _refused(413, f"the body has more than {LARGEST:,} bytes.")
        stamp = stamped(request.headers)
        if stamp is None:
            return _refused(401, _UNSIGNED)
        reply = await self._workspaces.run(lambda workspace: posted.take(workspace, slug, stamp, body))
        if reply.status == 200:
            return JSONResponse({"campaign": reply.campaign, "association": slug, "self_reported": True})
        log.warning("refused posted figures", association=slug[:64], status=reply.status)
        response = _refused(reply.status, reply.error)
        if reply.retry_after_s is not None:
            response.headers["Retry-After"] = str(reply.retry_after_s)
        return response


def _refused(status: int, error: str) -> Response:
    return JSONResponse({"error": error}, status_code=status)
