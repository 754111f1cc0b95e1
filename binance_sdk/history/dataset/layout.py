"""Which file of a dataset is what: one Parquet file a piece, in folders by series and month, and a record."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote

from binance_sdk.history.piece import Piece, Series

MANIFEST = "_manifest"
"""What the dataset knows of itself. Programs that read a folder of Parquet files leave out what begins with ``_``."""

FACTS = f"{MANIFEST}/dataset.json"
CLAIMS = f"{MANIFEST}/claims"

ABSENCES = f"{MANIFEST}/absences"

STAGED = ".staged"
"""How the name of a file ends that waits for its record before it takes the place of an older one."""

_DAY = 86_400_000

_MONTH_BAR = {"1M": "1mo"}
"""Some file systems do not tell ``interval=1M`` from ``interval=1m``; the archive spells it so, too."""


def series_folder(series: Series) -> str:
    """Where the files of a series lie."""
    parts = [f"market={series.market}", f"kind={series.kind}", f"symbol={quote(series.symbol, safe='')}"]
    if series.interval:
        parts.append(f"interval={_MONTH_BAR.get(series.interval, series.interval)}")
    return "/".join(parts)


def parquet_path(piece: Piece) -> str:
    """Where the rows of a piece lie."""
    return f"{series_folder(piece.series)}/month={piece.month}/{piece.name}.parquet"


def records_folder(series: Series) -> str:
    """Where the records of a series lie."""
    return f"{MANIFEST}/{series_folder(series)}"


def record_path(piece: Piece) -> str:
    """Where what is known of a piece lies."""
    return f"{records_folder(piece.series)}/month={piece.month}/{piece.name}.json"


def absences_folder(series: Series | None = None) -> str:
    """Where it lies that sources were asked in vain, of all series or of one."""
    return ABSENCES if series is None else f"{ABSENCES}/{series_folder(series)}"


def staged_path(piece: Piece, sha256: str) -> str:
    """Where new rows of a piece wait until its record names them."""
    folder, _, name = parquet_path(piece).rpartition("/")
    return f"{folder}/.{name}.{sha256[:16]}{STAGED}"


_PART = re.compile(
    r"(?P<month>\d{4}-\d\d)\.monthly|(?P<day>\d{4}-\d\d-\d\d)\.daily"
    r"|(?P<first>\d{4}-\d\d-\d\dT\d{6}(?:\.\d{3})?)-(?P<last>\d{4}-\d\d-\d\dT\d{6}(?:\.\d{3})?)\.rest"
)


def span_in(name: str) -> tuple[int, int]:
    """The span that a piece of this name lies in, in milliseconds, to tell pieces apart without reading their records.

    Args:
        name: ``Piece.name``; of any other text nothing is known, and it may be any span.
    """
    found = _PART.fullmatch(name)
    if found is None:
        return 0, 1 << 62
    if found["month"]:
        start = _moment(found["month"], "%Y-%m")
        return start, start + 31 * _DAY
    if found["day"]:
        start = _moment(found["day"], "%Y-%m-%d")
        return start, start + _DAY
    return _precisely(found["first"]), _precisely(found["last"])


def _precisely(text: str) -> int:
    seconds, _, below = text.partition(".")
    return _moment(seconds, "%Y-%m-%dT%H%M%S") + int(below or 0)


def _moment(text: str, form: str) -> int:
    return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()) * 1000
