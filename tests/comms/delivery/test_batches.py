"""What control and senders hand each other comes out of the queue as it went in."""

from __future__ import annotations

import json

import pytest
from delivery_samples import a_batch, recipient
from hypothesis import given
from hypothesis import strategies as st

from comms.delivery.batches import Recipient, from_json

texts = st.text(st.characters() | st.sampled_from("\ud800\udfff\x00"))
recipients = st.builds(Recipient, st.integers(1), texts, st.none() | texts, texts, st.booleans(), st.text("01"))


@given(st.lists(recipients, max_size=5))
def test_a_batch_survives_the_queue_whatever_people_are_called(people: list[Recipient]) -> None:
    batch = a_batch(people)
    assert from_json(json.loads(json.dumps(batch.to_json()))) == batch


@pytest.mark.parametrize(
    "of_another_version",
    [
        {"delivery": 1, "address": "ana@example.org", "language": None, "attributes": "{}", "tracked": False},
        [1, "ana@example.org"],
        [1, "ana@example.org", None, "{}", False, "", "more"],
        "ana@example.org",
        None,
    ],
)
def test_recipients_of_another_version_are_refused_and_not_misread(of_another_version: object) -> None:
    data = {**a_batch([recipient(1)]).to_json(), "recipients": [of_another_version]}
    with pytest.raises(TypeError):
        from_json(data)
