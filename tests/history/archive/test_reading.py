"""A zip of the archive becomes a frame: every oddity that its files were seen to have, and what is said of it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from random import Random

import pytest

from binance_sdk.catalogue import ARCHIVE
from binance_sdk.errors import ArchiveError
from binance_sdk.history.columns import polars_schema
from binance_sdk.history.piece import Prices
from tests.history.archive.files import (
    AGG_TRADES_HEADER,
    DAY,
    KLINES_HEADER,
    METRICS_HEADER,
    bar,
    daily,
    lines,
    ms,
    read,
)

SPOT = daily("spot", "klines", "2025-01-01", "1m")
FUTURES = daily("futures", "klines", "2025-01-01", "1m")
COIN = daily("coin_futures", "klines", "2025-01-01", "1m", "BTCUSD_PERP")
TRADES = daily("futures", "agg_trades", "2025-01-01")
METRICS = daily("futures", "metrics", "2025-01-01")
KLINES = ARCHIVE.kinds["spot", "klines"]


def agg(number: int, *, at: int = 0, price: str = "100.5", qty: str = "0.1") -> list[object]:
    return [number, price, qty, number * 2, number * 2 + 1, ms("2025-01-01") + at, "true"]


def metric(label: str, oi: str = "82245.8250000000000000", ratio: str = "1.20000000") -> list[object]:
    return [label, "BTCUSDT", oi, "8000000000.1250000000000000", ratio, "0.9", "1.1", "0.8"]


# ------------------------------------------------------------------------------------ what is in order


@pytest.mark.parametrize("prices", ["decimal", "float"])
def test_a_file_in_order_has_no_remark_and_the_columns_of_its_kind(prices: Prices) -> None:
    frame, remarks = read(SPOT, lines([bar(0), bar(1)]), prices)
    assert remarks == {}
    assert frame.schema == polars_schema(KLINES, prices)
    row = frame.row(1, named=True)
    assert row["open_time"] == datetime(2025, 1, 1, 0, 1, tzinfo=UTC)
    assert (row["high"], row["trade_count"]) == (Decimal("102.25") if prices == "decimal" else 102.25, 7)


def test_the_close_of_a_bar_is_a_whole_millisecond_in_every_unit() -> None:
    """Spot files end a bar at 999999 microseconds since 2025, and REST at 999 milliseconds."""
    micro, _ = read(SPOT, lines([bar(0)]))
    milli, _ = read(SPOT, lines([bar(0, unit=1)]))
    assert micro.equals(milli)
    assert micro["close_time"][0] == datetime(2025, 1, 1, 0, 0, 59, 999_000, tzinfo=UTC)


def test_units_are_told_apart_for_each_value() -> None:
    frame, remarks = read(SPOT, lines([bar(0, unit=1), bar(1)]))
    assert frame["open_time"].dt.minute().to_list() == [0, 1]
    assert remarks == {}


def test_microseconds_of_trades_are_kept() -> None:
    piece = daily("spot", "agg_trades", "2025-01-01")
    frame, _ = read(piece, lines([[1, "5.5", "1", 1, 1, ms("2025-01-01") * 1000 + 123_456, "True", "True"]]))
    assert frame["trade_time"][0].microsecond == 123_456


@pytest.mark.parametrize("header", ["", KLINES_HEADER, KLINES_HEADER.upper()])
@pytest.mark.parametrize("piece", [SPOT, FUTURES])
def test_a_header_is_found_for_each_file(piece: object, header: str) -> None:
    frame, remarks = read(piece, lines([bar(0), bar(1)], header=header))  # type: ignore[arg-type]
    assert (frame.height, remarks) == (2, {})


def test_amounts_of_coin_m_klines_are_named_for_what_they_are() -> None:
    """The header says quote_volume, and it is the base asset."""
    frame, remarks = read(COIN, lines([bar(0)], header=KLINES_HEADER))
    assert frame["base_volume"][0] == Decimal("1260.123")
    assert frame["taker_buy_base_volume"][0] == Decimal("600.5")
    assert "quote_volume" not in frame.columns
    assert remarks == {}


def test_premiums_may_be_negative_and_prices_without_trade_have_no_volume() -> None:
    piece = daily("futures", "premium_index_klines", "2025-01-01", "1m")
    row = [ms("2025-01-01"), "-0.0004", "0", "-0.0007", "-0.00031234", 0, ms("2025-01-01") + 59_999, 0, 12, 0, 0, 0]
    frame, remarks = read(piece, lines([row], header=KLINES_HEADER))
    assert frame.columns == ["open_time", "open", "high", "low", "close", "close_time"]
    assert frame["close"][0] == Decimal("-0.00031234")
    assert remarks == {}


@pytest.mark.parametrize(("true", "false"), [("True", "False"), ("true", "false"), ("TRUE", "FALSE")])
def test_booleans_in_every_spelling(true: str, false: str) -> None:
    rows = [[*agg(1)[:-1], true], [*agg(2)[:-1], false]]
    frame, remarks = read(TRADES, lines(rows))
    assert frame["is_buyer_maker"].to_list() == [True, False]
    assert remarks == {}


def test_line_ends_of_windows_no_newline_at_the_end_and_a_byte_order_mark() -> None:
    rows = [bar(0), bar(1)]
    wanted, _ = read(SPOT, lines(rows))
    for text in (
        lines(rows, end="\r\n"),
        lines(rows, last=False),
        lines(rows, end="\r\n", last=False),
        b"\xef\xbb\xbf" + lines(rows).encode(),
        b"\xef\xbb\xbf" + lines(rows, header=KLINES_HEADER).encode(),
    ):
        frame, remarks = read(SPOT, text)
        assert frame.equals(wanted)
        assert remarks == {}


def test_an_empty_file_is_said_to_be_empty() -> None:
    for text in ("", KLINES_HEADER, KLINES_HEADER + "\n", "\n"):
        frame, remarks = read(SPOT, text)
        assert frame.schema == polars_schema(KLINES, "decimal")
        assert frame.height == 0
        assert "empty_file" in remarks


# -------------------------------------------------------------------------------------- digits


def test_no_digit_of_a_decimal_is_lost() -> None:
    row = bar(0)
    row[1:5] = ["123456789012345678.12345678", "0.00000001", "98765.43210000", "0.1"]
    frame, _ = read(SPOT, lines([row]))
    assert frame.row(0)[1:5] == tuple(map(Decimal, ("123456789012345678.12345678", "0.00000001", "98765.4321", "0.1")))


@pytest.mark.parametrize("cell", ["1.234567891", "1e-9", "12.000000001", "0.12345678E-1"])
def test_a_cell_with_more_digits_than_its_column_is_an_error_that_names_it(cell: str) -> None:
    rows = [bar(0), bar(1, close=cell)]
    with pytest.raises(ArchiveError, match=r"line 2 .* close, which has more digits than the 8 .*prices=\"float\""):
        read(SPOT, lines(rows))
    frame, _ = read(SPOT, lines(rows), "float")
    assert frame["close"][1] == float(cell)


@pytest.mark.parametrize(
    ("cell", "value"), [("1.5E+2", "150"), ("1e-8", "0.00000001"), ("2.5000000000000", "2.5"), ("0E-12", "0")]
)
def test_exponents_and_zeros_that_say_nothing_are_read_exactly(cell: str, value: str) -> None:
    frame, remarks = read(TRADES, lines([agg(1), agg(2, price=cell)]))
    assert frame["price"][1] == Decimal(value)
    assert set(remarks) <= {"zero_values"}
    frame, _ = read(TRADES, lines([agg(1), agg(2, price=cell)]), "float")
    assert frame["price"][1] == float(value)


def test_sixteen_digits_of_metrics_are_kept() -> None:
    frame, _ = read(METRICS, lines([metric("2025-01-01 00:05:00", oi="82245.8250000000000001")], header=METRICS_HEADER))
    assert frame["open_interest"][0] == Decimal("82245.8250000000000001")


# -------------------------------------------------------------------------------------- order and doubles


def test_rows_that_are_out_of_order_are_sorted_and_said() -> None:
    frame, remarks = read(SPOT, lines([bar(2), bar(0), bar(1)]))
    assert frame["open_time"].dt.minute().to_list() == [0, 1, 2]
    assert remarks.keys() == {"unsorted_rows"}
    assert remarks["unsorted_rows"].rows == 1


def test_two_streams_of_ids_are_put_together() -> None:
    """As in USDⓈ-M files of 2023."""
    rows = [row for n in range(5) for row in (agg(n, at=n), agg(100 + n, at=n))]
    frame, remarks = read(TRADES, lines(rows))
    assert frame["agg_id"].to_list() == [0, 1, 2, 3, 4, 100, 101, 102, 103, 104]
    assert remarks["unsorted_rows"].rows == 4
    assert remarks["missing_ids"].rows == 95
    assert "the 95 from 5 to 99" in remarks["missing_ids"].text


def test_rows_that_stand_twice_are_kept_once() -> None:
    frame, remarks = read(SPOT, lines([bar(0), bar(0), bar(1), bar(1), bar(1)]))
    assert frame.height == 2
    assert {kind: remark.rows for kind, remark in remarks.items()} == {"doubled_rows": 3}


def test_of_two_rows_that_contradict_each_other_the_later_is_kept() -> None:
    frame, remarks = read(SPOT, lines([bar(0, close="101"), bar(1), bar(0, close="100")]))
    assert frame["close"].to_list() == [Decimal(100), Decimal("101.5")]
    assert remarks.keys() == {"contradicting_rows", "unsorted_rows"}
    assert remarks["contradicting_rows"].rows == 1


def test_the_later_of_two_is_kept_in_a_file_of_any_size() -> None:
    """A sort that moves equal keys past each other does so only in larger files."""
    earlier, later = ([bar(n, close=close) for n in range(1440)] for close in ("101", "100"))
    Random(1).shuffle(earlier)
    Random(2).shuffle(later)
    frame, remarks = read(SPOT, lines([*earlier, *later]))
    assert frame["close"].unique().to_list() == [Decimal(100)]
    assert remarks["contradicting_rows"].rows == 1440


def test_liquidations_stand_twice_in_every_file() -> None:
    piece = daily("coin_futures", "liquidation_snapshot", "2024-01-01", symbol="BTCUSD_PERP")
    header = (
        "time,side,order_type,time_in_force,original_quantity,price,average_price,order_status,last_fill_quantity,"
        "accumulated_fill_quantity"
    )
    one = [ms("2024-01-01") + 5, "SELL", "LIMIT", "IOC", 10, "42000.1", "42000", "FILLED", 10, 10]
    other = [ms("2024-01-01") + 5, "BUY", "LIMIT", "IOC", 10, "42000.1", "42000", "FILLED", 10, 10]
    frame, remarks = read(piece, lines([one, one, other, other], header=header))
    assert frame["side"].to_list() == ["BUY", "SELL"]
    assert remarks["doubled_rows"].rows == 2


def test_rows_of_another_day_are_left_out_and_said() -> None:
    rows = [bar(-1), bar(0), bar(1439), bar(1440), bar(1441)]
    frame, remarks = read(SPOT, lines(rows))
    assert frame.height == 2
    assert remarks.keys() == {"outside_rows"}
    assert remarks["outside_rows"].rows == 3
    assert "2024-12-31 23:59:00" in remarks["outside_rows"].text


def test_a_file_of_another_day_is_none() -> None:
    with pytest.raises(ArchiveError, match=r"no row of .* is of its time: the first says 2025-01-02 00:00:00"):
        read(SPOT, lines([bar(1440), bar(1441)]))


# -------------------------------------------------------------------------------------- what is remarkable


def test_gaps_in_ids_are_said() -> None:
    frame, remarks = read(TRADES, lines([agg(1), agg(2), agg(5), agg(9)]))
    assert frame.height == 4
    assert remarks["missing_ids"].rows == 5
    assert "in 2 places" in remarks["missing_ids"].text


def test_quantities_of_zero_are_kept_and_said() -> None:
    frame, remarks = read(TRADES, lines([agg(1), agg(2, qty="0.0"), agg(3, qty="0")]))
    assert frame.height == 3
    assert remarks["zero_values"].rows == 2
    assert "agg_id 2" in remarks["zero_values"].text


def test_bands_that_say_the_same_for_hours_are_said() -> None:
    piece = daily("futures", "book_depth", "2026-09-03")

    def rows(frozen: bool) -> list[list[object]]:
        return [
            [f"2026-09-03 {minute // 60:02}:{minute % 60:02}:00", percentage, 1 if frozen else minute + 1, "5.5"]
            for minute in range(180)
            for percentage in ("-5", "5.00")
        ]

    header = "timestamp,percentage,depth,notional"
    frame, remarks = read(piece, lines(rows(frozen=False), header=header))
    assert (frame.height, remarks) == (360, {})
    assert frame["percentage"].unique().sort().to_list() == [Decimal(-5), Decimal(5)]
    frame, remarks = read(piece, lines(rows(frozen=True), header=header))
    assert frame.height == 360
    assert remarks["frozen_values"].rows == 360
    assert "from 2026-09-03 00:00:00 to 2026-09-03 02:59:00" in remarks["frozen_values"].text


# -------------------------------------------------------------------------------------- metrics


@pytest.mark.parametrize("blank", ["", '""', " "])
def test_blank_cells_are_none_where_there_may_be_none(blank: str) -> None:
    text = lines([metric("2025-01-01 00:00:00", ratio=blank), metric("2025-01-01 00:05:00")], header=METRICS_HEADER)
    frame, remarks = read(METRICS, text)
    assert frame["top_long_short_account_ratio"].to_list() == [None, Decimal("1.2")]
    assert remarks == {}


def test_cells_that_are_no_number_are_none_and_said_where_there_may_be_none() -> None:
    rows = [
        metric("2025-01-01 00:00:00", ratio="n/a"),
        metric("2025-01-01 00:05:00"),
        metric("2025-01-01 00:10:00", ratio="NaN"),
    ]
    for prices in ("decimal", "float"):
        frame, remarks = read(METRICS, lines(rows, header=METRICS_HEADER), prices)
        assert frame["top_long_short_account_ratio"].is_null().to_list() == [True, False, True]
        assert remarks["unreadable_cells"].rows == 2
        assert "'n/a' in line 2" in remarks["unreadable_cells"].text


@pytest.mark.parametrize("first", ["00:00:00", "00:05:00"])
def test_labels_of_metrics_begin_at_midnight_or_five_minutes_after_and_come_in_any_order(first: str) -> None:
    rows = [metric("2025-01-01 00:15:00"), metric(f"2025-01-01 {first}"), metric("2025-01-01 00:10:00")]
    frame, remarks = read(METRICS, lines([*rows, rows[0]], header=METRICS_HEADER))
    assert frame["time"].to_list() == [
        datetime.fromisoformat(f"2025-01-01 {time}+00:00") for time in (first, "00:10:00", "00:15:00")
    ]
    assert remarks.keys() == {"unsorted_rows", "doubled_rows"}


def test_metrics_that_say_the_same_for_a_quarter_of_a_day_are_said() -> None:
    labels = [f"2025-01-01 {minute // 60:02}:{minute % 60:02}:00" for minute in range(0, 365, 5)]
    frame, remarks = read(METRICS, lines([metric(label) for label in labels], header=METRICS_HEADER))
    assert (frame.height, remarks["frozen_values"].rows) == (73, 73)
    _, remarks = read(METRICS, lines([metric(label) for label in labels[1:]], header=METRICS_HEADER))
    assert remarks == {}


def test_metrics_of_another_symbol_are_an_error() -> None:
    rows = [metric("2025-01-01 00:00:00"), ["2025-01-01 00:05:00", "ETHUSDT", *metric("")[2:]]]
    with pytest.raises(ArchiveError, match=r"line 3 .* has 'ETHUSDT' as symbol, which must be the symbol of the file"):
        read(METRICS, lines(rows, header=METRICS_HEADER))


def test_a_day_has_its_last_moment_and_not_the_next_days_first() -> None:
    rows = [agg(1, at=DAY - 1), agg(2, at=DAY)]
    frame, remarks = read(TRADES, lines(rows, header=AGG_TRADES_HEADER))
    assert frame["agg_id"].to_list() == [1]
    assert remarks["outside_rows"].rows == 1
