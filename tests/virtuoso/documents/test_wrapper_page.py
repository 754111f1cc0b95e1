"""``docs/api/binance_wrapper.md`` is what the code, its answers and its costs are now, and leaves no method out."""

from __future__ import annotations

import re

import virtuoso_binance
from tests.pages import ROOT
from tests.virtuoso.documents import wrapper_page
from virtuoso_binance import BaseExchange, MarketDataSource, make_exchange_class


async def test_the_page_is_true() -> None:
    """Each example is run for it."""
    page = wrapper_page.PAGE.read_text("utf-8")
    assert page == await wrapper_page.written(), "run: python -m tests.virtuoso.documents.wrapper_page"


def test_no_method_is_left_out() -> None:
    shown = {name for examples in wrapper_page.EXAMPLES.values() for name in examples}
    assert shown | set(wrapper_page.RAISING) == wrapper_page.public_names(make_exchange_class(BaseExchange))
    assert set(wrapper_page.SOURCE_EXAMPLES) == wrapper_page.public_names(MarketDataSource)


def test_every_public_name_of_the_adapter_is_on_one_of_its_pages() -> None:
    pages = ("virtuoso.md", "data-sources.md", "api/binance_wrapper.md", "integration/binance_integration.md")
    told = " ".join((ROOT / "docs" / page).read_text("utf-8") for page in pages)
    names = set(re.findall(r"\w+", told))
    assert [name for name in virtuoso_binance.__all__ if name not in names] == [], (
        "say in docs/virtuoso.md what they are"
    )
