"""What our MJML compiler makes beside MJML's own. Prints a table, and one line of JSON last.

    make bench-mjml

Every input of a corpus is compiled by ours, by mjml-python as it comes, and by the npm package `mjml` of the version
that our table of components was made from. Chromium draws the three at 700 and at 360 pixels; every image is the same
picture, nothing is fetched. A way is identical where it compiles and each pixel at both widths is as npm's.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mjml import mjml2html

from bench.mjml_npm import compiled_by_npm
from bench.mjml_pixels import Screen
from bench.report import print_json, print_table
from comms.rendering.errors import TemplateError
from comms.rendering.mjml import to_html
from comms.rendering.mjml.table import VERSION

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "data" / "mjml"
NO_BODY = "without mj-body npm stops with 'Malformed MJML'; ours and mjml-python give an empty page"
ARROWS = "mjml-python writes '@media screen, yahoo' for '@media screen yahoo', which hides the arrows everywhere"
UNLOOKED = "not looked into yet"
CAUSES = {
    "mj-accordion-font-padding": "mjml-python writes padding-top before padding, which undoes it",
    "mj-carousel": ARROWS,
    "mj-carousel-align-border-radius-class": ARROWS,
    "mj-carousel-icon": ARROWS,
    "mj-navbar-ico": "mjml-python writes padding-right of the menu sign before padding, which undoes it",
    "mj-raw-head": NO_BODY,
    "mjml": NO_BODY,
}
"""Input -> why it differs, found by comparing the HTML and by undoing the difference by hand."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One input: what a way made of it, against npm."""

    compiled: bool
    verdict: str

    @property
    def identical(self) -> bool:
        return self.verdict == "identical"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--inputs", type=Path, default=CORPUS, help="a folder of .mjml files")
    chosen = options.parse_args()
    sources = {path.stem: path.read_text(encoding="utf-8") for path in sorted(chosen.inputs.glob("*.mjml"))}
    if not sources:
        raise SystemExit(f"there are no .mjml files in {chosen.inputs}")
    peers = compiled_by_npm(sources)
    if peers is None:
        raise SystemExit("MJML's own compiler is needed to compare with: Node.js, npm and a registry")
    with Screen() as screen:
        rows = {name: compare(source, peers[name], screen) for name, source in sources.items()}
    report(rows, including=sum("<mj-include" in source for source in sources.values()))


def compare(source: str, peer: str | None, screen: Screen) -> dict[str, Compared]:
    """What each of the two ways made of one input."""
    reference = screen.pictures(peer) if peer is not None else None
    ways: dict[str, Callable[[str], str]] = {"ours": to_html, "bare": mjml2html}
    return {name: _compared(source, compile_, reference, screen) for name, compile_ in ways.items()}


def _compared(
    source: str, compile_: Callable[[str], str], reference: tuple[bytes, ...] | None, screen: Screen
) -> Compared:
    try:
        document = compile_(source)
    except (TemplateError, ValueError):
        return Compared(False, "not compiled")
    if reference is None:
        return Compared(True, "npm fails")
    share = max(map(screen.difference, screen.pictures(document), reference))
    return Compared(True, f"{share:.2%} of pixels" if share else "identical")


def report(rows: dict[str, dict[str, Compared]], *, including: int) -> None:
    print(f"{len(rows)} inputs; npm mjml {VERSION}; {including} hold an mj-include, which ours refuses to compile\n")
    different = {name: row for name, row in rows.items() if not all(way.identical for way in row.values())}
    table = [[name, row["bare"].verdict, row["ours"].verdict] for name, row in different.items()]
    print_table(["input that differs", "mjml-python", "ours"], table)
    for cause in dict.fromkeys(CAUSES.get(name, UNLOOKED) for name in different):
        names = [name for name in different if CAUSES.get(name, UNLOOKED) == cause]
        print(f"{', '.join(names)}:\n    {cause}")
    print()
    print_json(
        {
            "bench": "mjml",
            "compiled": sum(row["ours"].compiled for row in rows.values()),
            "pixel_identical": sum(row["ours"].identical for row in rows.values()),
            "bare_identical": sum(row["bare"].identical for row in rows.values()),
            "of": len(rows),
        }
    )


if __name__ == "__main__":
    main()
