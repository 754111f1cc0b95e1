"""Each kind of mistake earns the status, code and message Binance gives it."""

from __future__ import annotations

import httpx
import pytest

from binance_sdk.simulator.rest.validation import offset_minutes
from tests.shared_facts import load, needs_facts

from .conftest import NOW, Api, simulator

SPOT_KLINES, FUTURES_KLINES = "/api/v3/klines", "/fapi/v1/klines"
HOUR = 3_600_000
SYMBOL_RANGE = "^[A-Z0-9-_.]{1,20}$"
MANDATORY = "Mandatory parameter '{}' was not sent, was empty/null, or malformed."
MANY = "%5B" + "%2C".join(f"%22S{n}%22" for n in range(101)) + "%5D"

MISTAKES = [
    (SPOT_KLINES, "interval=1h", -1102, MANDATORY.format("symbol")),
    (SPOT_KLINES, "symbol=&interval=1h", -1102, MANDATORY.format("symbol")),
    (SPOT_KLINES, "symbol=BTCUSDT", -1102, MANDATORY.format("interval")),
    (FUTURES_KLINES, "symbol=BTCUSDT", -1102, MANDATORY.format("interval")),
    ("/api/v3/ticker", "", -1102, MANDATORY.format("symbol")),
    ("/api/v3/ping", "a=1", -1104, "Not all sent parameters were read; read '0' parameter(s) but was sent '1'."),
    (
        "/api/v3/depth",
        "symbol=BTCUSDT&foo=1",
        -1104,
        "Not all sent parameters were read; read '1' parameter(s) but was sent '2'.",
    ),
    ("/api/v3/depth", "symbol=BTCUSDT&symbol=ETHUSDT", -1101, "Duplicate values for a parameter detected."),
    ("/api/v3/depth", "symbol=BTCUSDT&limit=", -1105, "Parameter 'limit' was empty."),
    (
        "/api/v3/depth",
        "symbol=btcusdt",
        -1100,
        f"Illegal characters found in parameter 'symbol'; legal range is '{SYMBOL_RANGE}'.",
    ),
    ("/api/v3/depth", "symbol=%FF", -1100, "Illegal characters found in a parameter."),
    (
        "/api/v3/depth",
        "symbol=BTCUSDT&limit=abc",
        -1100,
        "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.",
    ),
    (
        "/api/v3/depth",
        "symbol=BTCUSDT&limit=-1",
        -1100,
        "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.",
    ),
    ("/api/v3/depth", "symbol=NOPEUSDT", -1121, "Invalid symbol."),
    ("/fapi/v1/depth", "symbol=NOPEUSDT", -1121, "Invalid symbol."),
    ("/fapi/v1/assetIndex", "symbol=BTCUSDT", -1121, "Invalid symbol."),
    ("/fapi/v1/indexPriceKlines", "pair=NOPE&interval=1h", -1121, "Invalid symbol."),
    (SPOT_KLINES, "symbol=BTCUSDT&interval=2m", -1120, "Invalid interval."),
    (FUTURES_KLINES, "symbol=BTCUSDT&interval=1s", -1120, "Invalid interval."),
    ("/api/v3/ticker/price", "symbols=BTCUSDT", -1135, "Invalid JSON sent for parameter 'symbols'."),
    ("/api/v3/ticker/price", "symbols=%5B1%5D", -1135, "Invalid JSON sent for parameter 'symbols'."),
    ("/api/v3/ticker/price", "symbols=%7B%7D", -1135, "Invalid JSON sent for parameter 'symbols'."),
    ("/api/v3/ticker/price", "symbols=%5B%5D", -1105, "Parameter 'symbols' was empty."),
    (
        "/api/v3/ticker/price",
        "symbols=%5B%22BTCUSDT%22%2C+%22ETHUSDT%22%5D",
        -1100,
        """Illegal characters found in parameter 'symbols'; legal range is '^\\["[^ "]*"(,"[^ "]*")*\\]$'.""",
    ),
    (
        "/api/v3/ticker/price",
        "symbols=%5B%22BTCUSDT%22%2C%22BTCUSDT%22%5D",
        -1151,
        "Symbol is present multiple times in the list.",
    ),
    (
        "/api/v3/ticker",
        f"symbols={MANY}",
        -1101,
        "Too many values sent for parameter 'symbols', maximum allowed up to 100.",
    ),
    (
        "/api/v3/ticker/price",
        "symbol=BTCUSDT&symbols=%5B%22ETHUSDT%22%5D",
        -1128,
        "Combination of optional parameters invalid.",
    ),
    ("/api/v3/exchangeInfo", "symbol=BTCUSDT&permissions=SPOT", -1128, "Combination of optional parameters invalid."),
    ("/api/v3/ticker/24hr", "symbol=BTCUSDT&type=TINY", -1139, "Invalid ticker type."),
    ("/api/v3/ticker/24hr", "symbolStatus=SLEEPING", -1122, "Invalid symbolStatus."),
    (
        "/api/v3/depth",
        "symbol=WTCUSDT&symbolStatus=TRADING",
        -1220,
        "The symbol's status does not match the requested symbolStatus.",
    ),
    ("/api/v3/exchangeInfo", "permissions=NO-BODY", -1130, "Data sent for parameter 'permissions' is not valid."),
    (
        "/api/v3/exchangeInfo",
        "showPermissionSets=False",
        -1100,
        "Illegal characters found in parameter 'showPermissionSets'; legal range is '^(true|false)$'.",
    ),
    (
        SPOT_KLINES,
        "symbol=BTCUSDT&interval=1h&timeZone=15",
        -1100,
        r"Illegal characters found in parameter 'timeZone'; legal range is '^([+-]?)(\d{1,2})(?::(\d{2}))?$'.",
    ),
    (SPOT_KLINES, "symbol=BTCUSDT&interval=1h&limit=0", -1130, "Data sent for parameter 'limit' is not valid."),
    (SPOT_KLINES, "symbol=BTCUSDT&interval=1h&limit=1001", -1130, "Data sent for parameter 'limit' is not valid."),
    (FUTURES_KLINES, "symbol=BTCUSDT&interval=1h&limit=1501", -1130, "Data sent for parameter 'limit' is not valid."),
    (
        "/futures/data/basis",
        "pair=BTCUSDT&contractType=PERPETUAL&period=7m",
        -1130,
        "Data sent for parameter 'period' is not valid.",
    ),
    ("/fapi/v1/depth", "symbol=BTCUSDT&limit=7", -4021, "7 is not valid depth limit"),
    ("/fapi/v1/rpiDepth", "symbol=BTCUSDT&limit=5", -4021, "5 is not valid depth limit"),
    ("/api/v3/trades", f"symbol=BTCUSDT&limit={2**63}", -1108, "Parameter 'limit' overflow."),
    (FUTURES_KLINES, "symbol=BTCUSDT&interval=1h&startTime=2&endTime=1", -1023, "Start time is greater than end time."),
    (
        SPOT_KLINES,
        "symbol=BTCUSDT&interval=1h&startTime=2&endTime=1",
        -1128,
        "Combination of optional parameters invalid.",
    ),
    (
        "/fapi/v1/aggTrades",
        f"symbol=BTCUSDT&startTime={NOW - 2 * HOUR}&endTime={NOW - HOUR}",
        -1127,
        "More than 1 hours between startTime and endTime.",
    ),
    (
        "/fapi/v1/aggTrades",
        f"symbol=BTCUSDT&startTime={NOW - 49 * HOUR}",
        -4166,
        "Search window is restricted to recent 2 days only.",
    ),
    ("/fapi/v1/aggTrades", "symbol=BTCUSDT&fromId=0", -4166, "Search window is restricted to recent 2 days only."),
    (
        "/futures/data/globalLongShortAccountRatio",
        f"symbol=BTCUSDT&period=1h&startTime={NOW - 31 * 24 * HOUR}",
        -1130,
        "parameter 'startTime' is invalid.",
    ),
    ("/api/v3/referencePrice", "symbol=LTCUSDT", -2043, "This symbol doesn't have a reference price."),
]


