"""What comes back is noted with its delivery, and stops the address where it must; forgeries stop nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from returned_mail import complaint, dsn, vacation, verp
from sent_newsletter import (
    CAMPAIGN,
    DEFINITION,
    NOW,
    Sent,
    add_member,
    agrees,
    association,
    consent,
    make_workspace,
    member_id,
    save_campaign,
    send,
)

from audiences.models import ANY_TOPIC, Basis, Consent, ConsentState, SuppressionScope
from audiences.store import EVERYONE
from comms.delivery.batches import Outcome, Receipt
from comms.delivery.messages import message_id
from comms.engagement.bounces.models import Kind
from comms.engagement.bounces.policy import COMPLAINT, HARD_BOUNCE, REPEATED_BOUNCES
from comms.engine import intake, retention
from comms.engine.bounces import Effect, Evidence, accept, overview
from comms.engine.reporting import report
from comms.engine.rights import erase_member, export_member
from comms.engine.workspace import Workspace

ADA, BEN = "ada@example.org", "ben@example.org"


def path_of(sent: Sent, address: str) -> str:
    return verp(sent.workspace, sent.association, sent.deliveries[address])


def suppressions(sent: Sent, address: str) -> list[tuple[SuppressionScope, str]]:
    return sent.workspace.people(sent.association).suppressions_of(address)


def our_message_id(sent: Sent, address: str) -> str:
    return message_id(sent.workspace.association(sent.association), CAMPAIGN, sent.deliveries[address])


def test_an_unknown_user_at_the_return_path_is_noted_and_suppressed_at_once(sent: Sent) -> None:
    done = accept(sent.workspace, dsn(BEN), path_of(sent, BEN))
    assert (done.effect, done.evidence, done.suppressed) == (Effect.SUPPRESSED, Evidence.TOKEN, HARD_BOUNCE)
    assert (done.association, done.campaign, done.delivery) == ("coalition", CAMPAIGN, sent.deliveries[BEN])
    assert suppressions(sent, BEN) == [(SuppressionScope.ASSOCIATION, HARD_BOUNCE)]
    assert sent.events() == [("bounced", sent.deliveries[BEN], None)]
    assert suppressions(sent, ADA) == []


def test_the_token_is_found_in_the_header_in_capitals_too(sent: Sent) -> None:
    assert accept(sent.workspace, dsn(BEN, to=path_of(sent, BEN).upper())).effect is Effect.SUPPRESSED


def test_the_unsubscribe_link_of_the_returned_header_is_as_good_as_the_return_path(sent: Sent) -> None:
    link = f"List-Unsubscribe: <{sent.workspace.settings.site.url}/u/{sent.token(BEN)}>"
    done = accept(sent.workspace, dsn(BEN, returned=link))
    assert (done.effect, done.evidence) == (Effect.SUPPRESSED, Evidence.TOKEN)


def test_the_name_of_the_envelope_in_a_report_is_as_good_as_the_return_path(sent: Sent) -> None:
    token = sent.workspace.links.signer.returns.sign(sent.association, sent.deliveries[BEN])
    done = accept(sent.workspace, dsn(BEN, to="news@coalition.example.org", envelope=token))
    assert (done.effect, done.evidence) == (Effect.SUPPRESSED, Evidence.TOKEN)


def test_the_same_bounce_twice_counts_once_and_does_not_take_back_what_happened_since(sent: Sent) -> None:
    bounce = dsn(BEN, to=path_of(sent, BEN))
    assert accept(sent.workspace, bounce).effect is Effect.SUPPRESSED
    people = sent.workspace.people("coalition")
    with people.db.atomic():
        people.lift(BEN, SuppressionScope.ASSOCIATION)
    assert accept(sent.workspace, bounce).effect is Effect.KNOWN
    assert suppressions(sent, BEN) == []
    assert len(sent.events()) == 1


def test_a_delay_is_no_bounce_and_the_failure_after_it_is(sent: Sent) -> None:
    delayed = dsn(BEN, to=path_of(sent, BEN), action="delayed", status="4.4.1", words="451 timed out")
    assert accept(sent.workspace, delayed).effect is Effect.IGNORED
    assert sent.events() == []
    assert accept(sent.workspace, dsn(BEN, to=path_of(sent, BEN))).effect is Effect.SUPPRESSED


def test_a_soft_bounce_and_then_a_hard_one_of_the_same_mail_are_one_event_and_a_suppression(sent: Sent) -> None:
    full = dsn(BEN, to=path_of(sent, BEN), status="5.2.2", words="552 5.2.2 mailbox full")
    assert accept(sent.workspace, full).effect is Effect.RECORDED
    assert accept(sent.workspace, dsn(BEN, to=path_of(sent, BEN))).effect is Effect.SUPPRESSED
    assert accept(sent.workspace, full).effect is Effect.KNOWN
    assert len(sent.events()) == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("5.7.1", "550 5.7.1 blocked, see https://blocklist.example.net"),
        ("5.7.26", "550 5.7.26 unauthenticated email from coalition.example is not accepted"),
        ("5.3.4", "552 5.3.4 message too big"),
    ],
)
def test_what_is_said_of_the_sender_or_the_message_stops_nobody(sent: Sent, status: str, words: str) -> None:
    done = accept(sent.workspace, dsn(BEN, to=path_of(sent, BEN), status=status, words=words))
    assert done.effect is Effect.RECORDED
    assert suppressions(sent, BEN) == []


def test_an_absence_counts_for_nothing(sent: Sent) -> None:
    assert accept(sent.workspace, vacation(BEN, path_of(sent, BEN)), path_of(sent, BEN)).effect is Effect.IGNORED
    assert sent.events() == []
    assert suppressions(sent, BEN) == []


def test_a_bounce_of_the_address_behind_a_forwarding_is_a_strike_and_no_proof(sent: Sent) -> None:
    forwarded = accept(sent.workspace, dsn("old@elsewhere.example.net", to=path_of(sent, BEN)))
    assert (forwarded.effect, forwarded.suppressed) == (Effect.RECORDED, None)
    named = accept(sent.workspace, dsn("old@elsewhere.example.net", to=path_of(sent, BEN), original=BEN))
    assert named.effect is Effect.SUPPRESSED, "the report says that it was sent to ben"


# --- forgeries --------------------------------------------------------------------------------


def test_a_bounce_without_anything_of_ours_stops_nobody(sent: Sent) -> None:
    done = accept(sent.workspace, dsn(BEN, to="news@coalition.example.org"))
    assert (done.effect, done.delivery) == (Effect.UNMATCHED, None)
    assert sent.events() == []
    assert suppressions(sent, BEN) == []


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_a_forged_token_stops_nobody(sent: Sent, choice: st.DataObject) -> None:
    path = path_of(sent, BEN)
    position = choice.draw(st.integers(path.index("+") + 1, path.index("@") - 1))
    letter = choice.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz234567").filter(lambda x: x != path[position]))
    forged = path[:position] + letter + path[position + 1 :]
    assert accept(sent.workspace, dsn(BEN, to=forged), forged).effect is Effect.UNMATCHED
    assert suppressions(sent, BEN) == []
    assert sent.events() == []


def test_who_knows_their_own_token_can_not_use_it_for_another(sent: Sent) -> None:
    done = accept(sent.workspace, dsn(BEN, to=path_of(sent, ADA)), path_of(sent, ADA))
    assert (done.effect, done.delivery) == (Effect.RECORDED, sent.deliveries[ADA])
    assert suppressions(sent, BEN) == []
    assert suppressions(sent, ADA) == [], "it is said of another address than hers"


def test_a_message_id_can_be_guessed_so_it_is_a_strike_and_only_for_whom_it_went_to(sent: Sent) -> None:
    header = f"Message-ID: {our_message_id(sent, BEN)}"
    other = accept(sent.workspace, dsn(ADA, returned=header))
    assert other.effect is Effect.UNMATCHED
    done = accept(sent.workspace, dsn(BEN, returned=header))
    assert (done.effect, done.evidence, done.suppressed) == (Effect.RECORDED, Evidence.MESSAGE_ID, None)
    assert suppressions(sent, BEN) == []


def test_where_return_paths_are_signed_a_message_id_alone_is_nothing(sent: Sent, tmp_path: Path) -> None:
    environment = {"COMMS_BOUNCES__ADDRESS": "bounces@lists.example.org"}
    with Workspace(sent.workspace.folder, environment=environment, clock=lambda: NOW) as workspace:
        bounce = dsn(BEN, returned=f"Message-ID: {our_message_id(sent, BEN)}")
        assert accept(workspace, bounce).effect is Effect.UNMATCHED


def test_a_token_of_a_delivery_that_is_not_there_is_about_nothing(sent: Sent) -> None:
    for delivery in (10_000, (1 << 64) - 1):
        path = verp(sent.workspace, "coalition", delivery)
        assert accept(sent.workspace, dsn(BEN, to=path)).effect is Effect.UNMATCHED
    gone = verp(sent.workspace, "dissolved", sent.deliveries[BEN])
    assert accept(sent.workspace, dsn(BEN, to=gone)).effect is Effect.UNMATCHED


# --- going on ---------------------------------------------------------------------------------


def one_more(workspace: Workspace, number: int, at: datetime) -> int:
    """Send another newsletter to everyone; returns ben's delivery."""
    ledger = workspace.ledger("coalition")
    with ledger.db.atomic():
        run = ledger.freeze(
            f"weekly-{number}",
            "newsletter",
            topic=None,
            digest="",
            doubt="resend",
            segment=EVERYONE,
            excluded={},
            due={None: at},
            now=at,
        )
        claim = ledger.claim(run, f"weekly-{number}", 1000, at)
        receipts = [Receipt(each.delivery, Outcome.ACCEPTED, 250, "ok") for each in claim.recipients]
        ledger.settle(f"weekly-{number}", receipts, in_doubt={}, now=at, give_up_s=3600)
    return next(each.delivery for each in claim.recipients if each.address == BEN)


