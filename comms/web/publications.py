"""The front page (follow us), files for calendars, the files of the media folder, and whether all is well."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from comms.db import DATABASE_ERRORS
from comms.engine import listings, occasions
from comms.engine.languages import Wishes
from comms.engine.pictures import ATTACHMENTS
from comms.errors import CommsError
from comms.web.conditional import BY_LANGUAGE, is_known, public_response
from comms.web.headers import CSP, FILE_POLICY
from comms.web.pages import Pages
from comms.web.workspaces import Workspaces

_SHOWN = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
"""What a browser may show by itself; everything else is offered as a download."""
_SAVED = {**ATTACHMENTS, ".svg": "image/svg+xml"}
"""Types that are named all the same: `<img>` shows a drawing only by its type, and runs nothing in it."""
_EVENT = re.compile(r"[0-9]{1,4}", re.ASCII)
_STYLE = Path(__file__).parent / "static" / "site.css"
_DAY_S = 86_400


class Publications:
    """Routes of everything that anyone may read."""

    def __init__(self, workspaces: Workspaces, pages: Pages, site: str) -> None:
        self._workspaces = workspaces
        self._pages = pages
        self._site = site
        self._style = _STYLE.read_bytes()

    def routes(self) -> list[Route]:
        return [
            Route("/", self.home),
            Route("/healthz", self.health),
            Route("/site.css", self.style),
            Route("/e/{association}/{campaign}/{number}.ics", self.calendar),
            Route("/e/{association}/{campaign}/{variant}/{number}.ics", self.calendar),
            Route("/media/{path:path}", self.media),
        ]

    def home(self, request: Request) -> Response:
        """Who publishes here, and how to follow them."""
        workspace = self._workspaces.here()
        words = self._pages.words(request, Wishes(last=(workspace.association(None).language,)))
        found, opml = listings.listings(workspace), f"{self._site}/feeds.opml"
        page = self._pages.html(words, "home", listings=found, opml=opml)
        return public_response(request.headers, page.encode(), "text/html", vary=BY_LANGUAGE)

    def health(self, request: Request) -> Response:
        """200 when the databases can be read, else 503; says nothing more, for anyone may ask."""
        try:
            self._workspaces.here().associations()
        except (CommsError, *DATABASE_ERRORS):
            return JSONResponse({"status": "unavailable"}, status_code=503, headers={"Cache-Control": "no-store"})
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    def style(self, request: Request) -> Response:
        return public_response(request.headers, self._style, "text/css", max_age=3600)

    def calendar(self, request: Request) -> Response:
        """One event of a campaign, for calendars."""
        names = request.path_params
        number = int(names["number"]) if _EVENT.fullmatch(names["number"]) else -1
        variant = names.get("variant", "")
        file = occasions.calendar_file(
            self._workspaces.here(), names["association"], names["campaign"], number, variant
        )
        if file is None:
            return self._pages.not_found(request)
        response = public_response(request.headers, file, "text/calendar; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{names["campaign"]}.ics"'
        return response

    def media(self, request: Request) -> Response:
        """A file of the media folder and of nowhere else, whatever path or symbolic link leads out of it."""
        path = _inside(self._workspaces.here().media_folder, request.path_params["path"])
        if path is None:
            return self._pages.not_found(request)
        suffix = path.suffix.lower()
        status = path.stat()
        response = FileResponse(
            path,
            media_type=_SHOWN.get(suffix) or _SAVED.get(suffix, "application/octet-stream"),
            headers={
                CSP: FILE_POLICY,
                "Cache-Control": f"public, max-age={_DAY_S}",
                # Mail programs on the web and feed readers show it in pages of their own.
                "Cross-Origin-Resource-Policy": "cross-origin",
            },
            filename=path.name,
            content_disposition_type="inline" if suffix in _SHOWN else "attachment",
            stat_result=status,
        )
        tag = response.headers["ETag"]
        modified = datetime.fromtimestamp(status.st_mtime, UTC)
        if is_known(request.headers, {tag.strip('"')}, modified):
            kept = {name: response.headers[name] for name in ("ETag", "Last-Modified", "Cache-Control")}
            return Response(status_code=304, headers=kept)
        return response


def _inside(folder: Path, name: str) -> Path | None:
    """The regular, unhidden file of this name within `folder`; None when there is none."""
    if any(not part or part.startswith(".") for part in name.split("/")):
        return None
    try:
        root = folder.resolve(strict=True)
        path = (root / name).resolve(strict=True)
        inside = path.is_relative_to(root) and stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None
    return path if inside else None
