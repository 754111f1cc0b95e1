"""What ``market_data`` has to look like, whoever made it: its types, and every way in which a dict differs from them.

The types say what Virtuoso's contract says in section 3. Unknown values are absent: None is no value, and neither is a
zero in the place of a price. Keys that are not named here are let through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, NotRequired, cast

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from virtuoso_binance.scalars import Row
from virtuoso_binance.timeframes import FRAMES

__all__ = ["LEAST_CANDLES", "LEAST_LEVELS", "LEAST_TRADES", "MarketData", "shape_faults"]

LEAST_TRADES, LEAST_LEVELS = 100, 10
LEAST_CANDLES: Mapping[str, int] = {"base": 100, "ltf": 50, "mtf": 50, "htf": 50}
"""What Virtuoso's analysis needs; a young or thin market may honestly have less."""
_LEAST_PERIODS = 2
_MOST_TOLD = 5

_strict = with_config(ConfigDict(strict=True, allow_inf_nan=False, extra="ignore"))

Ms = Annotated[int, Field(ge=10**12, le=10**14 - 1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=-1, le=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
Side = Literal["buy", "sell"]
Level = Annotated[list[Positive], Field(min_length=2, max_length=2)]


@_strict
class Ticker(TypedDict):
    symbol: str
    timestamp: Ms
    datetime: NotRequired[str]
    last: Positive
    close: Positive
    high: Positive
    low: Positive
    open: Positive
    bid: Positive
    ask: Positive
    baseVolume: NotNegative
    volume: NotNegative
    quoteVolume: NotNegative
    percentage: float
    change: float
    lastPrice: NotRequired[Positive]
    bidVolume: NotRequired[NotNegative]
    askVolume: NotRequired[NotNegative]
    vwap: NotRequired[Positive]
    average: NotRequired[Positive]
    previousClose: NotRequired[Positive]
    priceChangePercent: NotRequired[float]
    price24hPcnt: NotRequired[float]
    volume24h: NotRequired[NotNegative]
    turnover: NotRequired[NotNegative]
    turnover24h: NotRequired[NotNegative]
    mark: NotRequired[Positive]
    markPrice: NotRequired[Positive]
    index: NotRequired[Positive]
    indexPrice: NotRequired[Positive]
    fundingRate: NotRequired[Fraction]
    funding_rate: NotRequired[Fraction]
    nextFundingTime: NotRequired[Ms]
    next_funding_time: NotRequired[Ms]
    openInterest: NotRequired[Positive]
    open_interest: NotRequired[Positive]
    openInterestValue: NotRequired[Positive]
    open_interest_value: NotRequired[Positive]
    raw_data: NotRequired[dict[str, Any]]
    info: NotRequired[dict[str, Any]]


@_strict
class OrderBook(TypedDict):
    symbol: str
    bids: list[Level]
    asks: list[Level]
    timestamp: Ms
    datetime: NotRequired[str]
    nonce: NotRequired[int]


@_strict
class Trade(TypedDict):
    id: Annotated[str, Field(min_length=1)]
    symbol: str
    price: Positive
    amount: Positive
    size: Positive
    side: Side
    timestamp: Ms
    time: Ms
    qty: NotRequired[Positive]
    cost: NotRequired[Positive]
    datetime: NotRequired[str]
    takerOrMaker: NotRequired[Literal["taker"]]
    info: NotRequired[dict[str, Any]]


@_strict
class InterestPoint(TypedDict):
    timestamp: Ms
    value: Positive
    symbol: NotRequired[str]


@_strict
class OpenInterest(TypedDict):
    """At the top level, with the step before."""

    current: Positive
    previous: Positive
    timestamp: Ms
    history: list[InterestPoint]
    value: NotRequired[Positive]
    is_synthetic: NotRequired[Literal[False]]


@_strict
class OpenInterestSentiment(TypedDict):
    current: Positive
    value: Positive
    timestamp: Ms
    history: list[InterestPoint]
    previous: NotRequired[Positive]
    change: NotRequired[float]
    change_24h: NotRequired[float]


@_strict
class LongShortRatio(TypedDict):
    symbol: str
    long: Percent
    short: Percent
    timestamp: Ms


@_strict
class Liquidation(TypedDict):
    symbol: str
    side: Side
    price: Positive
    size: Positive
    timestamp: Ms
    amount: NotRequired[Positive]


@_strict
class FundingSentiment(TypedDict):
    rate: Fraction
    next_funding_time: Ms


@_strict
class Funding(TypedDict):
    rate: Fraction
    timestamp: Ms
    openInterest: NotRequired[Positive]


@_strict
class VolumeSentiment(TypedDict):
    buy_volume: NotNegative
    sell_volume: NotNegative
    timestamp: Ms


@_strict
class Volatility(TypedDict):
    value: NotNegative
    window: Annotated[int, Field(ge=2)]
    timeframe: Literal["5min"]
    timestamp: Ms
    trend: Literal["increasing", "decreasing", "stable", "unknown"]
    period_minutes: Literal[5]


@_strict
class RiskLimit(TypedDict):
    symbol: str
    maxLeverage: Positive
    timestamp: Ms
    riskLimits: NotRequired[list[Any]]
    levels: NotRequired[list[Any]]
    initialMargin: NotRequired[Positive]
    maintenanceMargin: NotRequired[Positive]
    currentTier: NotRequired[Annotated[int, Field(ge=1)]]


@_strict
class MarketMood(TypedDict):
    risk_level: int
    max_leverage: Positive
    timestamp: Ms


@_strict
class Sentiment(TypedDict):
    liquidations: list[Liquidation]
    funding_rate: NotRequired[FundingSentiment]
    long_short_ratio: NotRequired[LongShortRatio]
    open_interest: NotRequired[OpenInterestSentiment]
    volume_sentiment: NotRequired[VolumeSentiment]
    volatility: NotRequired[Volatility]
    market_mood: NotRequired[MarketMood]
    risk: NotRequired[RiskLimit]


@_strict
class PremiumSignal(TypedDict):
    current_premium_pct: float
    z_score: float
    is_extreme_premium: bool
    is_extreme_discount: bool
    mean_premium_pct: NotRequired[float]


@_strict
class PremiumIndex(TypedDict):
    data: Any
    symbol: str
    interval: str
    timestamp: Ms
    history: NotRequired[list[Any]]
    signal: NotRequired[PremiumSignal]


@_strict
class TakerRatio(TypedDict):
    buy_volume: NotNegative
    sell_volume: NotNegative
    ratio: NotNegative
    score: Percent
    signal: Literal["BULLISH", "BEARISH", "NEUTRAL"]
    trade_count: Annotated[int, Field(ge=0)]
    buy_trade_count: NotRequired[int]
    sell_trade_count: NotRequired[int]
    avg_buy_size: NotRequired[NotNegative]
    avg_sell_size: NotRequired[NotNegative]
    lookback_seconds: NotRequired[int]
    timestamp: NotRequired[Ms]
    error: NotRequired[str]


@_strict
class Metadata(TypedDict):
    ticker_success: Literal[True]
    orderbook_success: bool
    trades_success: bool
    lsr_success: bool
    risk_limits_success: bool
    ohlcv_success: bool
    oi_history_success: bool
    volatility_success: bool
    funding_success: NotRequired[bool]
    market: NotRequired[Literal["usdm", "spot"]]
    errors: NotRequired[dict[str, str]]


@_strict
class MarketData(TypedDict):
    """What ``fetch_market_data`` returns. ``ohlcv`` and ``premium_index["data"]`` hold DataFrames."""

    symbol: str
    exchange: Annotated[str, Field(min_length=1)]
    timestamp: Ms
    ticker: Ticker
    orderbook: OrderBook
    trades: list[Trade]
    ohlcv: dict[str, Any]
    sentiment: Sentiment
    metadata: Metadata
    open_interest: NotRequired[OpenInterest]
    open_interest_history: NotRequired[list[InterestPoint]]
    oi_history: NotRequired[list[InterestPoint]]
    long_short_ratio: NotRequired[LongShortRatio]
    funding: NotRequired[Funding]
    premium_index: NotRequired[PremiumIndex]
    taker_volume_ratio: NotRequired[TakerRatio]
    risk_limit: NotRequired[RiskLimit]
    liquidations: NotRequired[list[Liquidation]]


_ENVELOPE = ("result", "retCode", "headers", "error")
"""Some readers of Virtuoso take a dict with one of these for a raw answer of Bybit."""
_BOTH_OR_NEITHER = (
    ("fundingRate", "funding_rate"),
    ("nextFundingTime", "next_funding_time"),
    ("openInterest", "open_interest"),
)


@cache
def _validator() -> TypeAdapter[Any]:
    return TypeAdapter(MarketData)


def shape_faults(data: object) -> list[str]:
    """Every way in which something is no ``market_data``, at most a few of a kind; none where it is one.

    Short series are no fault of the shape: a young or thin market has no more.
    """
    try:
        _validator().validate_python(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        told = [f"{'.'.join(map(str, item['loc'])) or 'market_data'}: {item['msg']}" for item in found[:_MOST_TOLD]]
        return [*told, f"and {len(found) - _MOST_TOLD} more"] if len(found) > _MOST_TOLD else told
    row = cast("Row", data)
    # Flags are compared with frames, so these have to be frames first.
    return list(_more_faults(row)) or list(_flag_faults(row))


def _more_faults(data: Row) -> Iterator[str]:
    """What types cannot say: keys that must not be there, frames, and flags that say what is there."""
    from virtuoso_binance.frames import candle_frame_fault, premium_frame_fault

    for name in _ENVELOPE:
        if name in data:
            yield f"{name} must not be there: readers would take the dict for a raw answer"
    for pair in _BOTH_OR_NEITHER:
        if sum(name in data["ticker"] for name in pair) == 1:
            yield f"ticker: {pair[0]} and {pair[1]} are one value under two names, and one of them is missing"
    for key in ("ohlcv", "kline"):
        frames = data.get(key, {})
        if key == "kline" and (frames is data["ohlcv"] or "kline" not in data):
            continue
        if not isinstance(frames, dict) or list(cast("Row", frames)) != list(FRAMES):
            yield f"{key} must have the frames {', '.join(FRAMES)}, in this order"
            continue
        for name, frame in cast("Row", frames).items():
            fault = candle_frame_fault(frame)
            if fault is not None:
                yield f"{key}.{name}: {fault}"
    if "premium_index" in data:
        fault = premium_frame_fault(data["premium_index"]["data"])
        if fault is not None:
            yield f"premium_index.data: {fault}"


def _flag_faults(data: Row) -> Iterator[str]:
    flags, sentiment, book = data["metadata"], data["sentiment"], data["orderbook"]
    history = data.get("open_interest_history", [])
    interest = sentiment.get("open_interest", {}).get("history", [])
    there = {
        "trades_success": bool(data["trades"]),
        "lsr_success": "long_short_ratio" in sentiment,
        "volatility_success": "volatility" in sentiment,
        "risk_limits_success": "risk_limit" in data,
    }
    for flag, found in there.items():
        if flags[flag] != found:
            yield f"metadata.{flag} is {flags[flag]}, and the data say otherwise"
    if flags["orderbook_success"] != bool(book["bids"] and book["asks"]) or bool(book["bids"]) != bool(book["asks"]):
        yield f"metadata.orderbook_success is {flags['orderbook_success']}, and the data say otherwise"
    if flags["oi_history_success"]:
        if min(len(history), len(interest)) < _LEAST_PERIODS or "open_interest" not in data:
            yield "metadata.oi_history_success is True, and there is no history of open interest"
    elif history or interest or data.get("oi_history"):
        yield "metadata.oi_history_success is False, and there is a history of open interest"
    if not flags["risk_limits_success"] and ("risk" in sentiment or "market_mood" in sentiment):
        yield "metadata.risk_limits_success is False, and there are risk limits in the sentiment"
    if flags["ohlcv_success"] and any(len(frame) == 0 for frame in data["ohlcv"].values()):
        yield "metadata.ohlcv_success is True, and a frame is empty"
