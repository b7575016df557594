"""Turns data into pages: the Jinja templates of this package, and the pages for when something is wrong.

Every page speaks one language: the one that its visitor reads best of those that there are words for.
"""

from __future__ import annotations

import json
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from comms.config import Settings
from comms.engine.languages import Wishes
from comms.language import dates
from comms.language.catalogues import Catalogues
from comms.language.tags import accepted, direction, locale_of
from comms.language.words import Words
from comms.rendering.clean import clean

NOBODY_KNOWN = Wishes()


def _day(moment: date, language: str) -> str:
    return dates.day(moment, locale_of(language))


def _machine(data: Any) -> Markup:
    """JSON that can stand in a page: nothing in it ends the element or begins another one."""
    text = json.dumps(data, ensure_ascii=True)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


@lru_cache(maxsize=64)
def _environment(words: Words) -> Environment:
    environment = Environment(
        loader=PackageLoader("comms.web"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"day": _day, "harmless": Markup, "direction": direction, "machine": _machine}
    environment.install_gettext_translations(words.translations, newstyle=True)  # type: ignore[attr-defined]
    return environment


class Pages:
    """Renders pages whose links work wherever the site's address says that it lies."""

    def __init__(self, settings: Settings, catalogues: Catalogues) -> None:
        self._base = urlsplit(settings.site.url).path.rstrip("/")
        self._catalogues = catalogues

    def words(self, request: Request, wishes: Wishes = NOBODY_KNOWN) -> Words:
        """The language of a page: what is known of the reader, what the browser asks for, what the association speaks.

        The browser's header may come in several lines (RFC 9110 section 5.3).
        """
        header = ",".join(request.headers.getlist("accept-language"))
        return self._catalogues.words(*wishes.first, *accepted(header), *wishes.last)

    def html(self, words: Words, name: str, *, language: str = "", **values: Any) -> str:
        """Template `name` with `values`; every text in them is data and gets escaped.

        `language` is that of the page's content, where this is not our own words.
        """
        language = language or words.language
        template = _environment(words).get_template(f"{name}.html")
        ours = {"base": self._base, "words": words, "language": language, "spoken": words.beside(language)}
        return clean(template.render(**ours, **values))

    def response(self, words: Words, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(self.html(words, name, **values), status_code=status)

    def message(self, words: Words, title: str, *paragraphs: str, status: int = 200) -> HTMLResponse:
        """A page that says one thing, in words already translated."""
        return self.response(words, "message", status=status, title=title, paragraphs=paragraphs)

    def not_found(self, request: Request) -> HTMLResponse:
        """The same for all that does not exist, so that nobody can tell a near miss from a wild guess."""
        words = self.words(request)
        return self.message(
            words,
            words.gettext("This page does not exist"),
            words.gettext("The address may have been cut off when it was copied, or what it led to was taken away."),
            words.gettext("If you came from a newsletter, try the link in the mail itself once more."),
            status=404,
        )

    def foreign(self, request: Request) -> HTMLResponse:
        """For a form that a page of another site sent."""
        words = self.words(request)
        return self.message(
            words,
            words.gettext("Nothing was sent"),
            words.gettext("This form was sent from another web site."),
            words.gettext("Please use the page itself."),
            status=403,
        )

    def unavailable(self, request: Request) -> HTMLResponse:
        words = self.words(request)
        response = self.message(
            words,
            words.gettext("This does not work right now"),
            words.gettext("The fault is on our side, and nothing was changed. Please try again in a few minutes."),
            status=503,
        )
        response.headers["Retry-After"] = "120"
        return response

    def broken(self, request: Request) -> HTMLResponse:
        words = self.words(request)
        return self.message(
            words,
            words.gettext("Something went wrong"),
            words.gettext("The fault is on our side. Please try again later."),
            status=500,
        )
