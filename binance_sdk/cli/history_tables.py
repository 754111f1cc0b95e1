"""Plans and reports of history as tables and as JSON."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.text import Text

from binance_sdk.cli.console import make_console
from binance_sdk.cli.formats import ABSENT, compact, duration, printable
from binance_sdk.cli.history_progress import size_of
from binance_sdk.cli.tables import make_table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from binance_sdk.errors import RunError
    from binance_sdk.history import Figure, HistoryPlan, Piece, Remark, RunReport, Unreachable

SOURCES = {"archive_monthly": "archive, by month", "archive_daily": "archive, by day", "rest": "REST"}
_SIGNS = {"exact": "", "at_most": "at most ", "estimate": "about "}
_SHOWN = 8
"""Lines of one table about spans and failures; all of them are in the JSON."""


# --------------------------------------------------------------------------------------------- plans


def print_plan(plan: HistoryPlan, *, fetched: bool = True) -> None:
    """Print what it takes.

    Args:
        plan: The plan.
        fetched: Whether it is carried out now.
    """
    console = make_console()
    symbols = ", ".join(series.symbol for series in plan.series[:_SHOWN])
    more = f" and {len(plan.series) - _SHOWN} more" if len(plan.series) > _SHOWN else ""
    interval = f" {plan.series[0].interval}" if plan.series[0].interval else ""
    head = f"{plan.kind}{interval} of {symbols}{more}, {_day(plan.start)} to {_day(plan.end)} (UTC)"
    console.print(Text(printable(head), style="bold"))
    table = make_table()
    for name in ("from", "pieces", "span"):
        table.add_column(name, justify="right" if name == "pieces" else "left")
    for source, words in SOURCES.items():
        pieces = [piece for piece in plan.pieces if piece.source == source]
        if pieces:
            first, last = min(piece.start for piece in pieces), max(piece.end for piece in pieces)
            table.add_row(words, f"{len(pieces):,}", f"{moment_or_day(first)} to {moment_or_day(last)}")
    if plan.pieces:
        console.print(table)
    for part in _unreachable(plan.unreachable):
        console.print(part)
    console.print(Text(_price(plan) + ("" if fetched else ". Nothing was fetched.")))


def _price(plan: HistoryPlan) -> str:
    kept = f"; {plan.kept:,} pieces are there already" if plan.kept else ""
    if not plan.pieces:
        return f"nothing to fetch{kept}"
    figures = [
        f"{_figure(plan.rows)} rows",
        f"{_figure(plan.requests)} requests",
        f"weight {_figure(plan.weight)}",
        f"{_SIGNS[plan.bytes.certainty]}{size_of(plan.bytes.value)} to fetch",
        f"{_SIGNS[plan.disk.certainty]}{size_of(plan.disk.value)} on disk",
        f"{_SIGNS[plan.minutes.certainty]}{duration(plan.minutes.value * 60)}",
    ]
    return ", ".join(figures) + kept


def _figure(figure: Figure) -> str:
    return _SIGNS[figure.certainty] + compact(Decimal(round(figure.value)))


def plan_as_json(plan: HistoryPlan) -> dict[str, Any]:
    """A plan as JSON: moments in milliseconds since 1970, and how sure each figure is."""
    figures = ("rows", "requests", "weight", "bytes", "disk", "minutes")
    return {
        "market": plan.market,
        "kind": plan.kind,
        "interval": plan.series[0].interval or None,
        "symbols": [series.symbol for series in plan.series],
        "start": plan.start,
        "end": plan.end,
        "source": plan.source,
        "listed": plan.listed,
        "kept": plan.kept,
        **{name: {"value": getattr(plan, name).value, "certainty": getattr(plan, name).certainty} for name in figures},
        "pieces": [_piece(piece) for piece in plan.pieces],
        "unreachable": [_span(span) for span in plan.unreachable],
    }


# ------------------------------------------------------------------------------------------- reports


def print_report(report: RunReport, out: str, told: Iterable[Unreachable] = ()) -> None:
    """Print what was done.

    Args:
        report: What was done.
        out: The dataset.
        told: What is known already of what no source has.
    """
    console = make_console()
    known = set(told)
    for part in _remarks(report):
        console.print(part)
    for part in _unreachable(span for span in report.unreachable if span not in known):
        console.print(part)
    checked, changed = changed_by(report) or (0, ())
    words = [
        f"{len(report.fetched):,} pieces with {report.rows:,} rows are new in {out}",
        f"{len(report.kept):,} were there" if report.kept else "",
        f"{checked:,} files compared with the archive's, {len(changed):,} of them replaced since" if checked else "",
        f"{report.requests:,} requests, weight {report.weight:,}, {size_of(report.bytes)}, {duration(report.seconds)}",
    ]
    console.print(Text(printable("; ".join(filter(None, words))), style="bold"))


def _remarks(report: RunReport) -> Iterator[RenderableType]:
    grouped: dict[str, list[tuple[Piece, Remark]]] = defaultdict(list)
    for piece, remark in report.remarks:
        grouped[remark.kind].append((piece, remark))
    if grouped:
        table = make_table()
        for name in ("remark", "pieces", "rows", "for example"):
            table.add_column(name, justify="right" if name in ("pieces", "rows") else "left", overflow="fold")
        for kind, found in sorted(grouped.items()):
            piece, remark = found[0]
            rows = sum(one.rows for _, one in found)
            example = Text(printable(f"{piece.series.symbol} {piece.name}: {remark.text}"))
            table.add_row(Text(printable(kind)), f"{len(found):,}", f"{rows:,}", example)
        yield table


def print_failures(error: RunError) -> None:
    """Print what could not be fetched."""
    console = make_console()
    table = make_table()
    for name in ("failed", "because"):
        table.add_column(name, overflow="fold")
    for piece, cause in list(error.failures.items())[:_SHOWN]:
        table.add_row(Text(printable(piece)), Text(printable(str(cause))))
    console.print(table)
    if len(error.failures) > _SHOWN:
        console.print(Text(f"and {len(error.failures) - _SHOWN:,} more pieces"))


def failures_as_json(error: RunError) -> dict[str, Any]:
    """What could not be fetched, as JSON; the report of a run without failures has the key too."""
    return {
        "failures": [
            {"piece": piece, "error": type(cause).__name__, "text": str(cause)}
            for piece, cause in error.failures.items()
        ]
    }


def changed_by(report: RunReport) -> tuple[int, Sequence[Piece]] | None:
    """How many files a synchronisation compared, and which pieces it found replaced; None for other runs."""
    from binance_sdk.history import SyncReport

    return (report.checked, report.changed) if isinstance(report, SyncReport) else None


def report_as_json(report: RunReport) -> dict[str, Any]:
    """A report as JSON."""
    told: dict[str, Any] = {
        "fetched": [_piece(piece) for piece in report.fetched],
        "kept": len(report.kept),
        "rows": report.rows,
        "requests": report.requests,
        "weight": report.weight,
        "bytes": report.bytes,
        "seconds": report.seconds,
        "remarks": [
            {**_piece(piece), "remark": remark.kind, "rows": remark.rows, "text": remark.text}
            for piece, remark in report.remarks
        ],
        "replaced": [
            {**_piece(piece), "instead": [_piece(one) for one in instead]} for piece, instead in report.replaced
        ],
        "unreachable": [_span(span) for span in report.unreachable],
        "failures": [],
    }
    changed = changed_by(report)
    if changed is not None:
        told |= {"checked": changed[0], "changed": [_piece(piece) for piece in changed[1]]}
    return told


# -------------------------------------------------------------------------------------------- pieces


def _piece(piece: Piece) -> dict[str, Any]:
    series = piece.series
    return {
        "symbol": series.symbol,
        "interval": series.interval or None,
        "start": piece.start,
        "end": piece.end,
        "source": piece.source,
    }


def _span(span: Unreachable) -> dict[str, Any]:
    return {
        "symbol": span.series.symbol,
        "start": span.start,
        "end": span.end,
        "reason": span.reason,
        "text": span.text,
    }


def _unreachable(spans: Iterable[Unreachable]) -> Iterator[RenderableType]:
    found = list(spans)
    if not found:
        return
    table = make_table()
    for name in ("no source has", "from", "to", "because"):
        table.add_column(name, overflow="fold")
    for span in found[:_SHOWN]:
        table.add_row(
            Text(printable(span.series.symbol)),
            moment_or_day(span.start),
            moment_or_day(span.end),
            Text(printable(span.text)),
        )
    yield table
    if len(found) > _SHOWN:
        counted = Counter(span.series.symbol for span in found[_SHOWN:])
        yield Text(f"and {sum(counted.values()):,} more spans of {len(counted):,} symbols")


def _day(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d}"


def moment_or_day(milliseconds: int | None) -> str:
    """A moment (UTC) without the time of day where that is midnight."""
    if milliseconds is None:
        return ABSENT
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return _day(milliseconds) if milliseconds % 86_400_000 == 0 else f"{moment:%Y-%m-%d %H:%M:%S}"
