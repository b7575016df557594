"""The page behind the unsubscribe link: stop with one click, or choose less, later, another language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from audiences.models import Frequency
from comms.engine import preferences, stops
from comms.engine.preferences import SubscriptionView
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.web import forms
from comms.web.pages import Pages
from comms.web.workspaces import Workspaces

_SAVED = "Your choice is saved."
_FREQUENCY = "frequency-"
Choice = Callable[[Workspace, str, FormData], SubscriptionView | None]
"""Does for a token what a form says. Raises UsageError for what is not offered."""


class Subscriptions:
    """Routes of the subscription page. GET and HEAD change nothing: scanners follow every link."""

    def __init__(self, workspaces: Workspaces, pages: Pages) -> None:
        self._workspaces = workspaces
        self._pages = pages

    def routes(self) -> list[Route]:
        choices: dict[str, Choice] = {
            "topics": _topics,
            "pause": _pause,
            "language": _language,
            "relays": _relays,
            "tracking": _tracking,
        }
        return [
            Route("/u/{token}", self.page, methods=["GET"]),
            Route("/u/{token}", self.unsubscribe, methods=["POST"]),
            *(
                Route(f"/u/{{token}}/{name}", self._saving(choice), methods=["POST"])
                for name, choice in choices.items()
            ),
        ]

    def page(self, request: Request) -> Response:
        """The page with one button."""
        token = request.path_params["token"]
        view = preferences.subscription_page(self._workspaces.here(), token)
        if view is not None:
            return self._page(token, view)
        association = preferences.newsletter_of(self._workspaces.here(), token)
        if association is None:
            return self._pages.not_found()
        return self._pages.message(
            "Unsubscribe from your own copy",
            f"You are reading a newsletter of {association} on the web, and this page can not know whose copy it is.",
            "To stop receiving it, use the unsubscribe link in the mail that was sent to you.",
        )

    async def unsubscribe(self, request: Request) -> Response:
        """The page's own button, or a mail program's request (RFC 8058 sections 3.1 and 3.2): 200, no redirect."""
        form = await forms.fields(request)
        token = request.path_params["token"]
        if form.get("List-Unsubscribe") == "One-Click":
            view = await self._workspaces.run(lambda w: stops.unsubscribe(w, token, source=preferences.ONE_CLICK))
            return PlainTextResponse("You are unsubscribed.\n") if view else self._pages.not_found()
        if form.get("confirm") != "unsubscribe":
            return self._pages.message(
                "Nothing was changed",
                "The request did not say what to do. Please use the button on the page.",
                status=400,
            )
        view = await self._workspaces.run(lambda w: stops.unsubscribe(w, token, source=preferences.PAGE))
        return self._answer(token, view, "You are unsubscribed.")

    def _saving(self, choice: Choice) -> Callable[[Request], object]:
        async def save(request: Request) -> Response:
            form = await forms.fields(request)
            token = request.path_params["token"]
            try:
                view = await self._workspaces.run(lambda w: choice(w, token, form))
            except UsageError as error:
                return self._pages.message("Nothing was changed", forms.sentences(error), status=400)
            return self._answer(token, view, _SAVED)

        return save

    def _answer(self, token: str, view: SubscriptionView | None, done: str) -> Response:
        return self._page(token, view, done=done) if view else self._pages.not_found()

    def _page(self, token: str, view: SubscriptionView, *, done: str = "") -> Response:
        return self._pages.response("subscription", view=view, token=token, done="" if view.erased else done)


def _topics(workspace: Workspace, token: str, form: FormData) -> SubscriptionView | None:
    frequencies = {
        name.removeprefix(_FREQUENCY): Frequency(value)
        for name, value in form.multi_items()
        if name.startswith(_FREQUENCY) and value in list(Frequency)
    }
    return preferences.choose_topics(workspace, token, forms.texts(form, "topic"), frequencies)


def _pause(workspace: Workspace, token: str, form: FormData) -> SubscriptionView | None:
    months, until = forms.text(form, "months"), forms.text(form, "until")
    if form.get("end") == "now":
        return preferences.pause(workspace, token, None)
    if months:
        offered = {str(number): number for number in preferences.PAUSES}
        return preferences.pause_months(workspace, token, offered.get(months, 0))
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise UsageError("this is no day.", hint="Write it as year, month and day, such as 2027-03-31.") from None
    return preferences.pause(workspace, token, day)


def _language(workspace: Workspace, token: str, form: FormData) -> SubscriptionView | None:
    return preferences.set_language(workspace, token, forms.text(form, "language"))


def _relays(workspace: Workspace, token: str, form: FormData) -> SubscriptionView | None:
    return preferences.set_relays(workspace, token, stop=form.get("stop") == "yes")


def _tracking(workspace: Workspace, token: str, form: FormData) -> SubscriptionView | None:
    return preferences.set_tracking(workspace, token, agree=form.get("agree") == "yes")
