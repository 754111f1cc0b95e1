"""exchangeInfo and its like: what the exchange lists, and under which rules."""

from __future__ import annotations

from collections.abc import Mapping

from binance_sdk.simulator.market.symbols import Instrument
from binance_sdk.simulator.rest.json_rows import Body, Json
from binance_sdk.simulator.rest.rate_limits import Interval
from binance_sdk.simulator.rest.served_market import ServedMarket
from binance_sdk.simulator.rest.validation import Call

_SPOT_ORDERS = ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"]
_FUTURES_ORDERS = [
    "LIMIT",
    "MARKET",
    "STOP",
    "STOP_MARKET",
    "TAKE_PROFIT",
    "TAKE_PROFIT_MARKET",
    "TRAILING_STOP_MARKET",
]
_DEFAULT_PERMISSIONS = ("SPOT", "MARGIN", "LEVERAGED")
_NEVER_DELIVERED = 4_133_404_800_000
"""2100-12-25, which stands for "never" in the delivery date of a perpetual."""


def _step(decimals: int, shown: int) -> str:
    """``_step(2, 8)`` is ``"0.01000000"``."""
    text = f"{10**-decimals:.{decimals}f}"
    zeros = "0" * (shown - decimals)
    return text + zeros if "." in text or not zeros else f"{text}.{zeros}"


def _rate_limits(market: ServedMarket, *more: tuple[str, int, int]) -> list[Json]:
    """The limits in force, which a client is expected to read."""
    weight = market.limiter.weight
    limits = [("REQUEST_WEIGHT", weight.seconds, weight.limit), *more]
    return [
        {
            "rateLimitType": kind,
            "interval": Interval(seconds).name,
            "intervalNum": Interval(seconds).number,
            "limit": limit,
        }
        for kind, seconds, limit in limits
    ]


# ---------------------------------------------------------------------------------------------- spot


def spot_exchange_info(market: ServedMarket, call: Call, now: int) -> Body:
    raw = market.limiter.groups["raw_requests"]
    with_permissions = call.in_force.get("showPermissionSets", True) is not False
    return {
        "timezone": "UTC",
        "serverTime": now,
        "rateLimits": _rate_limits(
            market,
            ("ORDERS", 10, 100),
            ("ORDERS", 86_400, 200_000),
            ("RAW_REQUESTS", raw.seconds, raw.limit),
        ),
        "exchangeFilters": [],
        "symbols": [_spot_symbol(instrument, with_permissions) for instrument in _wanted(market, call)],
        "sors": [{"baseAsset": "BTC", "symbols": ["BTCUSDT", "BTCUSDC"]}],
    }


def _wanted(market: ServedMarket, call: Call) -> list[Instrument]:
    chosen = [data.instrument for data in market.chosen(call)]
    if "symbol" in call.given or "symbols" in call.given:
        return chosen
    permissions = set(call.names("permissions") or _DEFAULT_PERMISSIONS)
    return [instrument for instrument in chosen if permissions.intersection(instrument.permissions)]


def _spot_symbol(instrument: Instrument, with_permissions: bool) -> dict[str, Json]:
    return {
        "symbol": instrument.symbol,
        "status": instrument.status,
        "baseAsset": instrument.base,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": _SPOT_ORDERS,
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": True,
        "isSpotTradingAllowed": instrument.traded,
        "isMarginTradingAllowed": instrument.traded and "MARGIN" in instrument.permissions,
        "filters": _spot_filters(instrument),
        "permissions": [],
        "permissionSets": [list(instrument.permissions)] if with_permissions else [],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"],
    }


def _spot_filters(instrument: Instrument) -> list[Json]:
    tick, lot = _step(instrument.price_decimals, 8), _step(instrument.lot_decimals, 8)
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "9000000.00000000", "stepSize": lot},
        {"filterType": "ICEBERG_PARTS", "limit": 10},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": "0.00000000",
            "maxQty": "120000.00000000",
            "stepSize": "0.00000000",
        },
        {
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": 10,
            "maxTrailingAboveDelta": 2000,
            "minTrailingBelowDelta": 10,
            "maxTrailingBelowDelta": 2000,
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": "5",
            "bidMultiplierDown": "0.2",
            "askMultiplierUp": "5",
            "askMultiplierDown": "0.2",
            "avgPriceMins": 5,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": "5.00000000" if instrument.quote != "BTC" else "0.00010000",
            "applyMinToMarket": True,
            "maxNotional": "9000000.00000000",
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": 20},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": 10},
    ]


