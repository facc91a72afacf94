"""What was measured of solvers, as pages of the app."""

import re
from xml.etree import ElementTree

import pytest

from inverse.web.base.documents import FINDINGS_PAGE, JUDGE_PAGE, document


@pytest.mark.parametrize("address", [JUDGE_PAGE, FINDINGS_PAGE])
def test_a_page_is_complete_and_asks_no_other_host(address):
    content, kind = document(address)
    text = content.decode()
    assert kind.startswith("text/html") and "<table>" in text and "<h1>" in text
    assert not re.search(r"<script|<link|url\(|@import", text)
    sources = re.findall(r'<img[^>]* src="([^"]*)"', text)
    assert all(not source.startswith(("http", "/")) for source in sources)
    for source in sources:  # relative to the page
        figure = document(f"{address.rpartition('/')[0]}/{source}")
        assert figure is not None and figure[1] == "image/svg+xml"
        ElementTree.fromstring(figure[0])


@pytest.mark.parametrize(
    "address", ["measured/", "measured/presets", "measured/findings/../judge.md", "measured/judge.md"]
)
def test_nothing_else_is_given_out(address):
    assert document(address) is None
