"""Our own WebSub hub, with a real subscriber: who subscribes, who gets what, and when it ends."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import feedparser
import pytest
from websub_scene import NEWS, SITE, TOPIC, Scene, scene

from comms.engine import feeds, hub
from comms.engine.announcing import AGAIN
from tests.conftest import Comms
from tests.support.processes import wait_until
from tests.support.websub_server import Manner, WebSubServer, websub_server

CALLBACK = "reader.example/cb"


@pytest.fixture
def server() -> Iterator[WebSubServer]:
    with websub_server() as running:
        yield running


@pytest.fixture
def hub_scene(comms: Comms, server: WebSubServer) -> Iterator[Scene]:
    with scene(comms.folder, server) as made:
        yield made


# --- subscribing ------------------------------------------------------------------------------


def test_who_confirms_gets_the_feed_when_it_changes_signed_and_whole(hub_scene: Scene, server: WebSubServer) -> None:
    hub_scene.subscribe(secret="s3cret")
    hub_scene.publish(title="Something new")
    hub_scene.work()
    (came,) = server.of("POST")
    assert came.is_signed_with("s3cret")
    assert came.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert came.headers["Link"] == f'<{SITE}/hub>; rel="hub", <{TOPIC}>; rel="self"'
    served = feeds.feed(hub_scene.workspace, "coalition", "", "atom")
    assert served is not None
    assert came.body == served.body, "it is what a reader who asks would get"
    assert [entry.title for entry in feedparser.parse(came.body).entries] == ["Something new"]


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("rss", "application/rss+xml"), ("atom", "application/atom+xml"), ("json", "application/feed+json")],
)
def test_each_format_comes_as_what_it_is(hub_scene: Scene, server: WebSubServer, kind: str, media_type: str) -> None:
    hub_scene.subscribe(topic=f"{SITE}/feeds/coalition/news.{kind}")
    hub_scene.publish()
    hub_scene.work()
    assert server.of("POST")[0].headers["Content-Type"] == f"{media_type}; charset=utf-8"


@pytest.mark.parametrize("manner", [Manner(challenge="wrong"), Manner(verify_status=404), Manner(verify_status=302)])
def test_who_does_not_confirm_gets_nothing(hub_scene: Scene, server: WebSubServer, manner: Manner) -> None:
    server.manners[CALLBACK] = manner
    hub_scene.subscribe()
    hub_scene.publish()
    hub_scene.work()
    assert hub_scene.subscribers == []
    assert server.of("POST") == []
    assert len(server.of("GET")) == 1, "it is not asked again and again"


def test_a_callback_inside_our_network_is_never_connected_to(hub_scene: Scene, server: WebSubServer) -> None:
    hub_scene.subscribe("inside.example")
    assert hub_scene.subscribers == []
    assert server.came == []


def test_a_name_that_leads_inside_after_it_was_confirmed_gets_nothing(hub_scene: Scene, server: WebSubServer) -> None:
    hub_scene.subscribe()
    hub_scene.workspace.host.db.execute("UPDATE subscriber SET callback = replace(callback, 'reader.', 'inside.')")
    hub_scene.publish()
    hub_scene.work()
    assert server.of("POST") == []
    assert "public" in hub_scene.subscribers[0].fault


def test_the_lease_is_told_and_bounded(hub_scene: Scene, server: WebSubServer) -> None:
    for asked in ("", "1", "600", "864000", "999999999", "9" * 5_000):
        hub_scene.subscribe(lease_seconds=asked)
    told = [int(came.query["hub.lease_seconds"][0]) for came in server.of("GET")]
    assert told == [864_000, 300, 600, 864_000, 1_296_000, 1_296_000]


def test_nothing_goes_to_a_subscriber_whose_lease_is_over(hub_scene: Scene, server: WebSubServer) -> None:
    hub_scene.subscribe(lease_seconds="600")
    hub_scene.clock.pass_(seconds=599)
    hub_scene.publish("first")
    hub_scene.work()
    assert len(server.of("POST")) == 1
    hub_scene.clock.pass_(seconds=1)
    hub_scene.publish("second")
    hub_scene.work()
    assert len(server.of("POST")) == 1
    assert hub_scene.subscribers == []


def test_who_asks_again_goes_on_with_the_new_lease_and_secret(hub_scene: Scene, server: WebSubServer) -> None:
    hub_scene.subscribe(lease_seconds="600", secret="old")
    hub_scene.clock.pass_(seconds=500)
    hub_scene.subscribe(lease_seconds="600", secret="new")
    hub_scene.clock.pass_(seconds=500)
    hub_scene.publish()
    hub_scene.work()
    (came,) = server.of("POST")
    assert came.is_signed_with("new")


def test_a_renewal_that_is_not_confirmed_changes_nothing(hub_scene: Scene, server: WebSubServer) -> None:
    hub_scene.subscribe(secret="mine")
    server.manners[CALLBACK] = Manner(verify_status=404)
    hub_scene.subscribe(secret="theirs")
    hub_scene.subscribe(mode="unsubscribe")
    hub_scene.publish()
    hub_scene.work()
    assert server.of("POST")[0].is_signed_with("mine")


def test_who_unsubscribes_is_asked_and_then_gets_nothing(hub_scene: Scene, server: WebSubServer) -> None:
    hub_scene.subscribe()
    hub_scene.subscribe(mode="unsubscribe")
    assert server.of("GET")[-1].query["hub.mode"] == ["unsubscribe"]
    hub_scene.publish()
    hub_scene.work()
    assert server.of("POST") == []


# --- what is refused at once ------------------------------------------------------------------


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "https://elsewhere.example/feed",
        f"{SITE}/feeds/nowhere.atom",
        f"{SITE}/feeds/coalition/nothing.atom",
        f"{SITE}/feeds/coalition.1.atom",
        f"{SITE}/feeds/coalition.atom?x=1",
        f"{SITE}/feeds//coalition.atom",
        f"{SITE}/feeds/coalition%2Fnews.atom",
        f"{SITE}/r/coalition.{'x' * 43}.atom",
        f"{SITE}/u/token",
        f"{TOPIC}\n",
        "\udc80",
        "x" * 1_000_000,
    ],
)
def test_only_our_own_public_feeds_can_be_subscribed_to(hub_scene: Scene, topic: str) -> None:
    assert hub_scene.ask(topic=topic).status == 404
    assert hub_scene.store.waiting() == 0


@pytest.mark.parametrize(
    "callback",
    [
        "",
        "reader.example/cb",
        "ftp://reader.example/cb",
        "file:///etc/passwd",
        "https://user:word@reader.example/cb",
        "https://reader.example/cb#part",
        "https://reader.example:25/cb",
        "https://reader.example:99999/cb",
        "https://reader.example/a b",
        "https://reader.example/\r\nX: y",
        "https://reader.example/é",
        f"https://reader.example/{'x' * 3000}",
        "https://[::1",
        f"{SITE}/u/token",
        f"{SITE.upper()}/hub",
        f"{SITE}./hub",
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
    ],
)
def test_a_callback_that_nothing_can_go_to_is_refused(hub_scene: Scene, callback: str) -> None:
    answer = hub_scene.ask(callback=callback)
    assert answer.status == 400
    assert "hub.callback" in answer.text
    assert hub_scene.store.waiting() == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"mode": "publish"},
        {"mode": ""},
        {"mode": "denied"},
        {"secret": "x" * 200},
        {"secret": "é" * 100},
        {"lease_seconds": "0"},
        {"lease_seconds": "-1"},
        {"lease_seconds": "ten"},
        {"lease_seconds": "1.5"},
        {"lease_seconds": "١٢"},
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(hub_scene: Scene, fields: dict[str, str]) -> None:
    answer = hub_scene.ask(**fields)
    assert answer.status == 400
    assert answer.text.startswith("hub.")


def test_a_site_can_not_be_knocked_at_without_end_by_whatever_names(hub_scene: Scene) -> None:
    answers = [
        hub_scene.ask(ip=f"198.51.100.{number}", callback=f"https://name-{number % 7}.victim.example/{number}")
        for number in range(hub.MOST_FOR_SITE + 1)
    ]
    assert [answer.status for answer in answers].count(202) == hub.MOST_FOR_SITE
    assert answers[-1].status == 429
    assert answers[-1].retry_after_s == 3600
    hub_scene.clock.pass_(minutes=61)
    assert hub_scene.ask("victim.example").status == 202


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("reader.example", "reader.example"),
        ("a.b.reader.example", "reader.example"),
        ("www.reader.co.uk", "reader.co.uk"),
        ("reader.co.uk", "reader.co.uk"),
        ("a.library.de", "library.de"),
        ("a.abc.de", "abc.de"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
    ],
)
def test_names_are_counted_by_whom_they_seem_to_belong_to(host: str, site: str) -> None:
    assert hub.site_of(host) == site


def test_nobody_can_ask_without_end(hub_scene: Scene) -> None:
    for number in range(hub.MOST_FROM_NETWORK):
        assert hub_scene.ask(f"reader-{number}.example").status == 202
    assert hub_scene.ask("another.example").status == 429
    assert hub_scene.ask("another.example", ip="198.51.100.7").status == 202


def test_the_number_of_requests_that_wait_is_bounded(hub_scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "MOST_WAITING", 3)
    statuses = [hub_scene.ask(f"reader-{number}.example").status for number in range(5)]
    assert statuses == [202, 202, 202, 503, 503]


def test_where_there_is_no_room_who_subscribes_already_can_renew_and_leave(
    hub_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_scene.subscribe()
    monkeypatch.setattr(hub, "MOST_OF_SITE", 1)
    assert hub_scene.ask(topic=NEWS).status == 503
    assert hub_scene.ask("other.example").status == 202
    assert hub_scene.ask().status == 202
    assert hub_scene.ask(mode="unsubscribe").status == 202


def test_of_where_requests_came_from_nothing_is_kept_after_an_hour(hub_scene: Scene) -> None:
    hub_scene.subscribe()
    count = "SELECT count(*) FROM intent"
    assert hub_scene.workspace.host.db.execute(count).fetchone() == (1,)
    hub_scene.clock.pass_(minutes=61)
    hub_scene.work()
    assert hub_scene.workspace.host.db.execute(count).fetchone() == (0,)


def test_the_secret_of_a_subscriber_stands_nowhere_as_it_is(hub_scene: Scene) -> None:
    hub_scene.ask(secret="a-secret-of-theirs")
    held = [path.read_bytes() for path in hub_scene.workspace.folder.glob("host.db*")]
    hub_scene.work()
    held += [path.read_bytes() for path in hub_scene.workspace.folder.glob("host.db*")]
    assert not any(b"a-secret-of-theirs" in part for part in held)
    shown = str(hub.overview(hub_scene.workspace).to_json())
    assert "/cb" not in shown
    assert "reader.example" in shown


# --- what is told, and when -------------------------------------------------------------------


def test_a_correction_and_a_withdrawal_are_told_too(hub_scene: Scene, server: WebSubServer) -> None:
    hub_scene.publish()
    hub_scene.work()
    hub_scene.subscribe()
    hub_scene.change(title="Put right", note="A word.", updated=hub_scene.clock.now + timedelta(seconds=1))
    hub_scene.work()
    hub_scene.change(withdrawn=hub_scene.clock.now + timedelta(seconds=2))
    hub_scene.work()
    corrected, withdrawn = (came.body.decode() for came in server.of("POST"))
    assert "Put right" in corrected
    assert "deleted-entry" in withdrawn
    assert "Put right" not in withdrawn


def test_an_entry_that_is_saved_as_it_was_is_no_news(hub_scene: Scene, server: WebSubServer) -> None:
    hub_scene.publish()
    hub_scene.work()
    hub_scene.subscribe()
    hub_scene.change()
    hub_scene.work()
    assert server.of("POST") == []


def test_who_follows_another_topic_is_left_alone(hub_scene: Scene, server: WebSubServer) -> None:
    hub_scene.publish("first", topic="jobs")
    hub_scene.subscribe(topic=NEWS)
    hub_scene.publish("second", topic="jobs")
    hub_scene.work()
    assert server.of("POST") == []
    hub_scene.publish("third", topic="news")
    hub_scene.work()
    assert len(server.of("POST")) == 1


def test_several_changes_before_it_could_be_told_make_one_delivery(hub_scene: Scene, server: WebSubServer) -> None:
    hub_scene.subscribe()
    for number in range(5):
        hub_scene.publish(f"entry-{number}")
    hub_scene.work()
    (came,) = server.of("POST")
    assert len(feedparser.parse(came.body).entries) == 5


def test_a_change_that_comes_while_one_is_told_is_told_as_well(hub_scene: Scene, server: WebSubServer) -> None:
    hub_scene.subscribe()
    server.manners[CALLBACK] = Manner(delay=0.3)
    hub_scene.publish("first", title="The first")
    while not server.of("POST"):
        hub_scene.announcer.step()
        time.sleep(0.01)
    hub_scene.publish("second", title="The second")
    hub_scene.work()
    assert len(server.of("POST")) == 2
    assert b"The second" in server.of("POST")[-1].body


def test_what_failed_is_tried_again_later_each_time_and_then_left_until_the_next_change(
    hub_scene: Scene, server: WebSubServer
) -> None:
    hub_scene.subscribe()
    server.manners[CALLBACK] = Manner(status=500)
    hub_scene.publish("first")
    hub_scene.work()
    for tries, pause in enumerate(AGAIN, start=1):
        assert len(server.of("POST")) == tries
        hub_scene.clock.now += pause - timedelta(seconds=1)
        hub_scene.work()
        assert len(server.of("POST")) == tries, "not sooner"
        hub_scene.clock.pass_(seconds=1)
        hub_scene.work()
    hub_scene.clock.pass_(days=1)
    hub_scene.work()
    assert len(server.of("POST")) == len(AGAIN) + 1
    assert "500" in hub_scene.subscribers[0].fault
    del server.manners[CALLBACK]
    hub_scene.publish("second")
    hub_scene.work()
    assert len(server.of("POST")) == len(AGAIN) + 2, "it stays a subscriber until its lease is over"
    assert hub_scene.subscribers[0].fault == ""


def test_a_subscriber_that_says_it_is_gone_is_dropped(hub_scene: Scene, server: WebSubServer) -> None:
    hub_scene.subscribe()
    server.manners[CALLBACK] = Manner(status=410)
    hub_scene.publish()
    hub_scene.work()
    assert hub_scene.subscribers == []


def test_what_a_kill_cut_off_is_done_by_who_comes_next(hub_scene: Scene, server: WebSubServer) -> None:
    hub_scene.subscribe()
    hub_scene.ask("second.example")
    hub_scene.publish()
    server.manners[CALLBACK] = Manner(delay=0.5)
    while not server.of("POST"):
        hub_scene.announcer.step()
        time.sleep(0.01)
    hub_scene.begin_anew()  # nobody took in how the delivery ended
    hub_scene.work()
    assert len(server.of("POST", CALLBACK)) == 1, "not at once: it may have come through"
    hub_scene.clock.now += AGAIN[0]
    hub_scene.work()
    assert len(server.of("POST", CALLBACK)) == 2
    assert {each.host for each in hub_scene.subscribers} == {"reader.example", "second.example"}


def test_a_slow_subscriber_holds_up_no_other(hub_scene: Scene, server: WebSubServer) -> None:
    names = [f"reader-{number}.example" for number in range(20)]
    for name in names:
        assert hub_scene.ask(name).status == 202
    hub_scene.work()
    server.manners["reader-0.example/cb"] = Manner(delay=2.0)
    hub_scene.publish()
    started = time.monotonic()
    while len({came.name for came in server.of("POST")}) < 20:
        hub_scene.announcer.step()
        time.sleep(0.005)
        assert time.monotonic() - started < 1.5, "all others have it while the slow one thinks"
    hub_scene.work()


def test_of_one_host_one_callback_is_asked_at_a_time(hub_scene: Scene, server: WebSubServer) -> None:
    busy, most, lock = 0, 0, threading.Lock()
    caller, plain = server.caller(), server.caller().deliver

    def counted(*words: object) -> object:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        try:
            return plain(*words)  # type: ignore[arg-type]
        finally:
            with lock:
                busy -= 1

    for number in range(6):
        hub_scene.subscribe(callback=server.url(f"reader.example/cb-{number}"))
        server.manners[f"reader.example/cb-{number}"] = Manner(delay=0.05)
    caller.deliver = counted  # type: ignore[method-assign,assignment]
    hub_scene.begin_anew(caller)
    hub_scene.publish()
    hub_scene.work()
    assert len(server.of("POST")) == 6
    assert most == 1


def test_a_hub_that_was_switched_off_sends_nothing_to_who_subscribed_before(
    comms: Comms, hub_scene: Scene, server: WebSubServer
) -> None:
    hub_scene.subscribe()
    hub_scene.publish("first")
    hub_scene.ask("late.example")
    before = len(server.came)
    with scene(comms.folder, server, COMMS_FEEDS__HUB="false") as off:
        off.publish("second")
        off.work()
        assert off.store.news() == []
    assert len(server.came) == before


def test_a_feed_that_is_there_no_more_is_owed_to_nobody(hub_scene: Scene, server: WebSubServer) -> None:
    hub_scene.subscribe(topic=NEWS)
    hub_scene.workspace.host.db.execute("UPDATE subscriber SET topic = replace(topic, 'news.atom', 'gone.atom')")
    hub_scene.workspace.host.db.execute("UPDATE subscriber SET owed_at = verified_at, next_at = verified_at")
    hub_scene.work()
    assert server.of("POST") == []
    assert hub_scene.subscribers[0].owed_at is None


CHILD = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from comms.engine.announcing import Announcer
from comms.engine.workspace import Workspace
from tests.support.websub_server import WebSubServer
with Workspace(Path(sys.argv[1]), environment={"COMMS_SITE__URL": sys.argv[2]}) as workspace:
    announcer = Announcer(workspace, WebSubServer().caller(), ThreadPoolExecutor(8))
    while True:
        announcer.step()
        time.sleep(0.01)
"""


