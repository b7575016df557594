"""What mjml-python leaves out or gets wrong, and our compiler does as the npm package does."""

from __future__ import annotations

from typing import Any

import lxml.html
import pytest

from comms.rendering.errors import TemplateError
from comms.rendering.mjml import to_html


def page(body: str, head: str = "") -> str:
    return f"<mjml><mj-head>{head}</mj-head><mj-body>{body}</mj-body></mjml>"


def column(inner: str, head: str = "") -> str:
    return page(f"<mj-section><mj-column>{inner}</mj-column></mj-section>", head)


def tree(source: str) -> Any:
    return lxml.html.document_fromstring(to_html(source))


def styles(element: Any) -> dict[str, str]:
    """The declarations of an element; of two for the same property the last."""
    return dict(part.strip().split(":", 1) for part in element.get("style", "").split(";") if part.strip())


CLASSES = (
    "<mj-attributes>"
    '<mj-class name="red" color="#ff0000" css-class="one" font-size="20px"><mj-text align="right" /></mj-class>'
    '<mj-class name="blue" color="#0000ff" css-class="two" />'
    '<mj-text line-height="2" color="#00ff00" /></mj-attributes>'
)


def test_of_several_classes_the_last_one_wins_and_css_classes_add_up() -> None:
    html = tree(column('<mj-text mj-class="red blue">x</mj-text>', CLASSES))
    [cell] = html.xpath("//td[contains(@class, 'one')]")
    assert cell.get("class") == "one two"
    assert styles(cell[0]) | {"color": "#0000ff", "font-size": "20px", "line-height": "2"} == styles(cell[0])


def test_an_elements_own_attributes_win_over_its_classes() -> None:
    html = to_html(column('<mj-text mj-class="red" color="#123456" css-class="own">x</mj-text>', CLASSES))
    assert "#123456" in html
    assert 'class="own"' in html
    assert "#ff0000" not in html


def test_what_a_class_says_of_the_components_in_it_holds_at_any_depth() -> None:
    source = page(
        '<mj-section mj-class="red"><mj-column><mj-text>a</mj-text></mj-column></mj-section>'
        "<mj-section><mj-column><mj-text>b</mj-text></mj-column></mj-section>",
        CLASSES,
    )
    assert [styles(div)["text-align"] for div in tree(source).xpath("//div[text()='a' or text()='b']")] == [
        "right",
        "left",
    ]


def test_inline_styles_are_set_in_line_and_weaker_than_what_stands_there() -> None:
    rules = (
        ".q { color: red; padding: 0 0 0 30px; font-size: 20px !important } p { margin: 0 } #one > a { color: green }"
        "p { padding-left: 1px } @media (max-width: 500px) { .q { top: 0 } } .q:hover { left: 0 }"
    )
    html = to_html(
        column(
            '<mj-text><p class="q" style="color:#333333;padding-left:7px;font-size:9px">x</p>'
            "<p id=\"one\">y <a href='#' style='font-family:\"Courier New\"'>z</a></p></mj-text>",
            f'<mj-style inline="inline">{rules}</mj-style>',
        )
    )
    first, second = lxml.html.document_fromstring(html).xpath("//p")
    assert styles(first) == {
        "margin": " 0",
        "padding": " 0 0 0 30px",
        "color": "#333333",
        "padding-left": "7px",
        "font-size": " 20px",
    }
    assert list(styles(first)).index("padding") < list(styles(first)).index("padding-left")
    assert styles(second[0]) == {"color": " green", "font-family": '"Courier New"'}
    assert ".q" not in html


def test_inlining_changes_nothing_but_style_attributes() -> None:
    body = (
        '<mj-text><p>a&nbsp;&amp; b</p><!--[if mso]><p class="q">x</p><![endif]--><br /></mj-text>'
        "<mj-table><tr><td>1</td></tr></mj-table>"
    )
    plain = to_html(column(body))
    styled = to_html(column(body, '<mj-style inline="inline">p { color: red }</mj-style>'))
    assert styled.replace('<p style="color: red;">', "<p>") == plain


def test_attributes_go_to_what_a_selector_chooses() -> None:
    head = (
        '<mj-html-attributes><mj-selector path=".a p.z"><mj-html-attribute name="data-id">42</mj-html-attribute>'
        '<mj-html-attribute name="title">new "q" é</mj-html-attribute></mj-selector>'
        '<mj-selector path=".z"><mj-html-attribute name="data-id">43</mj-html-attribute></mj-selector>'
        "</mj-html-attributes>"
    )
    html = tree(column('<mj-text css-class="a"><p class="z" title="old">x</p><p>y</p></mj-text>', head))
    assert [dict(p.attrib) for p in html.xpath("//p")] == [
        {"class": "z", "title": 'new "q" é', "data-id": "43"},
        {},
    ]