@pytest.mark.parametrize(("path", "query", "code", "message"), MISTAKES, ids=lambda value: str(value)[:60])
def test_a_mistake_is_named(api: Api, path: str, query: str, code: int, message: str) -> None:
    response = api.response(path, query)
    assert response.json() == {"code": code, "msg": message}
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json;charset=UTF-8"


def test_a_permission_that_no_symbol_has_is_no_mistake(api: Api) -> None:
    assert api.get("/api/v3/exchangeInfo", permissions="TRD_GRP_999")["symbols"] == []


def test_windows_of_the_rolling_ticker_follow_their_pattern(api: Api) -> None:
    assert api.get("/api/v3/ticker", symbol="BTCUSDT", windowSize="59m")
    response = api.response("/api/v3/ticker", {"symbol": "BTCUSDT", "windowSize": "60m"})
    assert response.json()["code"] == -1100


@needs_facts
@pytest.mark.parametrize(
    ("example", "path", "query"),
    [
        ("duplicate_symbols_400", "/api/v3/ticker/price", "symbols=%5B%22BTCUSDT%22%2C%22BTCUSDT%22%5D"),
        ("too_many_symbols_400", "/api/v3/ticker", f"symbols={MANY}"),
        ("invalid_symbol", "/api/v3/depth", "symbol=NOPE"),
        ("symbol_status_mismatch_400", "/api/v3/depth", "symbol=BTCUSDT&symbolStatus=BREAK"),
        ("futures_invalid_depth_limit_400", "/fapi/v1/depth", "symbol=BTCUSDT&limit=7"),
        ("futures_invalid_klines_limit_400", FUTURES_KLINES, "symbol=BTCUSDT&interval=1m&limit=1501"),
        ("futures_aggtrades_too_old_400", "/fapi/v1/aggTrades", "symbol=BTCUSDT&startTime=1"),
    ],
)
def test_the_words_are_the_documented_ones(api: Api, example: str, path: str, query: str) -> None:
    assert api.response(path, query).json() == load(f"examples/errors/{example}.json")


