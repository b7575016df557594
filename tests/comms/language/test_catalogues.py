"""The catalogues: whole, right, and harmless whatever a workspace puts over them."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from hypothesis import given
from hypothesis import strategies as st

from comms.language import faults
from comms.language.catalogues import BUILT_IN, SHIPPED, Catalogues, read
from comms.language.words import ENGLISH
from tests.conftest import ROOT

LANGUAGES = ("es", "fr")
HEAD = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


def own(folder: Path, text: str | bytes, language: str = "es") -> Catalogues:
    path = folder / language / "comms.po"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else f"{HEAD}{text}".encode())
    return Catalogues(folder)


def test_the_catalogues_are_current_and_complete() -> None:
    script = ROOT / "scripts" / "catalogues.py"
    done = subprocess.run([sys.executable, script, "check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_translation_can_be_filled_in(language: str) -> None:
    words = SHIPPED.words(language)
    for message in read(BUILT_IN / language / "LC_MESSAGES" / "comms.po"):
        if not message.id:
            continue
        sources = message.id if isinstance(message.id, tuple) else (message.id,)
        values = {name: "X" for source in sources for name in faults.placeholders(source)}
        for number in (0, 1, 2, 1_000_000):
            said = (
                words.ngettext(sources[0], sources[1], number, **values)
                if len(sources) > 1
                else words.gettext(sources[0], **values)
            )
            assert "%" not in said.replace("100 %", "")
            assert said.strip() == said


@given(st.text(), st.text())
def test_a_translation_that_passes_can_be_filled_in_with_what_the_english_text_takes(
    source: str, translation: str
) -> None:
    text = source.replace("%", "%%") + " %(name)s"
    message = Message(text, string=translation)
    if translation and not list(faults.of(message)):
        assert "X" in translation % {"name": "X"}


@pytest.mark.parametrize(
    ("translation", "fault"),
    [
        ("<strong>Nada</strong>", "%(address)s is missing"),
        ("<strong>%(address)s</strong> %(other)s", "%(other)s is not in the English text"),
        ("<b>%(address)s</b>", "other tags than the English text"),
        ("<strong>%(address)s</strong><script>", "other tags than the English text"),
        ("<strong>%(address)s</strong> 5 %", "a percent sign that is not doubled (%%)"),
        ("<strong>%(address)s</strong> %d", "a percent sign that is not doubled (%%)"),
        ("<strong>%(address)s</strong>", None),
    ],
)
def test_a_translation_has_the_placeholders_and_the_tags_of_the_english_text(
    translation: str, fault: str | None
) -> None:
    found = list(faults.of(Message("For <strong>%(address)s</strong>", string=translation)))
    assert found == ([fault] if fault else [])


def test_the_nearest_language_that_there_are_words_for() -> None:
    assert SHIPPED.words("es-MX").language == "es"
    assert SHIPPED.words("ar", "fr-CA", "es").language == "fr"
    assert SHIPPED.words(None, "ar").language == "en"
    assert SHIPPED.words("EN-gb", "es").language == "en"
    assert SHIPPED.words("../../etc", "\x00", "es").language == "es"


def test_dates_and_numbers_follow_the_reader_and_not_only_the_words() -> None:
    moment = datetime(2027, 2, 1, 9, 5, tzinfo=UTC)
    assert SHIPPED.words("es").day(date(2027, 2, 1)) == "1 de febrero de 2027"
    assert SHIPPED.words("fr").moment(moment) == "lundi 1er février 2027, 09:05"
    assert SHIPPED.words("en-GB").day(moment) == "1 February 2027"
    assert SHIPPED.words("en").day(moment) == "February 1, 2027"
    assert [SHIPPED.words(tag).number(12345) for tag in ("en", "es", "es-MX")] == ["12,345", "12.345", "12,345"]


def test_plurals_are_those_of_the_language() -> None:
    forms = {
        tag: [SHIPPED.words(tag).ngettext("%(num)s month", "%(num)s months", n) for n in (1, 2)] for tag in ("en", "es")
    }
    assert forms == {"en": ["1 month", "2 months"], "es": ["1 mes", "2 meses"]}


def test_a_workspace_changes_words_and_keeps_the_others(tmp_path: Path) -> None:
    words = own(tmp_path, 'msgid "Unsubscribe"\nmsgstr "Darse de baja"\n').words("es")
    assert words.gettext("Unsubscribe") == "Darse de baja"
    assert words.gettext("Save") == "Guardar"


def test_a_workspace_adds_a_language_and_may_correct_it_while_we_run(tmp_path: Path) -> None:
    catalogues = own(tmp_path, 'msgid "Save"\nmsgstr "Speichern"\n', "de")
    assert catalogues.words("de-AT").gettext("Save") == "Speichern"
    assert catalogues.words("de").gettext("Unsubscribe") == "Unsubscribe"
    own(tmp_path, 'msgid "Save"\nmsgstr "Sichern und weiter"\n', "de")
    assert catalogues.words("de").gettext("Save") == "Sichern und weiter"


@pytest.mark.parametrize(
    "text",
    [
        'msgid "Save"\nmsgstr "100 %"\n',
        '#, fuzzy\nmsgid "Save"\nmsgstr "Salvar"\n',
        'msgid "Save"\nmsgstr "<script>alert(1)</script>"\n',
        'msgid "Save"\nmsgstr ""\n',
        b"\xff\xfe\x00rubbish",
        b'msgid "Save\nmsgstr',
        b'msgid ""\nmsgstr "Plural-Forms: nplurals=99; plural=__import__(1);\\n"\n',
        b'msgid ""\nmsgstr "Content-Type: text/plain; charset=nonsense\\n"\n\nmsgid "Save"\nmsgstr "x"\n',
        b"",
        b"#" * 2_000_000,
    ],
)
def test_what_can_not_be_used_leaves_the_words_that_we_have(tmp_path: Path, text: str | bytes) -> None:
    words = own(tmp_path, text).words("es")
    assert words.gettext("Save") == "Guardar"
    assert words.ngettext("%(num)s month", "%(num)s months", 2) == "2 meses"


def test_english_needs_no_file() -> None:
    assert SHIPPED.words("en") == ENGLISH
