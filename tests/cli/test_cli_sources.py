"""`comms feed` for the feeds of others, as people and programs call it."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import Comms

OPML = """<opml version="2.0"><body>
<outline text="Museum blog" xmlUrl="https://blog.museum.example/feed"/>
<outline text="Broken" xmlUrl="file:///etc/passwd"/>
</body></opml>"""


def test_a_list_of_feeds_is_imported_shown_and_shortened_again(comms: Comms, tmp_path: Path) -> None:
    file = tmp_path / "feeds.opml"
    file.write_text(OPML)
    imported = comms("feed", "import", str(file), "--json").json()
    assert imported["added"] == ["museum-blog"]
    assert [each["line"] for each in imported["refused"]] == [3]
    (source,) = comms("feed", "sources", "--json").json()
    assert (source["name"], source["state"], source["items"]) == ("museum-blog", "waiting", 0)
    dry = comms("feed", "read", "--dry-run", "--json").json()
    assert [each["asked"] for each in dry["sources"]] == [True]
    asks = comms("feed", "remove", "museum-blog")
    assert (asks.code, "--yes" in asks.err) == (2, True)
    assert comms("feed", "remove", "museum-blog", "--yes").code == 0
    assert comms("feed", "sources", "--json").json() == []


def test_a_feed_inside_the_network_is_added_and_not_asked_for(comms: Comms) -> None:
    result = comms("feed", "add", "http://127.0.0.1:1/feed", "--name", "inside")
    assert result.code == 1
    assert "not a public one" in result.out