def test_a_refused_request_costs_weight_too(api: Api) -> None:
    before = api.simulator.used_weight("spot")
    response = api.response("/api/v3/trades", "symbol=NOPE")
    assert api.simulator.used_weight("spot") - before == 25
    assert int(response.headers["x-mbx-used-weight-1m"]) == before + 25


def test_what_is_leniently_read(api: Api) -> None:
    assert api.get("/fapi/v1/ticker/price", symbol="btcusdt")["symbol"] == "BTCUSDT"
    assert len(api.get("/api/v3/depth", symbol="ETHUSDT", limit=9999)["bids"]) == 5000
    in_ms = api.get(SPOT_KLINES, symbol="BTCUSDT", interval="1m", startTime=NOW - HOUR, limit=2)
    in_us = api.get(SPOT_KLINES, symbol="BTCUSDT", interval="1m", startTime=(NOW - HOUR) * 1000, limit=2)
    assert in_ms == in_us
    assert api.get(SPOT_KLINES, symbol="BTCUSDT", interval="1d", startTime=0, limit=1)
    assert api.get(FUTURES_KLINES, symbol="BTCUSDT", interval="1d", startTime=2**62) == []
    assert api.get("/api/v3/exchangeInfo", permissions='["SPOT","MARGIN"]')["symbols"]


KEYED = ("/fapi/v1/historicalTrades", {"symbol": "BTCUSDT"})


@pytest.mark.parametrize("key", [None, "", "not a key", "ключ".encode()], ids=["none", "empty", "spaces", "letters"])
def test_market_data_wants_an_api_key(api: Api, key: str | bytes | None) -> None:
    headers = {} if key is None else {"X-MBX-APIKEY": key}
    response = httpx.get(api.simulator.base_url("futures") + KEYED[0], params=KEYED[1], headers=headers)  # type: ignore[arg-type]
    assert (response.status_code, response.json()["code"]) == (401, -2014)


def test_other_endpoints_do_not(api: Api) -> None:
    for market, path in (("futures", "/fapi/v1/trades"), ("spot", "/api/v3/historicalTrades")):
        assert httpx.get(api.simulator.base_url(market) + path, params=KEYED[1]).status_code == 200
    params = {"symbol": "BTCUSDT", "period": "1h"}
    uncertain = api.simulator.base_url("futures") + "/futures/data/topLongShortPositionRatio"
    assert httpx.get(uncertain, params=params).status_code == 200
    assert httpx.get(uncertain, params=params, headers={"X-MBX-APIKEY": "not a key"}).status_code == 401


def test_the_key_can_be_waived() -> None:
    with simulator(api_key_required=False) as running:
        assert httpx.get(running.base_url("futures") + KEYED[0], params=KEYED[1]).status_code == 200


def test_unknown_paths_and_methods(api: Api) -> None:
    url = api.simulator.base_url("spot") + "/api/v3/nothing"
    plain = httpx.get(url, headers={"Accept": "application/json"})
    assert (plain.status_code, plain.json()["status"]) == (404, 404)
    assert "code" not in plain.json()
    page = httpx.get(url, headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert httpx.post(api.simulator.base_url("spot") + "/api/v3/ping").status_code == 405


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("0", 0), ("8", 480), ("+8", 480), ("-1", -60), ("-1:00", -60), ("05:45", 345), ("14:00", 840), ("-12", -720)],
)
def test_offsets_from_utc(text: str, minutes: int) -> None:
    assert offset_minutes(text) == minutes


@pytest.mark.parametrize("text", ["", "14:01", "-12:01", "8:60", "123", "8:5", "UTC", "8 "])
def test_what_is_no_offset(text: str) -> None:
    assert offset_minutes(text) is None
