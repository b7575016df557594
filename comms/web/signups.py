"""The sign-up page of an association, and the page behind the link that confirms a sign-up."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from audiences.errors import AddressError
from comms.engine import signup
from comms.engine.languages import speaks
from comms.engine.signup import Form, Stage
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.language.words import Words
from comms.web import forms
from comms.web.pages import Pages
from comms.web.workspaces import Workspaces


class SignUpPages:
    """Routes of signing up. Whoever asks gets the same answer, whatever is known of the address."""

    def __init__(self, workspaces: Workspaces, pages: Pages, site_url: str) -> None:
        self._workspaces = workspaces
        self._pages = pages
        self._site_url = site_url

    def routes(self) -> list[Route]:
        return [
            Route("/subscribe/{association}", self.form, methods=["GET"]),
            Route("/subscribe/{association}", self.request, methods=["POST"]),
            Route("/s/{token}", self.look, methods=["GET"]),
            Route("/s/{token}", self.confirm, methods=["POST"]),
        ]

    def form(self, request: Request) -> Response:
        """What can be signed up for, and what that means."""
        workspace = self._workspaces.here()
        words = self._words(request, workspace)
        form = signup.form(workspace, request.path_params["association"], words)
        return self._form(words, form) if form else self._pages.not_found(request)

    async def request(self, request: Request) -> Response:
        """Mail the link."""
        if forms.is_foreign(request, self._site_url):
            return self._pages.foreign(request)
        given = await forms.fields(request)
        address, language = forms.text(given, "address"), forms.text(given, "language")
        topics, ip = forms.texts(given, "topic"), forms.visitor(request)
        trapped = bool(forms.text(given, forms.HONEYPOT))
        association = request.path_params["association"]

        def ask(workspace: Workspace) -> Response:
            words = self._words(request, workspace)
            form = signup.form(workspace, association, words)
            if form is None:
                return self._pages.not_found(request)
            try:
                if not trapped:
                    signup.request(workspace, association, address, topics, language, ip)
            except AddressError:
                problem = forms.no_address(words)
                return self._form(words, form, problem=problem, address=address, chosen=topics, language=language)
            except UsageError as error:
                problem = forms.sentences(error, words)
                return self._form(words, form, problem=problem, address=address, chosen=topics, language=language)
            return self._pages.message(
                words,
                words.gettext("Now look into your mailbox"),
                words.gettext(
                    "We have sent a message to the address that you gave. Follow the link in it within three days: "
                    "only then %(association)s writes to you.",
                    association=form.association.name,
                ),
                words.gettext(
                    "Nothing came after some minutes? Look into the folder for unwanted mail, and see whether the "
                    "address was typed right."
                ),
            )

        return await self._workspaces.run(ask)

    def look(self, request: Request) -> Response:
        """The page with the button that confirms; opening it changes nothing."""
        view = signup.look(self._workspaces.here(), request.path_params["token"])
        return self._confirmation(request, view)

    async def confirm(self, request: Request) -> Response:
        """The button itself."""
        token, ip = request.path_params["token"], forms.visitor(request)
        view = await self._workspaces.run(lambda w: signup.confirm(w, token, ip))
        return self._confirmation(request, view)

    def _confirmation(self, request: Request, view: signup.Confirmation | None) -> Response:
        if view is None:
            return self._pages.not_found(request)
        gone = view.stage in (Stage.USED, Stage.EXPIRED)
        words = self._pages.words(request, view.wishes)
        return self._pages.response(
            words, "confirmation", status=410 if gone else 200, view=view, token=request.path_params["token"]
        )

    def _words(self, request: Request, workspace: Workspace) -> Words:
        return self._pages.words(request, speaks(workspace, request.path_params["association"]))

    def _form(
        self,
        words: Words,
        form: Form,
        *,
        problem: str = "",
        address: str = "",
        chosen: set[str] | frozenset[str] = frozenset(),
        language: str = "",
    ) -> Response:
        spoken = next((tag for tag in form.languages if tag.split("-")[0].lower() == words.language), "")
        response = self._pages.response(
            words,
            "subscribe",
            status=400 if problem else 200,
            form=form,
            problem=problem,
            address=address,
            chosen=chosen,
            chosen_language=language or spoken or form.association.language,
            honeypot=forms.HONEYPOT,
        )
        response.headers.update(forms.OWN_FORMS)
        return response
