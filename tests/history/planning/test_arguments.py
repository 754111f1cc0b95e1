"""What a plan refuses, before anything is sent: each time with the argument, its value and the remedy."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from binance_sdk.catalogue import ARCHIVE
from binance_sdk.errors import ConfigError, ParameterError
from binance_sdk.history.moments import read_moment
from binance_sdk.history.piece import Series
from binance_sdk.history.planning.arguments import choose_series, choose_source, choose_span
from binance_sdk.history.planning.settings import FetchSettings

NOW = 1_764_460_800_000


@pytest.mark.parametrize(
    "moment",
    [
        "2025-11-30",
        "2025-11-30T00:00:00Z",
        "2025-11-30T01:00:00+01:00",
        date(2025, 11, 30),
        datetime(2025, 11, 30, tzinfo=UTC),
        datetime(2025, 11, 29, 19, tzinfo=timezone(timedelta(hours=-5))),
        NOW,
    ],
)
def test_moments_as_people_write_them(moment: Any) -> None:
    assert read_moment("since", moment) == NOW


@pytest.mark.parametrize(
    ("moment", "says"),
    [
        (datetime(2025, 11, 30), "no time zone"),
        ("2025-11-30T00:00:00", "no time zone"),
        ("30.11.2025", "is no date: write it as '2020-01-01'"),
        ("yesterday", "is no date"),
        (1_764_460_800, "looks like seconds"),
        (1_764_460_800_000_000, "looks like micro"),
        (12.5, "must be epoch milliseconds"),
        (True, "must be epoch milliseconds"),
        (None, "is required"),
        (date(1969, 12, 31), "before 1970"),
    ],
)
def test_moments_that_are_none(moment: Any, says: str) -> None:
    with pytest.raises(ParameterError, match=says) as caught:
        read_moment("since", moment)
    assert caught.value.parameter == "since"
    assert caught.value.value is moment
    assert str(caught.value).startswith("history.plan: since=")


def test_spans() -> None:
    assert choose_span("2025-11-01", None, NOW) == (NOW - 29 * 86_400_000, NOW)
    assert choose_span("2025-11-01", "2030-01-01", NOW)[1] == NOW
    with pytest.raises(ParameterError, match=r"since='2025-11-02' is not before until='2025-11-01': swap the two"):
        choose_span("2025-11-02", "2025-11-01", NOW)
    with pytest.raises(ParameterError, match="is not before until"):
        choose_span("2025-11-02", "2025-11-02", NOW)
    with pytest.raises(ParameterError, match="since='2026-01-01' is in the future"):
        choose_span("2026-01-01", None, NOW)


def series(symbols: Any = "BTCUSDT", market: Any = "spot", kind: Any = "klines", interval: Any = "1m") -> Any:
    return choose_series(ARCHIVE, symbols, market, kind, interval)[1]


def test_series() -> None:
    assert series(["btcusdt", "ETHUSDT", "BTCUSDT"]) == (
        Series("spot", "klines", "BTCUSDT", "1m"),
        Series("spot", "klines", "ETHUSDT", "1m"),
    )
    assert series("BTCUSD_PERP", "coin_futures") == (Series("coin_futures", "klines", "BTCUSD_PERP", "1m"),)
    assert series("BTCUSD", "coin_futures", "index_price_klines")[0].symbol == "BTCUSD"
    assert series("BTCUSDT", "futures", "funding_rate", None) == (Series("futures", "funding_rate", "BTCUSDT"),)


@pytest.mark.parametrize(
    ("given", "parameter", "says"),
    [
        ({"market": "margin"}, "market", "'margin' must be one of 'spot'"),
        ({"market": None}, "market", "must be one of"),
        ({"kind": "kline"}, "kind", "did you mean 'klines'"),
        ({"kind": "metrics"}, "kind", "is no data of market='spot': it is of market='futures'"),
        ({"kind": 3}, "kind", "must be one of"),
        ({"interval": None}, "interval", "is required for klines: one of 1s, 1m"),
        ({"interval": "7m"}, "interval", "must be one of"),
        ({"interval": "1s", "market": "futures"}, "interval", "must be one of '1m'"),
        ({"kind": "trades"}, "interval", "interval='1m' must be left out: trades have none"),
        ({"symbols": []}, "symbols", "is empty"),
        ({"symbols": "BTC/USDT"}, "symbols", "is no symbol"),
        ({"symbols": "BTCUSDT,ETHUSDT"}, "symbols", "several of them go into a list"),
        ({"symbols": "BTC/USDT"}, "symbols", "write it like 'BTCUSDT'"),
        ({"symbols": "../../etc"}, "symbols", "is no symbol"),
        ({"symbols": ["BTCUSDT", 5]}, "symbols", "symbols=5 must be text"),
        ({"symbols": 5}, "symbols", "must be a symbol such as"),
        ({"symbols": b"BTCUSDT"}, "symbols", "must be a symbol such as"),
        ({"symbols": "BTCUSD_PERP"}, "symbols", "looks like one of client.coin_futures"),
        (
            {"symbols": "BTCUSD_PERP", "market": "coin_futures", "kind": "index_price_klines"},
            "symbols",
            "must be a pair",
        ),
    ],
)
def test_series_that_are_none(given: dict[str, Any], parameter: str, says: str) -> None:
    with pytest.raises(ParameterError, match=says) as caught:
        series(**given)
    assert caught.value.parameter == parameter


def test_a_source_that_has_nothing() -> None:
    depth = ARCHIVE.kinds["futures", "book_depth"]
    with pytest.raises(ParameterError, match="source='rest' has nothing: REST does not serve book_depth"):
        choose_source(depth, "rest")
    with pytest.raises(ParameterError, match="source='ftp' must be one of 'auto', 'archive', 'rest'"):
        choose_source(depth, "ftp")


@pytest.mark.parametrize(
    ("client", "says"),
    [
        ({"hooks": [print]}, "other processes could not get it"),
        ({"cache": True}, "pieces are fetched once"),
        ({"http_client": None}, "each process opens its own"),
        ({"limit_url": "redis://x"}, "is no argument; known are api_key"),
        (5, "client=5 must be a mapping of arguments by name"),
    ],
)
def test_settings_that_no_worker_could_use(client: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        FetchSettings(client=client)


def test_settings_of_the_archive_are_those_of_its_session() -> None:
    assert FetchSettings(archive={"url": "http://127.0.0.1:1", "max_downloads": 3}).archive["max_downloads"] == 3
    with pytest.raises(ConfigError, match=r"archive\['urls'\] is no argument; known are listing_url, max_downloads"):
        FetchSettings(archive={"urls": []})
    with pytest.raises(ConfigError, match="other processes could not get it"):
        FetchSettings(archive={"ssl_context": None})


def test_settings_show_no_values() -> None:
    assert repr(FetchSettings(client={"api_key": "hidden"})) == "FetchSettings(client=['api_key'], archive=[])"
