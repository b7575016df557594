"""The WebSub hub: takes requests to subscribe, and leaves all else to control. Asks no callback."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from comms.config import Feeds
from comms.engine import hub, hubs
from comms.web import forms
from comms.web.workspaces import Workspaces

_FIELDS = ("hub.mode", "hub.topic", "hub.callback", "hub.lease_seconds", "hub.secret")


class HubRoutes:
    """The route of the hub, where the settings want one. It answers in plain English: developers read it."""

    def __init__(self, workspaces: Workspaces, settings: Feeds) -> None:
        self._workspaces = workspaces
        self._settings = settings

    def routes(self) -> list[Route]:
        return [Route(hubs.PATH, self.take, methods=["POST"])] if self._settings.hub else []

    async def take(self, request: Request) -> Response:
        """A request to subscribe or unsubscribe: 202 where the callback will be asked, else 4xx or 503 and why."""
        form = await forms.fields(request)
        wanted = {name: forms.text(form, name) for name in _FIELDS}
        ip = forms.visitor(request)
        answer = await self._workspaces.run(lambda workspace: hub.request(workspace, wanted, ip))
        headers = {"Cache-Control": "no-store"}
        if answer.retry_after_s is not None:
            headers["Retry-After"] = str(answer.retry_after_s)
        return PlainTextResponse(f"{answer.text}\n", status_code=answer.status, headers=headers)