def full_mailbox(sent: Sent, days: Sequence[float], order: Sequence[int]) -> list[Effect]:
    """Newsletters so many days ago, of which those in `order` come back, in this order, long after ben signed up."""
    today = NOW + timedelta(days=60)
    with Workspace(sent.workspace.folder, environment={}, clock=lambda: today) as workspace:
        deliveries = [one_more(workspace, n, today - timedelta(days=day)) for n, day in enumerate(days)]
        bounces = [
            dsn(BEN, to=verp(workspace, "coalition", each), status="5.2.2", words="552 5.2.2 mailbox full")
            for each in deliveries
        ]
        return [accept(workspace, bounces[position]).effect for position in order]


def test_the_fifth_full_mailbox_is_one_too_many(sent: Sent) -> None:
    effects = full_mailbox(sent, (20, 15, 10, 5, 1), (0, 1, 2, 3, 4))
    assert effects == [Effect.RECORDED] * 4 + [Effect.SUPPRESSED]
    assert suppressions(sent, BEN) == [(SuppressionScope.ASSOCIATION, REPEATED_BOUNCES)]


def test_they_count_in_whatever_order_they_come_in(sent: Sent) -> None:
    assert full_mailbox(sent, (20, 15, 10, 5, 1), (4, 0, 3, 1, 2))[-1] is Effect.SUPPRESSED


