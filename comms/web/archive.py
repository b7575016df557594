"""What was published, as pages: each entry for good, the lists by year, and the search."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comms.engine import archive
from comms.engine.languages import Wishes
from comms.web.conditional import BY_LANGUAGE, Prepared, public_response
from comms.web.pages import Pages
from comms.web.workspaces import Workspaces

_YEAR = re.compile(r"[0-9]{4}", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
_LONGEST_SEARCH = 200


class ArchivePages:
    """Routes of everything that was published and stays."""

    def __init__(self, workspaces: Workspaces, pages: Pages) -> None:
        self._workspaces = workspaces
        self._pages = pages

    def routes(self) -> list[Route]:
        return [Route("/a/{association}", self.list), Route("/a/{association}/{campaign}", self.entry)]

    def list(self, request: Request) -> Response:
        """By year or by search, a page at a time."""
        asked = request.query_params
        year, number = asked.get("year", ""), asked.get("page", "1")
        words = asked.get("q", "")[:_LONGEST_SEARCH]
        if (year and not _YEAR.fullmatch(year)) or not _NUMBER.fullmatch(number):
            return self._pages.not_found(request)
        page = archive.archive_page(
            self._workspaces.here(), request.path_params["association"], year=year, words=words, page=int(number)
        )
        if page is None:
            return self._pages.not_found(request)

        def address(number: int) -> str:
            fields = {"q": page.words, "year": page.year, "page": str(number) if number > 1 else ""}
            query = urlencode({name: value for name, value in fields.items() if value}, errors="replace")
            return f"{page.association.archive}{f'?{query}' if query else ''}"

        spoken = self._pages.words(request, Wishes(last=(page.association.language,)))
        html = self._pages.html(spoken, "archive", page=page, address=address)
        response = public_response(request.headers, html.encode(), "text/html", vary=BY_LANGUAGE)
        if words:
            # A search is nobody's page to find: only what it finds.
            response.headers["X-Robots-Tag"] = "noindex"
        return response

    def entry(self, request: Request) -> Response:
        """One entry; 410 once it was withdrawn, with the reason (RFC 9110 section 15.5.11)."""
        page = archive.entry_page(self._workspaces.here(), **request.path_params)
        if page is None:
            return self._pages.not_found(request)
        words = self._pages.words(request, Wishes((page.language,)))
        html = self._pages.html(words, "entry", language=page.language, page=page)
        prepared = Prepared(html.encode(), "text/html")
        return prepared.response(request.headers, status=410 if page.withdrawn else 200, vary=BY_LANGUAGE)
