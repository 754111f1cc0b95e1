"""Whatever order, unit and spelling a file has, its rows are the same; whatever bytes it has, it is read or refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from binance_sdk.catalogue import ARCHIVE
from binance_sdk.errors import ArchiveError
from binance_sdk.history.archive.reading import read_zip
from tests.history.archive.files import AGG_TRADES_HEADER, daily, lines, ms, read, stem_of, zipped

PIECE = daily("futures", "agg_trades", "2025-01-01")
KIND = ARCHIVE.kinds["futures", "agg_trades"]
START = ms("2025-01-01")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

decimals = st.decimals("0.00000001", "99999999", places=8)


@st.composite
def trades(draw: st.DrawFn) -> list[tuple[int, Decimal, Decimal, int, int, int, bool]]:
    """Rows with ids of their own, in no order, at whole milliseconds of the day."""
    ids = draw(st.lists(st.integers(0, 40), unique=True, min_size=1, max_size=20))
    moments = st.integers(START, START + 86_399_999)
    return [(n, draw(decimals), draw(decimals), n * 3, n * 3 + 2, draw(moments), draw(st.booleans())) for n in ids]


def spelled(draw: st.DrawFn, value: Decimal) -> str:
    """A decimal in any of the ways that mean the same."""
    plain = f"{value:f}"
    return draw(
        st.sampled_from(
            [plain, plain.rstrip("0").rstrip(".") if "." in plain else plain, plain + "00", f"{value:E}", f'"{plain}"']
        )
    )


@given(data=st.data(), rows=trades(), micro=st.booleans(), header=st.booleans(), crlf=st.booleans(), last=st.booleans())
def test_every_order_unit_spelling_and_repetition_gives_the_same_rows(
    data: st.DataObject,
    rows: list[tuple[int, Decimal, Decimal, int, int, int, bool]],
    micro: bool,
    header: bool,
    crlf: bool,
    last: bool,
) -> None:
    draw = data.draw
    again = draw(st.lists(st.sampled_from(rows), max_size=5))
    order = draw(st.permutations([*rows, *again]))
    texts = [
        [
            n,
            spelled(draw, price),  # type: ignore[arg-type]
            spelled(draw, qty),  # type: ignore[arg-type]
            first,
            end,
            at * 1000 if micro else at,
            draw(st.sampled_from([str(flag), str(flag).lower()])),
        ]
        for n, price, qty, first, end, at, flag in order
    ]
    text = lines(texts, header=AGG_TRADES_HEADER if header else "", end="\r\n" if crlf else "\n", last=last)
    frame, remarks = read(PIECE, text)
    wanted = [
        (n, price, qty, first, end, EPOCH + timedelta(milliseconds=at), flag)
        for n, price, qty, first, end, at, flag in sorted(rows)
    ]
    assert frame.rows() == wanted
    assert remarks.get("doubled_rows", None) is None or remarks["doubled_rows"].rows == len(again)
    assert ("doubled_rows" in remarks) == bool(again)
    ids = [n for n, *_ in order]
    assert ("unsorted_rows" in remarks) == (ids != sorted(ids))
    missing = max(ids) - min(ids) + 1 - len(set(ids))
    assert (remarks["missing_ids"].rows if "missing_ids" in remarks else 0) == missing
    as_floats, _ = read(PIECE, text, "float")
    assert as_floats["price"].to_list() == [float(price) for _, price, *_ in sorted(rows)]


# ------------------------------------------------------------------------------------ any bytes at all

CELLS = st.sampled_from(
    ["", '"', '""', "1", "-1", "1735689600000", "1735689600000000", "99999999999999999999999", "1e400", "1E-400", "nan",
     "true", "True", "x", "price", "agg_trade_id", "\0", "\r", " ", "é", "1.5", "0.000000000000000001", "9" * 400]
)  # fmt: skip
ANY_LINES = st.lists(st.lists(CELLS, min_size=5, max_size=9).map(",".join), max_size=6).map("\n".join).map(str.encode)


def is_read_or_refused(data: bytes) -> None:
    for prices in ("decimal", "float"):
        try:
            frame, _ = read_zip(data, KIND, PIECE, prices)  # type: ignore[arg-type]
        except ArchiveError:
            continue
        assert frame["agg_id"].is_sorted()
        assert frame["agg_id"].is_unique().all()
        assert frame.null_count().row(0) == (0,) * len(KIND.kept)


@given(ANY_LINES | st.binary(max_size=200))
@example(b"1,2\n1,2,3,4,5,6,7")
@example(b'"1,2,3,4,5,6,7\n"')
@example(b",,,,,,\n")
def test_any_text_in_a_zip_is_read_or_refused(text: bytes) -> None:
    is_read_or_refused(zipped(text, f"{stem_of(PIECE)}.csv"))


GOOD = zipped(lines([[1, "5", "1", 1, 1, START, "true"]], header=AGG_TRADES_HEADER), f"{stem_of(PIECE)}.csv")


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=6), st.integers(0, len(GOOD)))
def test_any_change_of_a_zip_is_read_or_refused(changes: Sequence[tuple[int, int]], length: int) -> None:
    damaged = bytearray(GOOD)
    for place, value in changes:
        damaged[place] = value
    is_read_or_refused(bytes(damaged[:length]) if length else bytes(damaged))


@given(st.binary(max_size=300))
def test_any_bytes_in_the_place_of_a_zip_are_refused(data: bytes) -> None:
    is_read_or_refused(data)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_of_compression_are_refused(method: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr(f"{stem_of(PIECE)}.csv", "1,5,1,1,1,1735689600000,true\n")
    with pytest.raises(ArchiveError, match="is compressed by method"):
        read_zip(out.getvalue(), KIND, PIECE, "decimal")
