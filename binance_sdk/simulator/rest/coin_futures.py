"""The answers of the COIN-M futures endpoints, each a function of the market, the call and the time.

Quantities are contracts. Statistics of a pair add up its contracts of the type that is asked for, or all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from binance_sdk.simulator.market.candles import DAY
from binance_sdk.simulator.market.decimals import DecimalFormat
from binance_sdk.simulator.market.simulated_market import SymbolData
from binance_sdk.simulator.rest import answers, coin_futures_data, exchange_info, futures, futures_data, mark_prices
from binance_sdk.simulator.rest.json_rows import Body, Json
from binance_sdk.simulator.rest.served_market import ServedMarket
from binance_sdk.simulator.rest.validation import Call

_EIGHT = DecimalFormat(8)
_EXCHANGES = (("binance", "{0}USDT"), ("okex", "{0}-USD"), ("coinbase", "{0}-USD"), ("bitstamp", "{0}/USD"))
_ADJUSTED = 3
"""One contract in so many has funding bounds of its own."""


def _chosen(market: ServedMarket, call: Call) -> Sequence[SymbolData]:
    """The contracts that ``symbol`` or ``pair`` select; lists leave out those that are no longer traded."""
    if "symbol" in call.given:
        return market.chosen(call)
    pair = call.given.get("pair")
    return [data for data in market.chosen(call) if pair in (None, data.instrument.pair) and data.instrument.traded]


def _named(data: SymbolData, pair_key: str = "pair") -> dict[str, Json]:
    return {"symbol": data.instrument.symbol, pair_key: data.instrument.pair}


def depth(market: ServedMarket, call: Call, now: int) -> Body:
    data = market.symbol_data(call.text("symbol"))
    update_id, changed, bids, asks = answers.depth_levels(data, call.number("limit"), now)
    head = f'"lastUpdateId":{update_id},"symbol":"{data.instrument.symbol}","pair":"{data.instrument.pair}"'
    return b'{%s,"E":%d,"T":%d,"bids":%s,"asks":%s}' % (head.encode(), now, changed, bids, asks)


def ticker_24hr(market: ServedMarket, call: Call, now: int) -> Body:
    return [{**futures.ticker_row(data, now), **_named(data)} for data in _chosen(market, call)]


def ticker_price(market: ServedMarket, call: Call, now: int) -> Body:
    rows: list[Json] = []
    for data in _chosen(market, call):
        price, _, time = answers.last_prices(data, now)
        rows.append({**_named(data, "ps"), "price": price, "time": time})
    return rows


def ticker_book(market: ServedMarket, call: Call, now: int) -> Body:
    rows: list[Json] = []
    for data in _chosen(market, call):
        book = data.book.at(now, 1)
        head = {"lastUpdateId": book.update_id, **_named(data)}
        rows.append({**head, **answers.best_prices(data, now), "time": book.changed})
    return rows


def premium_index(market: ServedMarket, call: Call, now: int) -> Body:
    return [{**mark_prices.premium_row(market, data, now), **_named(data)} for data in _chosen(market, call)]


def funding_rate(market: ServedMarket, call: Call, now: int) -> Body:
    keys = ("symbol", "fundingTime", "fundingRate")
    return [{name: row[name] for name in keys} for row in mark_prices.funding_rows(market, call, now)]


def funding_info(market: ServedMarket, call: Call, now: int) -> Body:
    adjusted = [instrument for instrument in answers.traded(market) if not instrument.delivers_at][::_ADJUSTED]
    return [
        {
            "symbol": instrument.symbol,
            "adjustedFundingRateCap": "0.00750000",
            "adjustedFundingRateFloor": "-0.00750000",
            "fundingIntervalHours": mark_prices.FUNDING_HOURS,
            "disclaimer": False,
        }
        for instrument in adjusted
    ]


def open_interest(market: ServedMarket, call: Call, now: int) -> Body:
    data = market.symbol_data(call.text("symbol"))
    return {**futures_data.open_interest_row(market, data, now), **_named(data), "contractType": _type(data)}


def _type(data: SymbolData) -> str:
    return data.instrument.contract_type


def constituents(market: ServedMarket, call: Call, now: int) -> Body:
    """Asked by pair, which is called ``symbol`` here."""
    instrument = next(candidate for candidate in market.table.instruments if candidate.pair == call.text("symbol"))
    return {
        "symbol": instrument.pair,
        "time": now // 1000 * 1000,
        "constituents": [
            {
                "exchange": exchange,
                "symbol": pattern.format(instrument.base),
                "price": _EIGHT.rounded(mark_prices.value_at(partial(market.prices.index, instrument), now)),
                "weight": _EIGHT.rounded(1 / len(_EXCHANGES)),
            }
            for exchange, pattern in _EXCHANGES
        ],
    }


ANSWERS: Mapping[str, answers.Answer] = {
    "ping": answers.ping,
    "time": answers.time,
    "exchange_info": exchange_info.coin_futures_exchange_info,
    "depth": depth,
    "trades": answers.trades,
    "historical_trades": futures.historical_trades,
    "agg_trades": partial(futures.agg_trades, kept=DAY),
    "klines": answers.klines,
    "continuous_klines": mark_prices.continuous_klines,
    "index_price_klines": mark_prices.index_price_klines,
    "mark_price_klines": mark_prices.mark_price_klines,
    "premium_index_klines": mark_prices.premium_index_klines,
    "premium_index": premium_index,
    "funding_rate": funding_rate,
    "funding_info": funding_info,
    "ticker_24hr": ticker_24hr,
    "ticker_price": ticker_price,
    "ticker_book_ticker": ticker_book,
    "open_interest": open_interest,
    "constituents": constituents,
    "open_interest_hist": coin_futures_data.open_interest_hist,
    "top_long_short_position_ratio": partial(coin_futures_data.long_short_ratio, counted="Position"),
    "top_long_short_account_ratio": coin_futures_data.long_short_ratio,
    "global_long_short_account_ratio": coin_futures_data.long_short_ratio,
    "taker_buy_sell_vol": coin_futures_data.taker_buy_sell_vol,
    "basis": coin_futures_data.basis,
}