def test_raw_html_stands_before_the_doctype_or_nowhere() -> None:
    html = to_html(
        '<?xml version="1.0"?><!DOCTYPE mjml><mjml><mj-raw position="file-start"><!-- first --></mj-raw>'
        "<mj-raw><p>lost</p></mj-raw><mj-body></mj-body></mjml>"
    )
    assert html.startswith("<!-- first -->\n<!doctype html>")
    assert "lost" not in html


@pytest.mark.parametrize(
    ("name", "child"),
    [
        ("mj-social", '<mj-social-element name="x">E</mj-social-element>'),
        ("mj-navbar", '<mj-navbar-link href="#">E</mj-navbar-link>'),
        ("mj-accordion", "<mj-accordion-element><mj-accordion-title>E</mj-accordion-title></mj-accordion-element>"),
    ],
)
def test_raw_html_and_comments_between_the_parts_of_a_component(name: str, child: str) -> None:
    html = to_html(column(f'<{name}><mj-raw><b id="r">\\1 raw</b></mj-raw>{child}<!-- note --></{name}>'))
    assert html.count('<b id="r">\\1 raw</b>') == 1
    assert html.index("raw</b>") < html.index("E</")
    assert html.count("<table") == html.count("</table>")


def test_the_title_of_an_accordion_may_hold_html() -> None:
    element = "<mj-accordion-element><mj-accordion-title>A <b>bold</b> नि</mj-accordion-title></mj-accordion-element>"
    html = tree(column(f"<mj-accordion>{element}</mj-accordion>"))
    assert html.xpath("//b/text()") == ["bold"]


def test_a_comment_does_no_harm_anywhere() -> None:
    carousel = '<mj-carousel><!-- a --><mj-carousel-image src="a.png" /></mj-carousel>'
    accordion = (
        "<mj-accordion><!-- b --><mj-accordion-element><!-- c --><mj-accordion-title>t</mj-accordion-title>"
        "</mj-accordion-element></mj-accordion>"
    )
    assert "a.png" in to_html(column(carousel + accordion, "<mj-attributes><!-- d --></mj-attributes>"))


EFFECTS = {
    "padding of one side of an accordion's title": (
        '<mj-accordion><mj-accordion-element><mj-accordion-title padding-top="4px">T</mj-accordion-title>'
        "</mj-accordion-element></mj-accordion>",
        "//td[text()='T']",
        {"padding": "4px 16px 16px 16px"},
    ),
    "weight of an accordion's title": (
        '<mj-accordion><mj-accordion-element><mj-accordion-title font-weight="700">T</mj-accordion-title>'
        "</mj-accordion-element></mj-accordion>",
        "//td[text()='T']",
        {"font-weight": "700"},
    ),
    "padding of one side of a menu's sign": (
        '<mj-navbar hamburger="hamburger" ico-padding="1px 3px" ico-padding-left="9px">'
        '<mj-navbar-link href="#">A</mj-navbar-link></mj-navbar>',
        "//label[@class='mj-menu-label']",
        {"padding": "1px 3px 1px 9px"},
    ),
    "border of one side of an image": (
        '<mj-image src="a.png" border-top="3px solid #ff0000" css-class="k" />',
        "//td[@class='k']//img",
        {"border-top": "3px solid #ff0000"},
    ),
    "space between the cells of a table": (
        '<mj-table cellspacing="6" css-class="k"><tr><td>x</td></tr></mj-table>',
        "//td[@class='k']/table",
        {"border-collapse": "separate"},
    ),
    "border of a table": (
        '<mj-table border="1px solid #000000" css-class="k"><tr><td>x</td></tr></mj-table>',
        "//td[@class='k']/table",
        {"border-collapse": "collapse"},
    ),
    "width of a button with a border": (
        '<mj-button href="#" width="300px" border="4px solid #000000" inner-padding="3px 10px">x</mj-button>',
        "//a",
        {"width": "272px"},
    ),
    "bare zeros among paddings": (
        '<mj-image src="a.png" padding="0 48px" css-class="k" />',
        "//td[@class='k']//td",
        {"width": "504px"},
    ),
}


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_attribute_has_its_effect(effect: str) -> None:
    source, path, expected = EFFECTS[effect]
    [element] = tree(column(source)).xpath(path)
    assert styles(element) | expected == styles(element)


