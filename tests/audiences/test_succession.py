"""What passes to a successor and what does not: never more consent than there was, never the person's own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.consent import Standing
from audiences.errors import AudienceError
from audiences.models import ANY_TOPIC, TRACKING, Basis, Consent, ConsentState, Member
from audiences.succession import Known, Role, given_values, is_personal, new_mailbox, same_mailbox

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
THEN = datetime(2025, 5, 4, tzinfo=UTC)
TOPICS = ("news", "jobs")
FACTS = {"membership_level": "gold", "member_since": 2011, "renewal_due": "2027-06-30", "library_name": "Anytown"}
PERSON = {"first_name": "Ana", "last_name": "Reyes", "title": "Dr", "mobile": "+1 555", "pronouns": "she/her"}


def grant(topic: str = ANY_TOPIC, basis: Basis = Basis.EXPRESS) -> Consent:
    return Consent(topic, ConsentState.GRANTED, THEN, "form", basis, "yes")


def withdraw(topic: str = ANY_TOPIC) -> Consent:
    return Consent(topic, ConsentState.WITHDRAWN, THEN, "one click")


def known(
    *changes: Consent,
    address: str = "director@example.org",
    number: int | None = 1,
    suppressed: bool = False,
    tags: frozenset[str] = frozenset({"Board"}),
) -> Known:
    standing, grants = Standing(suppressed=suppressed), {}
    for change in changes:
        standing = standing.after(change)
        grants[change.topic] = change
    stands = {topic: c for topic, c in grants.items() if standing.states.get(topic) is c.state is ConsentState.GRANTED}
    return Known(Member(address, {**FACTS, **PERSON}, "en", "America/Denver", number), standing, stands, tags)


def stranger(*changes: Consent, suppressed: bool = False) -> Known:
    known_ = known(*changes, address="ben@example.org", number=None, suppressed=suppressed, tags=frozenset())
    return Known(Member("ben@example.org"), known_.standing, known_.grants)


def after(known_: Known, changes: tuple[Consent, ...]) -> Standing:
    standing = known_.standing
    for change in changes:
        standing = standing.after(change)
    return standing


@pytest.mark.parametrize("name", [*PERSON, "name", "contact_first_name", "work_phone", "date_of_birth", "salutation"])
def test_these_are_the_person_s_own(name: str) -> None:
    assert is_personal(name)


@pytest.mark.parametrize("name", [*FACTS, "organization", "organization_name", "office_phone", "state", "population"])
def test_these_are_the_institution_s(name: str) -> None:
    assert not is_personal(name)


def test_in_the_same_mailbox_the_membership_stays_and_the_person_goes() -> None:
    found = same_mailbox(known(grant(basis=Basis.MEMBERSHIP)), given_values({"First Name": "Ben", "title": ""}), NOW)
    assert dict(found.successor.attributes) == {**FACTS, "first_name": "Ben"}
    assert (found.successor.language, found.successor.timezone) == ("en", "America/Denver")
    assert [(c.topic, c.state, c.source) for c in found.ends] == [
        (TRACKING, ConsentState.WITHDRAWN, "succession of 2027-02-01")
    ]
    assert [(c.field, c.before, c.after) for c in found.changes if c.who is Role.SUCCESSOR][:2] == [
        ("first_name", "Ana", "Ben"),
        ("last_name", "Reyes", ""),
    ]


def test_in_the_same_mailbox_an_express_yes_is_implied_from_now_on() -> None:
    old = known(grant("news"), grant("jobs", Basis.IMPLIED))
    found = same_mailbox(old, {}, NOW)
    (changed,) = [c for c in found.ends if c.topic != TRACKING]
    assert (changed.topic, changed.basis, changed.wording) == ("news", Basis.IMPLIED, "")
    assert changed.source == "succession of 2027-02-01; the predecessor's consent (express) of 2025-05-04: form"
    assert after(old, found.ends).states.items() >= old.standing.states.items()


def test_a_no_of_the_same_mailbox_stays_a_no_and_is_not_said_twice() -> None:
    old = known(withdraw(), withdraw(TRACKING))
    assert same_mailbox(old, {}, NOW).ends == ()


def test_at_a_new_address_the_membership_and_its_newsletters_pass_on_and_the_old_ones_end() -> None:
    old = known(grant(basis=Basis.MEMBERSHIP), grant(TRACKING))
    found = new_mailbox(old, stranger(), given_values({"first_name": "Ben"}), TOPICS, NOW)
    assert dict(found.successor.attributes) == {**FACTS, "first_name": "Ben"}
    assert dict(found.predecessor.attributes) == PERSON
    assert [(c.topic, c.state, c.basis) for c in found.begins] == [(ANY_TOPIC, ConsentState.GRANTED, Basis.MEMBERSHIP)]
    assert [(c.topic, c.state) for c in found.ends] == [
        (ANY_TOPIC, ConsentState.WITHDRAWN),
        (TRACKING, ConsentState.WITHDRAWN),
    ]
    assert found.tags == {"Board"}
    assert Role.PREDECESSOR in {c.who for c in found.changes}


@pytest.mark.parametrize("new", [stranger(withdraw()), stranger(withdraw("jobs")), stranger(suppressed=True)])
def test_a_no_of_the_new_address_wins_and_is_told(new: Known) -> None:
    found = new_mailbox(known(grant()), new, {}, TOPICS, NOW)
    assert found.begins == ()
    assert [topic for topic, _ in found.refused] == [ANY_TOPIC]
    assert "opted out" in found.refused[0][1] or "suppressed" in found.refused[0][1]


def test_what_the_predecessor_refused_is_no_refusal_of_the_successor_but_is_not_begun_either() -> None:
    found = new_mailbox(known(grant(), withdraw("jobs")), stranger(), {}, TOPICS, NOW)
    standing = after(stranger(), found.begins)
    assert not standing.withdrew
    assert (standing.agrees_to("news"), standing.agrees_to("jobs")) == (True, False)


def test_what_the_successor_has_already_stays_theirs() -> None:
    new = Known(
        Member("ben@example.org", {"first_name": "Ben", "city": "Bend"}, "es", None, 2),
        Standing().after(grant("news")),
        {"news": grant("news")},
        frozenset({"Friends"}),
    )
    found = new_mailbox(known(grant("news")), new, {}, TOPICS, NOW)
    assert found.begins == ()
    assert (found.successor.attributes["first_name"], found.successor.language) == ("Ben", "es")
    assert found.successor.timezone == "America/Denver"


changes = st.lists(
    st.builds(grant, st.sampled_from([ANY_TOPIC, TRACKING, *TOPICS]), st.sampled_from(list(Basis)))
    | st.builds(withdraw, st.sampled_from([ANY_TOPIC, TRACKING, *TOPICS])),
    max_size=6,
)


@given(changes, changes, st.booleans())
def test_nobody_gets_more_than_the_predecessor_or_they_themselves_agreed_to(
    olds: list[Consent], news: list[Consent], suppressed: bool
) -> None:
    old, new = known(*olds), stranger(*news, suppressed=suppressed)
    found = new_mailbox(old, new, {}, TOPICS, NOW)
    standing, left = after(new, found.begins), after(old, found.ends)
    for topic in (*TOPICS, "a topic of next year"):
        allowed = old.standing.agrees_to(topic) and not new.standing.withdrew and not suppressed
        assert standing.agrees_to(topic) <= (allowed or new.standing.agrees_to(topic))
        assert not left.agrees_to(topic)
    assert standing.states.get(TRACKING) == new.standing.states.get(TRACKING)
    assert all(change.basis is not Basis.EXPRESS for change in found.begins)
    assert left.states.get(TRACKING) is not ConsentState.GRANTED

    same = same_mailbox(old, {}, NOW)
    standing = after(old, same.ends)
    assert standing.states.get(TRACKING) is ConsentState.WITHDRAWN
    assert all(standing.agrees_to(topic) == old.standing.agrees_to(topic) for topic in TOPICS)
    assert all(change.basis is not Basis.EXPRESS for change in same.ends)


@pytest.mark.parametrize(
    "pair", [("email", "x@example.org"), ("!", "x"), ("language", "no such"), ("timezone", "Mars")]
)
def test_what_can_not_be_set_is_said(pair: tuple[str, str]) -> None:
    with pytest.raises(AudienceError):
        given_values(dict([pair]))
    with pytest.raises(AudienceError, match="10,001 characters"):
        given_values({"note": "x" * 10_001})
