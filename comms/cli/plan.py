"""Shows a plan: who gets what, per association and channel, and why others do not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from textwrap import indent

from rich.markup import escape

from audiences.consent import Exclusion
from campaigns.schedule import on_wall
from comms.cli.output import say
from comms.engine.languages import name as language_name
from comms.engine.sending import Prepared
from comms.planning import NewsletterPlan


def show_plan(prepared: Prepared) -> None:
    """Print the plan for people."""
    plan = prepared.plan
    say(f"[bold]{escape(plan.title)}[/] ({plan.series or plan.campaign})")
    show_coming(plan.coming)
    if plan.series:
        say(f"  the first of them is {plan.campaign}:")
    for newsletter in plan.newsletters:
        _show_newsletter(newsletter, scheduled=prepared.due_at is not None)
    for slug in plan.feeds:
        say(f"  feed of {slug}: one entry")
    for post in plan.posts:
        where = "written to the outbox, for no account is connected" if post.simulated else "posted"
        which = f", part {post.part}" if post.part > 1 else ""
        say(f"  {post.network} by {post.association}{which}, {post.length} of {post.limit} characters, {where}:")
        say(indent(escape(post.text), "    "))
        if post.image:
            say(f"    with the image {escape(post.image)}")
        if post.dollars is not None:
            say(f"    costs ${post.dollars:.3f}")
    say(f"  plan {plan.digest[:12]}")


def show_coming(coming: Iterable[tuple[datetime, datetime]]) -> None:
    """The next occurrences of a campaign that repeats, each with its first moment."""
    for wall, at in coming:
        say(f"  next: {wall:%A %Y-%m-%d %H:%M} by the clock; goes out from {at:%Y-%m-%d %H:%M} UTC")


def _show_newsletter(plan: NewsletterPlan, *, scheduled: bool) -> None:
    say(f"  newsletter of {escape(plan.name)}: [bold]{plan.audience:,}[/] of {plan.members:,} members get it")
    for each in plan.languages:
        say(f"    {each.audience:,} in {escape(language_name(each.language))}")
    outside = plan.members - plan.segment
    if outside:
        say(f"    {outside:,} outside the segment")
    for reason, number in sorted(plan.excluded.items(), key=lambda item: -item[1]):
        say(f"    {number:,} left out: {Exclusion(reason).words}")
    if scheduled:
        first, last = f"{plan.first_at:%Y-%m-%d %H:%M}", f"{plan.last_at:%Y-%m-%d %H:%M}"
        say(f"    goes out {first} UTC" if first == last else f"    goes out from {first} to {last} UTC")
    if plan.moved_from is not None:
        say(f"    moved there from {plan.moved_from:%Y-%m-%d %H:%M} UTC, which is on a day that is shut out")
    if plan.opens_at is None:
        say("    [red]never leaves[/]: send window, quiet hours and days shut out leave no time for it")
    elif plan.opens_at > plan.first_at:
        opening = on_wall(plan.opens_at, plan.timezone)
        say(f"    leaves from {opening:%A %Y-%m-%d %H:%M} ({plan.timezone}), for its hours are closed until then")
