"""The page behind an answer in a mail. Following the link counts nothing: programs that test links follow it too."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comms.engine import polls
from comms.engine.languages import wishes
from comms.engine.polls import PollView
from comms.engine.workspace import Workspace
from comms.web import forms
from comms.web.pages import Pages
from comms.web.workspaces import Workspaces

_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)


class Polls:
    """Routes of polls: the answer chosen in the mail is chosen on the page, and one button gives it."""

    def __init__(self, workspaces: Workspaces, pages: Pages) -> None:
        self._workspaces = workspaces
        self._pages = pages

    def routes(self) -> list[Route]:
        return [
            Route("/p/{token}/{poll}/{choice}", self.page),
            Route("/p/{token}/{poll}", self.answer, methods=["POST"]),
        ]

    def page(self, request: Request) -> Response:
        """The poll with the answer that the link stands for."""
        poll, choice = _number(request.path_params["poll"]), _number(request.path_params["choice"])
        workspace = self._workspaces.here()
        view = polls.view(workspace, request.path_params["token"], poll)
        if view is None or not 0 <= choice < len(view.answers):
            return self._pages.not_found(request)
        return self._response(request, workspace, view, selected=choice, done=False)

    async def answer(self, request: Request) -> Response:
        """Count the answer, and say thank you."""
        form = await forms.fields(request)
        token, poll = request.path_params["token"], _number(request.path_params["poll"])
        choice = _number(forms.text(form, "choice"))

        def count(workspace: Workspace) -> Response:
            view = polls.answer(workspace, token, poll, choice)
            if view is None:
                return self._pages.not_found(request)
            return self._response(request, workspace, view, selected=choice, done=view.open)

        return await self._workspaces.run(count)

    def _response(
        self, request: Request, workspace: Workspace, view: PollView, *, selected: int, done: bool
    ) -> Response:
        token = request.path_params["token"]
        words = self._pages.words(request, wishes(workspace, token))
        path = f"{token}/{request.path_params['poll']}"
        return self._pages.response(words, "poll", view=view, path=path, selected=selected, done=done)


def _number(text: str) -> int:
    """-1, which nothing has, for what is no number."""
    return int(text) if _NUMBER.fullmatch(text) else -1