COPIED = {
    "title of a button": ('<mj-button href="#" title="T &quot;q&quot;">x</mj-button>', "//a/@title", 'T "q"'),
    "title of a button without link": ('<mj-button title="T">x</mj-button>', "//p/@title", "T"),
    "sizes of an image": ('<mj-image src="a.png" sizes="100vw" />', "//img/@sizes", "100vw"),
    "role of a table": ('<mj-table role="none"><tr></tr></mj-table>', "//table[@role='none']/@role", "none"),
    "sources of a social icon": (
        '<mj-social><mj-social-element name="x" srcset="b.png 2x">X</mj-social-element></mj-social>',
        "//img/@srcset",
        "b.png 2x",
    ),
}


@pytest.mark.parametrize("which", COPIED)
def test_an_attribute_reaches_the_html(which: str) -> None:
    source, path, expected = COPIED[which]
    assert tree(column(source)).xpath(path) == [expected]


def test_a_missing_effect_may_come_from_anywhere() -> None:
    head = '<mj-attributes><mj-all border-left="2px solid #ff0000" /></mj-attributes>'
    assert (
        styles(tree(column('<mj-image src="a.png" />', head)).xpath("//img")[0])["border-left"] == "2px solid #ff0000"
    )


def test_sections_in_a_wrapper_keep_their_distance() -> None:
    section = "<mj-section><mj-column><mj-text>s</mj-text></mj-column></mj-section>"
    apart = f'<mj-wrapper gap="20px">{section}{section}{section}</mj-wrapper>'
    html = to_html(page(f"{apart}<mj-wrapper>{section}{section}</mj-wrapper>"))
    assert html.count("margin-top:20px") == 2


def test_a_social_icon_stands_on_the_right_of_its_label_when_asked() -> None:
    element = '<mj-social-element name="x" icon-position="{}">Label</mj-social-element>'
    right, left = (to_html(column(f"<mj-social>{element.format(side)}</mj-social>")) for side in ("right", "left"))
    assert right.index("Label") < right.index("<img")
    assert left.index("<img") < left.index("Label")
    assert len(right) == len(left)


def test_corners_and_widths_that_depend_on_other_attributes() -> None:
    hero = page('<mj-hero background-url="a.png" border-radius="12px"><mj-text>x</mj-text></mj-hero>')
    assert "border-radius:12px" in to_html(hero)
    part = page('<mj-section full-width="false"><mj-column></mj-column></mj-section>')
    assert to_html(part) == to_html(part.replace(' full-width="false"', ""))


def test_the_arrows_of_a_carousel_are_hidden_from_yahoo_alone() -> None:
    html = to_html(column('<mj-carousel><mj-carousel-image src="a.png" /></mj-carousel>'))
    assert "@media screen yahoo {" in html
    assert "screen, yahoo" not in html


def test_carousels_menus_and_their_labels_do_not_share_ids() -> None:
    carousel = '<mj-carousel><mj-carousel-image src="a" /><mj-carousel-image src="b" /></mj-carousel>'
    navbar = '<mj-navbar hamburger="hamburger"><mj-navbar-link href="#">a</mj-navbar-link></mj-navbar>'
    ids = tree(column(carousel * 2 + navbar * 2)).xpath("//@id")
    assert len(ids) == len(set(ids)) == 6


def test_every_class_of_an_element_has_its_twin_for_outlook() -> None:
    html = to_html(page('<mj-section css-class="a b"><mj-column></mj-column></mj-section>'))
    assert 'class="a-outlook b-outlook"' in html


def test_short_colours_are_written_in_full() -> None:
    html = to_html(column('<mj-text color="#1a2">x</mj-text>'))
    assert "#11aa22" in html


def test_nothing_that_was_put_in_for_a_while_is_left() -> None:
    source = column('<mj-image src="a" border-top="1px solid #000000" alt="zM0Mz zMp0Mz" />')
    assert to_html(source).count("zM") == 2


def test_a_component_that_can_not_be_compiled_is_an_error_for_people() -> None:
    with pytest.raises(TemplateError, match="can not be compiled"):
        to_html(page("<mj-raw><script>if (a < b) {}</script></mj-raw>"), name="mine")
