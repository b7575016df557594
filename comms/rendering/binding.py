"""Decides which Jinja of a template is answered when the edition is compiled and which by each member.

Names are known at one of two times. `association`, `brand`, `campaign`, `body`, `strings` and the like are
known at compile time; `member`, `links` and `url` only per member. An expression that mentions one of the
latter, and every tag of a statement that does, becomes a carrier; all else is left to compile time.
What lies between the tags of such a statement is judged on its own. It renders nothing.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import pairwise

import jinja2

from comms.rendering.carriers import Carrier, Carriers
from comms.rendering.errors import TemplateError
from comms.rendering.jinja_parts import Part, Token, helpers, names, outer, split
from comms.rendering.sandbox import FAULTS, SafeEnvironment, fault_words

MEMBER_NAMES = frozenset({"member", "links", "url"})
"""Known only when one member's message is rendered."""
SHARED_NAMES = frozenset({"association", "campaign"})
"""Known at both times, with the same values."""

_BODIES = frozenset("if for macro call filter with autoescape block".split())
_PATHS = frozenset("include import from extends".split())

Scope = ChainMap[str, bool]
"""Local variable -> whether it is known only per member."""


@dataclass(slots=True)
class _Group:
    """A statement with its tags (`if`, `elif`, `else`, `endif`) and what lies between them."""

    keyword: str
    tags: list[int] = field(default_factory=list)
    children: list[int | _Group] = field(default_factory=list)


def bind(environment: SafeEnvironment, source: str, template: str, carriers: Carriers) -> str:
    """The source with carriers for all that only a member can answer; line numbers stay.

    Raises TemplateError for syntax errors and for Jinja that mixes the two times.
    """
    try:
        environment.parse(source, template)
        parts = split(environment, source, template)
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(template, error.lineno, error.message or "Jinja syntax error") from error
    except FAULTS as fault:  # brackets within brackets, a number of thousands of digits
        raise TemplateError(template, environment.reached, fault_words(fault)) from fault
    _check_helpers(environment, parts, template, 1)
    carried = _Binder(template, parts).carried()
    return "".join(
        _carry(part, carried[index], template, carriers) if index in carried else part.source
        for index, part in enumerate(parts)
    )


def bind_text(environment: jinja2.Environment, source: str, template: str, line: int, carriers: Carriers) -> str:
    """Jinja text of a campaign as literal text with carriers: all of it is answered per member.

    Raises TemplateError, with lines counted from `line`.
    """
    try:
        parts = split(environment, source, template)
    except jinja2.TemplateSyntaxError as error:
        message = error.message or "Jinja syntax error"
        raise TemplateError(template, line + error.lineno - 1, message) from error
    _check_helpers(environment, parts, template, line)
    return "".join(
        part.source
        if part.kind == "text"
        else carriers.add(Carrier(part.source, template, line + part.line - 1, part.keyword))
        for part in parts
        if part.kind != "silent"
    )


def _check_helpers(environment: jinja2.Environment, parts: Sequence[Part], template: str, first_line: int) -> None:
    for part in parts:
        for kind, name in helpers(part.tokens):
            known: Mapping[str, object] = environment.filters if kind == "filter" else environment.tests
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(_public(known))}"
                message = f"{part.source}: there is no {kind} called {name}"
                raise TemplateError(template, first_line + part.line - 1, message, hint=hint)


def _public(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.isidentifier() and not name.startswith("_"))


def _carry(part: Part, keyword: str, template: str, carriers: Carriers) -> str:
    token = carriers.add(Carrier(part.source, template, part.line, keyword))
    breaks = part.source.count("\n")
    return token + ("{#" + "\n" * breaks + "#}" if breaks else "")


