"""Kinds of drift as the wire would show them, each with what has to be found: written by hand, from either side."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from binance_sdk.simulator.rest import weights
from binance_sdk.simulator.rest.exchange import Reply

from .mutated import MutatedExchange, Query

Change = Callable[[MutatedExchange, pytest.MonkeyPatch], object]

INFO, KLINES, DEPTH, TRADES = "/api/v3/exchangeInfo", "/api/v3/klines", "/api/v3/depth", "/api/v3/trades"


@dataclass(frozen=True)
class Drift:
    """One change of the exchange.

    Attributes:
        name: In words.
        only: The operation or stream that shows it.
        change: Makes it.
        kind: What it has to be called.
        path: Where it has to be found.
        seen: What has to be shown, where that is one value.
        severity: How bad it is.
    """

    name: str
    only: str
    kind: str
    path: str
    change: Change
    severity: str = "breaking"
    seen: Any = field(default=...)

    @property
    def of_stream(self) -> bool:
        """Whether a stream shows it; an endpoint may have the same name."""
        return DRIFTS.index(self) >= FIRST_OF_STREAMS


# ----------------------------------------------------------------------------- words for changes


def body(path: str, change: Callable[[Any], object]) -> Change:
    """Change the JSON of an answer in place, or by giving back another."""

    def made(exchange: MutatedExchange, _: pytest.MonkeyPatch) -> None:
        def changed(_: Query, value: Any) -> Any:
            other = change(value)
            return value if other is None else other

        exchange.body(path, changed)

    return made


def rows(path: str, change: Callable[[Any], object]) -> Change:
    """Change each row of a list in place, or the one object that an answer is."""
    return body(path, lambda value: [change(row) for row in (value if isinstance(value, list) else [value])] and None)


def symbols(change: Callable[[Any], object]) -> Change:
    """Change each symbol of spot's exchange information in place."""
    return body(INFO, lambda value: [change(symbol) for symbol in value["symbols"]] and None)


def last_symbol(change: Callable[[Any], object]) -> Change:
    """Change only the last symbol."""
    return body(INFO, lambda value: change(value["symbols"][-1]) and None)


def put(key: str, value: Any) -> Callable[[Any], None]:
    return lambda row: row.__setitem__(key, value)


def drop(key: str) -> Callable[[Any], object]:
    return lambda row: row.pop(key)


def rename(key: str, other: str) -> Callable[[Any], None]:
    """The same value under another key, at the same place among the others."""

    def renamed(row: Any) -> None:
        items = [(other if name == key else name, value) for name, value in row.items()]
        row.clear()
        row.update(items)

    return renamed


def reply(path: str, change: Callable[[Query, Reply], Reply]) -> Change:
    return lambda exchange, _: exchange.replies.__setitem__(path, change)


def refuse(path: str, when: Callable[[Query], bool], code: int, status: int = 400) -> Change:
    """Refuse some requests."""
    error = json.dumps({"code": code, "msg": "It is not taken any more."}).encode()
    return reply(path, lambda query, made: replace(made, status=status, body=error) if when(query) else made)


def message(part: str, change: Callable[[Any], Any]) -> Change:
    """Change messages of a stream in place, or by giving back others."""

    def changed(value: Any) -> Any:
        other = change(value)
        return other if isinstance(other, (dict, list)) else value

    return lambda exchange, _: exchange.messages.__setitem__(part, changed)


def every_second(part: str) -> Change:
    """Send only every second message."""
    sent = [0]

    def half(value: Any) -> Any:
        sent[0] += 1
        return value if sent[0] % 2 else None

    return lambda exchange, _: exchange.messages.__setitem__(part, half)


def doubled(key: str) -> Callable[[Any], None]:
    return lambda value: value.__setitem__(key, value[key] * 2)


def error_body(change: Callable[[Any], Any]) -> Callable[[Query, Reply], Reply]:
    def changed(_: Query, made: Reply) -> Reply:
        return made if made.status == 200 else replace(made, body=json.dumps(change(json.loads(made.body))).encode())

    return changed


def without_header(_: Query, made: Reply) -> Reply:
    headers = {name.replace("x-mbx-used-weight", "x-budget"): value for name, value in made.headers.items()}
    return replace(made, headers=headers)


