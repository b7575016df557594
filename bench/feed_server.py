"""Serves a workspace as `comms web` does, with feeds of a thousand entries, and says how often one was rendered.

    python -m bench.feed_server FOLDER

Prints its port, and the number of renderings once it was told to stop (SIGINT).
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

from comms.engine import feeds
from comms.web.server import serve

ENTRIES = 1_000
"""In one document: ten times what ours hold, whose older entries stand in documents of the archive."""


def main() -> None:
    rendered = 0
    render = feeds.document

    def counted(*args: Any, **options: Any) -> feeds.PublicFeed:
        nonlocal rendered
        rendered += 1
        return render(*args, **options)

    feeds.NEWEST, feeds.document = ENTRIES, counted
    server = serve(Path(sys.argv[1]), "127.0.0.1", 0)
    print(server.port, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    print(rendered, flush=True)


if __name__ == "__main__":
    main()
