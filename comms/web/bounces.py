"""Where providers report bounces and complaints: checked, kept on the disk, and answered only then. Opens no database.

POST /hooks/bounces/<ses|postmark|mailgun|sendgrid>/<[bounces] webhook_secret>
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from pathlib import Path

import requests
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from comms.config import Bounces
from comms.engagement.bounces import webhooks
from comms.engagement.bounces.webhooks.base import RefusedError
from comms.engagement.bounces.webhooks.base import Request as Posted
from comms.engine.doors import spool
from comms.web.pages import Pages

log = structlog.get_logger(__name__)

LARGEST = 2_000_000
"""Bytes of a request: SNS sends at most 256 KiB, SendGrid some thousand events at a time."""
_TIMEOUT_S = 10.0
_LARGEST_FETCHED = 100_000


class BounceHooks:
    """The route for webhooks. A wrong secret and a provider that is not set up are answered alike."""

    def __init__(self, folder: Path, settings: Bounces, pages: Pages) -> None:
        self._folder = folder
        self._secret = settings.webhook_secret
        self._checks = webhooks.checks(settings, fetch)
        self._pages = pages

    def routes(self) -> list[Route]:
        return [Route("/hooks/bounces/{provider}/{secret}", self.report, methods=["POST"], max_body_size=LARGEST)]

    async def report(self, request: Request) -> Response:
        """200 once it is on the disk; 403 for what is not the provider's; 503 when it can not be kept now."""
        provider, secret = request.path_params["provider"], request.path_params["secret"]
        check = self._checks.get(provider)
        if check is None or not hmac.compare_digest(secret.encode(), self._secret.encode()):
            return self._pages.not_found(request)
        posted = Posted({name.lower(): value for name, value in request.headers.items()}, await request.body())

        def keep() -> None:
            if check(posted, datetime.now(UTC)):
                spool.keep_report(self._folder, provider, posted.body)

        try:
            await run_in_threadpool(keep)
        except RefusedError as error:
            log.warning("refused a report of bounces", provider=provider, reason=error.message)
            return PlainTextResponse(f"Refused: {error.message}.\n", status_code=403)
        return PlainTextResponse("Kept.\n")


def fetch(url: str) -> bytes:
    """What lies at an address, without following it elsewhere. Raises OSError; requests' own errors are such."""
    with requests.get(url, timeout=_TIMEOUT_S, allow_redirects=False, stream=True) as response:
        response.raise_for_status()
        return next(response.iter_content(_LARGEST_FETCHED), b"")
