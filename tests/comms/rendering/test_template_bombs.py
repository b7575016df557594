"""Templates that try to eat the machine: each is stopped soon, in little memory, with file and line."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from rendering_samples import a_context, column, compiled

from comms.engine import checking, preview
from comms.engine.preview import Wishes
from comms.engine.setup import create_workspace
from comms.errors import CommsError
from comms.rendering.errors import RenderError, TemplateError
from comms.rendering.library import TemplateLibrary
from comms.rendering.lint import lint
from comms.rendering.render import Renderer
from comms.rendering.sandbox import MAX_SOURCE
from comms.rendering.source import TemplateSource
from tests.conftest import HOST

SECONDS, MEGABYTES = 5, 200
LARGE = "{% set a %}" + "x" * 200_000 + "{% endset %}"
TEN = "".join(f"{{% for i{n} in '0123456789' %}}" for n in range(4)), "{% endfor %}" * 4
NESTED = "{% set a = ['x'] %}{% set b = ['x'] %}" + "{% set a = [a, a] %}{% set b = [b, b] %}" * 60
BOMBS = {
    "repetition": "{{ 'x' * 10**9 }}",
    "nested loops": TEN[0] * 2 + "x" + TEN[1] * 2,
    "a width": "{{ 'x'|center(10**9) }}",
    "a format": "{{ '%1000000000d' % 1 }}",
    "joins": "{% set a = ['xxxxxxxxxx'] %}" + "{% set a = a|join(a|join) %}" * 12,
    "filters over and over": f"{LARGE}{TEN[0]}{{% set q = a|upper|escape|striptags|title|urlencode %}}{TEN[1]}",
    "lists that are kept": LARGE + "".join(f"{{% set l{n} = a|list %}}" for n in range(200)),
    "slices that are kept": LARGE + "".join(f"{{% set l{n} = a[1:] %}}" for n in range(700)),
    "lists that double": "{% set a = ['x'] %}" + "{% set a = a + a %}" * 18
    + "".join(f"{{% set l{n} = a + a %}}" for n in range(300)),
    "comparing lists of lists": NESTED + "{{ a == b }}",
    "looking for a list in lists": NESTED + "{{ a in [b, b] }}",
    "sorting lists of lists": NESTED + "{{ [a, b]|sort|length }}",
    "testing lists of lists": NESTED + "{{ a is eq b }}",
    "printing lists of lists": NESTED + "{{ a }}",
    "lists of lists as text": NESTED + "{{ a|string|length }}",
    "adding lists of lists to text": NESTED + "{{ a ~ b }}",
    "tuples as keys": "{% set a = (1,) %}" + "{% set a = (a, a) %}" * 60 + "{{ {a: 1} }}",
    "sums of lists": "{{ [[1], [2]]|sum(start=[]) }}",
    "a macro that calls itself": "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "a file that includes itself": "{% include 't.mjml' %}{% include 't.mjml' %}",
    "brackets": "{{ " + "(" * 300 + "1" + ")" * 300 + " }}",
    "a number": "{{ " + "9" * 50_000 + " }}",
    "blocks in blocks": "{% if 1 %}" * 200 + "{% endif %}" * 200,
    "filters in a row": "{{ 'x'" + "|upper" * 3_000 + " }}",
    "far too much Jinja": "{{ 1 }}" * 30_000,
    "far too many conditions": "{% if member.x %}a{% endif %}" * 7_000,
    "elements in elements": "<b>" * 20_000 + "</b>" * 20_000,
}  # fmt: skip
_PROGRAM = """
import json, resource, sys
sys.path.insert(0, {folder!r})
from test_template_bombs import attempt
limit = {megabytes} * 1_000_000
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
said = attempt(json.loads(sys.stdin.read()))
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([said, used.ru_utime + used.ru_stime, (used.ru_maxrss - before) / 1024]))
"""


def source(inner: str) -> TemplateSource:
    return column(f"\n<mj-text>{inner}</mj-text>")


def attempt(inner: str) -> list[str]:
    """What is said where the template is compiled, rendered for a member, and linted."""
    said = []
    try:
        Renderer(compiled(template=source(inner))).render(a_context({"x": "y" * 10_000, "l": list(range(100))}))
    except (TemplateError, RenderError) as error:
        said.append(error.message)
    return said + [f"line {problem.line}: {problem.message}" for problem in lint(source(inner))]


def measured(inner: str) -> tuple[list[str], float, float]:
    """The same in a process of its own, with its seconds and the megabytes that it took."""
    program = _PROGRAM.format(folder=str(Path(__file__).parent), megabytes=MEGABYTES)
    done = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(inner), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said, seconds, megabytes = json.loads(done.stdout)
    return said, seconds, megabytes


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_stopped_with_file_and_line(name: str) -> None:
    said, seconds, megabytes = measured(BOMBS[name])
    # Python names no line of ours for the last two, and the number stands after the line that was read last.
    where = {"a number": "t, line 1: ", "blocks in blocks": "t: ", "filters in a row": "t: "}
    assert said[0].startswith(where.get(name, "t, line 2: "))
    assert len(said) >= 2, "lint says it, too"
    assert seconds < 2 * SECONDS, "compiling, rendering and linting"
    assert megabytes < MEGABYTES


@pytest.mark.parametrize("name", ["filters over and over", "comparing lists of lists", "slices that are kept"])
def test_a_bomb_that_goes_off_for_each_member_costs_that_member_alone(name: str) -> None:
    replaced = {LARGE: "{% set a = member.x %}", "['x']": "[member.x]", "'0123456789'": "member.l"}
    inner = BOMBS[name]
    for edition_s, member_s in replaced.items():
        inner = inner.replace(edition_s, member_s)
    started = time.process_time()
    edition = compiled(template=source(inner))
    with pytest.raises(RenderError):
        Renderer(edition).encode(a_context({"x": "y" * 200_000, "l": list(range(10))}))
    assert time.process_time() - started < SECONDS


def test_every_command_that_renders_says_so_and_none_goes_down(tmp_path: Path) -> None:
    with create_workspace(tmp_path / "w", HOST) as workspace:
        file = workspace.templates_folder / "bomb.mjml"
        file.write_text(column(f"\n<mj-text>{BOMBS['filters over and over']}</mj-text>").text)
        campaign = tmp_path / "campaign.md"
        campaign.write_text(
            "---\ncampaign: c\ntitle: T\nlanguage: en\nnewsletter:\n  subject: S\n  template: bomb\n---\n\nHello.\n"
        )
        found = [f for f in checking.check(workspace, campaign).findings if f.level == "must fix"]
        assert [(f.line, "bomb, line 2" in f.message) for f in found] == [(7, True)]
        assert workspace.templates.lint("bomb")[0].line == 2
        for act in (
            lambda: preview.show(workspace, campaign, tmp_path / "out", Wishes(), browser=None),
            lambda: preview.sample_html(workspace, "bomb", workspace.association(None)),
        ):
            with pytest.raises(CommsError, match="bomb, line 2"):
                act()


def test_many_files_can_not_do_together_what_one_may_not() -> None:
    files = {f"part{n}.mjml": "{{ 1 }}" * 1_500 for n in range(20)}
    inner = "".join(f'{{% include "{name}" %}}' for name in files)
    template = TemplateSource("t", source(inner).text, files)
    with pytest.raises(TemplateError, match="words and signs"):
        compiled(template=template)


def test_a_file_of_ten_megabytes_is_not_even_read_whole(tmp_path: Path) -> None:
    (tmp_path / "big.mjml").write_bytes(b"{{ 1 }}" * 1_500_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TemplateError, match=f"{MAX_SOURCE:,} bytes"):
        TemplateLibrary([tmp_path]).find("big")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10_000


@pytest.mark.parametrize(
    "name", ["../secret.mjml", "/etc/passwd", "secret.mjml", "a\x00.mjml", "sub/../../secret.mjml", "link.mjml", "."]
)
def test_no_file_outside_the_template_folders_can_be_included(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.mjml").write_text("secret")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link.mjml").symlink_to(tmp_path / "secret.mjml")
    (folder / "mine.mjml").write_text(source(f'{{% include "{name}" %}}').text)
    with pytest.raises(TemplateError, match="does not exist") as caught:
        compiled(template=TemplateLibrary([folder]).find("mine"))
    assert (caught.value.template, caught.value.line) == ("mine", 2)


# --- any template at all -------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "member.x", "member.l", "x"])
FILTERS = st.sampled_from(
    "list string join sort unique title urlencode escape sum reverse striptags length upper truncate(9999) int".split()
)
VALUES = st.recursive(
    st.one_of(NAMES, st.sampled_from(["1", "999999999999999", "['x', 'y']", "{'k': a}", "('t', b)", "9 * 'x'"])),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+ - * ** % // ~ == in and".split()), inner),
        st.builds("[{0}, {0}, {1}]".format, inner, inner),
        st.builds("({0}, {0}, {1})".format, inner, inner),
        st.builds("{}|{}".format, inner, FILTERS),
        st.builds("{}[{}:]".format, inner, st.integers(0, 2)),
    ),
    max_leaves=8,
)  # fmt: skip
PIECES = st.recursive(
    st.one_of(
        VALUES.map("{{{{ {} }}}}".format),
        st.builds("{{% set {} = {} %}}".format, st.sampled_from("ab"), VALUES),
        st.builds("{{% set {} %}}{{{{ {} }}}}{{{{ {} }}}}{{% endset %}}".format, st.sampled_from("ab"), VALUES, VALUES),
        st.integers(1, 50).map(lambda n: "{% set a = a ~ a %}{% set b = [b, a, b] %}" * n),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map("".join),
        st.builds("{{% for x in {} %}}{}{{% endfor %}}".format, VALUES, inner),
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, VALUES, inner, inner),
        st.builds("{{% macro m(a) %}}{}{{% endmacro %}}{{{{ m(b) }}}}{{{{ m(a) }}}}".format, inner),
        inner.map(lambda text: text * (20 if len(text) < 5_000 else 1)),
    ),
    max_leaves=10,
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["'xy'", "member.x", "['x', member.l]"]), PIECES)
def test_any_template_is_done_in_time_and_memory(start: str, piece: str) -> None:
    assume(len(piece) < MAX_SOURCE)
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    attempt(f"{{% set a = {start} %}}{{% set b = a %}}{piece}")
    assert time.process_time() - started < 2 * SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES * 1024
