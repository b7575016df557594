"""One open workspace per thread: SQLite connections belong to the thread that opened them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from comms.engine.workspace import Workspace

_T = TypeVar("_T")


class Workspaces:
    """Lends the workspace in `folder` to work that runs in the server's threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._local = threading.local()

    def here(self) -> Workspace:
        """This thread's workspace, opened when first asked for; it closes with the thread."""
        workspace: Workspace | None = getattr(self._local, "workspace", None)
        if workspace is None:
            workspace = self._local.workspace = Workspace(self._folder)
        return workspace

    async def run(self, work: Callable[[Workspace], _T]) -> _T:
        """What `work` returns for the workspace, done in a thread so that the server does not wait for disks."""
        return await run_in_threadpool(lambda: work(self.here()))