class _Binder:
    """One reading of one template's parts, repeated until no further variable turns out to be per member."""

    def __init__(self, template: str, parts: Sequence[Part]) -> None:
        self._template = template
        self._parts = parts
        self._tree = _tree(parts)
        self._assigned: set[str] = set()
        """Variables that a `set` makes known only per member, anywhere in the template."""
        self._carried: dict[int, str] = {}

    def carried(self) -> Mapping[int, str]:
        """Index of each part that waits for a member -> keyword of its statement, empty for expressions."""
        while True:
            known = len(self._assigned)
            self._carried = {}
            self._visit(self._tree, ChainMap(), inside=False)
            if len(self._assigned) == known:
                return self._carried

    def _visit(self, nodes: Iterable[int | _Group], scope: Scope, *, inside: bool) -> None:
        for node in nodes:
            if isinstance(node, _Group):
                self._visit_group(node, scope, inside=inside)
            elif self._parts[node].kind == "output":
                self._take([node], "", self._parts[node].tokens, scope)
            elif self._parts[node].keyword == "set":
                self._visit_set(node, scope, inside=inside)
            elif self._parts[node].keyword in _PATHS:
                self._refuse_per_member(node, scope, "which file to include can not depend on the member")

    def _visit_set(self, node: int, scope: Scope, *, inside: bool) -> None:
        tokens = self._parts[node].tokens
        sign = outer(tokens, "=")
        targets, value = set(_words(tokens[1:sign])), tokens[sign + 1 :]
        forced = inside or not targets.isdisjoint(self._assigned)
        if self._take([node], "set", value, scope, forced=forced):
            self._assigned |= targets

    def _visit_group(self, group: _Group, scope: Scope, *, inside: bool) -> None:
        head = self._parts[group.tags[0]].tokens
        match group.keyword:
            case "if":
                tests = [token for tag in group.tags for token in self._parts[tag].tokens[1:]]
                per_member = self._take(group.tags, "if", tests, scope)
                self._visit(group.children, scope, inside=inside or per_member)
            case "for":
                self._visit_for(group, head, scope, inside=inside)
            case "with":
                per_member = self._take(group.tags, "with", head[1:], scope)
                local = dict.fromkeys(_assigned_in(head[1:]), per_member)
                self._visit(group.children, scope.new_child(local), inside=inside or per_member)
            case "set":
                target = {head[1][1]}
                forced = inside or not target.isdisjoint(self._assigned)
                if self._take(group.tags, "set", (), scope, forced=forced):
                    self._assigned |= target
                self._visit(group.children, scope, inside=inside or forced)
            case keyword:
                self._refuse_per_member(group.tags[0], scope, f"a {keyword} can not depend on the member")
                local = dict.fromkeys(_parameters(head), False)
                self._visit(group.children, scope.new_child(local), inside=False)

    def _visit_for(self, group: _Group, head: Sequence[Token], scope: Scope, *, inside: bool) -> None:
        middle = outer(head, "in")
        targets = set(_words(head[1:middle]))
        # The loop's own condition may use its variables; they wait exactly when the rest does.
        source = [token for token in head[middle + 1 :] if token[1] not in targets]
        per_member = self._take(group.tags, "for", source, scope)
        body = scope.new_child(dict.fromkeys({*targets, "loop"}, per_member))
        self._visit(group.children, body, inside=inside or per_member)

    def _take(
        self,
        tags: Sequence[int],
        keyword: str,
        tokens: Sequence[Token],
        scope: Scope,
        *,
        forced: bool = False,
    ) -> bool:
        """Marks the tags as carried when one of the tokens' names, or `forced`, makes them wait."""
        used = list(dict.fromkeys(names(tokens)))
        waiting = [name for name in used if self._waits(name, scope)]
        if not waiting and not forced:
            return False
        early = [name for name in used if not self._waits(name, scope) and not _is_shared(name, scope)]
        if early:
            self._refuse_mixture(tags[0], waiting, early)
        self._carried.update(dict.fromkeys(tags, keyword))
        return True

    def _waits(self, name: str, scope: Scope) -> bool:
        if name in scope:
            return scope[name]
        return name in MEMBER_NAMES or name in self._assigned

    def _refuse_per_member(self, tag: int, scope: Scope, message: str) -> None:
        part = self._parts[tag]
        if any(self._waits(name, scope) for name in _looked_up(part.tokens)):
            raise TemplateError(
                self._template,
                part.line,
                f"{part.source}: {message}",
                hint="write {% if member... %} around it instead",
            )

    def _refuse_mixture(self, tag: int, waiting: Sequence[str], early: Sequence[str]) -> None:
        part = self._parts[tag]
        reader = f"'{waiting[0]}'" if waiting else "a condition on the member"
        raise TemplateError(
            self._template,
            part.line,
            f"{part.source}: '{early[0]}' is known when the newsletter is compiled, {reader} only for each "
            "member; one expression can not use both",
            hint="print them one after the other, or put an if on the member around the other value",
        )


def _tree(parts: Sequence[Part]) -> list[int | _Group]:
    root = _Group("")
    stack = [root]
    for index, part in enumerate(parts):
        if part.kind == "output":
            stack[-1].children.append(index)
        elif part.kind == "statement":
            word = part.keyword
            if word.startswith("end"):
                stack.pop().tags.append(index)
            elif word in ("else", "elif"):
                stack[-1].tags.append(index)
            elif word in _BODIES or (word == "set" and outer(part.tokens, "=") < 0):
                group = _Group(word, [index])
                stack[-1].children.append(group)
                stack.append(group)
            else:
                stack[-1].children.append(index)
    return root.children


def _is_shared(name: str, scope: Scope) -> bool:
    return name in SHARED_NAMES and name not in scope


def _words(tokens: Sequence[Token]) -> list[str]:
    return [value for kind, value in tokens if kind == "name"]


def _assigned_in(tokens: Sequence[Token]) -> list[str]:
    """Targets of `with a = ..., b = ...`."""
    return [value for (kind, value), (_, after) in pairwise(tokens) if kind == "name" and after == "="]


def _parameters(head: Sequence[Token]) -> list[str]:
    """Parameters of `macro name(a, b=1)` and `call(a) ...`."""
    return [value for (_, before), (kind, value) in pairwise(head) if kind == "name" and before in ("(", ",")]


def _looked_up(head: Sequence[Token]) -> list[str]:
    """Names that a statement looks up before its body runs; those it makes itself are left out."""
    words = [value for _, value in head]
    if words[0] in _PATHS:
        end = next((at for at, word in enumerate(words) if at and word in ("as", "import")), len(words))
        return list(names(head[1:end]))
    own = {*words[:2], *_parameters(head)}
    return [name for name in names(head) if name not in own]
