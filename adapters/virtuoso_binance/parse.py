"""Raw answers of Binance in Virtuoso's words, for the ``parse_*`` methods: plain functions from JSON objects.

Unlike the typed functions they take what is there, as the caller may hand in a part of an answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from binance_sdk.errors import DecodeError
from virtuoso_binance.convert import Candle, checked_book, trade_row
from virtuoso_binance.scalars import Row, iso, positive

__all__ = ["parse_ohlcv", "parse_orderbook", "parse_ticker", "parse_trades"]

_PRICES = {"openPrice": "open", "highPrice": "high", "lowPrice": "low", "weightedAvgPrice": "vwap"}
_SIGNED = {"priceChange": ("change",), "priceChangePercent": ("percentage", "priceChangePercent")}
_VOLUMES = {"volume": ("baseVolume", "volume", "volume24h"), "quoteVolume": ("quoteVolume", "turnover", "turnover24h")}


def parse_ticker(raw: object, now: int) -> Row:
    """``/ticker/24hr`` of one symbol, with or without bid and ask."""
    answer = _object(raw, "ticker")
    symbol, last = answer.get("symbol"), _price(answer, "lastPrice")
    if not isinstance(symbol, str) or not symbol or last is None:
        raise _malformed("ticker", "symbol and a lastPrice above zero are needed")
    time = answer.get("closeTime", answer.get("time"))
    time = time if isinstance(time, int) else now
    row: Row = {"symbol": symbol, "timestamp": time, "datetime": iso(time)}
    row.update(last=last, close=last, lastPrice=last)
    for name, key in {**_PRICES, "prevClosePrice": "previousClose"}.items():
        price = _price(answer, name)
        if price is not None:
            row[key] = price
    for name, keys in {**_SIGNED, **_VOLUMES}.items():
        if name in answer:
            row.update(dict.fromkeys(keys, _number(answer, name)))
    if "percentage" in row:
        row["price24hPcnt"] = row["percentage"] / 100
    for side in ("bid", "ask"):
        price = _price(answer, f"{side}Price")
        if price is not None:
            row[side] = price
            if f"{side}Qty" in answer:
                row[f"{side}Volume"] = _number(answer, f"{side}Qty")
    return {**row, "info": dict(answer)}


def parse_orderbook(raw: object, now: int) -> Row:
    """``/depth`` with ``symbol`` added by the caller."""
    answer = _object(raw, "order book")
    time = answer.get("E", answer.get("timestamp"))
    bids, asks = (
        [[_float(level[0], side), _float(level[1], side)] for level in _rows(answer.get(side), side, 2)]
        for side in ("bids", "asks")
    )
    symbol, nonce = answer.get("symbol"), answer.get("lastUpdateId")
    row = checked_book(
        symbol if isinstance(symbol, str) else "",
        bids,
        asks,
        time if isinstance(time, int) else now,
        nonce if isinstance(nonce, int) else 0,
    )
    if not isinstance(nonce, int):
        del row["nonce"]
    return row


def parse_trades(raw: object) -> list[Row]:
    """``/trades``, oldest first; the symbol is there where the caller has added it to the rows."""
    rows: list[Row] = []
    for item in _list(raw, "trades"):
        trade = _object(item, "trade")
        symbol, time = trade.get("symbol"), trade.get("time")
        if not isinstance(time, int) or "id" not in trade or not isinstance(trade.get("isBuyerMaker"), bool):
            raise _malformed("trade", "id, time and isBuyerMaker are needed")
        price, qty = _number(trade, "price"), _number(trade, "qty")
        cost = _number(trade, "quoteQty") if "quoteQty" in trade else price * qty
        known = symbol if isinstance(symbol, str) else None
        rows.append(trade_row(str(trade["id"]), known, price, qty, cost, time, bool(trade["isBuyerMaker"])))
    return sorted(rows, key=lambda row: int(row["timestamp"]))


def parse_ohlcv(raw: object) -> list[Candle]:
    """``/klines``, oldest first."""
    rows: list[Candle] = []
    for kline in _rows(raw, "klines", 6):
        if not isinstance(kline[0], int):
            raise _malformed("klines", "the open time has to be an integer")
        rows.append([kline[0], *(_float(value, "klines") for value in kline[1:6])])
    return sorted(rows, key=lambda row: row[0])


def _object(raw: object, what: str) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise _malformed(what, f"an object is needed, not {type(raw).__name__}")
    return cast("Mapping[str, Any]", raw)


def _list(raw: object, what: str) -> list[Any]:
    if not isinstance(raw, list):
        raise _malformed(what, f"a list is needed, not {type(raw).__name__}")
    return list(cast("Sequence[Any]", raw))


def _rows(raw: object, what: str, length: int) -> list[Sequence[Any]]:
    rows = _list(raw, what)
    if not all(isinstance(row, list | tuple) and len(cast("Sequence[Any]", row)) >= length for row in rows):
        raise _malformed(what, f"every row has to be a list of at least {length} values")
    return rows


def _price(answer: Mapping[str, Any], name: str) -> float | None:
    return positive(_number(answer, name)) if name in answer else None


def _number(answer: Mapping[str, Any], name: str) -> float:
    return _float(answer.get(name), name)


def _float(value: object, name: str) -> float:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
    raise _malformed(name, f"a number is needed, not {value!r}")


def _malformed(what: str, problem: str) -> DecodeError:
    return DecodeError(f"malformed {what}: {problem}", problems=(problem,))
