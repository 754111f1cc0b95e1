"""``name=value`` into typed arguments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from binance_sdk.catalogue import CATALOGUE, Market
from binance_sdk.cli.arguments import find_operation, form, read_arguments
from binance_sdk.cli.exit_codes import CommandError


@pytest.mark.parametrize(
    ("operation", "pairs", "expected"),
    [
        ("klines", ["symbol=BTCUSDT", "interval=1h"], {"symbol": "BTCUSDT", "interval": "1h"}),
        ("klines", ["symbol=A", "interval=1h", "limit=7"], {"symbol": "A", "interval": "1h", "limit": 7}),
        ("agg_trades", ["symbol=A", "from_id=0"], {"symbol": "A", "from_id": 0}),
        ("agg_trades", ["symbol=A", "fromId=12"], {"symbol": "A", "from_id": 12}),
        ("agg_trades", ["symbol=A", "limit=-1"], {"symbol": "A", "limit": -1}),
        ("ticker_price", ["symbols=BTCUSDT,ETHUSDT"], {"symbols": ["BTCUSDT", "ETHUSDT"]}),
        ("ticker_price", ["symbols=BTCUSDT, ETHUSDT"], {"symbols": ["BTCUSDT", "ETHUSDT"]}),
        ("ticker_price", ['symbols=["BTCUSDT","ETHUSDT"]'], {"symbols": ["BTCUSDT", "ETHUSDT"]}),
        ("exchange_info", ["showPermissionSets=False"], {"show_permission_sets": False}),
        ("exchange_info", ["show_permission_sets=yes"], {"show_permission_sets": True}),
        (
            "klines",
            ["symbol=A", "interval=1d", "timeZone=+8:00"],
            {"symbol": "A", "interval": "1d", "time_zone": "+8:00"},
        ),
        ("time", [], {}),
    ],
)
def test_values_get_the_type_of_their_parameter(operation: str, pairs: list[str], expected: dict[str, object]) -> None:
    assert read_arguments(find_operation("spot", operation), pairs) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1800000000000", 1_800_000_000_000),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T12:30", datetime(2026, 1, 31, 12, 30, tzinfo=UTC)),
        ("2026-01-31T12:30:15.5Z", datetime(2026, 1, 31, 12, 30, 15, 500_000, tzinfo=UTC)),
        ("2026-01-31T12:30+02:00", datetime(2026, 1, 31, 12, 30, tzinfo=timezone(timedelta(hours=2)))),
    ],
)
def test_times(text: str, expected: int | datetime) -> None:
    operation = find_operation("spot", "agg_trades")
    found = read_arguments(operation, ["symbol=A", f"startTime={text}"])["start_time"]
    assert found == expected
    assert isinstance(found, int) or found.tzinfo is not None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("operation", "pairs", "says"),
    [
        ("klines", ["symbol"], "'symbol' must be name=value"),
        ("klines", ["interval=1h"], "symbol is required: add symbol=BTCUSDT"),
        ("klines", ["symbol=A"], "interval is required: add interval=1s|1m|"),
        ("klines", ["symbol=A", "symbol=B"], "symbol is given twice"),
        ("ticker_price", ["symbols=A", "symbols=B"], "separate its values by commas"),
        ("klines", ["symbol="], "symbol= has no value"),
        ("klines", ["symbol=A", "interval=1h", "limit=many"], "limit=many must be a whole number"),
        ("klines", ["symbol=A", "interval=1h", "limit=1.5"], "limit=1.5 must be a whole number"),
        ("klines", ["symbol=A", "interval=1h", "start_time=soon"], "start_time=soon is not a time"),
        ("exchange_info", ["show_permission_sets=2"], "must be true or false"),
        ("ticker_price", ['symbols=["A"'], "is not a list"),
        ("klines", ["symbl=A"], "did you mean symbol?"),
        ("klines", ["starttime=1"], "did you mean start_time"),
        ("klines", ["colour=red"], "it takes symbol, interval, start_time, end_time, time_zone, limit"),
        ("time", ["symbol=A"], "takes no parameters"),
    ],
)
def test_what_is_wrong_is_said(operation: str, pairs: list[str], says: str) -> None:
    with pytest.raises(CommandError) as caught:
        read_arguments(find_operation("spot", operation), pairs)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("market", "name", "says"),
    [
        ("spot", "kline", "did you mean klines"),
        ("futures", "openInterest", "did you mean open_interest"),
        ("spot", "ticker24hr", "did you mean ticker_24hr"),
        (
            "spot",
            "open_interest_hist",
            "but futures and coin-futures have: binance-sdk call futures open_interest_hist",
        ),
        ("coin_futures", "rpi_depth", "but futures has: binance-sdk call futures rpi_depth"),
        ("futures", "quux", "`binance-sdk operations futures` lists all"),
    ],
)
def test_unknown_operations_lead_to_the_known_ones(market: Market, name: str, says: str) -> None:
    with pytest.raises(CommandError) as caught:
        find_operation(market, name)
    assert says in str(caught.value)


def test_every_example_of_the_catalogue_can_be_typed() -> None:
    read = 0
    for operation in CATALOGUE.operations:
        for variant in operation.variants:
            pairs = [f"{name}={_typed(value)}" for name, value in variant.example.items()]
            arguments = read_arguments(operation, pairs)
            expected = {operation.by_wire[name].name: value for name, value in variant.example.items()}
            assert arguments == {name: list(v) if isinstance(v, (list, tuple)) else v for name, v in expected.items()}
            read += 1
    assert read > 53


def _typed(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def test_every_parameter_shows_its_form() -> None:
    assert {form(parameter) for operation in CATALOGUE.operations for parameter in operation.parameters} >= {
        "BTCUSDT",
        "BTCUSDT,...",
        "NUMBER",
        "true|false",
        "2026-01-31T12:00Z",
    }


ODD = [
    "",
    "\udcff",
    "9" * 5000,
    "-" + "9" * 5000,
    "[" * 5000,
    "[1]",
    "[null]",
    '["A"',
    "1e5",
    "0x1",
    "²",
    "nan",
    "A" * 9999,
]


@pytest.mark.parametrize("market", ["spot", "futures"])
def test_odd_values_of_every_parameter_are_read_or_refused_in_one_line(market: Market) -> None:
    for operation in CATALOGUE[market].operations.values():
        for parameter in operation.parameters:
            for odd in ODD:
                try:
                    read_arguments(operation, [f"{parameter.name}={odd}"])
                except CommandError as error:
                    refused = str(error)
                else:
                    continue
                assert parameter.name in refused or "is required" in refused
                assert len(refused) < 300
                assert "\n" not in refused