def everywhere(change: Callable[[Query, Reply], Reply]) -> Change:
    """Change what every endpoint of spot's market data replies that the comparison of ``spot.time`` meets."""

    def made(exchange: MutatedExchange, _: pytest.MonkeyPatch) -> None:
        for path in ("/api/v3/time", "/api/v3/avgPrice", INFO):
            exchange.replies[path] = change

    return made


def charge(path: str, price: Callable[[Query], int]) -> Change:
    """Charge by another rule."""
    return lambda _, patch: patch.setitem(weights.WEIGHTS["spot"], path, price)  # type: ignore[arg-type]


def limits(change: Callable[[Any], object]) -> Change:
    return body(INFO, lambda value: [change(row) for row in value["rateLimits"]] and None)


def of_type(kind: str, change: Callable[[Any], object]) -> Callable[[Any], object]:
    return lambda row: change(row) if row["rateLimitType"] == kind else None


def old_page(query: Query, value: Any) -> Any:
    """A page of at most 500 rows."""
    return value[-500:] if "startTime" not in query else value[:500]


def after_the_cursor(query: Query, value: Any) -> Any:
    return value[1:] if "startTime" in query else value


def one_more(query: Query, value: Any) -> Any:
    return [*value, value[-1]] if len(value) == 1000 else value


def in_some_rows(value: Any) -> None:
    for row in value[::2] if isinstance(value, list) else ():
        row.pop("price")


def query_body(path: str, change: Callable[[Query, Any], Any]) -> Change:
    return lambda exchange, _: exchange.body(path, change)


def accepted(_: Query, made: Reply) -> Reply:
    good = json.dumps({"mins": 5, "price": "1.00000000", "closeTime": 1_800_000_000_000}).encode()
    return made if made.status == 200 else replace(made, status=200, body=good)


PRICE_CHANGE = "priceChange"
FILTER: Callable[[Callable[[Any], object]], Callable[[Any], object]] = lambda change: (  # noqa: E731
    lambda symbol: [change(one) for one in symbol["filters"] if one["filterType"] == "PRICE_FILTER"]
)

