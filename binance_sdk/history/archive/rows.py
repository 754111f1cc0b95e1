"""Rows as a piece wants them: moments in UTC, only those of its span, in the order of the key, none twice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import polars as pl

from binance_sdk._runtime.archive import ArchiveKind
from binance_sdk.errors import ArchiveError
from binance_sdk.history.columns import polars_schema
from binance_sdk.history.piece import Prices, Remark

MISSING_IDS = "missing_ids"
MICROSECONDS_FROM = 100_000_000_000_000
"""A moment of so much or more is one in microseconds: in milliseconds it would be of the year 5138."""


def arranged(
    frame: pl.DataFrame, kind: ArchiveKind, span: tuple[int, int], prices: Prices, url: str, *, elsewhere: bool = False
) -> tuple[pl.DataFrame, list[Remark]]:
    """The rows of a file as those of a piece, and what was found on the way.

    Args:
        frame: Its rows.
        kind: What is in it.
        span: First moment and first moment after it, in milliseconds.
        prices: Whether decimal columns are exact or floats.
        url: Where it came from, for errors.
        elsewhere: The span is not that of the file, so that other rows are nothing to speak of.

    Raises:
        ArchiveError: No row is of the piece's span, or a moment cannot be.
    """
    remarks: list[Remark] = []
    if not frame.height:
        text = "the file has no row"
        return pl.DataFrame(schema=polars_schema(kind, prices)), [Remark("empty_file", 0, text)]
    frame = frame.with_columns(_moments(frame, kind, url))
    frame = _within(frame, kind, span, url, None if elsewhere else remarks)
    frame = _in_order(frame, kind, remarks)
    remarks += _looked_at(frame, kind)
    return frame.cast(
        {name: type_ for name, type_ in polars_schema(kind, prices).items() if type_.is_temporal()}
    ), remarks


def _moments(frame: pl.DataFrame, kind: ArchiveKind, url: str) -> list[pl.Series]:
    """The moments that are told in one unit or another, in microseconds."""
    found: list[pl.Series] = []
    for column in kind.kept:
        if column.type != "time":
            continue
        values = frame[column.name]
        least, most = cast("int", values.min()), cast("int", values.max())
        if least < 0:
            raise ArchiveError(f"{url} has the {column.wire} {least}, which is before 1970", url=url)
        if most < MICROSECONDS_FROM:
            values = values * 1000
        elif least < MICROSECONDS_FROM:
            values = frame.select(
                pl.when(pl.col(column.name) < MICROSECONDS_FROM)
                .then(pl.col(column.name) * 1000)
                .otherwise(pl.col(column.name))
            ).to_series()
        if column.milliseconds and most >= MICROSECONDS_FROM:
            values = values // 1000 * 1000
        found.append(values.alias(column.name))
    return found


def _within(
    frame: pl.DataFrame, kind: ArchiveKind, span: tuple[int, int], url: str, remarks: list[Remark] | None
) -> pl.DataFrame:
    times = frame[kind.time]
    start, end = span[0] * 1000, span[1] * 1000
    least, most = cast("int", times.min()), cast("int", times.max())
    if start <= least and most < end:
        return frame
    inside = times.is_between(start, end, closed="left")
    if remarks is None:
        return frame.filter(inside)
    rest = times.filter(~inside)
    if len(rest) == frame.height:
        text = f"no row of {url} is of its time: the first says {_shown(times[0])}"
        raise ArchiveError(text, url=url)
    if kind.cadence is not None:
        # Files may end with the first row of the next day, which is looked for there.
        rest = rest.filter(rest != end)
    if len(rest):
        text = f"{len(rest)} rows are of another time than the file and were left out, such as one of {_shown(rest[0])}"
        remarks.append(Remark("outside_rows", len(rest), text))
    return frame.filter(inside)


def _shown(microseconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(microseconds / 1_000_000, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return str(microseconds)


def _in_order(frame: pl.DataFrame, kind: ArchiveKind, remarks: list[Remark]) -> pl.DataFrame:
    key = list(kind.key)
    first = frame[key[0]]
    if len(key) == 1:
        step = cast("int | None", first.diff().min())
        if step is None or step > 0:
            return frame
    return _sorted(frame, kind, remarks)


def _sorted(frame: pl.DataFrame, kind: ArchiveKind, remarks: list[Remark]) -> pl.DataFrame:
    key = list(kind.key)
    fallen = frame.select(_follows(key, "<").sum()).item() or 0
    if fallen:
        text = f"{fallen} rows stood in front of one that comes before them; they were sorted by {', '.join(key)}"
        remarks.append(Remark("unsorted_rows", int(fallen), text))
    ordered = frame.sort(key, maintain_order=True)
    if not ordered.select(_follows(key, "=").any()).item():
        return ordered
    once = ordered.unique(maintain_order=True)
    doubled = ordered.height - once.height
    if doubled:
        text = f"{doubled} rows stood in the file again, alike in every column, and were left out"
        remarks.append(Remark("doubled_rows", doubled, text))
    one_a_key = once.unique(subset=key, keep="last", maintain_order=True)
    contradicting = once.height - one_a_key.height
    if contradicting:
        example = once.filter(once.select(key).is_duplicated()).select(key).row(0)
        named = ", ".join(f"{name} {value}" for name, value in zip(key, example, strict=True))
        text = f"{contradicting} rows say something else than a later row with the same key and were left out ({named})"
        remarks.append(Remark("contradicting_rows", contradicting, text))
    return one_a_key


def _follows(key: list[str], what: str) -> pl.Expr:
    """Of each row, whether its key is less than, or equal to, that of the row before."""
    equal = pl.lit(value=True)
    less = pl.lit(value=False)
    for name in key:
        before = pl.col(name).shift(1)
        less = less | (equal & (pl.col(name) < before))
        equal = equal & (pl.col(name) == before)
    return (less if what == "<" else equal).fill_null(value=False)


# ------------------------------------------------------------------------------------ what is remarkable


def _looked_at(frame: pl.DataFrame, kind: ArchiveKind) -> list[Remark]:
    remarks: list[Remark] = []
    if kind.sequence is not None:
        remarks += missing_ids(frame, kind.sequence)
    above = [column.name for column in kind.kept if column.above_zero]
    if above and any(cast("float", frame[name].min()) <= 0 for name in above):
        rows = frame.filter(pl.any_horizontal(pl.col(name) <= 0 for name in above))
        named = ", ".join(f"{name} {rows[name][0]}" for name in (*kind.key[:1], *above))
        text = f"{rows.height} rows have a value that is not above zero, and were kept, such as that with {named}"
        remarks.append(Remark("zero_values", rows.height, text))
    if kind.frozen_after is not None:
        remarks += _frozen(frame, kind, kind.frozen_after)
    return remarks


def missing_ids(frame: pl.DataFrame, name: str) -> list[Remark]:
    """What is to be said of ids that should grow by one, in rows that are in their order."""
    ids = frame[name]
    missing = int(ids[-1]) - int(ids[0]) + 1 - frame.height
    if missing <= 0:
        return []
    steps = frame.select(pl.col(name), step=pl.col(name).diff()).filter(pl.col("step") > 1)
    last, step = steps.row(0)
    text = (
        f"{missing} ids of {name} are missing in {steps.height} places, first the {step - 1} "
        f"from {last - step + 1} to {last - 1}"
    )
    return [Remark(MISSING_IDS, missing, text)]


def _frozen(frame: pl.DataFrame, kind: ArchiveKind, longest: int) -> list[Remark]:
    """Runs of rows that say the same for so long, apart for each value of the rest of the key."""
    rest = [name for name in kind.key if name != kind.time]
    values = [column.name for column in kind.kept if column.name not in kind.key]
    ordered = frame.sort([*rest, kind.time])
    new = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in (*rest, *values))
    runs = ordered.group_by(new.cum_sum().alias("run"), maintain_order=True).agg(
        pl.len().alias("rows"), pl.col(kind.time).min().alias("from"), pl.col(kind.time).max().alias("to")
    )
    # Two that are alike before and after a hole are none.
    runs = runs.filter((pl.col("to") - pl.col("from") >= longest * 1000) & (pl.col("rows") > 2))
    if not runs.height:
        return []
    rows = int(runs["rows"].sum())
    first = runs.row(0, named=True)
    text = (
        f"{rows} rows say the same for a long time, such as those from {_shown(first['from'])} to {_shown(first['to'])}"
    )
    return [Remark("frozen_values", rows, text)]
