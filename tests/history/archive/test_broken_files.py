"""Files of the archive that are torn, of another form or no files at all: read as far as is certain, or refused."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from decimal import Decimal

import polars as pl
import pytest

from binance_sdk.catalogue import ARCHIVE
from binance_sdk.errors import ArchiveError
from binance_sdk.history.archive import unzipping
from binance_sdk.history.archive.reading import read_zip
from binance_sdk.history.piece import Prices
from tests.history.archive.files import (
    KLINES_HEADER,
    bar,
    daily,
    lines,
    monthly,
    ms,
    read,
    stem_of,
    zipped,
)

SPOT = daily("spot", "klines", "2025-01-01", "1m")
FUTURES = daily("futures", "klines", "2025-01-01", "1m")
KLINES = ARCHIVE.kinds["spot", "klines"]


def test_nothing_is_read_of_a_zip_that_was_left() -> None:
    data = zipped(lines([bar(0)]), f"{stem_of(SPOT)}.csv")
    with unzipping.opened(io.BytesIO(data), stem_of(SPOT), "https://archive.test/x.zip") as (parts, others):
        assert others == []
    with pytest.raises(ArchiveError, match="closed"):
        next(parts)


# -------------------------------------------------------------------------------------- broken files


@pytest.mark.parametrize("cell", ["", '""', "abc", "nan", "inf", "1.2.3", "0x10", "1_000"])
@pytest.mark.parametrize("prices", ["decimal", "float"])
def test_a_cell_that_is_needed_and_no_number_is_an_error_with_its_line(cell: str, prices: Prices) -> None:
    with pytest.raises(ArchiveError, match=r"line 3 .* as close, which must be a number; 1 of 3 rows"):
        read(FUTURES, lines([bar(0), bar(1, close=cell), bar(2)], header=KLINES_HEADER), prices)


@pytest.mark.parametrize("cell", ["nan", "-Infinity", "1.5", "", "99999999999999999999", "1e30", "1e-3"])
def test_a_count_that_is_no_whole_number_is_an_error(cell: str) -> None:
    row = bar(1)
    row[8] = cell
    with pytest.raises(ArchiveError, match=r"line 2 .* as count, which must be a whole number"):
        read(SPOT, lines([bar(0), row]))


def test_whole_numbers_may_have_an_exponent_or_zeros_behind_the_point() -> None:
    rows = [bar(0), bar(1), bar(2)]
    rows[1][8], rows[2][8] = "1.2E+3", "7.000"
    frame, remarks = read(SPOT, lines(rows))
    assert frame["trade_count"].to_list() == [7, 1200, 7]
    assert remarks == {}


def test_headers_and_blank_lines_between_rows_are_left_out_and_said() -> None:
    text = lines([bar(0)], header=KLINES_HEADER) + "\n" + lines([bar(1)], header=KLINES_HEADER) + "\r\n"
    frame, remarks = read(FUTURES, text)
    assert frame.height == 2
    assert {kind: remark.rows for kind, remark in remarks.items()} == {"header_lines": 1, "blank_lines": 2}
    assert "line 4" in remarks["header_lines"].text


@pytest.mark.parametrize("cut", [1, 2, 8])
def test_a_row_with_too_few_cells_is_an_error(cut: int) -> None:
    with pytest.raises(ArchiveError, match=f"line 2 of .* has {12 - cut} cells and not 12"):
        read(SPOT, lines([bar(0), bar(1)[:-cut], bar(2)]))


def test_a_row_with_too_many_cells_is_an_error() -> None:
    with pytest.raises(ArchiveError, match=r"line 2 of .* has 13 cells and not 12"):
        read(SPOT, lines([bar(0), [*bar(1), 5]]))
    with pytest.raises(ArchiveError, match=r"line 1 of .* has 13 cells and no header"):
        read(SPOT, lines([[*bar(0), 5]]))


def test_a_quote_that_swallows_lines_loses_no_row() -> None:
    rows = [bar(0), [*bar(1)[:-1], '"0'], bar(2), [*bar(3)[:-1], '0"']]
    frame, _ = read(SPOT, lines(rows))
    assert frame.height == 4


@pytest.mark.parametrize("text", ['1,5,1,1,1,1735689600000,"', '1,5,1,1,1,1735689600000,true\n"'])
def test_a_quote_at_the_very_end_writes_nothing_to_the_terminal(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Polars panics over it, and what panics in Rust tells everybody."""
    for prices in ("decimal", "float"):
        with suppress(ArchiveError):
            read(daily("futures", "agg_trades", "2025-01-01"), text, prices)
    assert capfd.readouterr().err == ""


def test_columns_in_another_order_are_read_by_their_header() -> None:
    names = KLINES_HEADER.split(",")
    order = [*range(1, 12), 0]
    header = ",".join(names[n] for n in order)
    frame, remarks = read(FUTURES, lines([[bar(0)[n] for n in order]], header=header))
    wanted, _ = read(FUTURES, lines([bar(0)]))
    assert frame.equals(wanted)
    assert remarks == {}


def test_new_columns_with_a_name_are_said() -> None:
    frame, remarks = read(FUTURES, lines([[*bar(0), "x"]], header=KLINES_HEADER + ",mood"))
    assert frame.height == 1
    assert "mood" in remarks["more_columns"].text


