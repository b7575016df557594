"""Makes text, addresses and HTML from elsewhere fit to publish; fetches nothing and knows no feed."""

from __future__ import annotations

import re
from html import escape
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import idna
from lxml import etree

WEB = frozenset({"http", "https"})
_LINK_SCHEMES = WEB | {"mailto", "tel"}

_SAFE = "%/:@+,;=&!$'()*~"
_NOT_XML = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_LINE_END = re.compile("\r\n|\r|\x85")
_SPACES = re.compile(r"\s+")


def clean_text(text: str) -> str:
    """`text` as XML 1.0 can hold it (section 2.2): controls go, lone surrogates become U+FFFD, pairs are joined.

    Line ends become U+000A, vertical tabs and form feeds spaces; C1 controls, which validators take for a wrong
    encoding, go too.
    """
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    lines = _LINE_END.sub("\n", whole)
    return _NOT_XML.sub("", lines.replace("\x0b", " ").replace("\x0c", " "))


def clean_line(text: str) -> str:
    """`clean_text` on one line, without surplus spaces."""
    return _SPACES.sub(" ", clean_text(text)).strip()


def absolute_url(text: str, base: str, *, schemes: frozenset[str] = WEB) -> str | None:
    """The address as an absolute URI (RFC 3986), other scripts encoded; None when it is none of `schemes`."""
    # Browsers ignore controls inside an address, so `java<newline>script:` must be judged without them.
    bare = _NOT_XML.sub("", clean_text(text)).translate({9: None, 10: None, 13: None}).strip()
    try:
        parts = urlsplit(urljoin(base, bare))
        scheme = parts.scheme.lower()
        if scheme not in schemes:
            return None
        if scheme not in WEB:
            query = f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
            return f"{scheme}:{quote(parts.path, safe=_SAFE)}{query}"
        if not parts.hostname:
            return None
        port = f":{parts.port}" if parts.port is not None else ""
        userinfo, at, _ = parts.netloc.rpartition("@")
        netloc = f"{quote(userinfo, safe='%:')}{at}{_host(parts.hostname)}{port}"
    except ValueError:
        return None
    path = quote(parts.path or "/", safe=_SAFE)
    query, fragment = (quote(part, safe=f"{_SAFE}?") for part in (parts.query, parts.fragment))
    return urlunsplit((scheme, netloc, path, query, fragment))


def _host(name: str) -> str:
    """Raises UnicodeError (a ValueError) for a name that can not exist."""
    if ":" in name:
        return f"[{name}]"
    if name.isascii():
        return quote(name, safe="")
    return idna.encode(name, uts46=True).decode()


# --- HTML -------------------------------------------------------------------------------------

_VOID = frozenset({"br", "hr", "img"})
_KEPT = _VOID | frozenset(
    "a abbr b blockquote caption cite code dd del div dl dt em figcaption figure h2 h3 h4 h5 h6 i ins li mark ol p "
    "pre q s small span strong sub sup table tbody td tfoot th thead time tr u ul".split()
)
_DROPPED_WHOLE = frozenset(
    "applet audio button canvas form frameset head iframe math noembed noframes noscript object option plaintext "
    "script select style svg template textarea title video xmp".split()
)
# libxml2 stops reading at these end tags, which writers of HTML do leave in fragments.
_DOCUMENT_TAG = re.compile(r"</?(?:html|body)\b[^<>]*>", re.IGNORECASE)
_ATTRIBUTES = {
    "a": frozenset({"href", "hreflang"}),
    "img": frozenset({"src", "srcset", "alt", "width", "height"}),
    "ol": frozenset({"start"}),
    "td": frozenset({"colspan", "rowspan"}),
    "th": frozenset({"colspan", "rowspan", "scope"}),
    "time": frozenset({"datetime"}),
}
_ANYWHERE = frozenset({"lang", "dir", "title"})
_SRCSET_ADDRESS = re.compile(r"[\s,]*(\S+)")
_DESCRIPTOR = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?[wxh])?")


def sanitise(markup: str, base: str) -> str:
    """The harmless part of some HTML, well-formed, all its addresses absolute against `base`.

    Only elements and attributes on a list stay; scripts, styles, forms, frames and foreign content go with all they
    hold, other elements leave their content behind. Everything is escaped anew, so that no parser reads the result
    differently from this one.
    """
    text = _DOCUMENT_TAG.sub("", clean_text(markup))
    if not text.strip():
        return ""
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=True)
    root = etree.fromstring(f"<html><body>{text}</body></html>".encode(), parser)
    pieces: list[str] = []
    # A stack of its own, for markup can be nested deeper than Python's calls; it holds elements and finished text.
    waiting: list[etree._Element | str] = [root]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            pieces.append(item)
            continue
        waiting.append(escape(item.tail or "", quote=False))
        tag = item.tag
        if not isinstance(tag, str) or tag in _DROPPED_WHOLE:
            continue
        if tag in _KEPT:
            pieces.append(_start_tag(tag, item, base))
            if tag not in _VOID:
                waiting.append(f"</{tag}>")
        pieces.append(escape(item.text or "", quote=False))
        waiting.extend(reversed(item))
    return "".join(pieces).strip()


def _start_tag(tag: str, element: etree._Element, base: str) -> str:
    allowed = _ATTRIBUTES.get(tag, frozenset()) | _ANYWHERE
    attributes = []
    for name, raw in sorted(element.attrib.items()):
        if name not in allowed:
            continue
        value = _attribute_value(str(name), clean_text(str(raw)), base)
        if value is not None:
            attributes.append(f' {name}="{escape(value)}"')
    return f"<{tag}{''.join(attributes)}>"


def _attribute_value(name: str, value: str, base: str) -> str | None:
    match name:
        case "href":
            return absolute_url(value, base, schemes=_LINK_SCHEMES)
        case "src":
            return absolute_url(value, base)
        case "srcset":
            return _srcset(value, base)
        case _:
            return value


def _srcset(value: str, base: str) -> str | None:
    """HTML section 4.8.4.2.1; a candidate that can not be used is left out, None when none is left."""
    candidates = []
    position = 0
    while match := _SRCSET_ADDRESS.match(value, position):
        address, position = match[1], match.end()
        descriptor = ""
        if not address.endswith(","):
            comma = value.find(",", position)
            end = len(value) if comma < 0 else comma
            descriptor, position = value[position:end].strip(), end
        url = absolute_url(address.rstrip(","), base)
        if url is not None and _DESCRIPTOR.fullmatch(descriptor):
            candidates.append(f"{url.replace(',', '%2C')} {descriptor}".strip())
    return ", ".join(candidates) or None


def plain_text(markup: str) -> str:
    """The words of some sanitised HTML, on one line."""
    without_tags = re.sub(r"<[^>]*>", " ", markup)
    return clean_line(without_tags.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
