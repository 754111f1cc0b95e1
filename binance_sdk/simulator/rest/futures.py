"""The answers of the futures endpoints, each a function of the market, the call and the time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from binance_sdk.simulator.errors import RejectionError
from binance_sdk.simulator.market.candles import DAY, HOUR
from binance_sdk.simulator.market.decimals import DecimalFormat
from binance_sdk.simulator.market.prices import MINUTE
from binance_sdk.simulator.market.randomness import bits, hashed, key
from binance_sdk.simulator.market.simulated_market import SymbolData
from binance_sdk.simulator.market.symbols import Instrument
from binance_sdk.simulator.rest import answers, exchange_info, futures_data, mark_prices
from binance_sdk.simulator.rest.json_rows import Body, Json
from binance_sdk.simulator.rest.served_market import ServedMarket
from binance_sdk.simulator.rest.validation import Call

_EIGHT = DecimalFormat(8)
_TRADES_KEPT = 30 * DAY
_BUFFERS = (("bid", -0.1), ("ask", 0.1))
_EXCHANGES = (("binance", "{0}{1}"), ("okex", "{0}-{1}"), ("coinbase", "{0}-{1}"), ("gateio", "{0}_{1}"))
_SCHEDULED = ("EQUITY", "COMMODITY", "KR_EQUITY", "HK_EQUITY", "CN_EQUITY")


def _each(call: Call, rows: list[dict[str, Json]]) -> Body:
    """An object for ``symbol``, a list without it."""
    return rows[0] if "symbol" in call.given else rows


def _open(market: ServedMarket, call: Call) -> list[SymbolData]:
    """The chosen symbols; lists of prices leave out contracts that are no longer traded."""
    return [data for data in market.chosen(call) if "symbol" in call.given or data.instrument.traded]


def depth(market: ServedMarket, call: Call, now: int) -> Body:
    data = market.symbol_data(call.text("symbol"))
    update_id, changed, bids, asks = answers.depth_levels(data, call.number("limit"), now)
    return b'{"lastUpdateId":%d,"E":%d,"T":%d,"bids":%s,"asks":%s}' % (update_id, now, changed, bids, asks)


def historical_trades(market: ServedMarket, call: Call, now: int) -> Body:
    """Older trades than a month are not served: a ``fromId`` before that begins with the oldest there is."""
    data = market.symbol_data(call.text("symbol"))
    return answers.trade_rows(data, call, now, oldest=data.tape.fill_count(now - _TRADES_KEPT))


def agg_trades(market: ServedMarket, call: Call, now: int, *, kept: int = 2 * DAY) -> Body:
    """Older ones than ``kept`` milliseconds are refused."""
    tape = market.symbol_data(call.text("symbol")).tape
    if "fromId" in call.given and call.number("fromId") < tape.count(tape.now(now) - kept):
        raise RejectionError(-4166, f"Search window is restricted to recent {kept // DAY} days only.")
    return answers.agg_trades(market, call, now)


def ticker_24hr(market: ServedMarket, call: Call, now: int) -> Body:
    return _each(call, [ticker_row(data, now) for data in _open(market, call)])


def ticker_row(data: SymbolData, now: int) -> dict[str, Json]:
    """The last 24 hours of a contract."""
    end = data.tape.now(now)
    short = answers.statistics(data, end - DAY, end, now, end)
    return {**short, **answers.changes(data, short), "lastQty": answers.last_prices(data, now)[1]}


def ticker_price(market: ServedMarket, call: Call, now: int) -> Body:
    def ticker(data: SymbolData) -> dict[str, Json]:
        price, _, time = answers.last_prices(data, now)
        return {"symbol": data.instrument.symbol, "price": price, "time": time}

    return _each(call, [ticker(data) for data in _open(market, call)])


def ticker_book(market: ServedMarket, call: Call, now: int) -> Body:
    def ticker(data: SymbolData) -> dict[str, Json]:
        changed = data.book.at(now, 1).changed
        return {"symbol": data.instrument.symbol, **answers.best_prices(data, now), "time": changed}

    return _each(call, [ticker(data) for data in _open(market, call)])


def funding_info(market: ServedMarket, call: Call, now: int) -> Body:
    return [
        {
            "symbol": instrument.symbol,
            "adjustedFundingRateCap": "0.02000000",
            "adjustedFundingRateFloor": "-0.02000000",
            "fundingIntervalHours": mark_prices.FUNDING_HOURS,
            "disclaimer": False,
            # Rows that were never adjusted have no time on the wire.
            "updateTime": market.listed_at if place % 3 else None,
        }
        for place, instrument in enumerate(answers.traded(market))
    ]


def asset_index(market: ServedMarket, call: Call, now: int) -> Body:
    rows: dict[str, dict[str, Json]] = {}
    for instrument in answers.traded(market):
        if instrument.quote == "USDT" and instrument.multiplier == 1:
            rows[f"{instrument.base}USD"] = _asset_index(market, instrument, now)
    if "symbol" not in call.given:
        return list(rows.values())
    name = call.text("symbol")
    if name not in rows:
        raise RejectionError(-1121, "Invalid symbol.")
    return rows[name]


def _asset_index(market: ServedMarket, instrument: Instrument, now: int) -> dict[str, Json]:
    index = mark_prices.value_at(lambda minutes: market.prices.index(instrument, minutes), now)
    answer: dict[str, Json] = {
        "symbol": f"{instrument.base}USD",
        "time": now // 1000 * 1000,
        "index": _EIGHT.rounded(index),
        "bidBuffer": "0.10000000",
        "askBuffer": "0.10000000",
    }
    for side, buffer in _BUFFERS:
        answer[f"{side}Rate"] = _EIGHT.rounded(index * (1 + buffer))
    answer |= {"autoExchangeBidBuffer": "0.05000000", "autoExchangeAskBuffer": "0.05000000"}
    for side, buffer in _BUFFERS:
        answer[f"autoExchange{side.title()}Rate"] = _EIGHT.rounded(index * (1 + buffer / 2))
    return answer


def constituents(market: ServedMarket, call: Call, now: int) -> Body:
    instrument = market.table.by_symbol[call.text("symbol")]
    hidden = instrument.contract_type == "TRADIFI_PERPETUAL"
    index = mark_prices.value_at(lambda minutes: market.prices.index(instrument, minutes), now)
    return {
        "symbol": instrument.symbol,
        "time": now // 1000 * 1000,
        "constituents": [
            {
                "exchange": exchange,
                "symbol": pattern.format(instrument.base, instrument.quote),
                "price": "-1" if hidden else _EIGHT.rounded(index),
                "weight": _EIGHT.rounded(1 / len(_EXCHANGES)),
            }
            for exchange, pattern in _EXCHANGES
        ],
    }


def index_info(market: ServedMarket, call: Call, now: int) -> Body:
    """Composite indices only; of any other contract the list is empty."""
    parts = [
        instrument
        for instrument in answers.traded(market)
        if instrument.underlying == "COIN" and instrument.quote == "USDT"
    ][:4]
    return [
        {
            "symbol": data.instrument.symbol,
            "time": now // 1000 * 1000,
            "component": "baseAsset",
            "baseAssetList": [
                {
                    "baseAsset": instrument.base,
                    "quoteAsset": instrument.quote,
                    "weightInQuantity": _EIGHT.rounded(data.instrument.dollars / len(parts) / instrument.dollars),
                    "weightInPercentage": _EIGHT.rounded(1 / len(parts)),
                }
                for instrument in parts
            ],
        }
        for data in market.chosen(call)
        if data.instrument.underlying == "INDEX"
    ]


def insurance_balance(market: ServedMarket, call: Call, now: int) -> Body:
    """Two funds: one shared by the contracts in USDT, one by the rest."""
    updated = now // DAY * DAY
    funds: list[dict[str, Json]] = []
    for in_usdt in (True, False):
        symbols = [
            instrument.symbol for instrument in market.table.instruments if (instrument.quote == "USDT") == in_usdt
        ]
        if not symbols or ("symbol" in call.given and call.text("symbol") not in symbols):
            continue
        assets: list[Json] = [
            {"asset": asset, "marginBalance": balance, "updateTime": updated}
            for asset, balance in (
                ("USDT", "816402315.40721180"),
                ("USDC", "204811937.11035000"),
                ("BTC", "58.20417733"),
            )
        ]
        funds.append({"symbols": symbols, "assets": assets})
    return _each(call, funds)


def symbol_adl_risk(market: ServedMarket, call: Call, now: int) -> Body:
    updated = now // (30 * MINUTE) * (30 * MINUTE)

    def risk(data: SymbolData) -> dict[str, Json]:
        drawn = hashed(key(market.seed, data.instrument.symbol, "adl"), np.array([updated], dtype=np.int64))
        level = ("low", "low", "medium", "high")[int(bits(drawn, 0, 2)[0])]
        return {"symbol": data.instrument.symbol, "adlRisk": level, "updateTime": updated}

    return _each(call, [risk(data) for data in _open(market, call)])


def trading_schedule(market: ServedMarket, call: Call, now: int) -> Body:
    """A week back and a week ahead: five trading days, weekends without answers."""
    today = now // DAY
    schedules: dict[str, Json] = {}
    for asset_class in _SCHEDULED:
        sessions: list[Json] = []
        for day in range(today - 7, today + 8):
            # The epoch was a Thursday.
            weekend = (day + 3) % 7 >= 5
            for start, end, kind in _sessions(asset_class, weekend):
                sessions.append({"startTime": day * DAY + start, "endTime": day * DAY + end, "type": kind})
        schedules[asset_class] = {"sessions": sessions}
    return {"updateTime": today * DAY, "marketSchedules": schedules}


def _sessions(asset_class: str, weekend: bool) -> list[tuple[int, int, str]]:
    if weekend:
        return [(0, DAY, "NO_TRADING")]
    if asset_class != "EQUITY":
        return [(0, 9 * HOUR, "NO_TRADING"), (9 * HOUR, 16 * HOUR, "REGULAR"), (16 * HOUR, DAY, "NO_TRADING")]
    opened, closed = 14 * HOUR + 30 * MINUTE, 21 * HOUR
    return [
        (0, 9 * HOUR, "OVERNIGHT"),
        (9 * HOUR, opened, "PRE_MARKET"),
        (opened, closed, "REGULAR"),
        (closed, DAY, "AFTER_MARKET"),
    ]


ANSWERS: Mapping[str, answers.Answer] = {
    "ping": answers.ping,
    "time": answers.time,
    "exchange_info": exchange_info.futures_exchange_info,
    "depth": depth,
    # Retail orders are not simulated apart, so both books are the same.
    "rpi_depth": depth,
    "trades": answers.trades,
    "historical_trades": historical_trades,
    "agg_trades": agg_trades,
    "klines": answers.klines,
    "continuous_klines": mark_prices.continuous_klines,
    "index_price_klines": mark_prices.index_price_klines,
    "mark_price_klines": mark_prices.mark_price_klines,
    "premium_index_klines": mark_prices.premium_index_klines,
    "premium_index": mark_prices.premium_index,
    "funding_rate": mark_prices.funding_rate,
    "funding_info": funding_info,
    "ticker_24hr": ticker_24hr,
    "ticker_price": ticker_price,
    "ticker_price_v2": ticker_price,
    "ticker_book_ticker": ticker_book,
    "delivery_price": futures_data.delivery_price,
    "open_interest": futures_data.open_interest,
    "open_interest_hist": futures_data.open_interest_hist,
    "top_long_short_position_ratio": futures_data.long_short_ratio,
    "top_long_short_account_ratio": futures_data.long_short_ratio,
    "global_long_short_account_ratio": futures_data.long_short_ratio,
    "taker_long_short_ratio": futures_data.taker_long_short_ratio,
    "basis": futures_data.basis,
    "index_info": index_info,
    "asset_index": asset_index,
    "constituents": constituents,
    "insurance_balance": insurance_balance,
    "symbol_adl_risk": symbol_adl_risk,
    "trading_schedule": trading_schedule,
}