def execution_rules(market: ServedMarket, call: Call, now: int) -> Body:
    rule: Mapping[str, Json] = {
        "ruleType": "PRICE_RANGE",
        "bidLimitMultUp": "1.0500",
        "bidLimitMultDown": "0.9500",
        "askLimitMultUp": "1.0500",
        "askLimitMultDown": "0.9500",
    }
    return {"symbolRules": [{"symbol": data.instrument.symbol, "rules": [rule]} for data in market.chosen(call)]}


# ------------------------------------------------------------------------------------------- futures


def futures_exchange_info(market: ServedMarket, call: Call, now: int) -> Body:
    return {
        "timezone": "UTC",
        "serverTime": now,
        "futuresType": "U_MARGINED",
        "rateLimits": _rate_limits(market, ("ORDERS", 60, 1200), ("ORDERS", 10, 300)),
        "exchangeFilters": [],
        "assets": [
            {"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"},
            {"asset": "USDC", "marginAvailable": True, "autoAssetExchange": "-10000"},
            {"asset": "BTC", "marginAvailable": True, "autoAssetExchange": "-0.10000000"},
        ],
        "symbols": [
            _futures_symbol(instrument, market.symbol_data(instrument.symbol).tape.listed_at)
            for instrument in market.table.instruments
        ],
    }


def coin_futures_exchange_info(market: ServedMarket, call: Call, now: int) -> Body:
    return {
        "timezone": "UTC",
        "serverTime": now,
        "rateLimits": _rate_limits(market, ("ORDERS", 60, 1200)),
        "exchangeFilters": [],
        "symbols": [
            _coin_futures_symbol(instrument, market.symbol_data(instrument.symbol).tape.listed_at)
            for instrument in market.table.instruments
        ],
    }


def _coin_futures_symbol(instrument: Instrument, listed: int) -> dict[str, Json]:
    return {
        "symbol": instrument.symbol,
        "pair": instrument.pair,
        "contractType": instrument.contract_type,
        "deliveryDate": instrument.delivers_at or _NEVER_DELIVERED,
        "onboardDate": listed,
        "contractStatus": instrument.status,
        "contractSize": instrument.contract_size,
        "marginAsset": instrument.base,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "pricePrecision": instrument.price_decimals + instrument.price_zeros,
        "quantityPrecision": instrument.lot_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "equalQtyPrecision": 4,
        "triggerProtect": "0.0500",
        "liquidationFee": "0.015000",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "underlyingType": instrument.underlying,
        "underlyingSubType": list(instrument.tags),
        "filters": _coin_futures_filters(instrument),
        "orderTypes": _FUTURES_ORDERS,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        "permissionSets": ["GRID"],
    }


def _coin_futures_filters(instrument: Instrument) -> list[Json]:
    tick = _step(instrument.price_decimals, instrument.price_decimals + instrument.price_zeros)
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "4520958", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": "1", "maxQty": "1000000", "stepSize": "1"},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "1", "maxQty": "60000", "stepSize": "1"},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 20},
        {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500", "multiplierDecimal": "4"},
    ]


def _futures_symbol(instrument: Instrument, listed: int) -> dict[str, Json]:
    return {
        "symbol": instrument.symbol,
        "pair": instrument.pair,
        "contractType": instrument.contract_type,
        "deliveryDate": _NEVER_DELIVERED,
        "onboardDate": listed,
        "status": instrument.status,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "marginAsset": instrument.quote,
        "pricePrecision": instrument.price_decimals + instrument.price_zeros,
        "quantityPrecision": instrument.lot_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": instrument.underlying,
        "underlyingSubType": list(instrument.tags),
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": _futures_filters(instrument),
        "orderTypes": _FUTURES_ORDERS,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD", "RPI"],
        "permissionSets": ["GRID", "COPY", "DCA"],
    }


def _futures_filters(instrument: Instrument) -> list[Json]:
    tick = _step(instrument.price_decimals, instrument.price_decimals + instrument.price_zeros)
    lot = _step(instrument.lot_decimals, instrument.lot_decimals)
    most = str(max(10, int(10_000_000 / instrument.dollars)))
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "2000000", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": most, "stepSize": lot},
        {"filterType": "MARKET_LOT_SIZE", "minQty": lot, "maxQty": most, "stepSize": lot},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {"filterType": "MIN_NOTIONAL", "notional": "5"},
        {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500", "multiplierDecimal": "4"},
        {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE"},
    ]
