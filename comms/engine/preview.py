"""Shows what would be sent, made by the code that sends it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from audiences.models import Association
from campaigns import definition
from campaigns.models import Campaign
from comms.engine import editions, feeds, gathering, languages, proofs, social
from comms.engine.proofs import Case, Maker
from comms.engine.workspace import Workspace
from comms.errors import StorageError, UsageError
from comms.preview.chromium import PROGRAMS
from comms.preview.proof import Proof
from comms.preview.sheet import Sheet, to_html
from comms.rendering import slots
from comms.rendering.compile import compile_edition
from comms.rendering.context import association_data, campaign_data
from comms.rendering.library import TemplateLibrary
from comms.rendering.render import Renderer

NO_BROWSER = f"no Chromium was found ({', '.join(PROGRAMS)}). Install one, and preview again."

SAMPLE = """\
---
campaign: sample
title: A sample of this template
language: en
newsletter:
  subject: A sample of this template
  preview: Every kind of block once
---

# A sample of this template

Dear {{ member.first_name or "colleague" }}, this text shows **strong** and *emphasised* words and a
[link](https://example.org/).

## A second heading

- one point
- another point

::: quote Ana Ruiz, Lakeland Archives
A quotation that somebody said.
:::

::: event A day of open doors
start: 2027-05-01 10:00
end: 2027-05-01 16:00
timezone: America/Los_Angeles
place: Lakeland Archives, 12 Shore Road
:::

::: person Ana Ruiz
role: Head of conservation, Lakeland Archives
link: mailto:ana@example.org
:::

::: columns
::: column
::: statistic 45
members in the left column
:::
:::
::: column
::: statistic 1.2 million
objects in the right column
:::
:::
:::

---

::: poll Which day suits you best?
- Monday
- Friday
:::

::: when state = WA
Words for some readers only.
:::
::: otherwise
Words for all others.
:::

::: button https://example.org/
Read more
:::
"""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a preview is to show, beside the feed's entry and the posts. Association slugs are in `associations`."""

    address: str | None = None
    """As this member gets it; else the first who would."""
    associations: tuple[str, ...] = ()
    worst_cases: bool = False
    matrix: bool = False
    """Each association in each language, instead of one reader."""
    language: str | None = None
    """The tag of the variant to show; else that of the reader's language."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What was made. `browser` is empty when there was none to take pictures."""

    files: tuple[Path, ...]
    proofs: tuple[Proof, ...]
    browser: str

    @property
    def ok(self) -> bool:
        """Every reader who was shown would get the mail."""
        return not any(note.kind == "impossible" for proof in self.proofs for note in proof.notes)

    def to_json(self) -> dict[str, Any]:
        return {
            "files": [str(path) for path in self.files],
            "browser": self.browser or None,
            "cases": [proof.to_json() for proof in self.proofs],
        }


Progress = Callable[[int, int], None]
"""Mails done, of how many."""


def show(
    workspace: Workspace,
    file: Path,
    folder: Path,
    wishes: Wishes,
    *,
    browser: str | None,
    progress: Progress = lambda done, total: None,
) -> Preview:
    """Write message.eml, .html and .txt, or those of every case, entry.xml and post-<network>.txt, as far as the
    campaign has these channels, and index.html, the sheet of them all; with a `browser` pictures, too.

    Raises UsageError for wishes that go against each other or that the campaign can not fulfil, StateError when the
    association has no member with that address, StorageError when a file can not be written.
    """
    campaign = gathering.gather(workspace, editions.read_definition(file))
    _refuse_contradictions(campaign, wishes)
    written: dict[str, Path] = {}

    def keep(name: str, data: bytes) -> None:
        written[name] = _write(folder, name, data)

    cases, maker = _cases(workspace, campaign, wishes)
    others = {} if wishes.matrix else _beside(workspace, campaign, _sender(workspace, campaign, wishes))
    mails = []
    for case in cases:
        mails.append(proofs.proof(case, maker, keep))
        progress(0, len(cases))
    finished = count(1)
    made = (
        proofs.picture(workspace, browser, mails, keep, lambda: progress(next(finished), len(cases)))
        if browser and mails
        else [each for each, _ in mails]
    )
    for name, data in others.items():
        keep(name, data)
    sheet = Sheet(campaign.id, campaign.title, workspace.now(), made, tuple(others), "" if browser else NO_BROWSER)
    keep("index.html", to_html(sheet).encode("utf-8", "replace"))
    return Preview(tuple(written[name] for name in sorted(written)), tuple(made), browser or "")


def write(
    workspace: Workspace, file: Path, folder: Path, *, address: str | None, association: str | None
) -> list[Path]:
    """The files of `show` for one reader, without pictures and sheet. Raises as `show` does."""
    campaign = gathering.gather(workspace, editions.read_definition(file))
    wishes = Wishes(address, (association,) if association else ())
    contents: dict[str, bytes] = {}
    cases, maker = _cases(workspace, campaign, wishes)
    for case in cases:
        mail = maker.mail(case)
        contents |= {"message.eml": mail.eml, "message.html": mail.html.encode(), "message.txt": mail.text.encode()}
    contents |= _beside(workspace, campaign, _sender(workspace, campaign, wishes))
    return [_write(folder, name, data) for name, data in contents.items()]


def library_for(workspace: Workspace, template: str) -> tuple[TemplateLibrary, str]:
    """Where a template is found that a person names by its name or by its file. Raises UsageError for neither."""
    path = Path(template)
    if path.suffix != ".mjml":
        return workspace.templates, template
    if not path.is_file():
        raise UsageError(f"there is no file {template}.")
    return TemplateLibrary([path.parent, workspace.templates_folder]), path.stem


def sample_html(workspace: Workspace, template: str, association: Association) -> str:
    """What a template makes of a sample campaign, for a reader of whom nothing is known. Raises TemplateError."""
    library, name = library_for(workspace, template)
    source, campaign = library.find(name), definition.read(SAMPLE, path="sample.md")
    assert campaign.newsletter is not None
    given = slots.samples(slots.declared(source))
    campaign = replace(campaign, newsletter=replace(campaign.newsletter, template=name, slots=given))
    edition = compile_edition(campaign, association, source, media_url=editions.media_url(workspace))
    site = workspace.settings.site.url
    links = {
        "click": f"{site}/c/sample",
        "poll": f"{site}/p/sample",
        "unsubscribe": f"{site}/u/sample",
        "view": f"{site}/v/sample",
        "pixel": "",
    }
    context = {
        "links": links,
        "url": f"{site}/",
        "association": association_data(association),
        "campaign": campaign_data(campaign),
    }
    return Renderer(edition).render_public(context).html


def _refuse_contradictions(campaign: Campaign, wishes: Wishes) -> None:
    if campaign.newsletter is None and (wishes.worst_cases or wishes.matrix or wishes.address or wishes.language):
        raise UsageError(
            f"campaign {campaign.id} has no newsletter, so nobody reads it by mail.",
            hint="Leave out --as, --language, --worst-cases and --matrix: entry and posts are the same for everyone.",
        )
    if wishes.matrix and wishes.address:
        raise UsageError(
            f"{wishes.address} is a member of one association, and --matrix shows several.",
            hint="Use either --as or --matrix.",
        )
    if wishes.matrix and wishes.language:
        raise UsageError("--matrix shows every language.", hint="Use either --language or --matrix.")
    if len(wishes.associations) > 1 and not wishes.matrix:
        raise UsageError("one preview is of one association.", hint="Add --matrix to see several side by side.")


def _cases(workspace: Workspace, campaign: Campaign, wishes: Wishes) -> tuple[list[Case], Maker]:
    maker, cases = Maker(workspace), list[Case]()
    if campaign.newsletter is not None:
        sender = _sender(workspace, campaign, wishes)
        if wishes.matrix:
            cases += proofs.matrix(workspace, campaign, proofs.senders(workspace, campaign, wishes.associations))
        else:
            cases.append(proofs.named(workspace, campaign, sender, wishes.address, wishes.language))
        if wishes.worst_cases:
            part = languages.variant(campaign, wishes.language) if wishes.language else campaign
            cases += proofs.worst(workspace, part, sender, maker)
    return cases, maker


def _sender(workspace: Workspace, campaign: Campaign, wishes: Wishes) -> Association:
    return workspace.association(wishes.associations[0] if wishes.associations else campaign.association)


def _beside(workspace: Workspace, campaign: Campaign, sender: Association) -> dict[str, bytes]:
    """What is the same for everyone: the entry of the feed, and the posts."""
    contents: dict[str, bytes] = {}
    if campaign.feed is not None:
        row = editions.entry(workspace, campaign, sender, workspace.now())
        contents["entry.xml"] = feeds.single_entry(workspace, sender, row)
    for network in campaign.social:
        parts = social.text_parts(workspace, campaign, sender, network)
        contents[f"post-{network}.txt"] = "---\n".join([f"{part.text}\n" for part in parts]).encode()
    return contents


def _write(folder: Path, name: str, data: bytes) -> Path:
    """The file is there whole, or not at all. Raises StorageError."""
    path, part = folder / name, folder / f".{name}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        return part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        hint = "Name another folder with --out, or make room."
        raise StorageError(f"{path} can not be written: {error.strerror}.", hint=hint) from error
