"""Turns data into pages: the Jinja templates of this package, and the pages for when something is wrong."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from comms.config import Settings
from comms.rendering.clean import clean
from comms.rendering.strings import direction


def _printable(value: Any) -> Any:
    # Exactly str: Markup was cleaned when it was made.
    return clean(value) if type(value) is str else value


def _day(moment: date) -> str:
    return f"{moment.day} {moment:%B %Y}"


_ENVIRONMENT = Environment(
    loader=PackageLoader("comms.web"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_printable,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {"day": _day, "harmless": Markup, "direction": direction}


class Pages:
    """Renders pages whose links work wherever the site's address says that it lies."""

    def __init__(self, settings: Settings) -> None:
        self._base = urlsplit(settings.site.url).path.rstrip("/")

    def html(self, name: str, **values: Any) -> str:
        """Template `name` with `values`; every text in them is data and gets escaped."""
        return _ENVIRONMENT.get_template(f"{name}.html").render(base=self._base, **values)

    def response(self, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(self.html(name, **values), status_code=status)

    def message(self, title: str, *paragraphs: str, status: int = 200) -> HTMLResponse:
        """A page that says one thing."""
        return self.response("message", status=status, title=title, paragraphs=paragraphs)

    def not_found(self) -> HTMLResponse:
        """The same for all that does not exist, so that nobody can tell a near miss from a wild guess."""
        return self.message(
            "This page does not exist",
            "The address may have been cut off when it was copied, or what it led to was taken away.",
            "If you came from a newsletter, try the link in the mail itself once more.",
            status=404,
        )

    def unavailable(self) -> HTMLResponse:
        response = self.message(
            "This does not work right now",
            "The fault is on our side, and nothing was changed. Please try again in a few minutes.",
            status=503,
        )
        response.headers["Retry-After"] = "120"
        return response

    def broken(self) -> HTMLResponse:
        return self.message(
            "Something went wrong",
            "The fault is on our side. Please try again later.",
            status=500,
        )
