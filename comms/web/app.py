"""Puts the web face together: routes, headers, limits, and what is answered when something is wrong."""

from __future__ import annotations

from pathlib import Path

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from comms import config
from comms.db import DATABASE_ERRORS
from comms.engine.workspace import LOCALE
from comms.errors import CommsError
from comms.language.catalogues import Catalogues
from comms.language.words import marked
from comms.web.archive import ArchivePages
from comms.web.bounces import BounceHooks
from comms.web.feeds import AtOnce, FeedRoutes
from comms.web.figures import FigureHooks
from comms.web.headers import SecurityHeaders, required
from comms.web.hub import HubRoutes
from comms.web.letters import Letters
from comms.web.metrics import MetricsPage
from comms.web.offer_feeds import OfferFeeds
from comms.web.pages import Pages
from comms.web.polls import Polls
from comms.web.private_feeds import PrivateFeedRoutes
from comms.web.publications import Publications
from comms.web.relays import Relays
from comms.web.requests import PreferenceRequests
from comms.web.signups import SignUpPages
from comms.web.subscriptions import Subscriptions
from comms.web.workspaces import Workspaces

log = structlog.get_logger(__name__)

MAX_BODY = 64 * 1024
"""Bytes that a request may carry; our longest form has a few hundred."""
_REFUSALS = {
    400: marked("This request can not be read"),
    405: marked("That can not be done here"),
    413: marked("This is too much"),
}
_REFUSED = marked("This does not work")


def create_app(folder: Path) -> Starlette:
    """The web face of the workspace in `folder`.

    Raises WorkspaceError or ConfigError when the folder is no workspace that can be used.
    """
    workspaces = Workspaces(folder)
    settings = config.load(folder)
    pages = Pages(settings, Catalogues(folder / LOCALE))
    feeds = FeedRoutes(workspaces, pages, settings)
    app = Starlette(
        routes=[
            *Letters(workspaces, pages).routes(),
            *Polls(workspaces, pages).routes(),
            *Subscriptions(workspaces, pages).routes(),
            *SignUpPages(workspaces, pages, settings.site.url).routes(),
            *PreferenceRequests(workspaces, pages, settings.site.url).routes(),
            *Relays(workspaces, pages, settings.site.url).routes(),
            *MetricsPage(workspaces, settings.metrics, pages).routes(),
            *BounceHooks(folder, settings.bounces, pages).routes(),
            *Publications(workspaces, pages, settings.site.url).routes(),
            *feeds.routes(),
            *OfferFeeds(workspaces, pages).routes(),
            *FigureHooks(workspaces).routes(),
            *HubRoutes(workspaces, settings.feeds).routes(),
            *PrivateFeedRoutes(workspaces, pages).routes(),
            *ArchivePages(workspaces, pages).routes(),
        ],
        middleware=[Middleware(AtOnce, feeds=feeds), Middleware(SecurityHeaders)],
        max_body_size=MAX_BODY,
    )
    # A redirect to the path with or without slash would be built from the Host header, which anyone can set.
    app.router.redirect_slashes = False

    def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return pages.not_found(request)
        words = pages.words(request)
        title = words.translated(_REFUSALS.get(error.status_code, _REFUSED))
        response = pages.message(words, title, words.gettext("Nothing was changed."), status=error.status_code)
        response.headers.update(error.headers or {})
        return response

    def unavailable(request: Request, error: Exception) -> Response:
        log.error("request failed", error=type(error).__name__, reason=str(error))
        return pages.unavailable(request)

    def broken(request: Request, error: Exception) -> Response:
        response = pages.broken(request)
        # This handler alone answers outside the middleware.
        response.headers.update(required(request.url.path))
        return response

    app.add_exception_handler(HTTPException, refused)
    for kind in (CommsError, *DATABASE_ERRORS):
        app.add_exception_handler(kind, unavailable)
    app.add_exception_handler(Exception, broken)
    return app
