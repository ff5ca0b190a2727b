"""Markdown: what people write, as HTML that holds text, links, pictures and tables, and nothing that runs.

The source is stored; the HTML is made and cleaned each time it is shown. Raw HTML in the source is shown as the text it is.
"""

import html
import re
from collections.abc import Iterator
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

LONGEST = 200_000  # characters of one text
TAGS = {
    *("p", "br", "hr", "blockquote", "ul", "ol", "li", "h2", "h3", "h4", "h5", "h6"),
    *("strong", "em", "s", "code", "pre", "a", "img", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "code": {"class"},
    "ol": {"start"},
}
SCHEMES = {"http", "https", "mailto", "tel"}
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
LANGUAGE = re.compile(r"language-[A-Za-z0-9+#.-]{1,30}")
OWN_PATH = re.compile(r"/(?![/\\]|%5C)", re.IGNORECASE)

_parser = MarkdownIt("commonmark", {"html": False, "linkify": True, "maxNesting": 20}, renderer_cls=RendererHTML)
_words = RendererHTML()
_parser.enable(["table", "strikethrough", "linkify"])


@lru_cache(maxsize=128)
def render(source: str, *, top: int = 2) -> Markup:
    """The text as clean HTML whose highest heading is `top` (2 to 6), so that the page keeps its one h1."""
    tokens = _parser.parse(_readable(source))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = _shifted(token, top)
        if token.children:
            token.children = list(_with_own_pictures(token.children))
    return clean(_parser.renderer.render(tokens, _parser.options, {}))


def clean(dirty: str) -> Markup:
    """HTML with only the tags, attributes and addresses of the short list; images come from our own host."""
    return Markup(  # noqa: S704  # this is where untrusted HTML becomes trusted: after nh3
        nh3.clean(
            CONTROL.sub("", dirty),
            tags=TAGS,
            attributes=ATTRIBUTES,
            attribute_filter=_attribute,
            url_schemes=SCHEMES,
            link_rel="noopener ugc",
            strip_comments=True,
            set_tag_attribute_values={"img": {"loading": "lazy", "referrerpolicy": "no-referrer"}},
        )
    )


def plain(source: str) -> str:
    """The words of the text without any markup, for search and previews; escape it when you show it."""
    words = nh3.clean(_parser.render(_readable(source)), tags=set())
    return re.sub(r"\s+", " ", html.unescape(words)).strip()


def _readable(source: str) -> str:
    return CONTROL.sub("", source[:LONGEST])


def _shifted(token: Token, top: int) -> str:
    return f"h{min(int(token.tag[1:]) + top - 1, 6)}"


def _with_own_pictures(children: list[Token]) -> Iterator[Token]:
    """Pictures of our own host stay; one from elsewhere, which no page may load, becomes a link to it, or its words inside a link."""
    links = 0
    for child in children:
        links += child.nesting if child.type in ("link_open", "link_close") else 0
        address = str(child.attrs.get("src", "")).strip()
        if child.type != "image" or OWN_PATH.match(address):
            yield child
            continue
        words = _words.renderInlineAsText(child.children, _parser.options, {})
        if links or not address.lower().startswith("https://"):
            yield Token("text", "", 0, content=words)
        else:
            yield Token("link_open", "a", 1, attrs={"href": address})
            yield Token("text", "", 0, content=words or address)
            yield Token("link_close", "a", -1)


def _attribute(tag: str, name: str, value: str) -> str | None:
    if tag == "code":
        return value if LANGUAGE.fullmatch(value) else None
    if tag == "img" and name == "src":
        return value if OWN_PATH.match(value.strip()) else None
    if tag == "ol":
        return value if value.isdigit() else None
    return value
