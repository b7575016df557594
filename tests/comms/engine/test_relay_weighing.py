"""What an offered campaign asks of readers is weighed against the lists of those who would send it, and tells nothing
else of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from relay_scene import HOST, OFFER, association

from audiences.models import ANY_TOPIC, Basis, Consent, ConsentState, Member
from campaigns import definition
from comms.engine import segments
from comms.engine.relaying import answering, correcting, looking, offering
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from tests.conftest import Comms

NOW = datetime(2027, 1, 10, 12, tzinfo=UTC)
SECRET = "budget_of_the_director"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """The coalition's members have a state; Maine's a sector and a secret, Ohio's a region and some of them a size."""
    create_workspace(tmp_path / "workspace", HOST).close()
    with Workspace(tmp_path / "workspace", clock=lambda: NOW) as made:
        for slug in ("maine", "ohio", "utah"):
            made.add_association(association(slug))
        fill(made, "coalition", {"state": "WA"})
        fill(made, "maine", {"sector": "archives", "size": "9", SECRET: "1"})
        fill(made, "ohio", {"region": "east"})
        yield made


def fill(workspace: Workspace, slug: str, values: Mapping[str, str]) -> None:
    people = workspace.people(slug)
    with people.db.atomic():
        people.note_attributes(values)
        first = people.next_id()
        people.insert([Member(f"{slug}{n}@example.org", dict(values), id=first + n) for n in range(12)], NOW)
        yes = Consent(ANY_TOPIC, ConsentState.GRANTED, NOW, "test", Basis.EXPRESS)
        people.record([(first + n, yes) for n in range(12)], NOW)


def text(rule: str = "", *, body: str = "", subject: str = "") -> str:
    made = OFFER.replace("newsletter:\n", f"audience:\n  segment: {rule}\nnewsletter:\n") if rule else OFFER
    made = made.replace("Could you host us?", subject) if subject else made
    return made + body


def findings(workspace: Workspace, offer: str) -> dict[str, tuple[int, str, str]]:
    """Rule -> (line, message, hint) of what must be fixed before it is offered."""
    path = workspace.folder / "campaigns" / "offered.md"
    path.write_text(offer)
    found = offering.check(workspace, path).findings
    return {each.rule: (each.line, each.message, each.hint) for each in found if each.level == "must fix"}


def faults(workspace: Workspace, offer: str) -> dict[str, list[str]]:
    """Association -> what the plan says that its list lacks."""
    plan = offering.plan(workspace, definition.read(offer))
    return {each.association: [fault for fault in each.faults if "its list" in fault] for each in plan.invited}


def test_a_rule_on_what_only_members_of_an_association_have_can_be_offered(workspace: Workspace) -> None:
    offer = text("sector = archives")
    assert findings(workspace, offer) == {}
    plan = offering.plan(workspace, definition.read(offer))
    assert {each.association: each.audience for each in plan.invited} == {"maine": 12, "ohio": None, "utah": None}
    assert faults(workspace, offer) == {
        "maine": [],
        "ohio": ["its list can not answer the rule of the audience: no member has sector"],
        "utah": ["its list can not answer the rule of the audience: no member has sector"],
    }


def test_what_the_coalition_s_own_members_alone_have_can_not_be_offered(workspace: Workspace) -> None:
    line, message, hint = findings(workspace, text('state = "WA"'))["rule-broken"]
    assert line == 6
    assert message == "no association that it is offered to can answer it: no member has state (column 1)"
    assert "offered to others" in hint


def test_a_name_that_nobody_has_is_named_whatever_else_the_lists_lack(workspace: Workspace) -> None:
    """Maine has the first name, Ohio the second, nobody the third."""
    _, message, _ = findings(workspace, text("sector = archives or region = east or sectr = archives"))["rule-broken"]
    assert message.endswith("no member has sectr (column 39)")


def test_a_rule_that_no_list_can_answer_alone_is_refused_before_anybody_is_asked(workspace: Workspace) -> None:
    _, message, _ = findings(workspace, text("sector = archives or region = east"))["rule-broken"]
    assert "each lacks something" in message


def test_a_rule_that_is_no_rule_is_refused_with_its_own_hint(workspace: Workspace) -> None:
    assert "(column" in findings(workspace, text("sector = = archives"))["rule-broken"][1]


