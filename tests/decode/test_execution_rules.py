"""A rule may leave out the ends that it does not limit."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from pydantic import TypeAdapter

from binance_sdk.spot import ExecutionRules, PriceRangeRule

ENDS = ["bidLimitMultUp", "bidLimitMultDown", "askLimitMultUp", "askLimitMultDown"]


@pytest.mark.parametrize("there", [[], ENDS[:1], ENDS[:2], ENDS[2:], ENDS])
def test_a_price_range_without_all_of_its_ends_is_read(there: list[str]) -> None:
    rule = {"ruleType": "PRICE_RANGE", **dict.fromkeys(there, "1.05")}
    wire = json.dumps({"symbolRules": [{"symbol": "BTCUSDT", "rules": [rule]}]})
    adapter = TypeAdapter(ExecutionRules)
    found = adapter.validate_json(wire)
    (read,) = found.symbol_rules[0].rules
    assert isinstance(read, PriceRangeRule)
    ends = [read.bid_limit_mult_up, read.bid_limit_mult_down, read.ask_limit_mult_up, read.ask_limit_mult_down]
    assert ends == [Decimal("1.05") if name in there else None for name in ENDS]
    assert json.loads(adapter.dump_json(found, by_alias=True, exclude_unset=True)) == json.loads(wire)
