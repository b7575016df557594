"""Finds e-mail addresses in what servers write, and brings them into the form in which members are kept."""

from __future__ import annotations

import re

from audiences.addresses import normalise_address
from audiences.errors import AddressError
from comms.engagement.bounces.mime import one_line

LONGEST = 320
"""Characters of an address that are looked at: 64 and 255 and the sign between (RFC 5321 section 4.5.3.1)."""

_LOCAL = r"(?:\"[^\"\n@]{1,64}\"|[^\s<>()\[\]\",;:@\\|'`´‘’“”「」『』（）〈〉《》«»，。；：、]{1,120})"
_DOMAIN = (
    r"(?:\[[0-9A-Fa-f.:IPv]{3,45}\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?\.[A-Za-z]{2,63}(?![A-Za-z0-9_-]|\.\w)"
    r"|[^\W_](?:[\w.-]{0,250}[^\W_])?)"
)
ADDRESS = re.compile(rf"(?<![\w.+=/-]){_LOCAL}@{_DOMAIN}")
"""An address somewhere in a text. Wider than RFC 5322 where servers are, narrower where text around it would join."""

_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UTF8_XTEXT = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_TYPE = re.compile(r"\s*(?:rfc\s?822|utf-8|smtp|x-[\w-]{1,30}|unknown|internet|x400|ms?)\s*;\s*", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]{1,64}"@')
_X400 = re.compile(r"^(?:smtp|rfc-?822|mailto)[=:]", re.IGNORECASE)
"""How gateways to X.400 and Exchange write an Internet address."""
_ROUTE = re.compile(r"@[\w.,@-]{1,250}:(?=[^@\s]+@)")
_MACHINES = re.compile(
    r"(?:mailer[-_.]?daemon|post[-_.]?master|mail[-_.]?daemon|mdaemon|no-?reply|do-?not-?reply|abuse|"
    r"mail(?:er)?[-_.]?(?:delivery|system|administrator)|daemon|microsoftexchange[0-9a-f]{6,}|bounces?|root)"
    r"(?:[-+=].*)?",
    re.IGNORECASE,
)


def found_in(text: str) -> list[str]:
    """Every address in a text, in order, each once, normalised."""
    return list(dict.fromkeys(clean for match in ADDRESS.finditer(text) if (clean := clean_address(match[0]))))


def clean_address(text: str) -> str:
    """One address without brackets, type and route, normalised where it is one we could write to.

    A lower form is kept where it is not (a domain of one label, a local part nobody may use now), because the report
    says it. Empty when there is no address in the text at all.
    """
    text = one_line(text, LONGEST * 2)
    match = re.search(r"<([^<>]{0,320})>", text)
    text = (match[1] if match and "@" in match[1] else text).strip(" \t<>'")
    text = text if _QUOTED.match(text) else text.strip('" ')
    text = _X400.sub("", _ROUTE.sub("", text, count=1))
    local, at, domain = text.rpartition("@")
    domain = domain.strip().rstrip(".>,;:)'\"").lower()
    local = local.strip()
    if not at or not local or not domain or len(text) > LONGEST or " " in domain:
        return ""
    if " " in local and not local.startswith('"'):
        local = local.split()[-1]
    try:
        return normalise_address(f"{local}@{domain}")
    except AddressError:
        return f"{local}@{domain}"


def typed_address(value: str) -> str:
    """The address of a field such as `rfc822; ann@example.org` (RFC 3464 section 2.3, RFC 6533 section 3).

    In `rfc822` addresses `+40` may stand for a sign (xtext, RFC 3461 section 4), in `utf-8` ones `\\x{40}`.
    """
    type_match = _TYPE.match(value)
    text = value[type_match.end() :] if type_match else value
    kind = type_match[0].strip().lower() if type_match else ""
    if kind.startswith("utf-8"):
        text = _UTF8_XTEXT.sub(_character, text)
    elif "@" not in text and "+40" in text:
        text = _XTEXT.sub(lambda code: chr(int(code[1], 16)), text)
    match = ADDRESS.search(text)
    return clean_address(match[0] if match and "<" not in text else text)


def _character(code: re.Match[str]) -> str:
    number = int(code[1], 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else ""


def is_machine(address: str) -> bool:
    """Is this the address of a mail server rather than of a person."""
    return _MACHINES.fullmatch(address.rpartition("@")[0]) is not None
