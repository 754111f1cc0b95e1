"""A market has a schema of its own in the place of a shared one, where its units differ."""

from __future__ import annotations

from pathlib import Path

from project import Project

from codegen.load import load
from codegen.rendering import render

_LEVEL = """schemas:
  PriceLevel:
    description: One price of an order book.
    replaces_shared: true
    row:
      - {name: price, type: decimal, description: "Price, in the quote asset."}
      - {name: qty, type: decimal, description: "Quantity at this price, in contracts."}
"""

_PROOF = """
from decimal import Decimal
from binance_sdk import futures, spot
assert futures.PriceLevel is not spot.PriceLevel
assert futures.PriceLevel.__module__ == "binance_sdk._generated.futures.rows", futures.PriceLevel.__module__
assert "contracts" in (futures.PriceLevel.__doc__ or "") + (futures.PriceLevel.qty.__doc__ or "")
answer = '{"lastUpdateId": 1, "E": 1, "T": 1, "bids": [["1.5", "7"]], "asks": []}'
book = futures.OrderBook.model_validate_json(answer, by_alias=True, by_name=False)
assert type(book.bids[0]) is futures.PriceLevel and book.bids[0].qty == Decimal(7)
"""


def test_a_market_may_replace_a_shared_row(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.change("futures/market.yaml", "schemas:\n", _LEVEL)
    ignored = "{name: ignore, type: string, "
    project.change("streams/futures.yaml", f"B: &bar_ignore {ignored}", f"B: &bar_ignore {ignored}unused: true, ")
    project.generate()
    project.run("-c", _PROOF)
    # Rendering has no need of either word: they are there for the checks.
    assert render.unread(load(project.root / "spec")) == []
