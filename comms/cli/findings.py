"""Shows what was found in a campaign's definition, and ends commands for which something must be fixed first."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from campaigns.models import Campaign
from comms.cli.output import NO, print_json, say, stop
from comms.cli.plan import show_coming
from comms.engine import checking
from comms.engine.checking import CheckResult
from comms.engine.relaying import offering
from comms.engine.workspace import Workspace


def require_checked(workspace: Workspace, file: Path, senders: tuple[str, ...], *, as_json: bool) -> Campaign:
    """The campaign in a file, as long as nothing must be fixed; else the findings are shown, and the command ends."""
    return _require(checking.check(workspace, file, senders), as_json=as_json)


def require_offerable(workspace: Workspace, file: Path, *, as_json: bool) -> Campaign:
    """The same of a campaign for others to send: what it asks of readers is asked of their members."""
    return _require(offering.check(workspace, file), as_json=as_json)


def _require(result: CheckResult, *, as_json: bool) -> Campaign:
    if not result.ok or result.campaign is None:
        show_check(result, as_json=as_json)
        stop(NO)
    return result.campaign


def show_check(result: CheckResult, *, as_json: bool) -> None:
    """What was found in a definition, line by line."""
    if as_json:
        print_json(result.to_json())
        return
    for finding in result.findings:
        colour = "red" if finding.level == "must fix" else "yellow"
        file = finding.file or result.path
        place = f"{file}:{finding.line}" if finding.line else file
        say(f"[{colour}]{finding.level}[/]  {escape(place)}: {escape(finding.field)}: {escape(finding.message)}")
        for words in filter(None, (finding.why, finding.hint)):
            say(f"          {escape(words)}")
    must = sum(finding.level == "must fix" for finding in result.findings)
    should = len(result.findings) - must
    say(f"{must} to fix, {should} to consider" if result.findings else "No problems found.")
    show_coming(result.coming)
