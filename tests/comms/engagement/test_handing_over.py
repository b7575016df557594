"""A succession carried out: one transaction, links that no longer know anybody, and links to stop that still work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sent_newsletter import Sent, add_member, consent

from audiences.errors import AudienceError
from audiences.models import ANY_TOPIC, TRACKING, ConsentState, SuppressionScope
from comms.engine import preferences, readers, subscription
from comms.engine.audience import import_members, show_member, undo_import
from comms.engine.succession import succeed, to_json
from comms.engine.workspace import Workspace
from comms.errors import UsageError

ADA, NEW = "ada@example.org", "new@example.org"


def hand_over(workspace: Workspace, address: str = ADA, *, apply: bool = True, **more: Any) -> Any:
    return succeed(workspace, address, "coalition", values=more.pop("values", {}), apply=apply, who="dana", **more)


def rows(workspace: Workspace, sql: str) -> list[Any]:
    return workspace.association_db("coalition").execute(sql).fetchall()


def everything(workspace: Workspace) -> dict[str, list[Any]]:
    tables = [name for (name,) in rows(workspace, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: rows(workspace, f"SELECT * FROM [{name}]") for name in tables}


def states(workspace: Workspace, address: str) -> dict[str, str]:
    view = show_member(workspace, address, "coalition")
    assert view is not None
    return view.states


def test_without_a_yes_nothing_changes_and_it_is_the_same_that_would(sent: Sent) -> None:
    before = everything(sent.workspace)
    planned = hand_over(sent.workspace, apply=False, new_address=NEW)
    assert everything(sent.workspace) == before
    assert hand_over(sent.workspace, new_address=NEW).changes == planned.changes
    assert everything(sent.workspace) != before


def test_what_the_predecessor_did_is_not_the_successor_s(sent: Sent) -> None:
    workspace, token = sent.workspace, sent.token(ADA)
    readers.click(workspace, token, 0)
    readers.opened(workspace, token)
    hand_over(workspace, values={"first_name": "Ben"})

    assert rows(workspace, "SELECT * FROM activity") == []
    assert rows(workspace, "SELECT count(opened_at) + count(clicked_at) FROM member") == [(0,)]
    assert states(workspace, ADA) == {ANY_TOPIC: "granted", TRACKING: "withdrawn"}
    # The successor agrees to be recorded; the predecessor's mails are still nobody's.
    consent(workspace, "coalition", ADA, TRACKING, ConsentState.GRANTED)
    readers.click(workspace, token, 1)
    assert sent.events()[-1] == ("clicked", None, 1)


def test_the_link_to_stop_in_a_mail_of_the_predecessor_stops_the_mailbox(sent: Sent) -> None:
    token = sent.token(ADA)
    hand_over(sent.workspace)
    page = subscription.page(sent.workspace, token)
    assert page is not None
    assert not page.erased
    stopped = preferences.unsubscribe(sent.workspace, token)
    assert stopped is not None
    assert stopped.stopped
    assert states(sent.workspace, ADA)[ANY_TOPIC] == "withdrawn"


def test_a_newsletter_on_its_way_still_goes_to_the_mailbox(sent: Sent) -> None:
    workspace = sent.workspace
    with workspace.association_db("coalition").atomic():
        workspace.association_db("coalition").execute("UPDATE delivery SET state = 'deferred', final_at = NULL")
    hand_over(workspace)
    assert rows(workspace, "SELECT count(member_id) FROM delivery") == [(2,)]


def test_at_a_new_address_tags_and_ids_move_and_the_log_stays(sent: Sent) -> None:
    workspace = sent.workspace
    people = workspace.people("coalition")
    ada = people.find(ADA)
    assert ada is not None
    assert ada.id is not None
    with people.db.atomic():
        people.add_tags([(ada.id, "Board")])
        people.note_external({"wildapricot:7": ada.id})
    hand_over(workspace, new_address=NEW, values={"first_name": "Ben"})

    new = people.find(NEW)
    assert new is not None
    assert new.id is not None
    assert people.tags([ada.id, new.id]) == {ada.id: set(), new.id: {"board"}}
    assert people.by_external(["wildapricot:7"])["wildapricot:7"].id == new.id
    assert [c.topic for c in people.consent_log(ada.id)] == [ANY_TOPIC, TRACKING, ANY_TOPIC, TRACKING]
    assert states(workspace, NEW) == {ANY_TOPIC: "granted"}
    assert show_member(workspace, ADA, "coalition").mailable is False  # type: ignore[union-attr]
    assert rows(workspace, "SELECT count(member_id) FROM delivery") == [(2,)], "what Ada got stays Ada's"


def test_a_suppressed_new_address_stays_so(sent: Sent) -> None:
    people = sent.workspace.people("coalition")
    with people.db.atomic():
        people.suppress(NEW, SuppressionScope.ASSOCIATION, "complaint", sent.workspace.now())
    done = hand_over(sent.workspace, new_address=NEW)
    assert to_json(done, applied=True)["not_taken_over"] == [{"topic": "*", "reason": "the address is suppressed"}]
    view = show_member(sent.workspace, NEW, "coalition")
    assert view is not None
    assert not view.mailable


def test_a_known_member_takes_the_post(sent: Sent) -> None:
    add_member(sent.workspace, "coalition", NEW, grants=["jobs"])
    hand_over(sent.workspace, new_address=NEW)
    assert states(sent.workspace, NEW) == {ANY_TOPIC: "granted", "jobs": "granted"}
    assert len(rows(sent.workspace, "SELECT id FROM member")) == 3


def test_undoing_an_import_does_not_bring_the_predecessor_s_name_back(sent: Sent, tmp_path: Path) -> None:
    for name, number in (("Ada", 1), ("Ada L.", 2)):
        (tmp_path / "a.csv").write_text(f"email,first_name\n{ADA},{name}\n")
        assert import_members(sent.workspace, tmp_path / "a.csv", "coalition").number == number
    hand_over(sent.workspace, values={"first_name": "Ben"})
    undo_import(sent.workspace, 2, "coalition")
    member = sent.workspace.people("coalition").find(ADA)
    assert member is not None
    assert member.attributes == {"first_name": "Ben"}


def test_it_is_written_down_without_a_name(sent: Sent) -> None:
    hand_over(sent.workspace, new_address=NEW)
    noted = sent.workspace.host.db.execute("SELECT who, what, detail FROM audit").fetchall()
    assert noted == [("dana", "member succeeded", "one of coalition")]


def test_what_can_not_be_done_is_said_and_nothing_is(sent: Sent) -> None:
    before = everything(sent.workspace)
    with pytest.raises(UsageError, match="address of both"):
        hand_over(sent.workspace, new_address="ADA@example.org")
    with pytest.raises(AudienceError):
        hand_over(sent.workspace, new_address="no address")
    with pytest.raises(AudienceError):
        hand_over(sent.workspace, values={"email": "x@example.org"})
    assert hand_over(sent.workspace, "nobody@example.org") is None
    assert everything(sent.workspace) == before