@pytest.mark.slow
def test_a_process_that_is_killed_while_it_tells_loses_no_subscriber_and_no_change(
    comms: Comms, hub_scene: Scene, server: WebSubServer
) -> None:
    names = [f"reader-{number}.example" for number in range(12)]
    for name in names:
        hub_scene.subscribe(name)
        server.manners[f"{name}/cb"] = Manner(delay=0.4)
    hub_scene.clock.now = datetime.now(UTC)  # the child has a clock of its own
    hub_scene.workspace.host.db.execute("UPDATE subscriber SET lease_until = '2999-01-01T00:00:00+00:00'")
    hub_scene.publish(title="In any case")
    for _ in range(3):
        seen = len(server.of("POST"))
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(comms.folder), SITE], env=comms.env())
        wait_until(lambda before=seen: len(server.of("POST")) > before)
        child.kill()
        child.wait()
        hub_scene.workspace.host.db.execute("UPDATE subscriber SET next_at = owed_at WHERE owed_at IS NOT NULL")
    hub_scene.clock.now = datetime.now(UTC)
    hub_scene.work()
    # What a kill cut off in the middle of a body has come, too.
    whole = {came.name for came in server.of("POST") if b"In any case" in came.body}
    assert whole == {f"{name}/cb" for name in names}
    assert [each.owed_at for each in hub_scene.subscribers] == [None] * 12
