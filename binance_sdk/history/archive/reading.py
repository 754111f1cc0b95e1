"""From a zip of the archive to a frame: pure, exact, and never silent about what was wrong with it."""

from __future__ import annotations

import io
import re
from pathlib import PurePosixPath
from typing import IO

import polars as pl

from binance_sdk._runtime.archive import Archive, ArchiveKind
from binance_sdk.catalogue import ARCHIVE
from binance_sdk.history.archive.cells import cells
from binance_sdk.history.archive.file_names import path_of
from binance_sdk.history.archive.layout import Layout, layout_of
from binance_sdk.history.archive.rows import arranged
from binance_sdk.history.archive.unzipping import opened
from binance_sdk.history.piece import Piece, Prices, Remark

_NUMBERS = re.compile("[0-9]+")


def read_zip(
    data: bytes | IO[bytes],
    kind: ArchiveKind,
    piece: Piece,
    prices: Prices,
    *,
    url: str = "",
    archive: Archive = ARCHIVE,
    span: tuple[int, int] | None = None,
) -> tuple[pl.DataFrame, tuple[Remark, ...]]:
    """The rows of a file of the archive.

    Whether the file has a header, whether its times are milli- or microseconds and how it spells true and false is
    found out for each file. Rows are sorted by the key of the kind; one that stands in the file again is left out, and
    of two with the same key that differ, the later one is kept. Rows of another day or month than the file's are left
    out. A cell that is no number is none where the column may have none. All that is said in remarks.

    Args:
        data: The zip.
        kind: What is in it.
        piece: Which file it is.
        prices: Whether decimal columns are exact or floats. An exact one is never rounded.
        url: Where it came from, for errors; the path in the archive where it is left out.
        archive: What the archive has.
        span: First moment and first moment after it, in milliseconds, of the rows that are wanted, where that is not
            the file's own time.

    Raises:
        ArchiveError: It is no such file, a row has not the cells that it should, or a cell that is needed is no number.
    """
    path = path_of(archive, piece)
    url = url or path
    remarks: list[Remark] = []
    frames: list[pl.DataFrame] = []
    layout: Layout | None = None
    line = 1
    with opened(io.BytesIO(data) if isinstance(data, bytes) else data, PurePosixPath(path).stem, url) as (
        parts,
        others,
    ):
        if others:
            text = f"the zip holds {len(others)} other files, which were not read: {', '.join(others)[:200]}"
            remarks.append(Remark("other_files", 0, text))
        for part in parts:
            if layout is None:
                part, layout, found = layout_of(part, kind, url)
                remarks += found
                line += bool(layout.header)
            frame, lines, found = cells(part, layout, prices, piece.series.symbol, url, line)
            line += lines
            remarks += found
            if frame.height:
                frames.append(frame)
    frame = pl.concat(frames) if frames else pl.DataFrame()
    frame, found = arranged(frame, kind, span or (piece.start, piece.end), prices, url, elsewhere=span is not None)
    return frame.select(column.name for column in kind.kept), tuple(_together([*remarks, *found]))


def _together(remarks: list[Remark]) -> list[Remark]:
    """Remarks of several parts of a large file as those of one."""
    found: dict[tuple[str, str], Remark] = {}
    for remark in remarks:
        # The same words but for how many and where; the first place is enough.
        key = remark.kind, _NUMBERS.sub("", remark.text.partition(" such as ")[0])
        known = found.get(key)
        found[key] = remark if known is None else Remark(known.kind, known.rows + remark.rows, known.text)
    return list(found.values())
