"""`comms feed subscribers`: who is told when our feeds change."""

from __future__ import annotations

from comms.cli.output import JsonFlag, counted, open_workspace, print_json, say, table
from comms.engine import hub


def subscribers(as_json: JsonFlag = False) -> None:
    """List who subscribed at our hub, and which hubs of others are still to be told of a change (WebSub).

    Of a subscriber's address only the host is shown: the rest is a secret between it and us.
    """
    with open_workspace() as workspace:
        found = hub.overview(workspace)
        stem = f"{workspace.settings.site.url}/feeds/"
    if as_json:
        print_json(found.to_json())
        return
    say(f"Our hub is {found.hub}" if found.hub else "There is no hub here: [feeds] hub is false.")
    if found.waiting:
        say(f"{counted(found.waiting, 'request waits', 'requests wait')} for its callback to be asked.")
    if found.subscribers:
        rows = [
            [
                each.topic.removeprefix(stem),
                each.host,
                f"{each.lease_until:%Y-%m-%d}",
                f"{each.sent_at:%Y-%m-%d %H:%M}" if each.sent_at else "",
                each.fault or ("to be told" if each.owed_at else ""),
            ]
            for each in found.subscribers
        ]
        table("", ["feed", "host", "until", "last told (UTC)", ""], rows)
    else:
        say("Nobody subscribes.")
    if found.pings:
        rows = [[each.hub, each.topic.removeprefix(stem), str(each.attempts), each.fault] for each in found.pings]
        table("Hubs to be told", ["hub", "feed", "tries", ""], rows, right=(2,))
