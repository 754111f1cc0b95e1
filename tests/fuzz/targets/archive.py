"""Zips of the archive: the first line names market and kind of data, the rest is the zip."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import Literal

from binance_sdk._runtime.archive import ArchiveColumn, ArchiveKind
from binance_sdk.catalogue import ARCHIVE
from binance_sdk.errors import ArchiveError
from binance_sdk.history.archive.reading import read_zip
from binance_sdk.history.piece import Piece
from tests.fuzz.targets.naming import split
from tests.history.archive.files import daily, monthly, stem_of

_KINDS = {f"{market} {name}": kind for (market, name), kind in ARCHIVE.kinds.items()}
_SYMBOLS = {"spot": "BTCUSDT", "futures": "BTCUSDT", "coin_futures": "BTCUSD_PERP"}
_PRICES: tuple[Literal["decimal", "float"], ...] = ("decimal", "float")
_ROWS = 4


def _piece(kind: ArchiveKind) -> Piece:
    symbol = "BTCUSD" if kind.symbol == "pair" and kind.market == "coin_futures" else _SYMBOLS[kind.market]
    interval = "1h" if kind.intervals else ""
    if "daily" in kind.periods:
        return daily(kind.market, kind.name, "2025-01-01", interval, symbol)
    return monthly(kind.market, kind.name, "2025-01", interval, symbol)


def _cell(column: ArchiveColumn, row: int, piece: Piece) -> str:
    moment = piece.start + row * 3_600_000
    match column.type:
        case "time":
            return str(moment)
        case "text_time":
            return f"{datetime.fromtimestamp(moment / 1000, UTC):%Y-%m-%d %H:%M:%S}"
        case "decimal":
            return f"10{row}.25"
        case "int" | "id":
            return str(row + 1)
        case "bool":
            return "true"
        case "symbol":
            return piece.series.symbol
        case "string":
            return "BUY"
        case None:
            return "0"


def seeds() -> list[bytes]:
    made: list[bytes] = []
    for name, kind in _KINDS.items():
        piece = _piece(kind)
        rows = [",".join(_cell(column, row, piece) for column in kind.columns) for row in range(_ROWS)]
        text = "\n".join([",".join(column.wire for column in kind.columns), *rows, ""])
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            # Without the time of day, so that the same bytes come of it each time.
            archive.writestr(zipfile.ZipInfo(f"{stem_of(piece)}.csv"), text)
        made.append(name.encode() + b"\n" + out.getvalue())
    return made


def target(data: bytes) -> bool:
    """A file is read, its rows by key, each once and whole, or it is refused."""
    kind, content = split(data, _KINDS)
    piece = _piece(kind)
    read = 0
    for prices in _PRICES:
        try:
            frame, remarks = read_zip(content, kind, piece, prices)
        except ArchiveError as error:
            assert 10 < len(str(error)) < 2000
            continue
        read += 1
        assert frame.columns == [column.name for column in kind.kept]
        assert frame.height == frame.unique(kind.key).height
        assert all(frame[column.name].null_count() == 0 or column.nullable for column in kind.kept)
        assert all(len(remark.text) < 2000 for remark in remarks)
    return read == len(_PRICES)
