"""Nothing of a record is markup, whatever it holds, and TensorBoard lets it pass as it is."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pytest

from refluid.observe.board.markup import to_html
from refluid.observe.record import Confusion, Gallery, Image, Picture, Table, Text

EVIL = (
    '<script>alert(1)</script><img src=x onerror="alert(1)">[a](javascript:alert(1)) **b** `c` | d'
    "\n\n</pre></td><b>x</b>\n# e\n&lt;\x02\x03"
)
GRAY = Image.of(np.zeros((2, 2), np.uint8))
RECORDS = [
    Text(EVIL),
    Table(("name", EVIL), ((EVIL, 1), ("b", None))),
    Confusion((EVIL, "b"), np.array([[1, 2], [3, 4]])),
    Gallery((Picture(GRAY, EVIL),)),
]
OWN_TAGS = {"pre", "table", "thead", "tbody", "tr", "th", "td", "br", "p"}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_every_tag_is_our_own(record):
    tags = re.findall(r"<[^>]*>", to_html(record))
    assert {re.fullmatch(r"</?([a-z]+)>", tag)[1] for tag in tags} <= OWN_TAGS


@pytest.mark.filterwarnings("ignore:html5lib's sanitizer:DeprecationWarning")
@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_tensorboard_shows_it_literally(record):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.plugin_util import markdown_to_safe_html

    html = to_html(record)
    shown = markdown_to_safe_html(html)
    # Markdown keeps two control characters to itself
    plain = EVIL.replace("\x02", "").replace("\x03", "")
    text = unescape(re.sub(r"<[^>]*>", "", shown.replace("<br>", "\n")))
    assert plain in text
    assert {re.fullmatch(r"</?([a-z]+)>", tag)[1] for tag in re.findall(r"<[^>]*>", shown)} <= (
        OWN_TAGS
    )


def test_table_has_a_head_and_rows():
    table = Table(("class", "f1"), (("a", 0.123456789), (None, 7)))
    assert to_html(table) == (
        "<table><thead><tr><th>class</th><th>f1</th></tr></thead><tbody>"
        "<tr><td>a</td><td>0.123457</td></tr><tr><td></td><td>7</td></tr></tbody></table>"
    )


def test_what_is_too_long_says_so():
    assert to_html(Text("x" * 100_007)).endswith("<p>7 more characters are not shown.</p>")
    rows = tuple((number,) for number in range(1003))
    assert to_html(Table(("n",), rows)).endswith("<p>3 more rows are not shown.</p>")
