"""Files of our own making as the archive has them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from binance_sdk.catalogue import ARCHIVE, Market
from binance_sdk.history.archive.file_names import path_of
from binance_sdk.history.archive.reading import read_zip
from binance_sdk.history.piece import Piece, Prices, Remark, Series

DAY = 86_400_000


def ms(day: str) -> int:
    """Midnight of a day such as ``2025-01-31``, in milliseconds."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000


def daily(market: Market, kind: str, day: str, interval: str = "", symbol: str = "BTCUSDT") -> Piece:
    """The piece of a day."""
    start = ms(day)
    return Piece(Series(market, kind, symbol, interval), start, start + DAY, "archive_daily")


def monthly(market: Market, kind: str, month: str, interval: str = "", symbol: str = "BTCUSDT") -> Piece:
    """The piece of a month such as ``2025-01``."""
    first = datetime.fromisoformat(f"{month}-01")
    after = (first + timedelta(days=32)).replace(day=1)
    return Piece(
        Series(market, kind, symbol, interval), ms(f"{first:%Y-%m-%d}"), ms(f"{after:%Y-%m-%d}"), "archive_monthly"
    )


def stem_of(piece: Piece) -> str:
    """What the CSV of a piece is called, without its ending."""
    return path_of(ARCHIVE, piece).rsplit("/", 1)[-1].removesuffix(".zip")


def zipped(text: str | bytes, name: str, **others: str) -> bytes:
    """A zip with one file, and perhaps others."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for other, inner in others.items():
            archive.writestr(other, inner)
        archive.writestr(name, text)
    return out.getvalue()


def read(piece: Piece, text: str | bytes, prices: Prices = "decimal") -> tuple[pl.DataFrame, dict[str, Remark]]:
    """The rows of a CSV, and remarks by their kind."""
    kind = ARCHIVE.kinds[piece.series.market, piece.series.kind]
    frame, remarks = read_zip(zipped(text, f"{stem_of(piece)}.csv"), kind, piece, prices)
    found = {remark.kind: remark for remark in remarks}
    assert len(found) == len(remarks)
    return frame, found


def lines(rows: Sequence[Sequence[object]], *, header: str = "", end: str = "\n", last: bool = True) -> str:
    """Rows as a CSV."""
    texts = [header] if header else []
    texts += [",".join(map(str, row)) for row in rows]
    return end.join(texts) + (end if last else "")


def bar(
    minute: int, *, start: int = ms("2025-01-01"), unit: int = 1000, close: str = "101.5", count: int = 7
) -> list[object]:
    """A bar of one minute; ``unit`` is how many of the file's units a millisecond has."""
    opens = (start + minute * 60_000) * unit
    closes = opens + 60_000 * unit - 1
    return [opens, "100.1", "102.25", "99", close, "12.5", closes, "1260.123", count, "6", "600.5", 0]


KLINES_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
AGG_TRADES_HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
METRICS_HEADER = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio"
)
