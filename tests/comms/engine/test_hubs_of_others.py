"""Telling hubs of others that a feed changed: a real one, that fails and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from websub_scene import SITE, Scene, scene

from comms.engine.announcing import AGAIN
from tests.conftest import Comms
from tests.support.websub_server import Manner, WebSubServer, websub_server

HUB = "hub.example/publish"


@pytest.fixture
def server() -> Iterator[WebSubServer]:
    with websub_server() as running:
        yield running


@pytest.fixture
def told(comms: Comms, server: WebSubServer) -> Iterator[Scene]:
    with scene(comms.folder, server, COMMS_FEEDS__HUBS=server.url(HUB)) as made:
        yield made


def topics(server: WebSubServer) -> list[str]:
    return [parse_qs(came.body.decode())["hub.url"][0].removeprefix(f"{SITE}/feeds/") for came in server.of("POST")]


def test_a_publication_tells_the_hub_of_every_feed_that_it_stands_in(told: Scene, server: WebSubServer) -> None:
    told.publish(topic="jobs")
    told.work()
    paths = ("", "/jobs", "/tag/hosting")
    assert sorted(topics(server)) == sorted(
        f"coalition{path}.{kind}" for path in paths for kind in ("rss", "atom", "json")
    )
    assert told.store.all_pings() == []


def test_a_correction_tells_it_again(told: Scene, server: WebSubServer) -> None:
    told.publish()
    told.work()
    before = len(topics(server))
    told.change(title="Put right")
    told.work()
    assert len(topics(server)) == 2 * before


def test_a_hub_that_fails_is_told_later_even_by_another_process(told: Scene, server: WebSubServer) -> None:
    server.manners[HUB] = Manner(status=503)
    told.publish()
    told.work()
    waiting = told.store.all_pings()
    assert waiting
    assert {ping.fault for ping in waiting} == {"it answers with 503"}
    assert len(topics(server)) == len(waiting), "each is tried once"
    told.begin_anew()
    del server.manners[HUB]
    told.work()
    assert len(topics(server)) == len(waiting), "not before its time"
    told.clock.now += AGAIN[0]
    told.work()
    assert told.store.all_pings() == []
    assert sorted(topics(server)[len(waiting) :]) == sorted(topics(server)[: len(waiting)])


def test_after_six_tries_it_is_left(told: Scene, server: WebSubServer) -> None:
    server.manners[HUB] = Manner(status=302, location="http://127.0.0.2/")
    told.publish()
    told.work()
    number = len(topics(server))
    for pause in AGAIN:
        told.clock.now += pause
        told.work()
    assert len(topics(server)) == number * (len(AGAIN) + 1)
    assert told.store.all_pings() == []


def test_what_changed_while_nothing_ran_is_told_once_something_does(told: Scene, server: WebSubServer) -> None:
    told.publish()
    assert told.store.news() == [("coalition", "first")]
    told.begin_anew()
    told.work()
    assert topics(server)
    assert told.store.news() == []


def test_a_hub_that_the_settings_name_no_more_is_not_told(comms: Comms, told: Scene, server: WebSubServer) -> None:
    server.manners[HUB] = Manner(status=503)
    told.publish()
    told.work()
    before = len(topics(server))
    with scene(comms.folder, server) as without:
        without.clock.now = told.clock.now + AGAIN[0]
        without.work()
        assert without.store.all_pings() == []
    assert len(topics(server)) == before


def test_a_hub_inside_our_network_is_not_asked(comms: Comms, server: WebSubServer) -> None:
    with scene(comms.folder, server, COMMS_FEEDS__HUBS=server.url("inside.example/")) as made:
        made.publish()
        made.work()
        assert {ping.fault for ping in made.store.all_pings()} == {"it is not on the public internet"}
    assert server.came == []


def test_an_association_whose_database_is_damaged_holds_up_no_other(told: Scene, server: WebSubServer) -> None:
    workspace = told.workspace
    workspace.host.db.execute(
        "INSERT INTO association (slug, name, sender_address, postal_address, created_at)"
        " VALUES ('broken', 'Broken', 'a@broken.example', '1 Main Street', '2027-01-01')"
    )
    for number in range(30):
        told.publish(f"broken-{number}", association="broken")
    told.publish()
    told.work()
    assert all(topic.startswith("coalition") for topic in topics(server))
    assert topics(server)
    assert len(told.store.news()) == 30, "they wait until it is mended"
