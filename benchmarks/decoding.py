"""Bytes into typed answers, against msgspec with the same exact decimals, and against plain pydantic models."""

from __future__ import annotations

import gc
import json
import platform
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

from benchmarks import _bodies
from benchmarks._environments import Environment, base, oldest
from benchmarks._figures import Figure, Target
from benchmarks._timing import rounds


@dataclass(frozen=True, slots=True)
class _Case:
    name: str
    target: Target | None


_CASES = {
    "klines": _Case("1000 klines", Target("<", 1.0, "ratio")),
    "columns": _Case("1000 klines, then five Decimals of every row", None),
    "depth": _Case("depth of 2 × 1000 levels", Target("≤", 1.5, "ratio")),
    "trades": _Case("1000 trades", Target("≤", 3.1, "ratio")),
    "tickers": _Case("3500 tickers of 24 hours", Target("≤", 3.1, "ratio")),
}
_ROWS, _OBJECTS = Target("≤", 0.6, "ratio"), Target("≤", 1.0, "ratio")
_AGAINST_PLAIN = {
    "klines": _Case("1000 klines", _ROWS),
    "depth": _Case("depth of 2 × 1000 levels", _ROWS),
    "trades": _Case("1000 trades", _OBJECTS),
    "agg_trades": _Case("1000 aggregate trades of futures", _OBJECTS),
    "tickers": _Case("3500 tickers of 24 hours", _OBJECTS),
    "books": _Case("3500 best prices", _OBJECTS),
    "premium": _Case("900 premium indexes", _OBJECTS),
    "info": _Case("exchangeInfo of 1600 symbols", _OBJECTS),
}


def run(options: object) -> list[Figure]:
    newest, old = base(), oldest()
    figures = _figures(newest, judged=True)
    # Where no environment could be made both are this one, and the second run would say the same again.
    return figures if old.python == newest.python else [*figures, *_figures(old, judged=False)]


def _figures(place: Environment, *, judged: bool) -> list[Figure]:
    found = json.loads(place.run("benchmarks.decoding"))
    label = f"pydantic {place.pydantic}, Python {platform.python_version()}"
    note = f"{label}; {'newest, ' if judged else 'the oldest allowed, '}floor: msgspec {found['msgspec']}"
    note += f"; {place.note}" if place.note else ""
    figures = [
        Figure(
            "decode",
            case.name if judged else f"{case.name}, oldest pydantic",
            found["seconds"][key][0] * 1000,
            "ms CPU",
            found["seconds"][key][1] * 1000,
            found["seconds"][key][2],
            case.target if judged else None,
            note,
        )
        for key, case in _CASES.items()
    ]
    note = f"{label}; floor: plain pydantic models of the same fields, Decimal, extra ignored, a tagged union"
    figures += [
        Figure(
            "decode",
            f"{case.name} beside plain pydantic{'' if judged else ', oldest pydantic'}",
            found["plain"][key][0] * 1000,
            "ms CPU",
            found["plain"][key][1] * 1000,
            found["plain"][key][2],
            case.target if judged else None,
            note,
        )
        for key, case in _AGAINST_PLAIN.items()
    ]
    if judged:
        note = f"{label}; floor: msgspec {found['msgspec']}"
        ours, floor = found["retained"]
        name = "memory kept by 1000 klines"
        figures.append(Figure("decode", name, ours / 1024, "KiB", floor / 1024, ours / floor, note=note))
    return figures


# ------------------------------------------------------------------ inside the measured environment


