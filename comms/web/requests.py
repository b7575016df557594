"""The page where somebody asks for the link to their own page. Everyone gets the same answer."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from audiences.errors import AddressError
from audiences.models import Association
from comms.engine import asking
from comms.engine.languages import Wishes
from comms.engine.workspace import Workspace
from comms.language.words import Words
from comms.web import forms
from comms.web.pages import Pages
from comms.web.workspaces import Workspaces


class PreferenceRequests:
    """Routes of asking for a link."""

    def __init__(self, workspaces: Workspaces, pages: Pages, site_url: str) -> None:
        self._workspaces = workspaces
        self._pages = pages
        self._site_url = site_url

    def routes(self) -> list[Route]:
        return [
            Route("/preferences/{association}", self.form, methods=["GET"]),
            Route("/preferences/{association}", self.request, methods=["POST"]),
        ]

    def form(self, request: Request) -> Response:
        """Asks for an address."""
        owner = _find(self._workspaces.here(), request)
        return self._form(owner, self._words(request, owner)) if owner else self._pages.not_found(request)

    async def request(self, request: Request) -> Response:
        """Mail the link."""
        if forms.is_foreign(request, self._site_url):
            return self._pages.foreign(request)
        given = await forms.fields(request)
        address, trapped = forms.text(given, "address"), bool(forms.text(given, forms.HONEYPOT))

        def ask(workspace: Workspace) -> Response:
            owner = _find(workspace, request)
            if owner is None:
                return self._pages.not_found(request)
            words = self._words(request, owner)
            try:
                if not trapped:
                    asking.request(workspace, owner.slug, address, forms.visitor(request))
            except AddressError:
                return self._form(owner, words, problem=forms.no_address(words), address=address)
            return self._pages.message(
                words,
                words.gettext("Now look into your mailbox"),
                words.gettext(
                    "If %(association)s writes to this address, a message with the link is on its way to it.",
                    association=owner.name,
                ),
                words.gettext(
                    "Nothing came after some minutes? Look into the folder for unwanted mail, and see whether you get "
                    "the newsletters at another address."
                ),
            )

        return await self._workspaces.run(ask)

    def _words(self, request: Request, owner: Association) -> Words:
        return self._pages.words(request, Wishes(last=(owner.language,)))

    def _form(self, owner: Association, words: Words, *, problem: str = "", address: str = "") -> Response:
        response = self._pages.response(
            words,
            "preferences",
            status=400 if problem else 200,
            association=owner,
            problem=problem,
            address=address,
            honeypot=forms.HONEYPOT,
        )
        response.headers.update(forms.OWN_FORMS)
        return response


def _find(workspace: Workspace, request: Request) -> Association | None:
    slug = request.path_params["association"]
    return next((each for each in workspace.associations() if each.slug == slug), None)
