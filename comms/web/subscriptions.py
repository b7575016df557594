"""The page behind the unsubscribe link: stop with one click, or choose less, later, another language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from audiences.models import Frequency
from comms.engine import preferences, private_feeds, stops, subscription
from comms.engine.languages import wishes
from comms.engine.subscription import SubscriptionView
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.language.words import Words, marked
from comms.web import forms
from comms.web.pages import Pages
from comms.web.workspaces import Workspaces

_SAVED = marked("Your choice is saved.")
_STOPPED = marked("You are unsubscribed.")
_FREQUENCY = "frequency-"
Choice = Callable[[Workspace, str, FormData, Words], object]
"""Does for a token what a form says, in the words of its page. Raises UsageError for what is not offered."""


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
            "through": _through,
            "everything": _everything,
            "tracking": _tracking,
            "feed/end": _end_feed,
        }
        return [
            Route("/u/{token}", self.page, methods=["GET"]),
            Route("/u/{token}", self.unsubscribe, methods=["POST"]),
            Route("/u/{token}/feed", self.make_feed, methods=["POST"]),
            *(
                Route(f"/u/{{token}}/{name}", self._saving(choice), methods=["POST"])
                for name, choice in choices.items()
            ),
        ]

    def page(self, request: Request) -> Response:
        """The page with one button."""
        token, workspace = request.path_params["token"], self._workspaces.here()
        words = self._words(request, workspace)
        view = subscription.page(workspace, token, words)
        if view is not None:
            return self._page(token, view, words)
        association = subscription.newsletter_of(workspace, token)
        if association is None:
            return self._pages.not_found(request)
        return self._pages.message(
            words,
            words.gettext("Unsubscribe from your own copy"),
            words.gettext(
                "You are reading a newsletter of %(association)s on the web, and this page can not know whose copy "
                "it is.",
                association=association,
            ),
            words.gettext("To stop receiving it, use the unsubscribe link in the mail that was sent to you."),
        )

    async def unsubscribe(self, request: Request) -> Response:
        """The page's own button, or a mail program's request (RFC 8058 sections 3.1 and 3.2): 200, no redirect."""
        form = await forms.fields(request)
        token = request.path_params["token"]
        one_click = form.get("List-Unsubscribe") == "One-Click"
        if not one_click and form.get("confirm") != "unsubscribe":
            words = self._pages.words(request)
            return self._pages.message(
                words,
                words.gettext("Nothing was changed"),
                words.gettext("The request did not say what to do. Please use the button on the page."),
                status=400,
            )

        def stop(workspace: Workspace) -> Response:
            words = self._words(request, workspace)
            source = preferences.ONE_CLICK if one_click else preferences.PAGE
            view = stops.unsubscribe(workspace, token, source=source, words=words)
            if view is None:
                return self._pages.not_found(request)
            if one_click:
                return PlainTextResponse(f"{words.translated(_STOPPED)}\n")
            return self._page(token, view, words, done=_STOPPED)

        return await self._workspaces.run(stop)

    async def make_feed(self, request: Request) -> Response:
        """A feed of the person's own, whose addresses this answer shows and no other."""
        token = request.path_params["token"]

        def make(workspace: Workspace) -> Response:
            words = self._words(request, workspace)
            try:
                urls = private_feeds.make(workspace, token)
            except UsageError as error:
                return self._refused(words, error)
            view = subscription.page(workspace, token, words)
            if urls is None or view is None:
                return self._pages.not_found(request)
            return self._pages.response(words, "feed_address", association=view.association, feed=urls, token=token)

        return await self._workspaces.run(make)

    def _saving(self, choice: Choice) -> Callable[[Request], object]:
        async def save(request: Request) -> Response:
            form = await forms.fields(request)
            token = request.path_params["token"]

            def choose(workspace: Workspace) -> Response:
                words = self._words(request, workspace)
                try:
                    choice(workspace, token, form, words)
                except UsageError as error:
                    return self._refused(words, error)
                words = self._words(request, workspace)  # the language may be what was chosen
                view = subscription.page(workspace, token, words)
                return self._page(token, view, words, done=_SAVED) if view else self._pages.not_found(request)

            return await self._workspaces.run(choose)

        return save

    def _words(self, request: Request, workspace: Workspace) -> Words:
        return self._pages.words(request, wishes(workspace, request.path_params["token"]))

    def _refused(self, words: Words, error: UsageError) -> Response:
        title = words.gettext("Nothing was changed")
        return self._pages.message(words, title, forms.sentences(error, words), status=400)

    def _page(self, token: str, view: SubscriptionView, words: Words, *, done: str = "") -> Response:
        said = "" if view.erased else words.translated(done)
        return self._pages.response(words, "subscription", view=view, token=token, done=said)


def _topics(workspace: Workspace, token: str, form: FormData, words: Words) -> SubscriptionView | None:
    frequencies = {
        name.removeprefix(_FREQUENCY): Frequency(value)
        for name, value in form.multi_items()
        if name.startswith(_FREQUENCY) and value in list(Frequency)
    }
    return preferences.choose_topics(workspace, token, forms.texts(form, "topic"), frequencies, words=words)


def _pause(workspace: Workspace, token: str, form: FormData, words: Words) -> SubscriptionView | None:
    months, until = forms.text(form, "months"), forms.text(form, "until")
    if form.get("end") == "now":
        return preferences.pause(workspace, token, None)
    if months:
        offered = {str(number): number for number in subscription.PAUSES}
        return preferences.pause_months(workspace, token, offered.get(months, 0))
    try:
        day = date.fromisoformat(until)
    except ValueError:
        hint = marked("Write it as year, month and day, such as 2027-03-31.")
        raise UsageError(marked("this is no day."), hint=hint) from None
    return preferences.pause(workspace, token, day)


def _language(workspace: Workspace, token: str, form: FormData, words: Words) -> SubscriptionView | None:
    return preferences.set_language(workspace, token, forms.text(form, "language"))


def _relays(workspace: Workspace, token: str, form: FormData, words: Words) -> SubscriptionView | None:
    return preferences.set_relays(workspace, token, stop=form.get("stop") == "yes")


def _through(workspace: Workspace, token: str, form: FormData, words: Words) -> SubscriptionView | None:
    return preferences.prefer(workspace, token, this=form.get("this") == "yes")


def _everything(workspace: Workspace, token: str, form: FormData, words: Words) -> SubscriptionView | None:
    return preferences.stop_all(workspace, token, words=words)


def _tracking(workspace: Workspace, token: str, form: FormData, words: Words) -> SubscriptionView | None:
    return preferences.set_tracking(workspace, token, agree=form.get("agree") == "yes", words=words)


def _end_feed(workspace: Workspace, token: str, form: FormData, words: Words) -> None:
    private_feeds.end(workspace, token)
