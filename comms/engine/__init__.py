"""The composition root, and the public Python API: everything that the command line and the pages can do.

    from comms.engine import Workspace, import_members, check, prepare, approve, start, report

    with Workspace(Path("my-coalition")) as workspace:
        import_members(workspace, Path("members.csv"), "coalition")
        result = check(workspace, Path("campaigns/welcome.md"))
        prepared = prepare(workspace, result.campaign)
        row = approve(workspace, prepared, who="dana")
        start(workspace, row)          # `comms run` sends it

Times come from `Workspace.now`; nothing below reads a clock that tests could not set.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comms.engine.audience import import_members as import_members
    from comms.engine.audience import show_member as show_member
    from comms.engine.checking import check as check
    from comms.engine.control import Control as Control
    from comms.engine.control import ControlLock as ControlLock
    from comms.engine.reporting import report as report
    from comms.engine.reporting import status as status
    from comms.engine.segments import count_members as count_members
    from comms.engine.segments import explain_rule as explain_rule
    from comms.engine.sending import approve as approve
    from comms.engine.sending import cancel as cancel
    from comms.engine.sending import pause as pause
    from comms.engine.sending import prepare as prepare
    from comms.engine.sending import resume as resume
    from comms.engine.sending import start as start
    from comms.engine.setup import create_workspace as create_workspace
    from comms.engine.workspace import Workspace as Workspace

_PLACES = {
    "Control": "control",
    "ControlLock": "control",
    "Workspace": "workspace",
    "approve": "sending",
    "cancel": "sending",
    "check": "checking",
    "count_members": "segments",
    "create_workspace": "setup",
    "explain_rule": "segments",
    "import_members": "audience",
    "pause": "sending",
    "prepare": "sending",
    "report": "reporting",
    "resume": "sending",
    "show_member": "audience",
    "start": "sending",
    "status": "reporting",
}
"""Where each name is. Loaded when it is asked for (PEP 562): a sender needs few of them, and starts sooner."""


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Control",
    "ControlLock",
    "Workspace",
    "approve",
    "cancel",
    "check",
    "count_members",
    "create_workspace",
    "explain_rule",
    "import_members",
    "pause",
    "prepare",
    "report",
    "resume",
    "show_member",
    "start",
    "status",
]