def test_a_newsletter_between_them_that_arrived_wipes_the_slate(sent: Sent) -> None:
    assert full_mailbox(sent, (20, 15, 12, 10, 5, 1), (0, 1, 3, 4, 5)) == [Effect.RECORDED] * 5
    assert suppressions(sent, BEN) == []


def test_who_spoke_since_the_mail_was_sent_has_a_mailbox_that_works(sent: Sent) -> None:
    later = NOW + timedelta(days=2)
    with Workspace(sent.workspace.folder, environment={}, clock=lambda: later) as workspace:
        people = workspace.people("coalition")
        with people.db.atomic():
            granted = Consent(ANY_TOPIC, ConsentState.GRANTED, NOW + timedelta(days=1), "form", Basis.EXPRESS)
            people.record([(member_id(sent, BEN), granted)], later)
        assert accept(workspace, dsn(BEN, to=path_of(sent, BEN))).effect is Effect.RECORDED
    assert suppressions(sent, BEN) == []


# --- complaints and wishes --------------------------------------------------------------------


def test_a_complaint_with_our_link_in_it_stops_the_newsletters(sent: Sent) -> None:
    link = f"List-Unsubscribe: <{sent.workspace.settings.site.url}/u/{sent.token(BEN)}>"
    done = accept(sent.workspace, complaint(returned=link))
    assert (done.effect, done.kind, done.suppressed) == (Effect.SUPPRESSED, Kind.COMPLAINT, COMPLAINT)
    assert suppressions(sent, BEN) == [(SuppressionScope.ASSOCIATION, COMPLAINT)]
    assert sent.events() == [("complained", sent.deliveries[BEN], None)]


