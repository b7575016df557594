"""The addresses that stand in mails: click, picture, unsubscribe, read online."""

from __future__ import annotations

import re
from base64 import b64decode

import structlog
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from comms.engine import readers
from comms.engine.readers import SubscriptionView
from comms.web.headers import CSP, NEWSLETTER_POLICY
from comms.web.pages import Pages
from comms.web.workspaces import Workspaces

log = structlog.get_logger(__name__)

PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
"""A transparent GIF of one by one pixel, 43 bytes."""
_INDEX = re.compile(r"[0-9]{1,6}", re.ASCII)
_MOST_FIELDS = 200


class Letters:
    """Routes of everything that needs a token. GET and HEAD change no subscription: scanners follow every link."""

    def __init__(self, workspaces: Workspaces, pages: Pages) -> None:
        self._workspaces = workspaces
        self._pages = pages

    def routes(self) -> list[Route]:
        return [
            Route("/c/{token}/{index}", self.click),
            Route("/o/{token}.gif", self.pixel),
            Route("/v/{token}", self.view),
            Route("/u/{token}", self.subscription, methods=["GET"]),
            Route("/u/{token}", self.unsubscribe, methods=["POST"]),
            Route("/u/{token}/topics", self.topics, methods=["POST"]),
            Route("/u/{token}/tracking", self.tracking, methods=["POST"]),
        ]

    def click(self, request: Request) -> Response:
        """302 to where the stored link leads, and nowhere else."""
        index = request.path_params["index"]
        url = None
        if _INDEX.fullmatch(index):
            record = request.method == "GET"
            workspace = self._workspaces.here()
            url = readers.click(workspace, request.path_params["token"], int(index), record=record)
        return RedirectResponse(url, status_code=302) if url else self._pages.not_found()

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
            return self._pages.not_found()
        return HTMLResponse(html, headers={CSP: NEWSLETTER_POLICY})

    def subscription(self, request: Request) -> Response:
        """The page with one button."""
        token = request.path_params["token"]
        view = readers.subscription_page(self._workspaces.here(), token)
        if view is not None:
            return self._subscription(token, view)
        association = readers.newsletter_of(self._workspaces.here(), token)
        if association is None:
            return self._pages.not_found()
        return self._pages.message(
            "Unsubscribe from your own copy",
            f"You are reading a newsletter of {association} on the web, and this page can not know whose copy it is.",
            "To stop receiving it, use the unsubscribe link in the mail that was sent to you.",
        )

    async def unsubscribe(self, request: Request) -> Response:
        """The page's own button, or a mail program's request (RFC 8058 sections 3.1 and 3.2): 200, no redirect."""
        form = await _form(request)
        token = request.path_params["token"]
        if form.get("List-Unsubscribe") == "One-Click":
            view = await self._workspaces.run(lambda w: readers.unsubscribe(w, token, source=readers.ONE_CLICK))
            return PlainTextResponse("You are unsubscribed.\n") if view else self._pages.not_found()
        if form.get("confirm") != "unsubscribe":
            return self._pages.message(
                "Nothing was changed",
                "The request did not say what to do. Please use the button on the page.",
                status=400,
            )
        view = await self._workspaces.run(lambda w: readers.unsubscribe(w, token, source=readers.PAGE))
        return self._answer(token, view, "You are unsubscribed.")

    async def topics(self, request: Request) -> Response:
        """What the person wants to keep after all."""
        form = await _form(request)
        token = request.path_params["token"]
        chosen = {value for value in form.getlist("topic") if isinstance(value, str)}
        view = await self._workspaces.run(lambda w: readers.choose_topics(w, token, chosen))
        return self._answer(token, view, "Your choice is saved.")

    async def tracking(self, request: Request) -> Response:
        """Whether opens and clicks may be recorded by name."""
        form = await _form(request)
        token = request.path_params["token"]
        agree = form.get("agree") == "yes"
        view = await self._workspaces.run(lambda w: readers.set_tracking(w, token, agree=agree))
        return self._answer(token, view, "Your choice is saved.")

    def _answer(self, token: str, view: SubscriptionView | None, done: str) -> Response:
        return self._subscription(token, view, done=done) if view else self._pages.not_found()

    def _subscription(self, token: str, view: SubscriptionView, *, done: str = "") -> Response:
        return self._pages.response("subscription", view=view, token=token, done="" if view.erased else done)


async def _form(request: Request) -> FormData:
    """The fields of a form, urlencoded or multipart, without files. Raises HTTPException 400 for a malformed one."""
    return await request.form(max_files=0, max_fields=_MOST_FIELDS)
