"""A Chromium of our own without a window, driven through a pipe; it leaves nothing behind, however we end.

Speaks the DevTools protocol (chromedevtools.github.io/devtools-protocol), and knows nothing of mails.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ANSWER_S = 20.0
"""How long one command may take; the first one includes the start."""
_CLOSE_S = 3.0
_LONGEST_SOCKET_FOLDER = 60
"""Chromium does not start when the path of a socket in its folder for temporary files passes 107 characters."""
_LARGEST_ANSWER = 100_000_000
_FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-features=HttpsUpgrades,Translate,OptimizationHints,MediaRouter",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--hide-scrollbars",
    "--metrics-recording-only",
    "--mute-audio",
    "--password-store=basic",
    # Whatever escapes the answers given to it meets a door that is never open (port 9 is discard).
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
)
_SCRIPT = '"$@"; rm -rf -- "$0" || { sleep 1; rm -rf -- "$0"; }'
"""The shell outlives the browser, which ends when our end of the pipe closes, and so clears up even after a kill."""

Event = dict[str, Any]


class BrowserError(Exception):
    """The browser does not start, does not answer in time, or can not do what it was asked."""


def find() -> str | None:
    """The path of a Chromium on this machine; None where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Chromium:
    """One running browser, for one thread.

    `on_event` gets whatever the browser says without being asked. Raises BrowserError when it does not start.
    """

    def __init__(self, program: str, on_event: Callable[[Event], None] = lambda event: None) -> None:
        self.on_event = on_event
        self._number = 0
        self._read = bytearray()
        self._profile = tempfile.mkdtemp(prefix="comms-chromium-")
        theirs_in, self._commands = _high_pipe()
        self._answers, theirs_out = _high_pipe()
        os.set_blocking(self._commands, False)
        try:
            self._process: int | None = _start(program, self._profile, theirs_in, theirs_out)
        except OSError as error:
            self._close_pipes()
            shutil.rmtree(self._profile, ignore_errors=True)
            raise BrowserError(f"{program} can not be started: {error.strerror}") from error
        finally:
            os.close(theirs_in)
            os.close(theirs_out)

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """What the browser answers to a command. Raises BrowserError."""
        deadline = time.monotonic() + ANSWER_S
        number = self.tell(method, session, **parameters)
        while True:
            message = self._next(method, deadline)
            if message.get("id") == number:
                if "error" in message:
                    raise BrowserError(f"{method}: {message['error'].get('message', 'refused')}")
                result: dict[str, Any] = message.get("result", {})
                return result

    def tell(self, method: str, session: str | None = None, **parameters: Any) -> int:
        """Give a command whose answer nobody waits for; returns its number. Raises BrowserError."""
        self._number += 1
        command: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        self._write(json.dumps(command).encode() + b"\0", time.monotonic() + ANSWER_S)
        return self._number

    def wait_until(self, done: Callable[[], bool], what: str) -> None:
        """Take in events until `done()`. Raises BrowserError when that takes too long."""
        deadline = time.monotonic() + ANSWER_S
        while not done():
            self._next(what, deadline)

    def close(self) -> None:
        """End the browser and remove its profile; may be called twice."""
        if self._process is None:
            return
        with contextlib.suppress(BrowserError):
            self.tell("Browser.close")
        self._close_pipes()
        _wait_for(self._process, _CLOSE_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process, signal.SIGKILL)  # what is left of its group, before its number can be another's
        os.waitpid(self._process, 0)
        _wait_for_group(self._process, _CLOSE_S)
        self._process = None
        shutil.rmtree(self._profile, ignore_errors=True)

    def _next(self, what: str, deadline: float) -> dict[str, Any]:
        """The next message, after `on_event` was told of it if it is an event."""
        while (end := self._read.find(b"\0")) < 0:
            self._wait(self._answers, select.POLLIN, what, deadline)
            chunk = os.read(self._answers, 1 << 20)
            if not chunk:
                raise BrowserError("Chromium ended by itself; does it run when you start it by hand?")
            self._read += chunk
            if len(self._read) > _LARGEST_ANSWER:
                raise BrowserError(f"{what}: the answer is too large")
        message: dict[str, Any] = json.loads(self._read[:end])
        del self._read[: end + 1]
        if "method" in message:
            self.on_event(message)
        return message

    def _write(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            self._wait(self._commands, select.POLLOUT, "a command", deadline)
            try:
                view = view[os.write(self._commands, view) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                raise BrowserError("Chromium ended by itself; does it run when you start it by hand?") from error

    def _wait(self, descriptor: int, event: int, what: str, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise BrowserError(f"Chromium did not answer within {ANSWER_S:.0f} seconds ({what})")

    def _close_pipes(self) -> None:
        os.close(self._commands)
        os.close(self._answers)


def _high_pipe() -> tuple[int, int]:
    """A pipe (read, write) whose numbers are out of the way of those that a child gets."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]


def _start(program: str, profile: str, commands: int, answers: int) -> int:
    """The process, in a group of its own; Chromium reads commands from descriptor 3 and answers on 4."""
    flags = [*_FLAGS, f"--user-data-dir={profile}"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")  # as root Chromium starts in no other way
    nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    pipes = [(os.POSIX_SPAWN_DUP2, commands, 3), (os.POSIX_SPAWN_DUP2, answers, 4)]
    places = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_CACHE_HOME"), profile)
    if len(profile) <= _LONGEST_SOCKET_FOLDER:
        places["TMPDIR"] = profile
    return os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", _SCRIPT, profile, program, *flags, "about:blank"],
        {**os.environ, **places},
        file_actions=[*nowhere, *pipes],
        setpgroup=0,
    )


def _wait_for(process: int, seconds: float) -> None:
    """Until it has ended, or so long; it is not reaped."""
    deadline = time.monotonic() + seconds
    while os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None and time.monotonic() < deadline:
        time.sleep(0.01)


def _wait_for_group(group: int, seconds: float) -> None:
    """Until no process of it is left that could still write."""
    deadline = time.monotonic() + seconds
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.01)