def test_a_complaint_about_a_relayed_mail_stops_what_is_relayed_everywhere(tmp_path: Path) -> None:
    both = (association("coalition", "The Coalition"), association("museums", "Museums"))
    with make_workspace(tmp_path / "coalition", both) as workspace:
        for slug in ("coalition", "museums"):
            add_member(workspace, slug, BEN)
        save_campaign(workspace, ["coalition", "museums"])
        sent = send(workspace, "museums")
        done = accept(workspace, complaint(returned=f"Return-Path: <{path_of(sent, BEN)}>"))
        assert done.suppressed == COMPLAINT
        assert suppressions(sent, BEN) == [(SuppressionScope.ASSOCIATION, COMPLAINT)]
        assert workspace.people("coalition").suppressions_of(BEN) == [(SuppressionScope.RELAYS, COMPLAINT)]
        assert DEFINITION.count("association") == 0, "it is the host's own campaign"


def test_a_complaint_that_anybody_could_write_stops_nobody(sent: Sent) -> None:
    done = accept(sent.workspace, complaint(returned=f"Message-ID: {our_message_id(sent, BEN)}\nX: {BEN}"))
    assert done.suppressed is None
    assert suppressions(sent, BEN) == []


def test_a_mail_that_says_unsubscribe_is_followed_when_it_comes_to_a_return_path(sent: Sent) -> None:
    mail = f"From: {BEN}\r\nTo: x@example.org\r\nSubject: unsubscribe\r\n\r\n".encode()
    assert accept(sent.workspace, mail).effect is Effect.UNMATCHED
    assert agrees(sent, BEN, None)
    assert accept(sent.workspace, mail, path_of(sent, BEN), dry_run=True).effect is Effect.UNSUBSCRIBED
    assert agrees(sent, BEN, None)
    assert accept(sent.workspace, mail, path_of(sent, BEN)).effect is Effect.UNSUBSCRIBED
    assert not agrees(sent, BEN, None)


# --- refused at once --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        (550, "5.1.1 no such user", HARD_BOUNCE),
        (550, "5.1.2 host not found", HARD_BOUNCE),
        (552, "5.2.2 mailbox full", None),
        (550, "5.7.1 blocked", None),
        (554, "5.7.1 message looks like spam", None),
        (0, "can not be written: no such user", None),
    ],
)
def test_a_refusal_while_sending_is_the_same_kind_of_fact(
    workspace: Workspace, code: int, text: str, reason: str | None
) -> None:
    add_member(workspace, "coalition", BEN)
    save_campaign(workspace, ["coalition"])
    sent = send(workspace, "coalition", [Receipt(1, Outcome.REJECTED, code, text)])
    intake.follow_refusals(workspace)
    expected = [(SuppressionScope.ASSOCIATION, reason)] if reason else []
    assert suppressions(sent, BEN) == expected
    assert sent.events() == [], "the delivery says `failed` already"
    assert intake.follow_refusals(workspace) == 0, "each is looked at once"


@pytest.mark.parametrize(("taken", "suppressed"), [(80, 0), (81, 20)])
def test_a_server_that_refuses_a_fifth_of_all_is_not_believed(
    workspace: Workspace, taken: int, suppressed: int
) -> None:
    refused = 20 + (taken == 80)
    for number in range(refused + taken):
        add_member(workspace, "coalition", f"p{number}@example.org")
    save_campaign(workspace, ["coalition"])
    no, yes = (Outcome.REJECTED, 550, "5.1.1 no such user"), (Outcome.ACCEPTED, 250, "ok")
    receipts = [Receipt(n + 1, *(no if n < refused else yes)) for n in range(refused + taken)]
    send(workspace, "coalition", receipts)
    while intake.follow_refusals(workspace):
        pass
    people = workspace.people("coalition")
    assert len(people.suppressed([f"p{n}@example.org" for n in range(refused + taken)])) == suppressed


def test_what_was_put_off_until_we_gave_up_suppresses_nobody_at_once(workspace: Workspace) -> None:
    add_member(workspace, "coalition", BEN)
    save_campaign(workspace, ["coalition"])
    sent = send(workspace, "coalition", [Receipt(1, Outcome.ACCEPTED, 250, "ok")])
    reply = "given up: 550 5.1.8 <news@coalition.example.org>: Sender address rejected: Domain not found"
    with sent.workspace.association_db("coalition").atomic() as db:
        db.execute("UPDATE delivery SET state = 'failed', reply = ?", [reply])
    assert intake.follow_refusals(workspace) == 1
    assert suppressions(sent, BEN) == []


