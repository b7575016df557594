"""Reads a large file in a process of its own, so that reading and writing share two cores.

Taking a file apart is a good part of an import, and Python does one thing at a time per process. What comes
out is the same as without; a small file, or a machine of one core, is read here.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path

from audiences.errors import AudienceError, ImportFileError
from audiences.importing.base import ImportRow, Refusal, uncollected

Rows = Iterator[ImportRow | Refusal]
LARGE_BYTES = 4 * 1024 * 1024
"""From here on a process of its own is worth its start."""
_AT_ONCE = 1_000
_PROGRAM = "from audiences.importing.ahead import serve; serve()"


def rows_of(path: Path, read: Callable[[], Rows]) -> Rows:
    """What `read()` yields. For a large file `read` must be a function of a module, or a `partial` of one.

    Raises what `read` raises, and ImportFileError when the process that reads was killed.
    """
    is_large = path.stat().st_size >= LARGE_BYTES
    return _from_process(path, read) if is_large and (os.cpu_count() or 1) > 1 else read()


def _from_process(path: Path, read: Callable[[], Rows]) -> Rows:
    search_path = os.pathsep.join(entry for entry in sys.path if entry)
    reader = subprocess.Popen(
        # -P: without it Python would look for modules in the folder where the command was called, before any other.
        [sys.executable, "-P", "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": search_path},
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    try:
        with suppress(BrokenPipeError), reader.stdin:
            pickle.dump(read, reader.stdin)
        while True:
            try:
                # Our own process at the other end of a pipe that nobody else holds.
                part = pickle.load(reader.stdout)  # noqa: S301
            except (EOFError, pickle.UnpicklingError):  # it ended between two answers, or within one
                raise ImportFileError(
                    str(path), 0, "could not be read to its end: the process that read it was ended; import it again"
                ) from None
            if isinstance(part, AudienceError):
                raise part
            if not part:
                return
            yield from part
    finally:
        reader.stdout.close()  # it stops where it next writes
        reader.wait()


def serve() -> None:
    """Be the other process: take the function from standard input, answer with lists of rows, an empty one last."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that was started by a person
    answer = partial(pickle.dump, file=sys.stdout.buffer, protocol=pickle.HIGHEST_PROTOCOL)
    sys.stdout = sys.stderr  # nothing but answers may go to that pipe
    read: Callable[[], Rows] = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started us
    try:
        with uncollected():
            stream = read()
            while part := list(islice(stream, _AT_ONCE)):
                answer(part)
        answer([])
    except AudienceError as error:
        answer(error)
    except BrokenPipeError:
        os._exit(1)  # nobody reads any more, not even what is left in the buffer
