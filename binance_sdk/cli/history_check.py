"""``binance-sdk history check`` and ``info``: what is kept, and whether it is what it should be."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.text import Text

from binance_sdk.cli.console import make_console
from binance_sdk.cli.exit_codes import ExitCode
from binance_sdk.cli.formats import ABSENT, duration, printable
from binance_sdk.cli.history import installed, settings_for
from binance_sdk.cli.history_progress import size_of
from binance_sdk.cli.history_tables import SOURCES, moment_or_day
from binance_sdk.cli.tables import make_table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from binance_sdk.history import CheckReport, Defect, Series, SeriesCheck

_SHOWN = 20
"""Lines of one table; all that is known is in the JSON."""


def run_check(dataset: str, *, deep: bool, as_json: bool, environment: str | None) -> ExitCode:
    """Prove a dataset and print what was found.

    Args:
        dataset: Where it is.
        deep: Ask the sources as well.
        as_json: Print JSON.
        environment: Which exchange is asked.

    Returns:
        ``DECODE`` where something must not be, ``NOTED`` where something is missing that there could be.

    Raises:
        CommandError: an extra is not installed.
        BinanceError: there is no such dataset, or a source did not answer.
    """
    with installed():
        from binance_sdk import history

        report = history.check(dataset, deep=deep, settings=settings_for(history.FetchSettings, environment))
    if as_json:
        told = {"sound": report.sound, "complete": report.complete, "rows": report.rows, **asdict(report)}
        sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    else:
        console = make_console()
        for part in _parts(report):
            console.print(part)
    if not report.sound:
        return ExitCode.DECODE
    return ExitCode.OK if report.complete else ExitCode.NOTED


def run_info(dataset: str, *, as_json: bool) -> None:
    """Print what a dataset has, by its manifest alone.

    Raises:
        CommandError: an extra is not installed.
        DatasetError: there is no such dataset.
    """
    with installed():
        from binance_sdk import history

        found = history.info(dataset)
    if as_json:
        told = {"rows": found.rows, "bytes": found.bytes, **asdict(found)}
        sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        return
    console = make_console()
    table = make_table()
    for name in ("series", "pieces", "rows", "size", "from", "to", "made of", "remarked", "holes"):
        to_the_left = name in ("series", "from", "to", "made of", "remarked")
        table.add_column(name, justify="left" if to_the_left else "right", overflow="fold", no_wrap=name == "rows")
    for one in found.series:
        sources = ", ".join(f"{count:,} {SOURCES[source]}" for source, count in sorted(one.sources.items()))
        table.add_row(
            Text(printable(named(one.series))),
            f"{one.pieces:,}",
            f"{one.rows:,}",
            size_of(one.bytes),
            moment_or_day(one.first_time),
            moment_or_day(one.last_time),
            sources,
            ", ".join(f"{rows:,} {kind}" for kind, rows in sorted(one.remarks.items())) or ABSENT,
            f"{len(one.holes):,}" if one.holes else ABSENT,
        )
    console.print(table)
    terms = ", ".join(sorted({version for one in found.series for version in one.terms})) or found.facts.terms
    words = (
        f"{found.rows:,} rows of {len(found.series):,} series, {size_of(found.bytes)}; prices as {found.facts.prices}; "
        f"under version {terms} of the archive's terms"
    )
    console.print(Text(words, style="bold"))


def _parts(report: CheckReport) -> Iterator[RenderableType]:
    table = make_table()
    for name in ("series", "pieces", "rows", "size", "from", "to", "missing", "wrong"):
        table.add_column(
            name,
            justify="left" if name in ("series", "from", "to") else "right",
            overflow="fold",
            no_wrap=name == "rows",
        )
    for found in report.series:
        table.add_row(
            Text(printable(named(found.series))),
            f"{found.pieces:,}",
            f"{found.rows:,}",
            size_of(found.bytes),
            moment_or_day(found.first_time),
            moment_or_day(found.last_time),
            _missing(found),
            f"{len(found.defects):,}" if found.defects else ABSENT,
        )
    yield table
    yield from _holes(report)
    yield from _defects([*report.defects, *(defect for found in report.series for defect in found.defects)])
    yield from _remarks(report)
    yield Text(verdict(report), style="bold")


def verdict(report: CheckReport) -> str:
    """What the check comes to, in a line."""
    if not report.sound:
        words = "something is wrong"
    elif not report.complete:
        words = "what is there is right; something is missing"
    else:
        words = "all is there, and right"
    return f"{report.rows:,} rows of {len(report.series):,} series in {duration(report.seconds)}: {words}"


def named(series: Series) -> str:
    """A series in words: ``BTCUSDT 1m klines of futures``."""
    interval = f" {series.interval}" if series.interval else ""
    return f"{series.symbol}{interval} {series.kind} of {series.market.replace('_', '-')}"


def _missing(found: SeriesCheck) -> str:
    if not found.hole_count:
        return ABSENT
    counted = ", ".join(f"{rows:,} {reason}" for reason, rows in sorted(found.missing.items()))
    return counted or f"{found.hole_count:,} holes"


def _holes(report: CheckReport) -> Iterator[RenderableType]:
    holes = [(found.series, hole) for found in report.series for hole in found.holes]
    if not holes:
        return
    table = make_table()
    for name in ("hole in", "from", "to", "rows", "because"):
        table.add_column(name, justify="right" if name == "rows" else "left", overflow="fold")
    for series, hole in holes[:_SHOWN]:
        table.add_row(
            Text(printable(named(series))),
            moment_or_day(hole.start),
            moment_or_day(hole.end),
            ABSENT if hole.missing is None else f"{hole.missing:,}",
            Text(printable(f"{hole.reason}: {hole.text}")),
        )
    yield table
    count = sum(found.hole_count for found in report.series)
    if count > min(len(holes), _SHOWN):
        yield Text(f"and {count - min(len(holes), _SHOWN):,} more holes")


def _defects(defects: list[Defect]) -> Iterator[RenderableType]:
    if not defects:
        return
    table = make_table()
    for name in ("wrong", "file", "rows", "what"):
        table.add_column(name, justify="right" if name == "rows" else "left", overflow="fold")
    for defect in defects[:_SHOWN]:
        rows = f"{defect.rows:,}" if defect.rows else ABSENT
        table.add_row(Text(defect.kind), Text(printable(defect.path)), rows, Text(printable(defect.text)))
    yield table
    if len(defects) > _SHOWN:
        yield Text(f"and {len(defects) - _SHOWN:,} more")


def _remarks(report: CheckReport) -> Iterator[RenderableType]:
    grouped: dict[str, list[tuple[str, int, str]]] = defaultdict(list)
    for found in report.series:
        for piece, remark in found.remarks:
            grouped[remark.kind].append((f"{found.series.symbol} {piece}", remark.rows, remark.text))
    if not grouped:
        return
    table = make_table()
    for name in ("remark", "pieces", "rows", "for example"):
        table.add_column(name, justify="right" if name in ("pieces", "rows") else "left", overflow="fold")
    for kind, said in sorted(grouped.items()):
        piece, _, text = said[0]
        rows = sum(count for _, count, _ in said)
        table.add_row(Text(kind), f"{len(said):,}", f"{rows:,}", Text(printable(f"{piece}: {text}")))
    yield table