# --- keeping and forgetting -------------------------------------------------------------------


def test_a_dry_run_says_the_same_and_leaves_nothing(sent: Sent) -> None:
    bounce = dsn(BEN, to=path_of(sent, BEN))
    dry = accept(sent.workspace, bounce, dry_run=True)
    assert sent.events() == []
    assert suppressions(sent, BEN) == []
    assert accept(sent.workspace, bounce) == dry


def test_the_overview_counts_and_shows_the_newest(sent: Sent) -> None:
    accept(sent.workspace, dsn(BEN, to=path_of(sent, BEN), words=f"550 5.1.1 <{BEN}> unknown"))
    seen = overview(sent.workspace, "coalition", timedelta(days=30), 10)
    assert seen.counts == {Kind.NO_USER: 1}
    assert [(past.address, past.status, past.suppressed) for past in seen.newest] == [(BEN, "5.1.1", HARD_BOUNCE)]
    assert BEN not in seen.newest[0].reason


def test_who_is_erased_is_not_in_it_any_more(sent: Sent) -> None:
    full = dsn(BEN, to=path_of(sent, BEN), status="5.2.2", words=f"552 5.2.2 <{BEN}> mailbox full")
    accept(sent.workspace, full)
    erase_member(sent.workspace, BEN, "coalition")
    seen = overview(sent.workspace, "coalition", timedelta(days=30), 10)
    assert [past.address for past in seen.newest] == [None]
    assert BEN not in str(seen)
    assert accept(sent.workspace, dsn(BEN, to=path_of(sent, BEN))).effect is Effect.KNOWN


def test_what_is_old_is_forgotten_and_its_figure_stays(sent: Sent) -> None:
    accept(sent.workspace, dsn(BEN, to=path_of(sent, BEN)))
    with sent.workspace.association_db("coalition").atomic() as db:
        db.execute("UPDATE run SET done_at = frozen_at")
    later = NOW + timedelta(days=800)
    with Workspace(sent.workspace.folder, environment={}, clock=lambda: later) as workspace:
        assert retention.survey(workspace).rows["coalition"]["events"] == 2
        retention.forget(workspace)
        assert overview(workspace, "coalition", timedelta(days=2000), 10).newest == []
        assert sent.events() == [("bounced", None, None)]


def test_the_report_counts_what_came_back_and_who_called_it_spam(sent: Sent) -> None:
    accept(sent.workspace, dsn(BEN, to=path_of(sent, BEN)))
    accept(sent.workspace, complaint(returned=f"Return-Path: <{path_of(sent, ADA)}>"))
    figures = report(sent.workspace, CAMPAIGN).to_json()
    assert (figures["engagement"]["bounced"], figures["engagement"]["complained"]) == (1, 1)
    assert figures["deliveries"]["sent"] == 2, "a server took them all the same"


def test_a_person_is_told_what_came_back_of_their_mail(sent: Sent) -> None:
    accept(sent.workspace, dsn(BEN, to=path_of(sent, BEN)))
    held = export_member(sent.workspace, BEN, "coalition")
    assert held is not None
    assert [(each["campaign"], each["kind"], each["suppressed"]) for each in held["returned"]] == [
        (CAMPAIGN, "no-user", HARD_BOUNCE)
    ]


def test_withdrawn_consent_is_not_touched_by_a_bounce(sent: Sent) -> None:
    consent(sent.workspace, "coalition", BEN, ANY_TOPIC, ConsentState.WITHDRAWN)
    accept(sent.workspace, dsn(BEN, to=path_of(sent, BEN)))
    assert not agrees(sent, BEN, None)


@pytest.mark.parametrize("data", [b"", b"\0" * 1000, b"To: \xff\xfe\r\n\r\n", b"+" * 100_000, b"/u/m.a.1." * 20_000])
def test_what_is_no_message_is_about_nothing(sent: Sent, data: bytes) -> None:
    assert accept(sent.workspace, data, "\ud800\0@\r\n").effect in (Effect.IGNORED, Effect.UNMATCHED)
