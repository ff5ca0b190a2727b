"""Markdown: what people may write looks right, and nothing of it runs."""

from typing import Any
from urllib.parse import urlsplit

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms.core import markdown

SAFE_TAGS = {"html", "head", "body", "tbody", *markdown.TAGS}
SAFE_ATTRIBUTES = {"href", "title", "rel", "src", "alt", "class", "start", "loading", "referrerpolicy"}
ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script\x20type='text/javascript'>alert(1);</script>",
    "<script\x0c>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)//",
    '<img """><script>alert(1)</script>">',
    "<img src=`javascript:alert(1)`>",
    "<IMG SRC=&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;alert(1)>",
    "<img/src='x'/onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math href='javascript:alert(1)'>x</math>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='data:text/html,<script>alert(1)</script>'></object>",
    "<embed src='javascript:alert(1)'>",
    "<base href='https://evil.example/'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<form action='javascript:alert(1)'><input type=submit></form>",
    "<button formaction='javascript:alert(1)'>x</button>",
    "<input autofocus onfocus=alert(1)>",
    "<textarea autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<body onload=alert(1)>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<div style='background:url(javascript:alert(1))'>x</div>",
    "<div style='width:expression(alert(1))'>x</div>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<!--[if IE]><script>alert(1)</script><![endif]-->",
    "<!-- --!><script>alert(1)</script> -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><script>alert(1)</script>",
    "<a href='javascript:alert(1)'>x</a>",
    "<x onclick=alert(1)>x</x>",
    "<p hx-get='/x' hx-trigger='load'>x</p>",
    "<div data-load='https://evil.example/x.js'>x</div>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](&#106;&#97;&#118;&#97;script:alert(1))",
    "[x](\\javascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](%6Aavascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](data:image/svg+xml,<svg/onload=alert(1)>)",
    "[x](file:///etc/passwd)",
    "[x](blob:https://example.org/1)",
    "[x](feed:javascript:alert(1))",
    "[x](view-source:javascript:alert(1))",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zy9vbmxvYWQ9YWxlcnQoMSk+)",
    "![x](//evil.example/x.png)",
    "![x](/\\evil.example/x.png)",
    "![x](http://evil.example/x.png)",
    '![x](https://e.example/x.png "onerror=alert(1)")',
    '![x" onerror="alert(1)](https://e.example/x.png)',
    '[x](https://e.example/" onmouseover="alert(1))',
    "[x](https://e.example/ '\" onmouseover=alert(1) x=\"')",
    "[x]: javascript:alert(1)\n\n[x]",
    '[x]: https://e.example/ "\\"><script>alert(1)</script>"\n\n[x]',
    '```js"><script>alert(1)</script>\nx\n```',
    "``` language-x onclick=alert(1)\nx\n```",
    "`<img src=x onerror=alert(1)>`",
    "| <script>alert(1)</script> | b |\n|-|-|\n| <img src=x onerror=alert(1)> | [x](javascript:alert(1)) |",
    "# <script>alert(1)</script>",
    "> <svg/onload=alert(1)>",
    "1. <script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;script&amp;gt;",
    "javascript:alert(1)",
    "https://e.example/?<script>alert(1)</script>",
    'www.evil.example/"onmouseover=alert(1)',
    "\u202e<script>alert(1)</script>",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<\u0073cript>alert(1)</script>",
    "＜script＞alert(1)＜/script＞",
    "[" * 2000 + "x](javascript:alert(1))",
    "<" * 3000 + "script>alert(1)",
    "*" * 3000,
    ">" * 500 + " <script>alert(1)</script>",
]


def inspect(made: str) -> None:
    """Nothing in the HTML can run, load from where it should not, or leave the page's scope."""
    tree: Any = html5lib.parse(made, treebuilder="lxml", namespaceHTMLElements=False)
    for element in tree.iter():
        assert isinstance(element.tag, str), f"a comment or instruction: {made[:200]}"
        assert element.tag in SAFE_TAGS, f"<{element.tag}> in {made[:200]}"
        for name, value in element.attrib.items():
            assert name in SAFE_ATTRIBUTES, f"{name} in {made[:200]}"
            if name == "href":
                assert urlsplit(value.strip()).scheme.lower() in ("", "http", "https", "mailto", "tel"), value
            if name == "src":
                assert value.startswith("https://") or (value.startswith("/") and value[1:2] not in ("/", "\\")), value
            if name == "class":
                assert markdown.LANGUAGE.fullmatch(value), value


