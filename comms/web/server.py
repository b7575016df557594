"""Runs the web face: in the foreground until a signal comes, or in a thread that can be stopped."""

from __future__ import annotations

import errno
import socket
import threading
import time
from pathlib import Path

import uvicorn

from comms.errors import ConfigError
from comms.web.app import create_app

_STOP_S = 5


class WebServer:
    """A server that holds its port from the start, so that its address is known before it runs."""

    def __init__(self, folder: Path, listener: socket.socket) -> None:
        self.port: int = listener.getsockname()[1]
        self._listener = listener
        self._thread: threading.Thread | None = None
        self._server = uvicorn.Server(
            uvicorn.Config(
                create_app(folder),
                access_log=False,  # the addresses hold tokens
                log_config=None,
                log_level="warning",
                lifespan="off",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=_STOP_S,
            )
        )

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM, which is raised anew once all is closed, or until `stop`."""
        self._server.run(sockets=[self._listener])

    def start(self) -> None:
        """Serve in a thread; returns once requests are answered."""
        self._thread = threading.Thread(target=self.run, name="web", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.01)

    def stop(self) -> None:
        """Answer what is under way, then close; harmless when it does not run."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
        self._listener.close()


def serve(folder: Path, host: str, port: int) -> WebServer:
    """A server for the workspace in `folder`, listening but not running yet; port 0 takes any free one.

    Raises ConfigError when the address can not be listened on, WorkspaceError for what is no workspace.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
        # Connections inherit it. Without, each answer on a kept connection waits 40 ms for the reader's ACK, for
        # its head and body are two writes, and asyncio sets this only on sockets it made itself.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        hint = "Choose others in comms.toml: [site] host and port."
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"port {port} on {host} is taken: another program listens there, perhaps a `comms web` of yours.",
                hint=hint,
            ) from error
        raise ConfigError(f"can not listen on {host}, port {port}: {error.strerror or error}.", hint=hint) from error
    try:
        return WebServer(folder, listener)
    except BaseException:
        listener.close()
        raise
