"""Answers to operations that the simulated market does not know: the fixture, with fitting symbol and times.

A catalogue may know endpoints this simulator does not, because Binance added them or because a changed spec
is tried. Their fixtures are served with the symbol that was asked for and with times near the present.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import cast

from binance_sdk._runtime.operation import Paging, Variant
from binance_sdk.simulator.market.symbols import Market
from binance_sdk.simulator.rest.json_rows import Json
from binance_sdk.simulator.rest.validation import Call

Fixture = Callable[[Market, str, str], bytes]

_NAMES = ("symbol", "pair")
_EARLIEST, _LATEST = 10**12, 4 * 10**12
"""Integers outside of this are no times of this century in milliseconds."""


def answer(call: Call, now: int, fixture: Fixture) -> Json:
    """The fixture of the variant that the call selects."""
    operation = call.operation
    given = {name: value if isinstance(value, (int, str)) else list(value) for name, value in call.given.items()}
    variant = operation.variant_for(given)
    body: Json = json.loads(fixture(operation.market, operation.name, variant.fixtures[0]))
    newest = max(_times(body), default=now)
    names = {name: call.text(name) for name in _NAMES if name in call.given}
    fitted = _fitted(body, now - newest, names)
    return _page(fitted, operation.paging, variant, call) if operation.paging and isinstance(fitted, list) else fitted


def _page(rows: list[Json], paging: Paging, variant: Variant[object], call: Call) -> Json:
    """The rows of the example that a page holds, so that whoever walks over pages comes to an end."""
    read = cast("Sequence[object]", variant.adapter.validate_json(json.dumps(rows)))
    first, last = call.given.get(paging.cursor), call.given.get(paging.end or "")
    kept = [
        row
        for row, values in zip(rows, read, strict=True)
        if (not isinstance(first, int) or getattr(values, paging.key) >= first)
        and (not isinstance(last, int) or getattr(values, paging.time or paging.key) <= last)
    ]
    size = call.number(paging.size) if paging.size in call.in_force else len(kept)
    return kept[:size] if isinstance(first, int) else kept[-size:]


def _is_time(key: str, value: Json) -> bool:
    named = "time" in key.lower() or key in ("E", "T")
    return named and isinstance(value, int) and _EARLIEST <= value <= _LATEST


def _times(body: Json) -> Iterator[int]:
    if isinstance(body, dict):
        for key, value in body.items():
            if isinstance(value, int) and _is_time(key, value):
                yield value
            else:
                yield from _times(value)
    elif isinstance(body, list):
        for item in body:
            yield from _times(item)


def _fitted(body: Json, shift: int, names: dict[str, str]) -> Json:
    if isinstance(body, list):
        return [_fitted(item, shift, names) for item in body]
    if not isinstance(body, dict):
        return body
    fitted: dict[str, Json] = {}
    for key, value in body.items():
        if isinstance(value, int) and _is_time(key, value):
            fitted[key] = value + shift
        else:
            fitted[key] = names.get(key, value) if isinstance(value, str) else _fitted(value, shift, names)
    return fitted
