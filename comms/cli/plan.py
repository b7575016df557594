"""Shows a plan: who gets what, per association and channel, and why others do not."""

from __future__ import annotations

from rich.markup import escape

from audiences.consent import Exclusion
from comms.cli.output import say
from comms.engine.sending import Prepared
from comms.planning import NewsletterPlan


def show_plan(prepared: Prepared) -> None:
    """Print the plan for people."""
    plan = prepared.plan
    say(f"[bold]{escape(plan.title)}[/] ({plan.campaign})")
    for newsletter in plan.newsletters:
        _show_newsletter(newsletter, scheduled=prepared.due_at is not None)
    for slug in plan.feeds:
        say(f"  feed of {slug}: one entry")
    for post in plan.posts:
        where = "written to the outbox, for no account is connected" if post.simulated else "posted"
        say(f"  {post.network} by {post.association}, {post.length} of {post.limit} characters, {where}:")
        say(f"    {escape(post.text)}")
    say(f"  plan {plan.digest[:12]}")


def _show_newsletter(plan: NewsletterPlan, *, scheduled: bool) -> None:
    say(f"  newsletter of {escape(plan.name)}: [bold]{plan.audience:,}[/] of {plan.members:,} members get it")
    outside = plan.members - plan.segment
    if outside:
        say(f"    {outside:,} outside the segment")
    for reason, number in sorted(plan.excluded.items(), key=lambda item: -item[1]):
        say(f"    {number:,} left out: {Exclusion(reason).words}")
    if scheduled:
        first, last = f"{plan.first_at:%Y-%m-%d %H:%M}", f"{plan.last_at:%Y-%m-%d %H:%M}"
        say(f"    goes out {first} UTC" if first == last else f"    goes out from {first} to {last} UTC")
