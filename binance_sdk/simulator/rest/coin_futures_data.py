"""The statistics that Binance serves as data of its COIN-M futures: by pair, and by type of contract."""

from __future__ import annotations

import numpy as np

from binance_sdk.simulator.market import candles
from binance_sdk.simulator.market.candles import DAY
from binance_sdk.simulator.market.decimals import DecimalFormat
from binance_sdk.simulator.market.prices import MINUTE
from binance_sdk.simulator.market.simulated_market import SymbolData
from binance_sdk.simulator.rest import futures_data
from binance_sdk.simulator.rest.json_rows import Body, Json
from binance_sdk.simulator.rest.mark_prices import symbol_of_pair
from binance_sdk.simulator.rest.served_market import ServedMarket
from binance_sdk.simulator.rest.validation import Call

_EIGHT, _FOUR = DecimalFormat(8), DecimalFormat(4)
_ALL = "ALL"
_YEAR = 365 * DAY


def _contracts(market: ServedMarket, call: Call) -> list[SymbolData]:
    """The contracts of the pair that have the type which is asked for, or all of them."""
    kind = call.in_force.get("contractType", _ALL)
    return [
        market.symbol_data(instrument.symbol)
        for instrument in market.table.instruments
        if instrument.pair == call.text("pair") and kind in (_ALL, instrument.contract_type)
    ]


def open_interest_hist(market: ServedMarket, call: Call, now: int) -> Body:
    contracts = _contracts(market, call)
    if not contracts:
        return []
    times = futures_data.periods(call, contracts[0], now)
    minutes = times // MINUTE
    amounts, values = np.zeros(len(times)), np.zeros(len(times))
    for data in contracts:
        open_contracts = futures_data.open_interest_at(market, data, minutes)
        amounts += open_contracts
        values += open_contracts * data.instrument.contract_size / market.prices.mid(data.instrument, minutes)
    return [
        {
            "pair": call.text("pair"),
            "contractType": str(call.in_force.get("contractType", _ALL)),
            "sumOpenInterest": str(round(amount)),
            "sumOpenInterestValue": _EIGHT.rounded(value),
            "timestamp": time,
        }
        for time, amount, value in zip(times.tolist(), amounts.tolist(), values.tolist(), strict=True)
    ]


def long_short_ratio(market: ServedMarket, call: Call, now: int, counted: str = "Account") -> Body:
    """One answer for the three ratios; ``counted`` is what the keys say is split."""
    times = futures_data.periods(call, symbol_of_pair(market, call), now)
    longs = futures_data.crowd(
        market, call.operation.id, f"{call.text('pair')} {call.in_force.get('contractType', _ALL)}", times
    )
    return [
        {
            "pair": call.text("pair"),
            "longShortRatio": _FOUR.rounded(share / (1.0 - share)),
            f"long{counted}": _FOUR.rounded(share),
            f"short{counted}": _FOUR.text(10_000 - round(share * 10_000)),
            "timestamp": time,
        }
        for time, share in zip(times.tolist(), longs.tolist(), strict=True)
    ]


def taker_buy_sell_vol(market: ServedMarket, call: Call, now: int) -> Body:
    """Summed from the candles, so it agrees with their taker volumes."""
    contracts = _contracts(market, call)
    if not contracts:
        return []
    times = futures_data.periods(call, contracts[0], now, whole=True)
    totals = np.zeros((4, len(times)), dtype=np.int64)
    wanted = [candles.VOLUME, candles.BUY_VOLUME, candles.VALUE, candles.BUY_VALUE]
    for data in contracts:
        bars = futures_data.bars_at(data, call.text("period"), times)
        totals[:, np.searchsorted(times, bars[candles.TIME])] += bars[wanted]
    rows: list[Json] = []
    for time, (volume, bought, value, bought_value) in zip(times.tolist(), totals.T.tolist(), strict=True):
        rows.append(
            {
                "pair": call.text("pair"),
                "contractType": call.text("contractType"),
                "takerBuyVol": str(bought),
                "takerSellVol": str(volume - bought),
                "takerBuyVolValue": _EIGHT.text(bought_value),
                "takerSellVolValue": _EIGHT.text(value - bought_value),
                "timestamp": time,
            }
        )
    return rows


def basis(market: ServedMarket, call: Call, now: int) -> Body:
    return futures_data.basis_rows(market, call, now, _annual)


def _annual(data: SymbolData, rate: float, time: int) -> str:
    """The rate for a whole year of what the contract has left; nothing for a perpetual."""
    left = data.instrument.delivers_at - time
    return _FOUR.rounded(rate * _YEAR / left) if left > 0 else ""
