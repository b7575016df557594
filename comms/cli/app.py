"""Puts the commands together, and turns errors into one message and an exit code."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import sys
from typing import Annotated

import structlog
import typer

from audiences.errors import AudienceError
from audiences.segments import RuleError
from campaigns.errors import CampaignError
from comms.cli.lazily import group_of
from comms.cli.output import NO, WRONG_USAGE, show_error
from comms.errors import CommsError, ConfigError, UsageError, WorkspaceError

COMMANDS = {
    "init": "install:init",
    "doctor": "install:doctor",
    "backup": "install:backup",
    "restore": "install:restore",
    "report": "campaign:report",
    "retention": "retention:retention",
    "run": "run:run",
    "worker": "worker:worker",
    "web": "web:web",
    "demo": "demo:demo",
    "association": "association:app",
    "members": "members:app",
    "segments": "segments:app",
    "dkim": "dkim:app",
    "campaign": "campaign:app",
    "template": "templates:app",
    "feed": "feeds:app",
    "bounces": "bounces:app",
    "relay": "relay:app",
}
"""Where each command is, below `comms.cli`, in the order of `comms --help`."""

app = typer.Typer(
    name="comms",
    cls=group_of(COMMANDS),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    help="Newsletters, feeds and social posts of a coalition and its associations, from one campaign definition.",
)


@app.callback()
def _workspace(
    workspace: Annotated[
        str | None,
        typer.Option("--workspace", "-w", metavar="DIR", help="The workspace; else COMMS_WORKSPACE, else this folder."),
    ] = None,
) -> None:
    if workspace is not None:
        os.environ["COMMS_WORKSPACE"] = workspace


def main() -> None:
    """Run the command line. Exit code 0: good; 1: the answer is no; 2: wrong usage."""
    _log_plainly()
    _allow_open_files()
    arguments = hoist_workspace(sys.argv[1:])
    as_json = "--json" in arguments
    try:
        app(arguments)
    except (UsageError, ConfigError, WorkspaceError) as error:
        show_error(error.message, error.hint, as_json=as_json)
        sys.exit(WRONG_USAGE)
    except CommsError as error:
        show_error(error.message, error.hint, as_json=as_json)
        sys.exit(NO)
    except RuleError as error:
        show_error(str(error), "", as_json=as_json)
        sys.exit(WRONG_USAGE)
    except (AudienceError, CampaignError) as error:
        show_error(str(error), "", as_json=as_json)
        sys.exit(NO)
    except UnicodeEncodeError:
        foreign = [word for word in arguments if any("\udc80" <= letter <= "\udcff" for letter in word)]
        if not foreign:
            raise
        show_error(f"{foreign[0]!r} holds bytes that are no text here.", "", as_json=as_json)
        sys.exit(WRONG_USAGE)
    except BrokenPipeError:
        # The reader of our output went away, as `| head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(NO)
    except OSError as error:
        # A folder that is none, no right to write there, a full disk: nothing that a traceback explains better.
        show_error(f"{error.filename or 'a file'}: {error.strerror or error}.", "", as_json=as_json)
        sys.exit(NO)


def hoist_workspace(arguments: list[str]) -> list[str]:
    """Let `-w DIR` stand anywhere in the command, not only in front of it."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in ("-w", "--workspace"):
            front += [word, *(value for value in [next(words, None)] if value is not None)]
        elif word.startswith("--workspace=") or (word.startswith("-w") and not word.startswith("--")):
            front.append(word)
        else:
            rest.append(word)
    return front + rest


class _Printer:
    """Prints log lines; one that can not be printed, as on a full disk, is no reason to stop."""

    def __init__(self, *_: object) -> None:
        pass

    def msg(self, message: str) -> None:
        with contextlib.suppress(OSError):
            print(message, file=sys.stderr, flush=True)

    log = debug = info = warning = warn = error = critical = exception = msg


class _OneLine(logging.Formatter):
    """A library's log record as one line: its traceback is for those who ask with COMMS_LOG."""

    def format(self, record: logging.LogRecord) -> str:
        cause = f": {record.exc_info[1]}" if record.exc_info and record.exc_info[1] else ""
        return f"{record.levelname.lower()} {record.name}: {record.getMessage()}{cause}"


def _allow_open_files() -> None:
    """Every association is a database with descriptors of its own; the usual 1,024 are soon used up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _log_plainly() -> None:
    """Logs go to standard error, one line each, without addresses or tokens; warnings and worse only."""
    handler = logging.StreamHandler(sys.stderr)
    if not os.environ.get("COMMS_LOG"):
        handler.setFormatter(_OneLine())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    level = logging.INFO if os.environ.get("COMMS_LOG") else logging.WARNING
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Printer,
    )
