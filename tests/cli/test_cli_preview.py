"""`comms campaign preview` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from comms.preview import chromium
from tests.conftest import Comms

CAMPAIGN = "---\ncampaign: c\ntitle: T\nlanguage: en\nnewsletter:\n  subject: Hello\n  preview: P\n---\n\n{text}\n"


def test_preview_says_once_that_there_are_no_pictures_and_shows_the_rest(comms: Comms, tmp_path: Path) -> None:
    file = tmp_path / "c.md"
    file.write_text(CAMPAIGN.format(text='Dear {{ member.name or "you" }}, hello.'))
    comms.environment["PATH"] = "/nowhere"
    shown = comms("campaign", "preview", str(file), "--worst-cases", "--out", str(tmp_path / "out"))
    assert shown.code == 0, shown.err
    assert shown.out.count("There are no pictures") == 1
    assert str(tmp_path / "out" / "index.html") in shown.out
    assert "Nothing is known but the address: of this reader nobody knows name" in shown.out
    assert (tmp_path / "out" / "worst-emoji.eml").is_file()


@pytest.mark.browser
@pytest.mark.skipif(chromium.find() is None, reason="Chromium is not installed")
def test_preview_lists_files_pictures_and_findings_as_json(comms: Comms, tmp_path: Path) -> None:
    file = tmp_path / "c.md"
    file.write_text(CAMPAIGN.format(text="A word."))
    shown = comms("campaign", "preview", str(file), "--matrix", "--out", str(tmp_path / "out"), "--json")
    assert shown.code == 0, shown.err
    data = shown.json()
    assert data["browser"] == chromium.find()
    (case,) = data["cases"]
    assert (case["case"], case["language"], case["findings"]) == ("coalition.en", "en", [])
    assert len(case["pictures"]) == 6
    names = {Path(name).name for name in data["files"]}
    assert names == {"index.html", *case["files"].values(), *case["pictures"].values()}
    assert all(Path(name).is_file() for name in data["files"])
