"""In which order the columns of one file stand, with or without a header."""

from __future__ import annotations

import re
from dataclasses import dataclass

from binance_sdk._runtime.archive import ArchiveColumn, ArchiveKind
from binance_sdk.errors import ArchiveError
from binance_sdk.history.piece import Remark

_BOM = b"\xef\xbb\xbf"
_NUMBER = re.compile(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?(?:[ T][0-9:]+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}.*")
_SHOWN = 200


@dataclass(frozen=True)
class Layout:
    """The columns of a file.

    Attributes:
        columns: In the order of the file; those that are none of the kind have no type.
        header: The cells of the header; empty where there is none.
    """

    columns: tuple[ArchiveColumn, ...]
    header: tuple[str, ...] = ()


def cells_of(line: str) -> tuple[str, ...]:
    """The cells of a line; none of the archive's has a comma in it."""
    return tuple(cell.strip().strip('"') for cell in line.strip("\r\n").split(","))


def layout_of(data: bytes, kind: ArchiveKind, url: str) -> tuple[bytes, Layout, list[Remark]]:
    """The data without its header, its layout, and what is to be said of that.

    A first line whose first cell is no number is a header: whether a file has one, neither its date nor its market
    tells. A header that has the names of the columns in another order, or more names, is believed. One with other names
    is not: the place of a column is the better witness, as the headers of COIN-M klines name amounts that they are not.

    Args:
        data: The beginning of the file.
        kind: What is in it.
        url: Where it came from, for errors.

    Raises:
        ArchiveError: It has other columns than those of the kind.
    """
    data = data.removeprefix(_BOM)
    end = data.find(b"\n") + 1 or len(data)
    try:
        first = cells_of(data[:end].decode())
    except UnicodeDecodeError as error:
        raise ArchiveError(f"line 1 of {url} is not UTF-8: {error}", url=url) from None
    count = len(kind.columns)
    blank = not "".join(first)
    if blank or _is_row(first[0], kind):
        if not blank and len(first) != count:
            raise ArchiveError(
                f"line 1 of {url} has {len(first)} cells and no header, and a row of {kind.name} has {count}: "
                f"{','.join(first)[:_SHOWN]}",
                url=url,
            )
        return data, Layout(kind.columns), []
    columns, remarks = _named(first, kind, url)
    return data[end:], Layout(columns, first), remarks


def _is_row(cell: str, kind: ArchiveKind) -> bool:
    return bool(_NUMBER.fullmatch(cell)) if kind.columns[0].type not in ("string", "bool", "symbol") else False


def _named(header: tuple[str, ...], kind: ArchiveKind, url: str) -> tuple[tuple[ArchiveColumn, ...], list[Remark]]:
    by_name = {column.wire: column for column in kind.columns}
    names = [name.casefold() for name in header]
    if len(set(names)) == len(names) and by_name.keys() <= set(names):
        more = [name for name in names if name not in by_name]
        columns = tuple(by_name.get(name) or ArchiveColumn(name, name, None) for name in names)
        text = f"the header names {', '.join(more)[:_SHOWN]} besides what is known, which is not kept"
        return columns, [Remark("more_columns", 0, text)] if more else []
    told = ",".join(header)[:_SHOWN]
    if len(header) != len(kind.columns):
        expected = ",".join(column.wire for column in kind.columns)
        text = f"{url} has the columns {told}, and files of {kind.name} have {expected}"
        raise ArchiveError(text, url=url)
    return kind.columns, [
        Remark(
            "unknown_header",
            0,
            f"the header says {told}; columns were taken by their place, as is known of {kind.name}",
        )
    ]
