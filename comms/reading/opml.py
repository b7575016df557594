"""The feeds that an OPML file names (opml.org/spec2.opml). Follows no entity, no address, no inclusion."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from comms.channels.markup import clean_line
from comms.errors import UsageError

MAX_BYTES = 5_000_000
MAX_FEEDS = 2_000


@dataclass(frozen=True, slots=True)
class Named:
    """A feed as the file names it; `url` as it stands there."""

    title: str
    url: str
    line: int


def read(data: bytes) -> list[Named]:
    """Every outline with an `xmlUrl`, in the order of the file. Raises UsageError for what is no OPML."""
    if len(data) > MAX_BYTES:
        raise UsageError(f"the file has {len(data):,} bytes.", hint=f"At most {MAX_BYTES:,} can be read.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UsageError(
            f"the file is no OPML: {clean_line(str(error))[:200]}.",
            hint="Export the list of feeds from your feed reader again, as OPML.",
        ) from error
    document = root.getroottree().docinfo
    if document.internalDTD is not None and any(True for _ in document.internalDTD.iterentities()):
        raise UsageError("the file defines entities of its own, which no list of feeds needs.")
    if etree.QName(root).localname.lower() != "opml":
        raise UsageError("the file is no OPML: it holds something else.")
    feeds = [
        Named(_attribute(outline, "title") or _attribute(outline, "text"), url, outline.sourceline or 0)
        for outline in root.iter("{*}outline")
        if (url := _attribute(outline, "xmlUrl"))
    ]
    if len(feeds) > MAX_FEEDS:
        raise UsageError(f"the file names {len(feeds):,} feeds.", hint=f"At most {MAX_FEEDS:,} at a time.")
    return feeds


def _attribute(outline: etree._Element, name: str) -> str:
    for key, value in outline.attrib.items():
        if str(key).lower() == name.lower():
            return clean_line(str(value))
    return ""
