"""`comms web`: the web face alone."""

from __future__ import annotations

from typing import Annotated

import typer

from comms.cli.output import open_workspace, say
from comms.web.server import serve


def web(
    host: Annotated[str | None, typer.Option(help="Interface to listen on; else `site.host` of comms.toml.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; else `site.port` of comms.toml.")] = None,
) -> None:
    """Serve the web face alone: feeds, pages, unsubscribe and tracking links."""
    with open_workspace() as workspace:
        site = workspace.settings.site
        server = serve(workspace.folder, host or site.host, port or site.port)
        say(f"web face on http://{host or site.host}:{port or site.port}")
        server.run()