def test_a_header_with_other_names_is_said_and_columns_are_taken_by_their_place() -> None:
    """As may be in COIN-M trades, whose fourth column is the base quantity."""
    piece = daily("coin_futures", "trades", "2025-01-01", symbol="BTCUSD_PERP")
    frame, remarks = read(
        piece,
        lines([[1, "5", "2", "0.4", ms("2025-01-01"), "true"]], header="id,price,qty,baseQty,time,is_buyer_maker"),
    )
    assert frame["base_qty"][0] == Decimal("0.4")
    assert "baseQty" in remarks["unknown_header"].text


def test_a_header_with_fewer_names_is_an_error() -> None:
    with pytest.raises(
        ArchiveError, match="has the columns open_time,open, and files of klines have open_time,open,high"
    ):
        read(FUTURES, "open_time,open\n1,2\n")


def test_what_is_no_text_is_an_error_with_its_line() -> None:
    with pytest.raises(ArchiveError, match=r"line 2 of .* is not UTF-8"):
        read(SPOT, lines([bar(0)]).encode() + b"\xff\xfe,1\n")
    with pytest.raises(ArchiveError, match=r"line 1 of .* is not UTF-8"):
        read(SPOT, b"\xff\xfe\n")


def test_moments_before_1970_are_an_error() -> None:
    with pytest.raises(ArchiveError, match="has the open_time -5, which is before 1970"):
        read(SPOT, lines([[-5, *bar(0)[1:]]]))


# -------------------------------------------------------------------------------------- the zip


def test_a_zip_of_several_files_is_read_by_name_and_the_others_are_said() -> None:
    data = zipped(lines([bar(0)]), f"{stem_of(SPOT)}.csv", **{"readme.txt": "hello"})
    frame, remarks = read_zip(data, KLINES, SPOT, "decimal")
    assert frame.height == 1
    assert [remark.kind for remark in remarks] == ["other_files"]
    assert "readme.txt" in remarks[0].text


def test_a_month_without_zero_is_the_same_month() -> None:
    piece = monthly("spot", "klines", "2020-08", "1d", "ADABKRW")
    row = bar(0, start=ms("2020-08-01"), unit=1)
    frame, _ = read_zip(zipped(lines([row]), "ADABKRW-1d-2020-8.csv"), KLINES, piece, "decimal")
    assert frame.height == 1


@pytest.mark.parametrize(
    "name", ["ETHUSDT-1m-2025-01-01.csv", "BTCUSDT-1m-2025-01-02.csv", "BTCUSDT-1m-2025-01-01.txt"]
)
def test_a_zip_with_a_file_of_another_name_is_an_error(name: str) -> None:
    with pytest.raises(ArchiveError, match=rf"holds no file of the name BTCUSDT-1m-2025-01-01.csv; in it is {name}"):
        read_zip(zipped(lines([bar(0)]), name), KLINES, SPOT, "decimal")


def test_a_zip_without_files_is_an_error() -> None:
    out = io.BytesIO()
    zipfile.ZipFile(out, "w").close()
    with pytest.raises(ArchiveError, match="in it is nothing"):
        read_zip(out.getvalue(), KLINES, SPOT, "decimal")


def test_bytes_that_are_no_zip_or_a_torn_one_are_an_error_that_names_the_file() -> None:
    good = zipped(lines([bar(n) for n in range(500)]), f"{stem_of(SPOT)}.csv")
    middle = len(good) // 2
    for data in (b"", b"<html>", good[:middle], good[:middle] + b"\0" * 20 + good[middle + 20 :]):
        with pytest.raises(ArchiveError, match=r"data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2025-01-01.zip"):
            read_zip(data, KLINES, SPOT, "decimal")


def test_a_zip_that_would_grow_beyond_all_data_is_refused_unread() -> None:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(f"{stem_of(SPOT)}.csv", "w", force_zip64=True) as member,
    ):
        for _ in range(65):
            member.write(b"\n" * 1024 * 1024)
    with pytest.raises(ArchiveError, match="become 68157440, which no file of data does"):
        read_zip(out.getvalue(), KLINES, SPOT, "decimal")


def test_a_large_file_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [bar(n) for n in range(300)]
    text = lines([*rows[:200], *rows[190:]], header=KLINES_HEADER)
    whole, remarks = read(FUTURES, text)
    monkeypatch.setattr(unzipping, "PART", 5000)
    parts, same = read(FUTURES, text)
    assert parts.equals(whole)
    assert same == remarks
    bad = text + "x,y\n"
    with pytest.raises(ArchiveError, match=rf"line {bad.count(chr(10))} of .* has 2 cells"):
        read(FUTURES, bad)


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unzipping, "PART", 100_000)
    with pytest.raises(ArchiveError, match="has a line of more than 65536 bytes"):
        read(SPOT, "".join(str(n * n) for n in range(40_000)))


def test_the_file_on_disk_is_read_as_well() -> None:
    data = io.BytesIO(zipped(lines([bar(0)]), f"{stem_of(SPOT)}.csv"))
    frame, _ = read_zip(data, KLINES, SPOT, "float")
    assert frame["low"].to_list() == [99.0]
    assert isinstance(frame["low"].dtype, pl.Float64)
