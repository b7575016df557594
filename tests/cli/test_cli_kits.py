"""`comms relay kit` as a person at a desk uses it."""

from __future__ import annotations

import zipfile

from tests.conftest import Comms

CAMPAIGN = """---
campaign: call
title: Call for papers
language: en
newsletter:
  subject: Call for papers
---
# Call for papers

Dear {{ member.pet }}, tell us what you found in your stacks, and what others may learn from it, in a page or two. We
read all that comes, and answer each of you by the end of the month.
"""


def test_a_kit_is_written_with_what_is_to_be_seen_to(comms: Comms) -> None:
    file, out = comms.folder / "campaigns" / "call.md", comms.folder / "kit.zip"
    file.write_text(CAMPAIGN)
    words = ("relay", "kit", str(file), "--association", "coalition", "--tool", "mailchimp", "--out", str(out))
    result = comms(*words, "--json")
    answer = result.json()

    assert result.code == 0
    assert (answer["ok"], answer["kit"], answer["gaps"]) == (True, str(out), ["pet"])
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == answer["files"]
        assert b"*|UNSUB|*" in archive.read("newsletter.html")
    assert "member.pet" in comms(*words).out


def test_a_kit_that_could_not_be_sent_is_not_written(comms: Comms) -> None:
    file, out = comms.folder / "campaigns" / "call.md", comms.folder / "kit.zip"
    file.write_text(CAMPAIGN.replace("# Call for papers", "# Call [here](https://nowhere)"))
    words = ("relay", "kit", str(file), "-a", "coalition", "--out", str(out))

    refused = comms(*words, "--tool", "plain")
    assert refused.code == 1
    assert f"must fix  {file}:" in refused.out
    assert ": body: " in refused.out
    assert not out.exists()
    assert comms(*words, "--tool", "mailchump").code == 2
    assert comms(*words[:-1], str(file), "--tool", "plain").code == 2
    assert file.read_text().startswith("---")
