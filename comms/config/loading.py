"""Reads `comms.toml`, and lays the environment over it, key by key.

The only reader of files and environment for settings. It opens no database and no connection.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from comms.config.settings import NAMED, NAMED_SECTIONS, Settings, model_of
from comms.errors import ConfigError, WorkspaceError

FILE_NAME = "comms.toml"
ENVIRONMENT_PREFIX = "COMMS_"
SEPARATOR = "__"


def load(folder: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read `folder/comms.toml` and the environment's `COMMS_<SECTION>__<KEY>` over it.

    Raises WorkspaceError when there is no such file, ConfigError naming file (or variable), section and
    key when a value can not be used.
    """
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WorkspaceError(
            f"{folder} is no workspace: it has no {FILE_NAME}.",
            hint=f'Make one with: comms init {folder} --name "Your coalition"; or name another with -w.',
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} can not be read: {error}") from error
    try:
        tables: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    sources = _overlay(tables, os.environ if environment is None else environment)
    try:
        return Settings.model_validate(tables)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(problem, path, sources) for problem in error.errors())) from error


def _overlay(tables: dict[str, Any], environment: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Lay the environment's values over `tables`; returns which variable each key came from."""
    sources = {}
    for variable, value in environment.items():
        name = variable.removeprefix(ENVIRONMENT_PREFIX)
        if name == variable or SEPARATOR not in name:
            continue
        section, _, rest = name.lower().partition(SEPARATOR)
        path = (section, *rest.split(SEPARATOR, 1)) if section in NAMED_SECTIONS else (section, rest)
        table: Any = tables
        for depth, part in enumerate(path[:-1], 1):
            if part not in table:
                sources[(*path[:depth], "")] = variable
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                break
        else:
            table[path[-1]] = value
            sources[path] = variable
    return sources


def _explain(problem: Any, path: Path, sources: Mapping[tuple[str, ...], str]) -> str:
    location = [str(part) for part in problem["loc"]]
    depth = 2 if location[0] in NAMED_SECTIONS and len(location) > 1 else 1
    table, key = location[:depth], location[depth] if len(location) > depth else ""
    variable = sources.get((*table, key)) or sources.get(tuple(table))
    section = ".".join(table)
    where = variable or f"{path}: [{section}]{f' {key}' if key else ''}"
    if problem["type"] == "extra_forbidden":
        known = list(model_of(location[0]).model_fields if key else Settings.model_fields)
        near = get_close_matches(key or section, known, n=1)
        guess = f"; did you mean {near[0]}?" if near else f"; known are: {', '.join(known)}"
        return f"{where}: no such {'key' if key else 'section'}{guess}"
    if problem["type"] in ("model_type", "dict_type") and not key:
        name = f"{table[0]}.{NAMED}" if table[0] in NAMED_SECTIONS else section
        return f"{where}: must be a table: a line [{name}], then its keys"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{where}: {message}"
