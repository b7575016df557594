"""The catalogues of translations: brought up to date with the code, checked. Nothing is compiled: comms reads `.po`.

scripts/catalogues.py update    write comms/locale/comms.pot, and bring every comms.po in line with it
scripts/catalogues.py new TAG   begin a language, such as pt-BR
scripts/catalogues.py check     exit 1 unless every catalogue is current, whole and right
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

from comms.language.catalogues import BUILT_IN, DOMAIN, problems, read
from comms.rendering import slots

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = BUILT_IN / f"{DOMAIN}.pot"
KEYWORDS = {**{name: DEFAULT_KEYWORDS[name] for name in ("_", "gettext", "ngettext")}, "marked": None}
NOTE = "Translators:"
"""Begins a comment in the code that goes into the catalogues."""
WIDTH = 100
_UNUSED = re.compile(
    r'# (?:Copyright|This file|FIRST AUTHOR)|#, fuzzy\n|"(?:Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date'
    r"|PO-Revision-Date|Last-Translator|Language-Team|Generated-By):"
)
"""Lines of the head that would change at every run, or that nobody fills in; no message is fuzzy when written."""


def main(arguments: list[str]) -> None:
    match arguments:
        case ["update"]:
            update()
        case ["new", tag]:
            begin(tag)
        case ["check"]:
            found = list(faults())
            for line in found:
                print(line, file=sys.stderr)
            if found:
                print("Mend it with: scripts/catalogues.py update, then translate what is empty.", file=sys.stderr)
                raise SystemExit(1)
        case _:
            print(__doc__, file=sys.stderr)
            raise SystemExit(2)


def extracted() -> Catalog:
    """Every message in the code, the pages and the templates, in the order of the files."""
    catalogue = Catalog(domain=DOMAIN, project=DOMAIN, fuzzy=False, charset="utf-8")
    for path, method in _sources():
        for _, message, comments, _ in extract_from_file(method, path, KEYWORDS, (NOTE,), {}, strip_comment_tags=True):
            catalogue.add(message, locations=[(path.relative_to(ROOT).as_posix(), 1)], auto_comments=comments)
    for path in sorted((ROOT / "comms" / "templates").glob("*.mjml")):
        for slot in slots.declaration(path.stem, path.read_text(encoding="utf-8")).slots:
            catalogue.add(slot.label, locations=[(path.relative_to(ROOT).as_posix(), 1)])
    return catalogue


def update() -> None:
    """Write the template, and every catalogue with its new messages empty and without those that are gone."""
    template = extracted()
    if not TEMPLATE.exists() or _ids(_read(TEMPLATE)) != _ids(template):
        _write(TEMPLATE, template)
    for path in _catalogues():
        catalogue = _read(path, path.parent.parent.name)
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        _write(path, catalogue)


def begin(tag: str) -> None:
    """Write an empty catalogue of a language."""
    folder = str(Locale.parse(tag, sep="-")).replace("_", "-")
    path = BUILT_IN / folder / "LC_MESSAGES" / f"{DOMAIN}.po"
    if path.exists():
        raise SystemExit(f"there is {path.relative_to(ROOT)} already")
    path.parent.mkdir(parents=True)
    catalogue = Catalog(locale=folder.replace("-", "_"), domain=DOMAIN, project=DOMAIN, fuzzy=False)
    catalogue.update(extracted())
    _write(path, catalogue)
    print(f"Wrote {path.relative_to(ROOT)}")


def faults() -> Iterator[str]:
    """What is wrong, a line each."""
    wanted = _ids(extracted())
    if not TEMPLATE.exists() or _ids(_read(TEMPLATE)) != wanted:
        yield f"{TEMPLATE.relative_to(ROOT)}: is not what the code says now"
    for path in _catalogues():
        name, catalogue = path.relative_to(ROOT), read(path)
        language = path.parent.parent.name
        for message in wanted - _ids(catalogue):
            yield f"{name}: lacks {_shown(message)}"
        for message in _ids(catalogue) - wanted:
            yield f"{name}: has {_shown(message)}, which the code does not say"
        for message in _messages(catalogue):
            if message.fuzzy:
                yield f"{name}:{message.lineno}: is fuzzy"
            if not any(message.string if isinstance(message.string, tuple) else (message.string,)):
                yield f"{name}:{message.lineno}: is not translated"
        yield from (f"{name}:{line}: {fault}" for line, fault in problems(catalogue))
        plural = get_plural(language.replace("-", "_"))
        if (catalogue.num_plurals, catalogue.plural_expr) != (plural.num_plurals, plural.plural_expr):
            yield f"{name}: its header should say: Plural-Forms: {plural}"


def _sources() -> Iterator[tuple[Path, str]]:
    yield from ((path, "python") for path in sorted((ROOT / "comms").rglob("*.py")))
    yield from ((path, "jinja2") for path in sorted((ROOT / "comms" / "web" / "templates").glob("*.html")))


def _catalogues() -> list[Path]:
    return sorted(BUILT_IN.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def _messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def _ids(catalogue: Catalog) -> set[Any]:
    return {message.id for message in _messages(catalogue)}


def _shown(message: Any) -> str:
    text = message if isinstance(message, str) else message[0]
    return repr(text if len(text) < 60 else f"{text[:57]}...")


def _read(path: Path, language: str | None = None) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language.replace("-", "_") if language else None, domain=DOMAIN)


def _write(path: Path, catalogue: Catalog) -> None:
    written = io.BytesIO()
    write_po(written, catalogue, width=WIDTH, include_lineno=False)
    lines = written.getvalue().decode().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not _UNUSED.match(line)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
