"""The Markdown body of a definition to blocks, or to the problems that stand in the way; it renders nothing.

The text goes through three hands: `carriers.hide` takes the Jinja out, markdown-it (CommonMark without
HTML, with our `:::` containers) makes tokens, and the builder here makes blocks of the tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from markdown_it import MarkdownIt
from markdown_it.token import Token

from campaigns import carriers, containers
from campaigns.containers import Container
from campaigns.errors import Problem, shown
from campaigns.inline import InlineReader, text_of
from campaigns.models import (
    Block,
    Blocks,
    Button,
    Columns,
    Divider,
    Heading,
    Image,
    Link,
    ListBlock,
    Quote,
    Text,
    When,
)
from campaigns.nesting import layout_problems
from campaigns.structured import StructuredReader
from campaigns.urls import image_fault

MAX_CHARACTERS = 100_000
MAX_BLOCKS = 2_000
MAX_DEPTH = 20

_TOKEN_LEVELS = 50
"""Levels that markdown-it goes down before it drops text: a list takes two, so MAX_DEPTH is found first."""

_BLOCK_TOKENS = frozenset(
    "heading_open paragraph_open bullet_list_open ordered_list_open blockquote_open hr container_open".split()
)
_DECORATIVE = "{decorative}"


def parse_body(markdown: str, *, first_line: int) -> tuple[Blocks, tuple[Problem, ...]]:
    """The blocks of `markdown`, and every problem in it in the order of lines.

    `first_line` is the line of the file on which `markdown` starts; blocks and problems carry lines
    of the file. Blocks are only fit for use when there are no problems. Line ends are `\\n`.
    """
    if len(markdown) > MAX_CHARACTERS:
        hint = f"at most {MAX_CHARACTERS:,} characters; mail programs cut off far shorter ones"
        return (), (Problem(first_line, "body", "the text is too long", hint),)
    hidden = carriers.hide(markdown, first_line)
    builder = _Builder(hidden)
    blocks = builder.build()
    found = dict.fromkeys((*hidden.problems, *builder.problems, *layout_problems(blocks)))
    return blocks, tuple(sorted(found, key=lambda problem: problem.line))


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": _TOKEN_LEVELS})
    # Escaped text stays apart, so that `\<b>` can be told from `<b>`; addresses are checked by `urls`.
    markdown.disable(["text_join", "html_block", "html_inline"])
    markdown.validateLink = lambda url: True  # type: ignore[method-assign]
    containers.install(markdown)
    return markdown


class _Builder:
    """Goes through the tokens of one body once."""

    def __init__(self, hidden: carriers.Hidden) -> None:
        self.problems: list[Problem] = []
        self._hidden = hidden
        self._markdown = _markdown()
        self._inline = InlineReader(hidden, self._report)
        self._structured = StructuredReader(hidden, self._report, self._inline)
        self._tokens: Sequence[Token] = ()
        self._position = 0
        self._line = hidden.lines[0]

    def build(self) -> Blocks:
        matched = containers.match(self._hidden, self._report)
        self._tokens = self._markdown.parse(self._hidden.text, {"containers": matched})
        if sum(token.type in _BLOCK_TOKENS for token in self._tokens) > MAX_BLOCKS:
            self._report(self._line, f"more than {MAX_BLOCKS:,} blocks", "make it shorter")
            return ()
        return self._until(None, depth=0)

    def _report(self, line: int, message: str, hint: str) -> None:
        self.problems.append(Problem(line, "body", message, hint))

    def _until(self, closing: str | None, depth: int) -> Blocks:
        """Blocks up to the token that closes the one they are in."""
        if depth > MAX_DEPTH:
            self._report(self._line, f"nested more than {MAX_DEPTH} deep", "make it flatter")
        blocks: list[Block] = []
        while self._position < len(self._tokens):
            token = self._next()
            if token.type == closing:
                break
            if token.type == "container_open" and token.meta["container"].name == "otherwise":
                self._otherwise(token.meta["container"], blocks, depth)
            else:
                blocks.extend(self._block(token, depth))
        return tuple(blocks)

    def _next(self) -> Token:
        token = self._tokens[self._position]
        self._position += 1
        if token.map is not None:
            self._line = self._hidden.lines[token.map[0]]
        return token

    def _block(self, token: Token, depth: int) -> Blocks:
        line = self._line
        match token.type:
            case "heading_open":
                return self._heading(int(token.tag[1:]), line)
            case "paragraph_open":
                return self._paragraph(line)
            case "bullet_list_open" | "ordered_list_open":
                return (self._list(token, line, depth),)
            case "blockquote_open":
                return (Quote(self._until("blockquote_close", depth + 1), line),)
            case "hr":
                return (Divider(line),)
            case "fence" | "code_block":
                self._report(line, "a block of code, which mail can not show", _CODE_HINTS[token.type])
                return ()
            case "container_open":
                return self._container(token.meta["container"], line, depth)
        raise AssertionError(f"markdown-it made a block token unknown here: {token.type}")

    def _heading(self, level: int, line: int) -> Blocks:
        if level > 4:
            hint = "a message has room for # to ####; use bold text for less"
            self._report(line, f"a heading of level {level}", hint)
        content = self._next()
        self._position += 1
        return (Heading(level, self._inline.read(content), line),)

    def _list(self, token: Token, line: int, depth: int) -> ListBlock:
        items: list[Blocks] = []
        while self._next().type == "list_item_open":
            items.append(self._until("list_item_close", depth + 1))
        start = int(token.attrs.get("start", 1)) if token.type == "ordered_list_open" else None
        return ListBlock(tuple(items), line, start)

    def _paragraph(self, line: int) -> Blocks:
        content = self._next()
        self._position += 1
        tokens = content.children or []
        if content.content.startswith(":::"):
            hint = "start the line with `:::`, outside lists and quotes"
            self._report(line, "a container within a list or a quote", hint)
        rows = _rows(tokens)
        images = [_image_tokens(row) for row in rows]
        if all(images):
            return tuple(self._image(row, line + number) for number, row in enumerate(rows))
        return (Text(self._inline.read(content), line),)

    def _image(self, row: Sequence[Token], line: int) -> Image:
        link = next((token for token in row if token.type == "link_open"), None)
        image = next(token for token in row if token.type == "image")
        decorative = any(_DECORATIVE in token.content for token in row if token.type == "text")
        alt = self._words(text_of(image.children), "description", line)
        caption = self._words(str(image.attrs.get("title", "")), "caption", line)
        src, computed = self._hidden.literal(str(image.attrs.get("src", "")))
        if computed:
            self._report(line, "an expression in the address of an image", "name one file for all readers")
        elif fault := image_fault(src):
            self._report(line, *fault)
        if not alt and not decorative:
            hint = f"describe the image, or declare it decorative: `![](photo.jpg){_DECORATIVE}`"
            self._report(line, f"the image `{shown(src)}` has no description", hint)
        if alt and decorative:
            hint = "a decorative image has no description: remove one of the two"
            self._report(line, f"the image `{shown(src)}` is described and declared decorative", hint)
        url = self._inline.url(str(link.attrs.get("href", "")), line) if link else ""
        return Image(src, alt, line, caption, url, decorative)

    def _words(self, text: str, what: str, line: int) -> str:
        words, computed = self._hidden.literal(text)
        if computed:
            self._report(line, f"an expression in the {what} of an image", "write words that fit every reader")
        return words.strip()

    def _container(self, container: Container, line: int, depth: int) -> Blocks:
        if container.name == "button":
            return self._button(container, line, depth)
        if container.name == "columns":
            self._refuse_argument(container, line)
            return self._columns(line, depth)
        content = self._until("container_close", depth + 1)
        if container.name in self._structured.names:
            return self._structured.read(container, content, line)
        if container.name == "column":
            self._report(line, "a column outside of columns", "put `::: columns` around it")
        return content

    def _otherwise(self, container: Container, before: list[Block], depth: int) -> None:
        """Give the condition that stands just before its other side."""
        line = self._line
        self._refuse_argument(container, line)
        content = self._until("container_close", depth + 1)
        match before:
            case [*_, When(otherwise=()) as condition]:
                before[-1] = replace(condition, otherwise=content)
            case _:
                hint = "put it directly below the `:::` that ends the condition"
                self._report(line, "`::: otherwise` without a `::: when` before it", hint)

    def _refuse_argument(self, container: Container, line: int) -> None:
        if container.argument:
            words, _ = self._hidden.literal(container.argument)
            message = f"`::: {container.name}` is followed by `{shown(words)}`"
            self._report(line, message, "put nothing after the name")

    def _columns(self, line: int, depth: int) -> Blocks:
        columns: list[Blocks] = []
        while (token := self._next()).type != "container_close":
            start = self._line
            if token.type == "container_open" and token.meta["container"].name == "column":
                self._refuse_argument(token.meta["container"], start)
                columns.append(self._until("container_close", depth + 1))
            else:
                self._report(start, "something between columns that is in none", "put it in a `::: column`")
                self._block(token, depth)
        if not 2 <= len(columns) <= 4:
            self._report(line, f"columns with {len(columns)} of them", "there are two to four columns side by side")
        return (Columns(tuple(columns), line),)

    def _button(self, container: Container, line: int, depth: int) -> Blocks:
        inner = self._until("container_close", depth + 1)
        if not container.argument:
            hint = "write it after the name: `::: button https://example.org/page`"
            self._report(line, "the button has no address", hint)
            return ()
        if " " in container.argument:
            self._report(line, "the button's address holds a space", "write the address alone; the label goes below")
            return ()
        url = self._inline.address(container.argument, line)
        match inner:
            case (Text(content=label),) if not any(isinstance(span, Link) for span in label):
                return (Button(url, label, line),)
            case ():
                self._report(line, "the button has no label", "write it on the line after")
            case _:
                hint = "write one line of plain words, without links or images"
                self._report(line, "the label of the button is more than a line of text", hint)
        return ()


_CODE_HINTS = {
    "fence": "show it as a picture, or link to it",
    "code_block": "remove the spaces at the start of the line",
}


def _rows(tokens: Sequence[Token]) -> list[list[Token]]:
    """The tokens of a paragraph line by line; a break within a link is none."""
    depth, row, numbers = 0, 0, []
    for token in tokens:
        depth += token.nesting
        row += depth == 0 and token.type in ("softbreak", "hardbreak")
        numbers.append(row)
    pairs = zip(numbers, tokens, strict=True)
    lines = [[token for _, token in group] for _, group in groupby(pairs, key=lambda pair: pair[0])]
    return [[token for token in line if token.type not in ("softbreak", "hardbreak")] for line in lines]


def _image_tokens(row: Sequence[Token]) -> bool:
    """Whether a line holds one image, perhaps in a link or declared decorative, and nothing else."""
    kinds = [token.type for token in row if token.type != "text" or token.content.strip() not in ("", _DECORATIVE)]
    return kinds in (["image"], ["link_open", "image", "link_close"])
