"""Figures in the text format that Prometheus reads, version 0.0.4. Pure: it gathers none.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from comms.engine.metrics import Family

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(families: Iterable[Family]) -> str:
    """All families, each with its help and type before its samples; one without samples is left out."""
    lines: list[str] = []
    for family in families:
        if not family.samples:
            continue
        lines.append(f"# HELP {family.name} {_escaped(family.help)}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        for labels, value in family.samples.items():
            pairs = ",".join(f'{name}="{_quoted(text)}"' for name, text in labels)
            lines.append(f"{family.name}{f'{{{pairs}}}' if pairs else ''} {_number(value)}")
    return "".join(f"{line}\n" for line in lines)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(text: str) -> str:
    # A lone surrogate can not be encoded; U+FFFD stands for it.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _escaped(text).replace('"', r"\"")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(value)
