"""Writes ``docs/api/binance_wrapper.md`` from the code and from what a simulator answers and charges.

    python -m tests.virtuoso.documents.wrapper_page

Signatures and words are those of the code, each example is run, and its cost and the keys of its answer are what came.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import pytest

from binance_sdk.catalogue import Market
from binance_sdk.simulator import ManualClock, Simulator
from tests.pages import blocks_of, run_python
from tests.virtuoso.conftest import NOW, section_for
from tests.virtuoso.documents.running import value_of
from virtuoso_binance import MarketDataSource, OutOfScopeError

PAGE = Path(__file__).resolve().parents[3] / "docs" / "api" / "binance_wrapper.md"

HEAD = """\
# What the exchange and its sources can do

Every public method of the class that `make_exchange_class` makes, and of `MarketDataSource`. This page is written by a
program: signatures and words are those of the code, each example is run against the simulator in the tests, and what it
costs and what is in its answer are what came of that. A method that is added, or that costs more, is a test that fails
until the page says so.

What each call means to Virtuoso, and where each part of the data comes from: [Under Virtuoso](../virtuoso.md). Symbols
may be written `BTCUSDT`, `BTC/USDT`, `BTC-USDT`, `BTC_USDT` or `BTC/USDT:USDT`, in any case, or as a dict with the key
`symbol`. Costs are those of a perpetual once the symbols are loaded. A call that cannot be answered raises an error of
Virtuoso's and of the SDK's at once; see [errors](../virtuoso.md#errors).

The examples of this part begin with:

```python
from virtuoso_binance import BaseExchange, make_exchange_class

exchange = make_exchange_class(BaseExchange, config["exchanges"]["binance"])({})
```
"""


def _raw(call: str, parse: str) -> str:
    return f"import json\n\nraw = await client.futures.with_raw_response.{call}\n{parse}"


EXAMPLES: Mapping[str, Mapping[str, str]] = {
    "Life cycle": {
        "initialize": "await exchange.initialize()",
        "init": "await exchange.init()",
        "close": "await exchange.close()\nawait exchange.initialize()",
        "binance_client": "client = await exchange.binance_client()\nclient.limits.futures.remaining",
        "binance_settings": "exchange.binance_settings.spot_url",
        "binance_session": "exchange.binance_session.loaded",
    },
    "Health": {
        "fetch_status": "await exchange.fetch_status()",
        "binance_health": "exchange.binance_health()",
        "health_check": "await exchange.health_check()",
        "is_healthy": "await exchange.is_healthy()",
        "check_health": "await exchange.check_health()",
        "fetch_time": "await exchange.fetch_time()",
    },
    "Market data": {
        "fetch_market_data": 'await exchange.fetch_market_data("BTCUSDT")',
        "fetch_ticker": 'await exchange.fetch_ticker("BTC/USDT")',
        "get_ticker": 'await exchange.get_ticker("BTC/USDT")',
        "fetch_tickers": "await exchange.fetch_tickers()",
        "fetch_market_tickers": "await exchange.fetch_market_tickers()",
        "fetch_order_book": 'await exchange.fetch_order_book("BTCUSDT", 50)',
        "get_orderbook": 'await exchange.get_orderbook("BTCUSDT", 50)',
        "fetch_trades": 'await exchange.fetch_trades("BTCUSDT", limit=1000)',
        "fetch_ohlcv": 'await exchange.fetch_ohlcv("BTCUSDT", "1m", limit=1000)',
        "fetch_historical_klines": (
            'await exchange.fetch_historical_klines("BTCUSDT", "1h", start_time=1768564800000, limit=24)'
        ),
    },
    "Perpetuals": {
        "fetch_funding_rate": 'await exchange.fetch_funding_rate("BTCUSDT")',
        "fetch_funding_rate_history": 'await exchange.fetch_funding_rate_history("BTCUSDT", limit=10)',
        "fetch_open_interest": 'await exchange.fetch_open_interest("BTCUSDT")',
        "fetch_open_interest_history": 'await exchange.fetch_open_interest_history("BTCUSDT", interval="5min")',
        "fetch_long_short_ratio": 'await exchange.fetch_long_short_ratio("BTCUSDT")',
        "fetch_premium_index_kline": 'await exchange.fetch_premium_index_kline("BTCUSDT")',
        "fetch_mark_price_kline": 'await exchange.fetch_mark_price_kline("BTCUSDT")',
        "calculate_taker_buy_sell_ratio": 'await exchange.calculate_taker_buy_sell_ratio("BTCUSDT")',
        "fetch_risk_limits": 'await exchange.fetch_risk_limits("BTCUSDT")',
    },
    "Symbols": {
        "get_markets": "await exchange.get_markets()",
        "fetch_markets": "await exchange.fetch_markets()",
        "load_markets": "await exchange.load_markets()",
        "validate_symbol": 'exchange.validate_symbol("BTC/USDT")',
        "validate_market_data": 'exchange.validate_market_data({"symbol": "BTCUSDT"})',
        "validate_timeframe": 'exchange.validate_timeframe("1m")',
        "validate_limit": "exchange.validate_limit(100)",
    },
    "Streams": {
        "connect_ws": "await exchange.connect_ws()",
        "subscribe_ws": 'await exchange.subscribe_ws(["trade"], ["BTCUSDT"], print)',
        "unsubscribe_ws": 'await exchange.unsubscribe_ws(["trade"], ["BTCUSDT"], print)',
        "subscribe_liquidations": 'await exchange.subscribe_liquidations(["BTCUSDT"])',
        "get_recent_liquidations": 'exchange.get_recent_liquidations("BTCUSDT", hours=1)',
        "stream_counts": "await exchange.stream_counts()",
    },
    "Raw answers": {
        "parse_ticker": _raw('ticker_24hr("BTCUSDT")', "exchange.parse_ticker(json.loads(raw.content))"),
        "parse_orderbook": _raw(
            'depth("BTCUSDT", limit=5)', 'exchange.parse_orderbook({"symbol": "BTCUSDT", **json.loads(raw.content)})'
        ),
        "parse_trades": _raw('trades("BTCUSDT", limit=5)', "exchange.parse_trades(json.loads(raw.content))"),
        "parse_ohlcv": _raw('klines("BTCUSDT", "1m", limit=5)', "exchange.parse_ohlcv(json.loads(raw.content))"),
    },
}
RAISING = {
    "parse_balance": "exchange.parse_balance({})",
    "parse_order": "exchange.parse_order({})",
    "sign": 'exchange.sign("GET", "/api/v3/account")',
}
"""What there is for Virtuoso's base class alone: it needs an account, and says so."""

SOURCE_HEAD = """\
## MarketDataSource

Several exchanges as one: [what it is](../data-sources.md). Costs are those of the exchanges that are asked, here one.
The examples begin with:

```python
from virtuoso_binance import MarketDataSource

settings = {"primary": "binance", "aggregation_mode": "primary_only"}
source = MarketDataSource({"binance": exchange}, settings)
```
"""
SOURCE_EXAMPLES = {
    "initialize": "await source.initialize()",
    "fetch_market_data": 'await source.fetch_market_data("BTCUSDT")',
    "fetch_status": "await source.fetch_status()",
    "health": "source.health()",
    "active": 'source.active("BTCUSDT")',
    "stats": "source.stats",
    "exchanges": "source.exchanges",
    "close": "await source.close()",
}
_MARKETS: tuple[Market, ...] = ("futures", "spot")
_KEYS = 16


# ------------------------------------------------------------------------------------- the page


async def written() -> str:
    """The page as it has to be."""
    section = {"streaming": []}
    with (
        Simulator(clock=ManualClock(NOW), history_days=45, symbols=["BTCUSDT", "ETHUSDT"]) as simulator,
        # The exchange has the time of its answers, a source that of this machine.
        patch("virtuoso_binance.sources.market_data_source.time", lambda: NOW / 1000),
    ):
        streams = {
            "websocket": {
                "public": simulator.stream_url("spot"),
                "futures_public": simulator.stream_url("futures"),
            }
        }
        config = {"exchanges": {"binance": section_for(simulator, **section, **streams)}}
        names: dict[str, Any] = {"config": config}
        parts = [HEAD]
        await run_python(blocks_of(HEAD)[0].code, names)
        cls = type(names["exchange"])
        for title, examples in EXAMPLES.items():
            parts.append(f"## {title}\n")
            parts += [await _method(cls, "exchange", name, code, names, simulator) for name, code in examples.items()]
        parts.append(await _raising(names))
        parts.append(SOURCE_HEAD)
        await run_python(blocks_of(SOURCE_HEAD)[0].code, names)
        parts += [
            await _method(MarketDataSource, "source", name, code, names, simulator)
            for name, code in SOURCE_EXAMPLES.items()
        ]
        await names["exchange"].close()
    return "\n".join(parts).rstrip("\n") + "\n"


def public_names(cls: type) -> set[str]:
    """Methods and properties of ours that a user sees."""
    return {
        name
        for name in dir(cls)
        if not name.startswith("_") and (_function(cls, name).__module__ or "").startswith("virtuoso_binance")
    } - {"binance_errors", "note_failure"}


def _function(cls: type, name: str) -> Any:
    found = inspect.getattr_static(cls, name)
    return found.fget if isinstance(found, property) else found


async def _method(cls: type, variable: str, name: str, code: str, names: dict[str, Any], simulator: Simulator) -> str:
    simulator.reset_limits()
    before = simulator.requests.total
    value = await value_of(code, names)
    requests = simulator.requests.total - before
    weights = {market: simulator.used_weight(market) for market in _MARKETS}
    return "\n".join(
        [
            f"### `{name}`\n" if variable == "exchange" else f"### `source.{name}`\n",
            f"`{_signature(cls, variable, name)}`\n",
            f"{_words(_function(cls, name))}\n",
            f"```python\n{code}\n```\n",
            f"Costs {_cost(requests, weights)}. Gives {_described(value)}.\n",
        ]
    )


def _signature(cls: type, variable: str, name: str) -> str:
    function = _function(cls, name)
    if isinstance(inspect.getattr_static(cls, name), property):
        return f"{variable}.{name}"
    parameters = list(inspect.signature(function).parameters.values())[1:]
    told = []
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in told:
            told.append("*")
        told.append(parameter.name + ("" if parameter.default is parameter.empty else f"={parameter.default!r}"))
    awaited = "await " if inspect.iscoroutinefunction(inspect.unwrap(function)) else ""
    return f"{awaited}{variable}.{name}({', '.join(told)})"


def _words(function: Any) -> str:
    """The docstring in Markdown, its lists of arguments and errors as lists."""
    text = inspect.cleandoc(inspect.unwrap(function).__doc__ or "").replace("``", "`")
    text = re.sub(r"^(Args|Returns|Raises):\n((?:    .*\n?|\n)+)", _section, text, flags=re.MULTILINE)
    return text.strip()


def _section(match: re.Match[str]) -> str:
    title, body = match[1], textwrap.dedent(match[2]).strip("\n")
    if title == "Returns":
        return f"Returns: {body}\n"
    items = re.split(r"\n(?=\S)", body)
    rows = [re.sub(r"^([\w.]+): ", r"- `\1`: ", item) for item in items]
    return "\n".join(re.sub(r"\n +", "\n  ", row) for row in rows) + "\n"


def _cost(requests: int, weights: Mapping[Market, int]) -> str:
    told = [f"{weight} on {market}" for market, weight in weights.items() if weight]
    if not requests:
        return "nothing"
    count = f"{requests} request{'s' * (requests > 1)}"
    return f"{count}, weight {' and '.join(told)}" if told else f"{count} of a group with a limit of its own, no weight"


def _described(value: object) -> str:
    """What an answer is, without anything in it that changes from run to run."""
    match value:
        case bool() | None:
            return f"`{value}`"
        case dict() if not value:
            return "a dict, here empty"
        case dict():
            return f"a dict with {_keys(cast('dict[Any, Any]', value))}"
        case list():
            rows = cast("list[Any]", value)
            name = "list" if type(rows) is list else type(rows).__name__
            if not rows:
                return f"a {name}, here empty"
            first = rows[0]
            inner = f"dicts with {_keys(first)}" if isinstance(first, dict) else _inner(first)
            return f"a {name} of {inner}"
        case _:
            return f"{'an' if type(value).__name__[0] in 'AEIOaeio' else 'a'} `{type(value).__name__}`"


def _inner(first: object) -> str:
    if isinstance(first, list):
        row = cast("list[object]", first)
        return f"lists of {len(row)} numbers"
    return f"`{type(first).__name__}`"


def _keys(row: Mapping[Any, Any]) -> str:
    names = [f"`{key}`" for key in row]
    more = f" and {len(names) - _KEYS} more" if len(names) > _KEYS else ""
    return ", ".join(names[:_KEYS]) + more


async def _raising(names: dict[str, Any]) -> str:
    rows = ["### What needs an account\n", "Nothing is signed here. For the base class there are these, which raise:\n"]
    for code in RAISING.values():
        with pytest.raises(OutOfScopeError):
            await value_of(code, names)
        rows.append(f"- `{code}`")
    return "\n".join([*rows, "", "The error is an `OutOfScopeError`, and an `ExchangeError` of Virtuoso's.\n"])


if __name__ == "__main__":
    PAGE.write_text(asyncio.run(written()), encoding="utf-8")
