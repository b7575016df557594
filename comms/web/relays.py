"""The page where those who speak for an association answer an offer, behind the link in their mail.

GET and HEAD change nothing, for scanners follow every link: that somebody has seen the offer is noted when the page's
own script says so, or with the first answer.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from comms.engine.languages import Wishes
from comms.engine.relaying import answering, linking, looking, seating, showing
from comms.engine.relaying.seating import Sitting
from comms.engine.workspace import Workspace
from comms.errors import StateError
from comms.language.words import Words, marked
from comms.rendering.errors import RenderError
from comms.web import forms, relay_answers
from comms.web.conditional import public_response
from comms.web.headers import CSP, NEWSLETTER_POLICY, PAGE_POLICY
from comms.web.pages import Pages
from comms.web.relay_answers import DONE, Answer, RefusedError
from comms.web.relay_view import view
from comms.web.workspaces import Workspaces

SCRIPTED = {
    **forms.OWN_FORMS,
    CSP: f"{PAGE_POLICY}; script-src 'self'; connect-src 'self'; frame-src 'self'",
}
FRAMED = {
    CSP: NEWSLETTER_POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'"),
    "X-Frame-Options": "SAMEORIGIN",
}
"""Of the preview, which the page shows in a frame."""
MAX_BODY = 1024 * 1024
"""Bytes of a form with the texts of several open places."""
_SCRIPT = Path(__file__).parent / "static" / "relay.js"
_INDEX = re.compile(r"[0-9]{1,6}", re.ASCII)
_MEANWHILE = marked("That was not done, because something changed meanwhile. Here is how it stands now.")
_OBSTACLE = marked("It can not be sent as it is. What is wrong stands below.")
_RELOAD = marked("Saved. More was changed meanwhile: load this page again before you accept.")
_NOT_YET = marked("Saved. It can not be sent as it is yet: what is wrong stands below.")
_STALE = marked("The text was changed after you looked at it. Please look once more, then accept.")


class Relays:
    """Routes of the page of an offer."""

    def __init__(self, workspaces: Workspaces, pages: Pages, site_url: str) -> None:
        self._workspaces = workspaces
        self._pages = pages
        self._site_url = site_url
        self._base = urlsplit(site_url).path.rstrip("/")
        self._script = _SCRIPT.read_bytes()

    def routes(self) -> list[Route]:
        answers: dict[str, Answer] = {
            "": relay_answers.answer,
            "/seen": relay_answers.seen,
            "/time": relay_answers.choose_time,
            "/decline": relay_answers.decline,
            "/question": relay_answers.question,
            "/colleague": relay_answers.colleague,
            "/correction": relay_answers.correction,
            "/figures": relay_answers.figures,
        }
        return [
            Route("/relay.js", self.script),
            Route("/l/{token}", self.page, methods=["GET"]),
            Route("/l/{token}/preview/{language}", self.preview),
            Route("/l/{token}/link/{language}/{index}", self.link),
            Route("/l/{token}/again", self.again, methods=["POST"]),
            *(
                Route(f"/l/{{token}}{path}", self._posted(answer), methods=["POST"], max_body_size=MAX_BODY)
                for path, answer in answers.items()
            ),
        ]

    def script(self, request: Request) -> Response:
        """What saves as people write."""
        return public_response(request.headers, self._script, "text/javascript", max_age=3600)

    def page(self, request: Request) -> Response:
        """The offer, and every way to answer it."""
        workspace = self._workspaces.here()
        sitting = seating.sitting(workspace, request.path_params["token"])
        if sitting is None:
            return self._over(request, workspace)
        return self._page(request, workspace, sitting, done=DONE.get(request.query_params.get("done", ""), ""))

    def preview(self, request: Request) -> Response:
        """The newsletter as the association sends it."""
        workspace, token, language = self._workspaces.here(), *_names(request, "token", "language")
        sitting = seating.sitting(workspace, token)
        shown = showing.editions(workspace, sitting.relay).get(language) if sitting else None
        if sitting is None or shown is None:
            return self._pages.not_found(request)
        try:
            association = workspace.association(sitting.relay.association)
            html = showing.rendered(workspace, association, shown, f"{self._base}/l/{token}/link/{language}").html
        except RenderError as error:
            words = self._words(request, workspace, sitting)
            return self._pages.message(words, words.gettext("There is no preview"), str(error), status=409)
        return HTMLResponse(html, headers=FRAMED)

    def link(self, request: Request) -> Response:
        """302 to where a link of the previewed newsletter leads, so that it can be tried; nothing is counted."""
        workspace, token, language, index = self._workspaces.here(), *_names(request, "token", "language", "index")
        sitting = seating.sitting(workspace, token)
        shown = showing.editions(workspace, sitting.relay).get(language) if sitting else None
        url = showing.link(shown, int(index)) if shown and _INDEX.fullmatch(index) else None
        return RedirectResponse(url, status_code=302) if url else self._pages.not_found(request)

    async def again(self, request: Request) -> Response:
        """Mail a new link to whom an old one was mailed."""
        if forms.is_foreign(request, self._site_url):
            return self._pages.foreign(request)

        def mail(workspace: Workspace) -> Response:
            sitting = seating.lapsed(workspace, request.path_params["token"])
            if sitting is None:
                return self._over(request, workspace)
            linking.again(workspace, sitting)
            words = self._words(request, workspace, sitting)
            return self._pages.message(
                words,
                words.gettext("Now look into your mailbox"),
                words.gettext("A new link goes to the address that the old one was mailed to."),
                words.gettext(
                    "Nothing came after some minutes? Look into the folder for unwanted mail. There is one link in ten "
                    "minutes at most."
                ),
            )

        return await self._workspaces.run(mail)

    # --- answers ------------------------------------------------------------------------------

    def _posted(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        async def post(request: Request) -> Response:
            if forms.is_foreign(request, self._site_url):
                return self._pages.foreign(request)
            form = await forms.fields(request)
            return await self._workspaces.run(lambda workspace: self._do(workspace, request, form, answer))

        return post

    def _do(self, workspace: Workspace, request: Request, form: FormData, answer: Answer) -> Response:
        """What one form asks for. Whatever stands in its way is said on the page, as it is by then."""
        token = request.path_params["token"]
        sitting = seating.sitting(workspace, token)
        if sitting is None:
            return self._over(request, workspace)
        was_known = _is_script(request) and relay_answers.is_known(workspace, sitting, form)
        try:
            done = answer(workspace, sitting, form)
        except RefusedError as error:
            refused = error
        except StateError as error:
            refused = _refused(workspace, sitting, error, form)
        else:
            if not DONE[done]:
                return Response(status_code=204)
            if _is_script(request):
                return self._told(workspace, request, token, forms.text(form, "fingerprint"), was_known=was_known)
            return RedirectResponse(f"{self._base}/l/{token}?done={done}", status_code=303)
        if _is_script(request):
            said = self._words(request, workspace, sitting).translated(refused.problem)
            return JSONResponse({"said": said}, status_code=refused.status)
        sitting = seating.sitting(workspace, token)
        if sitting is None:
            return self._over(request, workspace)
        return self._page(request, workspace, sitting, refused=refused)

    def _told(
        self, workspace: Workspace, request: Request, token: str, fingerprint: str, *, was_known: bool
    ) -> Response:
        """To the page's script: how things stand once something is saved. Where more was changed than the page shows,
        it keeps its old `fingerprint`, with which nothing is accepted."""
        sitting = seating.sitting(workspace, token)
        if sitting is None:
            return JSONResponse({"said": ""}, status_code=410)
        words = self._words(request, workspace, sitting)
        shown = view(workspace, sitting, words)
        places = {each.place.name: {"mark": each.mark, "problems": list(each.place.problems)} for each in shown.places}
        desk = shown.desk
        saved = words.translated(_NOT_YET) if desk.obstacle else words.gettext("Saved")
        return JSONResponse(
            {
                "said": saved if was_known else words.translated(_RELOAD),
                "fingerprint": desk.fingerprint if was_known else fingerprint,
                "places": places,
                "obstacle": desk.obstacle,
            }
        )

    # --- pages --------------------------------------------------------------------------------

    def _page(
        self,
        request: Request,
        workspace: Workspace,
        sitting: Sitting,
        *,
        done: str = "",
        refused: RefusedError | None = None,
    ) -> Response:
        words = self._words(request, workspace, sitting)
        texts: Mapping[str, str] = refused.texts if refused else MappingProxyType({})
        at, numbers = (refused.at, refused.figures) if refused else (None, None)
        shown = view(workspace, sitting, words, typed=texts, at=at, numbers=numbers)
        if done == DONE["saved"] and shown.desk.obstacle:
            done = _NOT_YET
        return self._response(
            words,
            "relay",
            status=refused.status if refused else 200,
            view=shown,
            token=request.path_params["token"],
            done=words.translated(done),
            problem=words.translated(refused.problem) if refused else "",
        )

    def _over(self, request: Request, workspace: Workspace) -> Response:
        """For a link that answers nothing (any more); of one that was never ours nothing is said."""
        token = request.path_params["token"]
        sitting = seating.lapsed(workspace, token)
        if sitting is not None:
            words = self._words(request, workspace, sitting)
            return self._response(words, "relay_over", status=410, token=token)
        if not seating.unseated(workspace, token):
            return self._pages.not_found(request)
        host = workspace.association(None)
        words = self._pages.words(request, Wishes(last=(host.language,)))
        return self._pages.message(
            words,
            words.gettext("This link is over"),
            words.gettext("The seat that it was mailed to is not there any more, so it answers nothing."),
            words.gettext(
                "If you should have one, please write to %(host)s: %(address)s",
                host=host.name,
                address=host.reply_to or host.sender_address,
            ),
            status=410,
        )

    def _response(self, words: Words, name: str, *, status: int, **values: Any) -> HTMLResponse:
        response = self._pages.response(words, name, status=status, **values)
        response.headers.update(SCRIPTED if name == "relay" else forms.OWN_FORMS)
        return response

    def _words(self, request: Request, workspace: Workspace, sitting: Sitting) -> Words:
        return self._pages.words(request, Wishes(last=(workspace.association(sitting.relay.association).language,)))


def _names(request: Request, *names: str) -> list[str]:
    return [request.path_params[name] for name in names]


def _refused(workspace: Workspace, sitting: Sitting, error: StateError, form: FormData) -> RefusedError:
    """What the page says of an answer that came too late, or of something that can not be sent."""
    if error.message == answering.STALE:
        return RefusedError(_STALE, status=409)
    row = workspace.relays.relay_by_id(sitting.relay.id)
    assert row is not None, "a link leads to it"
    obstacle = looking.desk(workspace, row).obstacle
    return RefusedError(_OBSTACLE if obstacle else _MEANWHILE, status=409, texts=relay_answers.typed(form))


def _is_script(request: Request) -> bool:
    return request.headers.get("accept") == "application/json"
