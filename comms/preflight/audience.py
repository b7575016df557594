"""Rules on who gets it and on what networks take; finding them needs the lists and accounts of a workspace."""

from __future__ import annotations

from comms.preflight.report import must, should

NO_SENDER = must("sender-unknown", "an association that the workspace does not have", "Nobody would send it.")
BAD_RULE = must(
    "rule-broken", "a rule, of the audience or of a condition, that can not be used", "Nobody would get it."
)
UNKNOWN_TOPIC = should(
    "topic-unknown",
    "a topic that nobody subscribed to by name",
    "It goes to everyone who agreed to all newsletters, and to nobody else.",
)
NOBODY = should("audience-empty", "a newsletter that nobody would get", "Nothing would be sent.")
BAD_TEMPLATE = must("template-broken", "a template that does not exist or can not be used", "There would be no mail.")
UNKNOWN_FIELD = must("field-unknown", "a merge field that no member has", "Everyone would see a gap, or get no mail.")
GAP = must(
    "field-gap",
    "a merge field without a fallback that some recipients lack",
    "They would see a gap, and so they get no mail.",
)
POST_BROKEN = must("post-broken", "a post that can not be made for its network", "Nothing would be posted there.")
POST_LONG = must("post-long", "a post longer than its network takes", "The network refuses it.")
NOT_ON_THESE_DAYS = should(
    "schedule-blackout",
    "a time to send on a day that the settings shut out",
    "It goes out at the same time on the next day that is not shut out.",
)
CLOSED = should(
    "schedule-closed",
    "a time to send at which the association's newsletters may not leave",
    "The newsletters wait for the send window, or for the end of the quiet hours; entry and posts do not.",
)
NEVER_OPEN = must(
    "schedule-never",
    "a send window, quiet hours and days shut out that together leave no time to send",
    "The newsletters would wait for ever.",
)
OVER = must("schedule-over", "a campaign that repeats and has no occurrence to come", "It would never go out.")
POST_TOKEN = should(
    "online-token",
    "a token for LinkedIn that is over, or ends within two weeks (asked with `--online`)",
    "Posts fail then.",
)
POST_DEAR = should("post-dear", "a post that costs more than is left of the month's budget", "It would be skipped.")
RELAY = should(
    "relay-not-offered", "a relay section", "Associations are asked by an offer; sending sends the own edition alone."
)
NO_SOURCE = must("feed-unknown", "a feed that is not read here", "Nothing would be shown in its place.")
SOURCE_FAILS = should(
    "feed-failing",
    "a feed that could not be read the last time",
    "What is shown of it may be old; it is what was read last.",
)
SOURCE_EMPTY = should("feed-empty", "a feed without items to show", "Its place stays empty.")
RULES = (
    NO_SENDER, BAD_RULE, UNKNOWN_TOPIC, NOBODY, BAD_TEMPLATE, UNKNOWN_FIELD, GAP, POST_BROKEN, POST_LONG,
    NOT_ON_THESE_DAYS, CLOSED, NEVER_OPEN, OVER, POST_TOKEN, POST_DEAR, RELAY, NO_SOURCE, SOURCE_FAILS, SOURCE_EMPTY,
)  # fmt: skip