DRIFTS: list[Drift] = [
    # Shapes of answers.
    Drift("a field added", "spot.avg_price", "field_added", "mood", rows("/api/v3/avgPrice", put("mood", "calm")),
          "noted", "calm"),
    Drift("a field added in symbols", "spot.exchange_info", "field_added", "symbols[].soon", symbols(put("soon", True)),
          "noted", True),
    Drift("a field added in a filter", "spot.exchange_info", "field_added", "symbols[].filters[].mean",
          symbols(FILTER(put("mean", "1.0"))), "noted", "1.0"),
    Drift("a field removed", "spot.avg_price", "field_missing", "mins", rows("/api/v3/avgPrice", drop("mins"))),
    Drift("a field removed in symbols", "spot.exchange_info", "field_missing", "symbols[].icebergAllowed",
          symbols(drop("icebergAllowed"))),
    Drift("a field removed in some rows", "spot.ticker_price", "field_missing", "[].price",
          body("/api/v3/ticker/price", in_some_rows)),
    Drift("a field renamed", "spot.avg_price", "field_renamed", "price",
          rows("/api/v3/avgPrice", rename("price", "p"))),
    Drift("a field renamed in a filter", "spot.exchange_info", "field_renamed", "symbols[].filters[].tickSize",
          symbols(FILTER(rename("tickSize", "tick")))),
    Drift("a number becomes a text", "spot.time", "type_changed", "serverTime",
          rows("/api/v3/time", lambda row: row.__setitem__("serverTime", str(row["serverTime"])))),
    Drift("a text becomes a number", "spot.avg_price", "type_changed", "price",
          rows("/api/v3/avgPrice", put("price", 1.5)), seen=1.5),
    Drift("true becomes a text", "spot.trades", "type_changed", "[].isBuyerMaker",
          rows(TRADES, put("isBuyerMaker", "true")), seen="true"),
    Drift("null", "futures.open_interest", "null", "openInterest",
          rows("/fapi/v1/openInterest", put("openInterest", None)), seen=None),
    Drift("an empty text", "spot.avg_price", "empty_string", "price", rows("/api/v3/avgPrice", put("price", "")),
          seen=""),
    Drift("a list becomes an object", "spot.klines", "type_changed", "", body(KLINES, lambda value: {"rows": value})),
    Drift("an object becomes a list", "spot.avg_price", "type_changed", "",
          body("/api/v3/avgPrice", lambda value: [value])),
    Drift("a list in an object becomes an object", "spot.depth", "type_changed", "bids",
          rows(DEPTH, lambda row: row.__setitem__("bids", dict(row["bids"])))),
    Drift("a position added to a row", "spot.klines", "positions_added", "[]",
          rows(KLINES, lambda row: row.append("0")), "noted"),
    Drift("a position removed from a row", "futures.klines", "positions_missing", "[]",
          rows("/fapi/v1/klines", lambda row: row.pop())),
    Drift("a position of another type", "spot.klines", "type_changed", "[][8]",
          rows(KLINES, lambda row: row.__setitem__(8, str(row[8])))),
    Drift("a price level with a third position", "spot.depth", "positions_added", "asks[]",
          rows(DEPTH, lambda row: [level.append("0") for level in row["asks"]]), "noted"),
    Drift("a new status of symbols", "spot.exchange_info", "value_added", "symbols[].status",
          last_symbol(put("status", "POST_ONLY")), "noted", "POST_ONLY"),
    Drift("a new kind of order", "spot.exchange_info", "value_added", "symbols[].orderTypes[]",
          symbols(lambda one: one.__setitem__("orderTypes", [*one["orderTypes"], "PEGGED"])), "noted", "PEGGED"),
    Drift("a new kind of filter", "spot.exchange_info", "member_added", "symbols[].filters[].filterType",
          last_symbol(lambda one: one["filters"].append({"filterType": "SPEED_BUMP", "ms": 3})), "noted"),
    Drift("a body that is no JSON", "spot.ping", "not_json", "",
          reply("/api/v3/ping", lambda _, made: replace(made, body=b"pong"))),
    # What endpoints promise.
    Drift("rows the other way round", "spot.klines", "order_changed", "[][0]", body(KLINES, lambda value: value[::-1])),
    Drift("trades the other way round", "spot.trades", "order_changed", "[].id",
          body(TRADES, lambda value: value[::-1])),
    Drift("bids the other way round", "spot.depth", "order_changed", "bids[][0]",
          rows(DEPTH, lambda row: row["bids"].reverse())),
    Drift("a smaller page", "spot.klines", "page_size_changed", "limit", query_body(KLINES, old_page), "noted", 500),
    Drift("a page with a row too many", "spot.trades", "page_size_changed", "limit", query_body(TRADES, one_more),
          "noted", 1001),
    Drift("a page that begins behind its start", "spot.klines", "page_start_changed", "startTime",
          query_body(KLINES, after_the_cursor)),
    Drift("a higher weight", "spot.avg_price", "weight_changed", "", charge("/api/v3/avgPrice", lambda _: 5), seen=5),
    Drift("a lower weight", "spot.trades", "weight_changed", "", charge(TRADES, lambda _: 10), "noted", 10),
    Drift("a weight without its symbol", "spot.ticker_price", "weight_changed", "",
          charge("/api/v3/ticker/price", lambda query: 2 if "symbol" in query else 40), seen=40),
    Drift("a band of weight that ends sooner", "spot.depth", "weight_changed", "",
          charge(DEPTH, lambda query: next(weight for most, weight in ((50, 5), (500, 25), (1000, 50), (10**6, 250))
                                           if int(query.get("limit", "100")) <= most)), seen=25),
    Drift("a lower limit of weight", "spot.exchange_info", "limit_changed", "weight",
          limits(of_type("REQUEST_WEIGHT", put("limit", 5000))), seen=5000),
    Drift("a higher limit of requests", "spot.exchange_info", "limit_changed", "raw_requests",
          limits(of_type("RAW_REQUESTS", put("limit", 400_000))), "noted", 400_000),
    Drift("a limit of another interval", "spot.exchange_info", "limit_missing", "weight",
          limits(of_type("REQUEST_WEIGHT", put("intervalNum", 2)))),
    Drift("another header of used weight", "spot.time", "header_missing", "X-MBX-USED-WEIGHT-1m",
          everywhere(without_header)),
    Drift("another code for an unknown symbol", "spot.avg_price", "error_code_changed", "symbol",
          reply("/api/v3/avgPrice", error_body(lambda error: {**error, "code": -1199} if error["code"] == -1121
                                               else error)), "noted", -1199),
    Drift("another code for a missing parameter", "futures.open_interest", "error_code_changed", "symbol",
          reply("/fapi/v1/openInterest", error_body(lambda error: {**error, "code": -1103} if error["code"] == -1102
                                                    else error)), "noted", -1103),
    Drift("errors of another form", "spot.avg_price", "error_form_changed", "symbol",
          reply("/api/v3/avgPrice", error_body(lambda error: {"error": error}))),
    Drift("a wrong request is answered", "spot.avg_price", "not_refused", "symbol",
          reply("/api/v3/avgPrice", accepted), "noted", 200),
    Drift("a parameter becomes required", "spot.trades", "refused", "",
          refuse(TRADES, lambda query: "side" not in query, -1102)),
    Drift("a key becomes required", "spot.avg_price", "refused", "",
          refuse("/api/v3/avgPrice", lambda _: True, -2014, 401)),
    Drift("a value of an enum is dropped", "spot.klines", "refused", "interval",
          refuse(KLINES, lambda query: query["interval"] == "3d", -1120)),
    Drift("a lower bound of a parameter", "spot.trades", "bound_changed", "limit",
          refuse(TRADES, lambda query: int(query.get("limit", "500")) > 500, -1130)),
    Drift("an endpoint is gone", "spot.avg_price", "endpoint_gone", "",
          reply("/api/v3/avgPrice", lambda _, made: replace(
              made, status=404, body=b'{"timestamp":1,"status":404,"error":"Not Found"}')), seen=404),
    Drift("a host has moved", "spot.avg_price", "host_moved", "",
          reply("/api/v3/avgPrice", lambda _, made: replace(
              made, status=301, headers={**made.headers, "location": "http://127.0.0.1:9/api/v4/avgPrice"}, body=b"")),
          seen="http://127.0.0.1:9/api/v4/avgPrice"),
    Drift("a symbol of another form", "coin_futures.exchange_info", "symbol_form_changed", "symbols[].symbol",
          body("/dapi/v1/exchangeInfo", lambda value: value["symbols"][-1].__setitem__("symbol", "BTCEUR_PERP")),
          seen="BTCEUR_PERP"),
    # What streams promise.
    Drift("a field removed from a message", "spot.trade", "field_missing", "q", message("@trade", drop("q"))),
    Drift("a field added to a message", "spot.trade", "field_added", "Z", message("@trade", put("Z", 1)), "noted", 1),
    Drift("a field of a message of another type", "spot.trade", "type_changed", "p", message("@trade", put("p", 1.5)),
          seen=1.5),
    Drift("null in a message", "spot.mini_ticker", "null", "c", message("@miniTicker", put("c", None))),
    Drift("a field renamed inside of a message", "spot.kline", "field_renamed", "k.c",
          message("@kline", lambda value: rename("c", "close")(value["k"]))),
    Drift("an event of another kind", "spot.trade", "event_type_changed", "e", message("@trade", put("e", "deal")),
          seen="deal"),
    Drift("a list of events becomes one", "spot.all_mini_tickers", "type_changed", "",
          message("!miniTicker@arr", lambda value: value[0])),
    Drift("another wrapper", "spot.trade", "wrapper_changed", "",
          lambda exchange, _: setattr(exchange, "wrapper", lambda text: text.replace(b'"stream"', b'"channel"', 1))),
    Drift("messages at twice the distance", "spot.avg_price", "interval_changed", "E", every_second("@avgPrice"),
          seen=2000),
    Drift("ids that leave some out", "spot.trade", "sequence_changed", "t", message("@trade", doubled("t"))),
    Drift("depth that does not follow itself", "futures.diff_depth", "sequence_changed", "U",
          message("@depth", lambda value: value.__setitem__("pu", value["pu"] - 1))),
    Drift("a stream is refused", "spot.trade", "stream_refused", "",
          lambda exchange, _: setattr(exchange, "refused", "@trade")),
]  # fmt: skip

FIRST_OF_STREAMS = next(index for index, drift in enumerate(DRIFTS) if drift.name == "a field removed from a message")
