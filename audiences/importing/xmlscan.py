"""Reads XML from untrusted files as a stream of events: no entities, no document types, no endless tags, no tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol
from xml.parsers import expat

from audiences.errors import ImportFileError
from audiences.importing.files import SourceFile

MAX_TAG_BYTES = 1_000_000
_BLOCK = 65_536


class Events(Protocol):
    """What happens on the way through a document. Names come without their namespaces."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None: ...
    def end(self, name: str) -> None: ...
    def text(self, text: str) -> None: ...


def scan(source: SourceFile, events: Events) -> Iterator[None]:
    """Tell `events` what the document holds, a block at a time; yields after each block.

    Raises ImportFileError when the file can not be read or is no XML.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise ImportFileError(source.path, 0, "declares a document type, which no workbook does")

    def start(name: str, attributes: dict[str, str]) -> None:
        events.start(_local(name), {_local(key): value for key, value in attributes.items()})

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: events.end(_local(name))
    parser.CharacterDataHandler = events.text
    fed = 0
    try:
        with source.open() as raw:
            while block := raw.read(_BLOCK):
                parser.Parse(block)
                fed += len(block)
                if fed - parser.CurrentByteIndex > MAX_TAG_BYTES:
                    raise ImportFileError(source.path, 0, "holds a tag without end")
                yield
            parser.Parse(b"", True)
            yield
    except expat.ExpatError as error:
        raise ImportFileError(source.path, error.lineno, f"is damaged ({error}); save the workbook again") from error
    except OSError as error:
        raise ImportFileError(source.path, 0, f"can not be read: {error.strerror or error}") from error


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
