"""The tables of the host's database, step by step. Steps are never edited, only added."""

from __future__ import annotations

from sqlite_utils import Migrations

from campaigns.migrations import feeds, publishing, relaying

STEPS = (
    publishing.campaigns,
    publishing.publications,
    publishing.indexes,
    publishing.jobs,
    publishing.welcomes,
    publishing.schedules,
    publishing.doubtful_posts,
    feeds.sources,
    publishing.entries_for_good,
    relaying.relays,
    relaying.collective_reports,
    publishing.post_figures,
    feeds.websub,
    relaying.told_figures,
    relaying.engines,
    relaying.across_engines,
    relaying.figures_that_come_back,
    relaying.told_to_the_end,
)
"""In the order in which they are taken. Databases remember each by the name of its function: a new one goes last."""

CAMPAIGNS = Migrations("campaigns")
for step in STEPS:
    CAMPAIGNS()(step)
