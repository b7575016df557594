"""Which addresses links, buttons and images of a message may have; it fetches nothing."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from campaigns.errors import shown

Verdict = tuple[str, str] | None
"""(message, hint) for an address that can not be used, None for a good one."""

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_LINK_SCHEMES = ("http", "https", "mailto", "tel")
_WHOLE_EXPRESSION = re.compile(r"\{\{-?\s*(?:url|(?:links|association|campaign)\.[A-Za-z_]\w*)\s*-?\}\}")
_HOST = re.compile(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?")
"""Letters of other scripts have become Punycode before; a name before `@` only serves to deceive."""
_MAX = 2_000


def link_fault(url: str) -> Verdict:
    """Whether a link may lead to `url`: http, https, mailto, tel, or one bare expression of ours.

    Expressions stand in it verbatim. A URL that starts with one must be nothing else, and not come
    from the member's data, which could otherwise say `javascript:`. Relative addresses have nothing
    to be relative to in a mail.
    """
    if not url:
        return "the link leads nowhere", "write the address in full, like https://example.org/page"
    if len(url) > _MAX:
        return "the address is too long", f"at most {_MAX:,} characters"
    if url.startswith("{{"):
        if _WHOLE_EXPRESSION.fullmatch(url):
            return None
        hint = "start with https://, or write {{ url }} or {{ links.view }} alone"
        return f"`{shown(url)}` starts with an expression that can not be a whole address", hint
    scheme = _SCHEME.match(url)
    if scheme is None:
        return f"`{shown(url)}` is not a whole address, and mail readers have no page to start from", _whole(url)
    name = scheme[1].lower()
    if name not in _LINK_SCHEMES:
        hint = "links may start with https:, http:, mailto: or tel:"
        return f"an address that starts with `{shown(scheme[0])}` is not allowed", hint
    return _host_fault(url) if name in ("http", "https") else _rest_fault(url, scheme.end())


def image_fault(src: str) -> Verdict:
    """Whether an image may come from `src`: http, https, or a file of the media folder by its relative path."""
    if not src:
        return "the image has no file", "name it: ![description](photo.jpg)"
    if len(src) > _MAX:
        return "the image's address is too long", f"at most {_MAX:,} characters"
    if scheme := _SCHEME.match(src):
        if scheme[1].lower() in ("http", "https"):
            return _host_fault(src)
        hint = "put the file in the media folder and write its name, or use https:"
        return f"an image can not come from `{shown(scheme[0])}`", hint
    path = unquote(src)
    if path.startswith(("/", "\\")) or "\\" in path or ".." in re.split(r"[/\\]", path) or set(src) & set("?#"):
        return f"`{shown(src)}` is not a file of the media folder", "write a path inside it, like photos/door.jpg"
    return None


def _host_fault(url: str) -> Verdict:
    try:
        host = urlsplit(url).netloc
    except ValueError:
        host = ""
    if "{{" in host:
        return f"the site of `{shown(url)}` depends on an expression", "name the site; expressions may follow its `/`"
    if not _HOST.fullmatch(host):
        return f"`{shown(url)}` names no site", "write it like https://example.org/page"
    return None


def _rest_fault(url: str, start: int) -> Verdict:
    if not url[start:].strip():
        return f"`{shown(url)}` is not complete", "write it like mailto:office@example.org or tel:+15551234"
    return None


def _whole(url: str) -> str:
    if url.startswith("www."):
        return f"write https://{shown(url)}"
    if re.fullmatch(r"[^/@]+@[^/@]+", url):
        return f"write mailto:{shown(url)}"
    return "write the address in full, like https://example.org/page"
