"""Counts a text's length as X does; knows nothing of posting.

Rules: twitter-text 3 (Apache-2.0), configuration v3: a character weighs 1 inside four ranges (Latin to Georgian,
and some punctuation) and 2 elsewhere, an emoji with all its parts 2, an address 23, after NFC. Two things are
simpler here than there: any two to twenty-four letters are a top-level domain after `http(s)://` (without it, only
those of countries and the common ones), and any emoji joined by U+200D count as one.
"""

from __future__ import annotations

import re
import unicodedata

X_LIMIT = 280
"""The longest post on X, in units of `weighted_length`."""

_URL_WEIGHT = 2300
_EMOJI_WEIGHT = 200
_DEFAULT_WEIGHT = 200
_SCALE = 100
_LIGHT = re.compile("[\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")
_LIGHT_WEIGHT = 100


def weighted_length(text: str) -> int:
    """The length of `text` as X counts it, rounded down to whole units."""
    normal = unicodedata.normalize("NFC", text)
    total = 0
    position = 0
    for start, end in addresses(normal):
        total += _plain_weight(normal[position:start]) + _URL_WEIGHT
        position = end
    return (total + _plain_weight(normal[position:])) // _SCALE


def _plain_weight(text: str) -> int:
    without, emoji = _EMOJI.subn("", text)
    light = len(_LIGHT.findall(without))
    heavy = len(without) - light
    return emoji * _EMOJI_WEIGHT + light * _LIGHT_WEIGHT + heavy * _DEFAULT_WEIGHT


# --- emoji ------------------------------------------------------------------------------------

# Extended_Pictographic of Unicode's emoji-data.txt, but for (c) and (r), which are emoji only before U+FE0F.
_PICTOGRAPH = (
    "[\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u2388\u23cf\u23e9-\u23f3\u23f8-\u23fa\u24c2"
    "\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2605\u2607-\u2612\u2614-\u2685\u2690-\u2705\u2708-\u2712\u2714\u2716"
    "\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763-\u2767\u2795-\u2797\u27a1\u27b0"
    "\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001f0ff\U0001f10d-\U0001f10f\U0001f12f\U0001f16c-\U0001f171\U0001f17e\U0001f17f\U0001f18e"
    "\U0001f191-\U0001f19a\U0001f201-\U0001f20f\U0001f21a\U0001f22f\U0001f232-\U0001f23a\U0001f23c-\U0001f23f"
    "\U0001f249-\U0001f53d\U0001f546-\U0001f64f\U0001f680-\U0001f6ff\U0001f774-\U0001f77f\U0001f7d5-\U0001f7ff"
    "\U0001f90c-\U0001f93a\U0001f93c-\U0001f945\U0001f947-\U0001faff]"
)
_ONE = f"(?:{_PICTOGRAPH}|[\u00a9\u00ae](?=\ufe0f))\ufe0f?[\U0001f3fb-\U0001f3ff]?\ufe0f?"
_EMOJI = re.compile(
    "[#*0-9]\ufe0f?\u20e3"  # keycaps
    "|[\U0001f1e6-\U0001f1ff]{2}"  # flags of countries
    "|\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"  # flags of regions
    f"|{_ONE}(?:\u200d{_ONE})*"
)

# --- addresses --------------------------------------------------------------------------------

_CANDIDATE = re.compile(
    r"(?<![A-Za-z0-9@＠$#＃])(?:(?P<scheme>https?://)(?P<host>[\w.-]+)|(?<![-_./])(?P<bare>[A-Za-z0-9.-]+))",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")
_TOP_LEVEL = re.compile(r"(?:xn--[a-z0-9-]+|[a-z]{2,24})(?![0-9a-z@+-])|[^\x00-\x7f]{2,24}", re.IGNORECASE)
_COMMON_TOP_LEVELS = frozenset(
    "com org net edu gov mil int info biz name pro museum coop aero jobs mobi travel cat asia post tel arpa app dev "
    "blog cloud online site store shop news page wiki academy agency art arts audio bank book center charity city "
    "community company digital education events foundation fund global group guide health help history host house "
    "institute international land law legal life link live love media network ngo ong one org partners photo photos "
    "press productions radio review school science services social software space studio support systems team tech "
    "technology today tools top tours training university vip website work works world xyz zone".split()
)
_COUNTRY_TOP_LEVELS = frozenset(
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bv "
    "bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et "
    "eu fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il "
    "im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc "
    "md me mf mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa "
    "pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss "
    "st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tp tr tt tv tw tz ua ug uk um us uy uz va vc ve vg vi "
    "vn vu wf ws ye yt za zm zw".split()
)
_LETTERS = r"A-Za-z0-9\u00c0-\u024f\u0400-\u04ff"
_PORT = re.compile(r":[0-9]+")
_PATH = re.compile(rf"/[{_LETTERS}!*';:=+,.$/%#\[\]\u2013_~@|&()-]*")
_PATH_END = re.compile(rf"[{_LETTERS}=_#/+-]")
_QUERY = re.compile(r"\?[A-Za-z0-9!?*'@();:&=+$/%#\[\]_.,~|-]*")
_QUERY_END = re.compile(r"[A-Za-z0-9_&=#/-]")


def addresses(text: str) -> list[tuple[int, int]]:
    """Start and end of each web address, in order."""
    found = []
    position = 0
    while match := _CANDIDATE.search(text, position):
        position = match.end()
        scheme = match["scheme"] is not None
        host_start = match.start("host" if scheme else "bare")
        length = _host_length(match["host"] if scheme else match["bare"], scheme=scheme)
        if length:
            position = _address_end(text, host_start + length)
            found.append((match.start(), position))
    return found


def _host_length(host: str, *, scheme: bool) -> int:
    """How much of `host` is a domain name; 0 when none is."""
    labels = host.split(".")
    valid = next((n for n, label in enumerate(labels) if not _is_label(label)), len(labels))
    for last in range(min(valid, len(labels) - 1), 0, -1):
        top = _TOP_LEVEL.match(labels[last])
        if top is None or (last < len(labels) - 1 and top.end() != len(labels[last])):
            continue
        name = top.group().lower()
        known = scheme or name in _COUNTRY_TOP_LEVELS or name in _COMMON_TOP_LEVELS
        if known and "_" not in labels[last - 1]:
            return sum(len(label) + 1 for label in labels[:last]) + top.end()
    return 0


def _is_label(label: str) -> bool:
    """RFC 1035 section 2.3.4: at most 63 octets on the wire, where other scripts are written as punycode."""
    if not _LABEL.fullmatch(label) or len(label) > 63:
        return False
    return label.isascii() or len(label.encode("punycode")) + len("xn--") <= 63


def _address_end(text: str, position: int) -> int:
    """Where an address ends whose host ends at `position`; closing punctuation belongs to the sentence."""
    if port := _PORT.match(text, position):
        position = port.end()
    if path := _PATH.match(text, position):
        position += _kept(path.group(), _PATH_END, minimum=1)
    if query := _QUERY.match(text, position):
        position += _kept(query.group(), _QUERY_END, minimum=0)
    return position


def _kept(part: str, good_end: re.Pattern[str], *, minimum: int) -> int:
    """Length of `part` without the punctuation at its end; a `)` stays when its `(` is inside."""
    end = len(part)
    surplus = part.count(")") - part.count("(")
    while end > minimum and not good_end.match(part[end - 1]):
        if part[end - 1] == ")":
            if surplus <= 0:
                break
            surplus -= 1
        elif part[end - 1] == "(":
            surplus += 1
        end -= 1
    return end