def _main() -> None:
    import msgspec

    from benchmarks import _yardstick

    bodies = {
        "klines": _bodies.klines(),
        "depth": _bodies.depth(),
        "trades": _bodies.trades(),
        "tickers": _bodies.tickers(),
    }
    theirs: dict[str, Callable[[bytes], Any]] = {
        "klines": _yardstick.klines.decode,
        "depth": _yardstick.depth.decode,
        "trades": _yardstick.trades.decode,
        "tickers": _yardstick.tickers.decode,
    }
    ours: dict[str, Callable[[bytes], Any]] = {
        "klines": _ours("klines", list),
        "depth": _ours("depth", None),
        "trades": _ours("trades", list),
        "tickers": _ours("ticker_24hr", list),
    }
    calls: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        key: (_bound(ours[key], body), _bound(theirs[key], body)) for key, body in bodies.items()
    }
    read_ours, read_theirs = _reading(ours["klines"]), _reading(theirs["klines"])
    calls["columns"] = _bound(read_ours, bodies["klines"]), _bound(read_theirs, bodies["klines"])
    seconds: dict[str, tuple[float, float, float]] = {}
    for key, (our_call, their_call) in calls.items():
        timed = rounds({"ours": our_call, "floor": their_call})
        seconds[key] = (timed.seconds("ours"), timed.seconds("floor"), timed.ratio("ours", "floor"))
    retained = [_retained(call) for call in calls["klines"]]
    found = {"msgspec": msgspec.__version__, "seconds": seconds, "retained": retained, "plain": _against_plain(bodies)}
    print(json.dumps(found))


def _against_plain(bodies: dict[str, bytes]) -> dict[str, tuple[float, float, float]]:
    from benchmarks import _object_bodies

    cases = {
        "klines": (_variant("klines", list), bodies["klines"]),
        "depth": (_variant("depth", None), bodies["depth"]),
        "trades": (_variant("trades", list), bodies["trades"]),
        "tickers": (_variant("ticker_24hr", list), bodies["tickers"]),
        "agg_trades": (_variant("agg_trades", list, "futures"), _object_bodies.rows("futures", "agg_trades", 1000)),
        "books": (
            _variant("ticker_book_ticker", list),
            _object_bodies.rows("spot", "ticker_book_ticker", 3500, "list"),
        ),
        "premium": (
            _variant("premium_index", list, "futures"),
            _object_bodies.rows("futures", "premium_index", 900, "list"),
        ),
        "info": (_variant("exchange_info", None), _object_bodies.exchange_info()),
    }
    found: dict[str, tuple[float, float, float]] = {}
    for key, (variant, body) in cases.items():
        timed = rounds({"ours": _bound(_decoding(variant), body), "plain": _bound(_plain(variant), body)})
        found[key] = timed.seconds("ours"), timed.seconds("plain"), timed.ratio("ours", "plain")
    return found


def _plain(variant: Any) -> Callable[[bytes], Any]:
    from benchmarks._plain import plain_adapter

    return plain_adapter(variant.type).validate_json


def _ours(operation: str, shape: type | None) -> Callable[[bytes], Any]:
    return _decoding(_variant(operation, shape))


def _variant(operation: str, shape: type | None, market: Literal["spot", "futures"] = "spot") -> Any:
    from binance_sdk.catalogue import CATALOGUE

    variants = CATALOGUE[market].operations[operation].variants
    return next(v for v in variants if shape is None or getattr(v.type, "__origin__", None) is shape)


def _decoding(variant: Any) -> Callable[[bytes], Any]:
    """Exactly what a call does with the bytes it got."""
    from binance_sdk._runtime.answers.decode import validated

    def decode(body: bytes) -> object:
        return validated(variant, body)

    return decode


def _reading(decode: Callable[[bytes], Any]) -> Callable[[bytes], object]:
    def read(body: bytes) -> object:
        return [(row.open, row.high, row.low, row.close, row.volume) for row in decode(body)]

    return read


def _bound(decode: Callable[[bytes], Any], body: bytes) -> Callable[[], object]:
    return lambda: decode(body)


def _retained(call: Callable[[], object]) -> int:
    call()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = cast("list[object]", call())
    size = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(kept) == 1000
    return size


if __name__ == "__main__":
    _main()
