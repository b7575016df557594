"""Segments where data and settings are: rules read with what an association knows, kept by name, counted, explained."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from audiences import segments
from audiences.indexes import SegmentIndexes
from audiences.models import Member
from audiences.saved import SavedSegments
from audiences.segments import Condition, Rule, Vocabulary, segment_name
from audiences.store import EVERYONE
from comms.db import DATABASE_ERRORS, patience, storage_errors
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.rendering import conditions


def read(workspace: Workspace, text: str, association: str) -> Rule:
    """A rule with the segments and regions it names put in, and its names checked. Raises segments.RuleError.

    A segment is looked up among the association's own, then among the host's, which so serve everyone.
    """
    names = saved(workspace, association)
    rule = segments.resolve(segments.parse(text), names.get, workspace.settings.segments.regions, names)
    segments.check_names(rule, vocabulary(workspace, association))
    return rule


def vocabulary(workspace: Workspace, association: str) -> Vocabulary:
    """Everything that a rule over this association's members may speak of."""
    people = workspace.people(association)
    return Vocabulary(
        people.attribute_names(),
        topics={topic.slug for topic in people.topics()},
        tags=people.tag_names(),
        campaigns=workspace.host.campaign_ids(),
    )


def compile_rule(workspace: Workspace, text: str | None, association: str, today: date) -> Condition:
    """A rule as SQL; everyone for None. Raises segments.RuleError."""
    return EVERYONE if text is None else _condition(workspace, read(workspace, text, association), association, today)


def _condition(workspace: Workspace, rule: Rule, association: str, today: date) -> Condition:
    return segments.to_sql(rule, today, SegmentIndexes(workspace.association_db(association)).leading())


def condition(workspace: Workspace, text: str, association: str) -> str:
    """A rule of a campaign's text, with all that it names, as an edition carries it to whoever renders it.

    Raises segments.RuleError, also for a rule that can not be answered while rendering.
    """
    return conditions.freeze(read(workspace, text, association), saved(workspace, association))


def count_members(workspace: Workspace, text: str, association: str) -> int:
    """How many members the rule holds for. Raises segments.RuleError."""
    rule = read(workspace, text, association)
    index(workspace, rule, association)
    return _count(workspace, rule, association)


def _count(workspace: Workspace, rule: Rule, association: str) -> int:
    today = workspace.now().date()
    tallied = SegmentIndexes(workspace.association_db(association)).count(rule, today)
    if tallied is not None:
        return tallied
    return workspace.people(association).count(_condition(workspace, rule, association, today))


@dataclass(frozen=True, slots=True)
class Explanation:
    """A rule in words, its count, and up to ten members it holds for."""

    rule: Rule
    words: str
    count: int
    examples: tuple[Member, ...]


def explain_rule(workspace: Workspace, text: str, association: str) -> Explanation:
    """Raises segments.RuleError."""
    today = workspace.now().date()
    rule = read(workspace, text, association)
    index(workspace, rule, association)
    condition, people = _condition(workspace, rule, association, today), workspace.people(association)
    return Explanation(
        rule,
        segments.explain(rule, today),
        _count(workspace, rule, association),
        tuple(people.select(condition, limit=10)),
    )


def index(workspace: Workspace, rule: Rule, association: str) -> None:
    """See to it that a large list has the index by which the rule is counted without reading its members.

    Takes some seconds per million members, once. Does nothing while somebody else writes: the rule is only
    slower then.
    """
    names, now = segments.wanted_index(rule), workspace.now()
    db = workspace.association_db(association)
    indexes = SegmentIndexes(db)
    if not indexes.lacking(names) and indexes.used_today(names, now):
        return
    try:
        with patience(db, 0), db.atomic():
            if indexes.lacking(names):
                indexes.make(names, now)
            else:
                indexes.note_use(names, now)
    except DATABASE_ERRORS as error:
        if "locked" not in str(error):
            raise


def drop_unused_indexes(workspace: Workspace, association: str) -> int:
    """Drop the indexes that no rule used for two months. Returns how many there were."""
    db = workspace.association_db(association)
    with storage_errors(workspace.association_path(association)), db.atomic():
        return SegmentIndexes(db).drop_unused(workspace.now())


# --- segments by name -------------------------------------------------------------------------


def saved(workspace: Workspace, association: str) -> dict[str, str]:
    """Name -> rule, of the association's own segments and of the host's under names that it has not taken itself."""
    host = workspace.association(None).slug
    return {
        **SavedSegments(workspace.association_db(host)).all(),
        **SavedSegments(workspace.association_db(association)).all(),
    }


@dataclass(frozen=True, slots=True)
class Saved:
    """A rule kept under a name, and how many members it holds for."""

    name: str
    rule: str
    count: int | None
    """None where the rule can not be used here: the host's may speak of what the association does not know."""
    problem: str = ""


def listed(workspace: Workspace, association: str) -> list[Saved]:
    """What `saved` gives, each counted for the association."""
    found = []
    for name, rule in saved(workspace, association).items():
        try:
            found.append(Saved(name, rule, count_members(workspace, rule, association)))
        except segments.RuleError as error:
            found.append(Saved(name, rule, None, str(error)))
    return found


def save(workspace: Workspace, name: str, text: str, association: str) -> str:
    """Keep a rule under a name, in place of the one that had it; returns the name as rules write it.

    Raises segments.RuleError for a rule that can not be used, or that names itself through others; UsageError for
    a name that is none.
    """
    slug = segment_name(name)
    if not slug:
        raise UsageError(f"{name!r} can not be the name of a segment.", hint="Use letters, digits and hyphens.")
    names = {**saved(workspace, association), slug: text}
    rule = segments.resolve(segments.parse(text), names.get, workspace.settings.segments.regions, names)
    # Once more from outside, where a circle through the rule itself shows.
    segments.resolve(segments.parse(f'segment "{slug}"'), names.get, workspace.settings.segments.regions, names)
    segments.check_names(rule, vocabulary(workspace, association))
    db = workspace.association_db(association)
    with storage_errors(workspace.association_path(association)), db.atomic():
        SavedSegments(db).save(slug, text, workspace.now())
    return slug


def remove(workspace: Workspace, name: str, association: str) -> None:
    """Forget a segment. Raises StateError when there is none of this name, or others are made with it."""
    slug, db = segment_name(name), workspace.association_db(association)
    own = SavedSegments(db).all()
    users = [other for other, text in own.items() if other != slug and slug in segments.parse(text).segments()]
    if users:
        raise StateError(f"segment {slug} is part of {', '.join(users)}.", hint="Remove or change those first.")
    with storage_errors(workspace.association_path(association)), db.atomic():
        if not SavedSegments(db).remove(slug):
            known = ", ".join(own) or "none yet"
            raise StateError(f"{association} has no segment {slug!r}.", hint=f"There are: {known}.")
