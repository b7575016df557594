"""What is posted: derived texts, threads, images and prices, as check, plan and preview show them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from campaigns import definition
from campaigns.errors import DefinitionError
from comms.engine import checking, posts, preview, sending, social
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.events import PostState
from comms.pictures import POST_BYTES, POST_WIDEST, for_post
from tests.comms.engine.control_scene import ListQueue
from tests.conftest import HOST

CAMPAIGN = """\
---
campaign: texts
title: Three days in June
language: en
tags: [small archives, open access]
feed:
  summary: A summer school for small archives, free for members.
social:
{social}
---

Dear {{{{ member.first_name or "reader" }}}}, a first paragraph that is not the same for everyone.

{body}
"""
ACCOUNTS = {
    "COMMS_SITE__URL": "https://news.example.org",
    "COMMS_X__API_KEY": "a",
    "COMMS_X__API_SECRET": "b",
    "COMMS_X__ACCESS_TOKEN": "1-c",
    "COMMS_X__ACCESS_SECRET": "d",
    "COMMS_BLUESKY__HANDLE": "library.test",
    "COMMS_BLUESKY__APP_PASSWORD": "e",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_workspace(tmp_path / "workspace", HOST).close()
    return tmp_path / "workspace"


@pytest.fixture
def workspace(folder: Path) -> Iterator[Workspace]:
    with Workspace(folder, environment={**ACCOUNTS, "COMMS_X__MONTHLY_BUDGET": "0.1"}) as opened:
        opened.journal_folder.mkdir(exist_ok=True)
        yield opened


def source(social_lines: str, body: str = "Words.") -> str:
    return CAMPAIGN.format(social="\n".join(f"  {line}" for line in social_lines.splitlines()), body=body)


def findings(workspace: Workspace, tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "campaign.md"
    path.write_text(text)
    return {finding.rule: finding.message for finding in checking.check(workspace, path).findings}


def test_a_network_without_a_text_of_its_own_gets_title_summary_address_and_hashtags(workspace: Workspace) -> None:
    campaign = definition.read(source("networks: [mastodon, x]\nx: My own words {{ url }}"))
    made = {post.network: post.text for post in social.texts(workspace, campaign, HOST)}
    url = "https://news.example.org/a/coalition/texts?utm_source={}&utm_medium=social&utm_campaign=texts"
    assert made["x"] == f"My own words {url.format('x')}"
    assert made["mastodon"] == (
        "Three days in June\n\nA summer school for small archives, free for members.\n\n"
        f"{url.format('mastodon')}\n\n#SmallArchives #OpenAccess"
    )


def test_a_post_on_x_can_leave_out_its_link_which_costs_less(workspace: Workspace) -> None:
    dear = sending.prepare(workspace, definition.read(source("x: Come {{ url }}"))).plan.posts[0]
    cheap = sending.prepare(workspace, definition.read(source("x: Come {{ url }}\nx_without_link: true"))).plan.posts[0]
    assert (dear.dollars, cheap.dollars) == (0.20, 0.015)
    assert cheap.text == "Come"


def test_check_says_what_a_month_can_not_pay_and_what_is_too_long(workspace: Workspace, tmp_path: Path) -> None:
    assert "post-dear" in findings(workspace, tmp_path, source("x: Come {{ url }}"))
    assert "post-dear" not in findings(workspace, tmp_path, source("x: Come"))
    parts = f"bluesky: |\n  Short\n  ---\n  {'long ' * 80}"
    assert "part 2" in findings(workspace, tmp_path, source(parts))["post-long"]
    assert "post-long" not in findings(workspace, tmp_path, source("bluesky: |\n  One\n  ---\n  Two"))


def test_a_thread_for_linkedin_and_a_text_too_long_for_it_are_found_before_anything_is_sent(
    workspace: Workspace, tmp_path: Path
) -> None:
    found = findings(workspace, tmp_path, source('linkedin: "One\\n---\\nTwo"'))
    assert "LinkedIn has no threads." in found.values()
    found = findings(workspace, tmp_path, source(f'linkedin: "{"é😀" * 1001}"'))
    assert any("is 3003 long as linkedin counts" in message for message in found.values())
    found = findings(workspace, tmp_path, source(f'linkedin: "{"é😀" * 1000}"'))
    assert not any("linkedin" in message for message in found.values())


def test_a_preview_shows_the_parts_of_a_thread(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "campaign.md"
    path.write_text(source("bluesky: |\n  One\n  ---\n  Two"))
    preview.write(workspace, path, tmp_path / "out", address=None, association=None)
    assert (tmp_path / "out" / "post-bluesky.txt").read_text().split() == ["One", "---", "Two"]


@pytest.mark.parametrize("lines", ["x: Hi\nimage: a.png", "image: none", "x_without_link: true"])
def test_an_image_without_words_and_options_without_a_network_are_refused(lines: str) -> None:
    with pytest.raises(DefinitionError):
        definition.read(source(lines))


def test_the_first_image_goes_with_the_post_and_none_when_that_is_said(workspace: Workspace) -> None:
    Image.new("RGB", (4000, 3000), "teal").save(workspace.media_folder / "wide.png")
    body = "![Two archivists](wide.png)"
    for number, lines in enumerate(["bluesky: Hi", "bluesky: Hi\nimage: none"]):
        text = source(lines, body).replace("campaign: texts", f"campaign: texts-{number}")
        sending.start(
            workspace, sending.approve(workspace, sending.prepare(workspace, definition.read(text)), who="me")
        )
    queue = ListQueue()
    posts.hand_out(workspace, None, queue)  # type: ignore[arg-type]
    (image,), none = (order["images"] for order in queue.work)
    assert none == ()
    assert image["alt"] == "Two archivists"
    with Image.open(io.BytesIO(base64.b64decode(image["data"]))) as picture:
        assert max(picture.size) == POST_WIDEST


def test_a_post_whose_image_is_gone_fails_and_says_so(workspace: Workspace) -> None:
    text = source("bluesky: Hi\nimage: gone.png\nimage_alt: Something")
    sending.start(workspace, sending.approve(workspace, sending.prepare(workspace, definition.read(text)), who="me"))
    posts.hand_out(workspace, None, ListQueue())  # type: ignore[arg-type]
    (post,) = workspace.host.posts("texts")
    assert post.state == PostState.FAILED
    assert "gone.png" in post.reason


def test_pictures_for_posts_are_small_enough_and_forget_the_camera(tmp_path: Path) -> None:
    noise = Image.effect_noise((2600, 2600), 90).convert("RGB")
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "where it was taken"
    noise.save(out, "JPEG", quality=98, exif=exif)
    made = for_post(out.getvalue())
    assert len(made.data) <= POST_BYTES
    assert b"where it was taken" not in made.data
    assert max(made.width, made.height) <= POST_WIDEST
