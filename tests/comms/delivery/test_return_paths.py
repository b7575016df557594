"""Mail goes out from an address that names it, where the installation has one for returned mail."""

from __future__ import annotations

import pytest
from delivery_samples import EDITION, SIGNER, a_batch, recipient

from comms.config import Bounces
from comms.delivery.batches import MailBatch, from_json
from comms.delivery.messages import MessageMaker
from comms.links import LinkMaker
from comms.rendering.render import Renderer
from comms.verp import Returned


def senders(batch: MailBatch) -> list[str]:
    """The envelope senders of its messages."""
    maker = MessageMaker(batch, Renderer(EDITION), LinkMaker(batch.site_url, SIGNER))
    return [maker.make(each)[0] for each in batch.recipients]


def test_each_mail_has_a_return_path_of_its_own_that_names_its_delivery() -> None:
    batch = from_json(a_batch([recipient(7), recipient(8)], bounces="bounces@lists.example.org").to_json())
    assert isinstance(batch, MailBatch)
    paths = senders(batch)
    assert all(path.startswith("bounces+") and path.endswith("@lists.example.org") for path in paths)
    mark = SIGNER.returns.mark("coalition")
    assert [SIGNER.returns.find([path]) for path in paths] == [Returned(mark, 7), Returned(mark, 8)]


def test_the_envelope_is_named_by_the_same_token_with_and_without_such_an_address() -> None:
    for bounces in ("bounces@lists.example.org", ""):
        batch = a_batch([recipient(7)], bounces=bounces)
        made = MessageMaker(batch, Renderer(EDITION), LinkMaker(batch.site_url, SIGNER)).make(recipient(7))
        assert SIGNER.returns.read(made.name) == Returned(SIGNER.returns.mark("coalition"), 7)
        assert "@" not in made.name
        assert f"+{made.name}@" in made.sender or not bounces


def test_without_such_an_address_it_goes_out_from_the_associations_own() -> None:
    assert senders(a_batch([recipient(7)])) == ["news@coalition.example"]


@pytest.mark.parametrize("address", ["", "bounces@lists.example.org", "b-1.x_y@xn--mnchen-3ya.example", "B@a.museum"])
def test_addresses_for_returned_mail(address: str) -> None:
    assert Bounces(address=address).address == address


@pytest.mark.parametrize(
    "address",
    [
        "bounces",
        "a+b@x.example",
        f"{'b' * 27}@x.example",
        "b@x.example\r\nBcc: y",
        "b@localhost",
        "ü@x.example",
        "b@-.x",
    ],
)
def test_what_can_be_no_address_for_returned_mail_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="must be an address such as"):
        Bounces(address=address)


@pytest.mark.parametrize("values", [{"listen": "2424"}, {"listen": "127.0.0.1:70000"}, {"webhook_secret": "short"}])
def test_settings_that_can_not_be_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Bounces.model_validate(values)
