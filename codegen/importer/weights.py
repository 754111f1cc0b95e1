"""Weights that stand in prose, as rules of the spec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_NUMBER = re.compile(r"^\s*Weight(?:\(IP\))?\s*:\s*`?(\d+)`?\s*$", re.MULTILINE)
_BAND = re.compile(r"^\s*\|\s*(\d+)\s*-\s*(\d+)\s*\|\s*(\d+)\s*\|", re.MULTILINE)
_ONE = re.compile(r"`?(\d+)`? for a single symbol")
_ALL = re.compile(r"`?(\d+)`? when the symbol parameter is omitted")
_EACH = re.compile(r"`?(\d+)`? for each requested symbol")
_CAP = re.compile(r"cap at `?(\d+)`?")


def told_weight(description: str) -> Any:
    """A weight as the YAML of the spec would have it; None where the words are others."""
    bands = [(int(low), int(high), int(price)) for low, high, price in _BAND.findall(description)]
    if bands:
        return {"by": "limit", "bands": [{"min": low, "max": high, "weight": price} for low, high, price in bands]}
    one, rest = _ONE.search(description), _ALL.search(description)
    if one and rest:
        return {"cases": [{"given": "symbol", "weight": int(one[1])}, {"weight": int(rest[1])}]}
    each = _EACH.search(description)
    if each:
        cap = _CAP.search(description)
        items = {"per_item_of": "symbols", "each": int(each[1]), **({"cap": int(cap[1])} if cap else {})}
        return {"cases": [{"given": "symbol", "weight": int(each[1])}, {"given": "symbols", "weight": items}]}
    number = _NUMBER.search(description)
    return int(number[1]) if number else None


def prices(rule: Any) -> dict[str, int]:
    """What a rule of either form says, by what it says it of, so that two can be compared."""
    return dict(_prices(rule, ""))


def _prices(rule: Any, given: str) -> Iterator[tuple[str, int]]:
    if isinstance(rule, int):
        yield f"a call{given}", rule
    elif isinstance(rule, dict):
        if "cases" in rule:
            for case in rule["cases"]:
                yield from _prices(case["weight"], f" with {case['given']}" if "given" in case else " without")
        elif "each" in rule:
            yield "each symbol", rule["each"]
            if rule.get("cap") is not None:
                yield "at most", rule["cap"]
        else:
            for band in rule.get("bands", ()):
                yield f"{rule.get('by', 'a count')} from {band['min']} on", band["weight"]
