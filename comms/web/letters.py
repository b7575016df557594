"""The addresses that stand in mails: click, picture, read online. The unsubscribe link is `subscriptions.py`."""

from __future__ import annotations

import re
from base64 import b64decode

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from comms.engine import readers
from comms.web.headers import CSP, NEWSLETTER_POLICY
from comms.web.pages import Pages
from comms.web.workspaces import Workspaces

log = structlog.get_logger(__name__)

PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
"""A transparent GIF of one by one pixel, 43 bytes."""
_INDEX = re.compile(r"[0-9]{1,6}", re.ASCII)


class Letters:
    """Routes of what readers of a newsletter follow or load. HEAD counts nothing: scanners ask so."""

    def __init__(self, workspaces: Workspaces, pages: Pages) -> None:
        self._workspaces = workspaces
        self._pages = pages

    def routes(self) -> list[Route]:
        return [
            Route("/c/{token}/{index}", self.click),
            Route("/o/{token}.gif", self.pixel),
            Route("/v/{token}", self.view),
        ]

    def click(self, request: Request) -> Response:
        """302 to where the stored link leads, and nowhere else."""
        index = request.path_params["index"]
        url = None
        if _INDEX.fullmatch(index):
            record = request.method == "GET"
            workspace = self._workspaces.here()
            url = readers.click(workspace, request.path_params["token"], int(index), record=record)
        return RedirectResponse(url, status_code=302) if url else self._pages.not_found(request)

    def pixel(self, request: Request) -> Response:
        """Always the picture: one that fails would stand as a broken one in somebody's mail."""
        if request.method == "GET":
            try:
                readers.opened(self._workspaces.here(), request.path_params["token"])
            except Exception as error:  # noqa: BLE001 - whatever happens; the log says what
                log.error("open not recorded", error=type(error).__name__)
        return Response(PIXEL, media_type="image/gif", headers={"Cross-Origin-Resource-Policy": "cross-origin"})

    def view(self, request: Request) -> Response:
        """The newsletter as a page for everyone."""
        record = request.method == "GET"
        html = readers.view_online(self._workspaces.here(), request.path_params["token"], record=record)
        if html is None:
            return self._pages.not_found(request)
        return HTMLResponse(html, headers={CSP: NEWSLETTER_POLICY})