@pytest.mark.parametrize("attack", ATTACKS)
def test_render__leaves_nothing_that_runs(attack: str) -> None:
    inspect(markdown.render(attack))
    inspect(markdown.render(f"before\n\n{attack}\n\nafter [ok](https://example.org)"))


@pytest.mark.parametrize("attack", ATTACKS)
def test_clean__leaves_nothing_that_runs_of_raw_html(attack: str) -> None:
    inspect(markdown.clean(attack))


def test_attacks__are_enough() -> None:
    assert len(set(ATTACKS)) >= 60


def test_inspect__can_fail() -> None:
    for made in (
        "<script>1</script>",
        "<p onclick=x>",
        "<a href='javascript:x'>x</a>",
        "<img src='//x'>",
        "<code class='x'>",
        "<p>x<!-- x --></p>",
    ):
        with pytest.raises(AssertionError):
            inspect(made)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("<>()[]!\"'`/\\&;:=#*_-\n jsavcript1x")), max_size=200))
def test_render__of_anything_leaves_nothing_that_runs(source: str) -> None:
    inspect(markdown.render(source))


def test_render__keeps_what_people_write() -> None:
    made = markdown.render(
        "# Title\n\nSome *soft*, **loud** and ~~gone~~ words, `code`.\n\n- one\n- two\n\n3. three\n\n> said\n\n"
        "| a | b |\n|---|--:|\n| 1 | 2 |\n\n```python\nx < 1\n```\n\n---"
    )
    for piece in (
        "<h2>Title</h2>",
        "<em>soft</em>",
        "<strong>loud</strong>",
        "<s>gone</s>",
        "<code>code</code>",
        "<li>one</li>",
        '<ol start="3">',
        "<blockquote>",
        "<th>a</th>",
        '<code class="language-python">x &lt; 1',
        "<hr>",
    ):
        assert piece in made, piece


def test_render__keeps_the_page_s_one_h1() -> None:
    source = "# A\n\n## B\n\n##### E\n\nUnder\n=====\n"
    assert "<h1" not in markdown.render(source)
    assert "<h4>A</h4>" in markdown.render(source, top=4) and "<h5>B</h5>" in markdown.render(source, top=4)
    assert "<h6>E</h6>" in markdown.render(source, top=4)


def test_render__marks_links_and_finds_addresses() -> None:
    made = markdown.render("[a](/courses/) and https://example.org and mail me: [m](mailto:a@example.org)")
    assert '<a href="/courses/" rel="noopener ugc">a</a>' in made
    assert '<a href="https://example.org" rel="noopener ugc">' in made
    assert 'href="mailto:a@example.org"' in made


def test_render__shows_pictures_from_here_and_links_to_those_from_elsewhere() -> None:
    made = markdown.render(
        "![Own](/static/x.png) ![Far *away*](https://e.example/x.png) ![](https://e.example/y.png) ![Plain *words*](http://e.example/x.png)"
    )
    assert 'src="/static/x.png"' in made and made.count("<img") == 1 and made.count('loading="lazy"') == 1
    assert '<a href="https://e.example/x.png" rel="noopener ugc">Far away</a>' in made
    assert '<a href="https://e.example/y.png" rel="noopener ugc">https://e.example/y.png</a>' in made
    assert "http://e.example" not in made and "Plain words" in made


def test_render__of_a_far_picture_inside_a_link_keeps_the_one_link() -> None:
    made = markdown.render("[![Shop](https://e.example/x.png)](https://shop.example)")
    assert made == '<p><a href="https://shop.example" rel="noopener ugc">Shop</a></p>\n'


def test_render__shows_raw_html_as_text() -> None:
    assert "&lt;b&gt;x&lt;/b&gt;" in markdown.render("<b>x</b>")


def test_render__of_a_very_long_text_ends() -> None:
    assert markdown.render("word " * 100_000)


def test_plain__is_the_words_alone() -> None:
    assert markdown.plain("# A\n\n**b** [c](https://d.example) `e < f` & <i>g</i>") == "A b c e < f & <i>g</i>"
