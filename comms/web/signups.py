"""The sign-up page of an association, and the page behind the link that confirms a sign-up."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from audiences.errors import AddressError
from comms.engine import signup
from comms.engine.signup import Form, Stage
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.web import forms
from comms.web.pages import Pages
from comms.web.workspaces import Workspaces

HONEYPOT = "website"
"""A field that people do not see, and programs that fill in every form do."""
# Under `no-referrer`, as our other pages have it, browsers send the form with an origin that says nothing.
_OWN_FORMS = {"Referrer-Policy": "same-origin", "Cache-Control": "no-store"}


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
        form = signup.form(self._workspaces.here(), request.path_params["association"])
        return self._form(form) if form else self._pages.not_found()

    async def request(self, request: Request) -> Response:
        """Mail the link."""
        if forms.is_foreign(request, self._site_url):
            return self._pages.message(
                "Nothing was sent",
                "This form was sent from another web site.",
                "Please use the sign-up page itself.",
                status=403,
            )
        given = await forms.fields(request)
        address, language = forms.text(given, "address"), forms.text(given, "language")
        topics, ip = forms.texts(given, "topic"), forms.visitor(request)
        trapped = bool(forms.text(given, HONEYPOT))
        association = request.path_params["association"]

        def ask(workspace: Workspace) -> Response:
            form = signup.form(workspace, association)
            if form is None:
                return self._pages.not_found()
            try:
                if not trapped:
                    signup.request(workspace, association, address, topics, language, ip)
            except AddressError:
                problem = "This does not look like an e-mail address. It should be like name@example.org."
                return self._form(form, problem=problem, address=address, chosen=topics, language=language)
            except UsageError as error:
                problem = forms.sentences(error)
                return self._form(form, problem=problem, address=address, chosen=topics, language=language)
            return self._pages.message(
                "Now look into your mailbox",
                f"We have sent a message to the address that you gave. Follow the link in it within three days: only "
                f"then {form.association.name} writes to you.",
                "Nothing came after some minutes? Look into the folder for unwanted mail, and see whether the address "
                "was typed right.",
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
            return self._pages.not_found()
        gone = view.stage in (Stage.USED, Stage.EXPIRED)
        return self._pages.response(
            "confirmation", status=410 if gone else 200, view=view, token=request.path_params["token"]
        )

    def _form(
        self,
        form: Form,
        *,
        problem: str = "",
        address: str = "",
        chosen: set[str] | frozenset[str] = frozenset(),
        language: str = "",
    ) -> Response:
        response = self._pages.response(
            "subscribe",
            status=400 if problem else 200,
            form=form,
            problem=problem,
            address=address,
            chosen=chosen,
            language=language or form.association.language,
            honeypot=HONEYPOT,
        )
        response.headers.update(_OWN_FORMS)
        return response
