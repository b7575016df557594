"""What there is to set, in words: for the reference page, and for the settings file of a new workspace."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from comms.config.settings import NAMED, NAMED_SECTIONS, Settings, model_of


def describe() -> list[tuple[str, str, str, str, str]]:
    """Every key as (section, key, kind, default, meaning), for the reference page and for new files.

    A section that holds tables by name ends in `.NAME`.
    """
    rows = []
    for section in Settings.model_fields:
        title = f"{section}.{NAMED}" if section in NAMED_SECTIONS else section
        for key, entry in model_of(section).model_fields.items():
            rows.append((title, key, _kind(entry.annotation), _toml(entry.default), entry.description or ""))
    return rows


def section_summary(section: str) -> str:
    """The first line of what the table is for."""
    return (model_of(section.removesuffix(f".{NAMED}")).__doc__ or "").strip().splitlines()[0]


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(f"`{choice}`" for choice in get_args(annotation))
    return {
        str: "text",
        list[str]: "list",
        bool: "`true` or `false`",
        int: "whole number",
        float: "number",
        dict[str, list[str]]: "lists by name",
        dict[str, int]: "numbers by name",
    }[annotation]


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)  # of dictionaries only the empty one, alike in both
