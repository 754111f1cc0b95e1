"""The demonstration: every number on the page is one the market gave."""

from __future__ import annotations

from decimal import Decimal

import pytest

from binance_sdk import SyncBinanceClient
from binance_sdk.cli.demo_data import Rules
from binance_sdk.cli.formats import exact, rounded
from binance_sdk.simulator import Simulator
from binance_sdk.spot import SymbolInfo

from .support import Cli, answering, start


def test_demo_in_a_pipe() -> None:
    process = start("demo", "--seed", "3")
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert "\x1b" not in output
    assert max(len(line) for line in output.splitlines()) == 100
    for text in (
        "simulated market, seed 3",
        "tick          0.01",
        "min notional  5 USDT",
        "status  TRADING",
        "BTCUSDT 5m",
        "BTCUSDT 1h",
        "BTCUSDT 4h",
        "BTCUSDT 1d",
        "Order book",
        "spread",
        "Last trades",
        "funding paid (UTC)",
        "open interest",
        "What it cost",
        "What is left",
        "futures funding_rate",
    ):
        assert text in output, text


def test_the_numbers_are_those_of_the_market(cli: Cli, simulator: Simulator) -> None:
    ran = cli("demo", "--live")
    assert (ran.code, ran.errors) == (0, "")
    with SyncBinanceClient() as client:
        ticker = client.spot.ticker_24hr("BTCUSDT")
        book = client.spot.depth("BTCUSDT", limit=10)
        trade = client.spot.trades("BTCUSDT", limit=1)[0]
        premium = client.futures.premium_index("BTCUSDT")
        interest = client.futures.open_interest("BTCUSDT")
        funding = client.futures.funding_rate("BTCUSDT", limit=7)
    expected = {
        exact(ticker.last_price, 2),
        exact(ticker.high_price, 2),
        exact(ticker.low_price, 2),
        f"{ticker.trade_count:,}",
        exact(book.asks[9].price, 2),
        exact(book.bids[9].price, 2),
        exact(sum((level.qty for level in book.bids), Decimal(0)), 5),
        exact(trade.price, 2),
        rounded(premium.mark_price, 2),
        rounded(premium.index_price, 2),
        f"{exact(interest.open_interest)} BTC",
        *(event.funding_time_dt.strftime("%Y-%m-%d %H:%M") for event in funding),
        "2027-01-15 08:02:03.456Z",
        f"live, {simulator.base_url('spot').removeprefix('http://')}",
    }
    assert {text for text in expected if text not in ran.output} == set()


def test_the_account_agrees_with_the_server(cli: Cli, simulator: Simulator) -> None:
    rows = [line for line in cli("demo", "--live").output.splitlines() if line.startswith("│ ")]
    cells = [[cell.strip() for cell in row.strip("│").split("│")] for row in rows]
    costs = {row[0]: row for row in cells if row[0].startswith("all of")}
    assert costs["all of spot"][2] == str(simulator.used_weight("spot"))
    assert costs["all of spot"][3] == f"{simulator.used_weight('spot')} ✓"
    assert costs["all of futures"][2] == str(simulator.used_weight("futures"))
    calls = [row for row in cells if row[0].startswith(("spot.", "futures."))]
    assert len(calls) == 12
    assert sum(int(row[2]) for row in calls if row[0].startswith("spot.")) == simulator.used_weight("spot")
    assert [row[1] for row in calls if row[0] == "futures.funding_rate"] == ["limit=7 +1 funding_rate"]
    # How much of it still counts depends on the minute that may have ended meanwhile; the sums do not.
    left = {row[0]: [int(cell.replace(",", "")) for cell in (row[1], row[2], row[4])] for row in cells[-5:]}
    assert list(left) == [
        "spot weight",
        "spot raw_requests",
        "futures weight",
        "futures funding_rate",
        "futures futures_data",
    ]
    assert all(used + remaining == allowed for used, allowed, remaining in left.values())


def test_the_same_seed_shows_the_same_market(cli: Cli, simulator: Simulator) -> None:
    def market() -> str:
        return cli("demo", "--live").output.partition("What it cost")[0]

    assert market() == market()


def test_an_unknown_symbol_is_refused(cli: Cli, simulator: Simulator) -> None:
    ran = cli("demo", "--live", "--symbol", "NOPE")
    assert (ran.code, ran.output) == (1, "")
    assert "-1121" in ran.errors
    assert ran.errors.count("\n") == 1


def test_a_symbol_without_futures(cli: Cli, simulator: Simulator) -> None:
    with SyncBinanceClient() as client:
        spot = {info.symbol for info in client.spot.exchange_info().symbols if info.status == "TRADING"}
        futures = {info.symbol for info in client.futures.exchange_info().symbols}
    alone = sorted(spot - futures)
    assert alone
    ran = cli("demo", "--live", "--symbol", alone[0])
    assert (ran.code, ran.errors) == (0, "")
    assert f"–  there is no futures contract {alone[0]}" in ran.output


def test_an_environment_without_futures(cli: Cli, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINANCE_SDK_ENVIRONMENT", "data_only")
    monkeypatch.delenv("BINANCE_SDK_FUTURES_BASE_URL")
    ran = cli("demo", "--live")
    assert (ran.code, ran.errors) == (0, "")
    assert "spot weight" in ran.output
    assert "futures weight" not in ran.output
    assert "–  futures.funding_rate is not served" in ran.output


def test_futures_that_fail_are_told_and_spot_is_still_shown(
    cli: Cli, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(418, b'{"code":-1003,"msg":"banned until 4102444800000"}') as url:
        monkeypatch.setenv("BINANCE_SDK_FUTURES_BASE_URL", url)
        ran = cli("demo", "--live")
    assert ran.code == 5
    assert "banned" in ran.errors
    assert "Order book" in ran.output
    assert "IPBannedError" in ran.output


def test_rules_a_symbol_does_not_have() -> None:
    info = SymbolInfo.model_construct(symbol="A", base_asset="B", quote_asset="Q", status="BREAK", filters=[])
    assert Rules.of(info) == Rules("A", "B", "Q", "BREAK")