def test_conditions_of_the_text_are_weighed_as_the_rule_is(workspace: Workspace) -> None:
    block = "\n::: when region = east\nOnly in the east.\n:::\n"
    assert findings(workspace, text(body=block)) == {}
    (said,) = faults(workspace, text(body=block))["maine"]
    assert said.endswith("no member has region")
    assert faults(workspace, text(body=block))["ohio"] == []
    line, message, _ = findings(workspace, text(body=block.replace("region", "planet")))["rule-broken"]
    assert line > 20
    assert "no member has planet" in message


def test_conditions_that_no_list_can_answer_together_are_refused(workspace: Workspace) -> None:
    block = "\n::: when region = east\nEast.\n:::\n\n::: when sector = archives\nArchives.\n:::\n"
    assert "the conditions of the text" in findings(workspace, text(body=block))["rule-broken"][1]


def test_a_merge_field_needs_a_fallback_as_soon_as_one_list_has_gaps_and_no_number_is_told(
    workspace: Workspace,
) -> None:
    subject = '"For {{ member.size }}"'
    _, message, _ = findings(workspace, text("sector = archives", subject=subject)).get("field-gap", (0, "", ""))
    assert message == "", "all to whom it can go have one"
    _, message, hint = findings(workspace, text(subject=subject))["field-gap"]
    assert not any(character.isdigit() for character in message)
    assert not any(slug in message for slug in ("maine", "ohio", "utah"))
    assert 'member.size or "..."' in hint
    _, message, _ = findings(workspace, text(subject='"For {{ member.planet }}"'))["field-unknown"]
    assert "'planet'" in message
    assert findings(workspace, text(subject="\"For {{ member.size or 'you' }}\"")) == {}


def test_nothing_else_that_a_list_has_is_told(workspace: Workspace) -> None:
    """Near misses, for which the association itself would be told what was meant."""
    segments.save(workspace, "rich", f"{SECRET} = 1", "maine")
    near = SECRET[:-1]
    told = []
    for rule in (f"{near} = 1", "segment rch", "segment rich", f"sector = archives and {near} = 1"):
        told += [str(findings(workspace, text(rule))), str(faults(workspace, text(rule)))]
        body = f"\n::: when {rule}\nSomething.\n:::\n"
        told += [str(findings(workspace, text(body=body))), str(faults(workspace, text(body=body)))]
    told.append(str(findings(workspace, text(subject=f'"For {{{{ member.{near} }}}}"'))))
    assert any(near in each for each in told)
    assert not any(SECRET in each for each in told)


def test_lists_that_are_kept_elsewhere_keep_nothing_from_being_offered(workspace: Workspace) -> None:
    """Utah sends with a tool of its own: as nobody else is asked, the coalition's list stands for it."""
    offer = text('state = "WA"').replace("associations: all", "associations: [utah]")
    assert findings(workspace, offer) == {}


def test_a_correction_is_weighed_as_the_offer_was(workspace: Workspace) -> None:
    offering.offer(workspace, offering.plan(workspace, definition.read(text("sector = archives"))), who="dana")
    corrected = text("sector in (archives, museums)")
    assert findings(workspace, corrected) == {}
    file = workspace.folder / "campaigns" / "offered.md"
    plan = correcting.plan(workspace, file, note="museums, too")
    correcting.correct(workspace, plan, who="dana")
    desk = looking.desk(workspace, answering.find(workspace, "partner", "maine"))
    assert (desk.audience, desk.obstacle) == (12, "")


def test_the_command_offers_it_and_its_dry_run_says_who_lacks_what(workspace: Workspace) -> None:
    comms = Comms(workspace.folder)
    file = workspace.folder / "campaigns" / "later.md"
    file.write_text(text("sector = archives").replace("2027", "2097"))
    shown = comms("relay", "offer", str(file), "--dry-run", "--json")
    assert shown.code == 0, shown.out + shown.err
    lists = {each["association"]: each["faults"] for each in json.loads(shown.out)["associations"]}
    assert any("no member has sector" in fault for fault in lists["ohio"])
    assert not any("no member" in fault for fault in lists["maine"])
    file.write_text(text("planet = mars").replace("2027", "2097"))
    refused = comms("relay", "offer", str(file), "--yes")
    assert refused.code == 1
    assert "no member has planet" in refused.out
