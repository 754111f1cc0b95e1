"""Market data kept on disk: planned, fetched from Binance's archive and over REST, checked, and read back."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from binance_sdk.history.piece import Fetched, Origin, Piece, Prices, Remark, Series, Source

if TYPE_CHECKING:
    from binance_sdk.history.archive.fetch import fetch_from_archive, terms_notice
    from binance_sdk.history.archive.listing import list_files, list_symbols
    from binance_sdk.history.archive.reading import read_zip
    from binance_sdk.history.archive.session import ArchiveSession
    from binance_sdk.history.dataset.checking.report import CheckReport, Defect, DefectKind, Hole, SeriesCheck
    from binance_sdk.history.dataset.dataset import Dataset
    from binance_sdk.history.dataset.info import DatasetInfo, SeriesInfo, info
    from binance_sdk.history.dataset.reading.reader import DatasetReader
    from binance_sdk.history.dataset.reading.reader import open_reader as open  # noqa: A004
    from binance_sdk.history.dataset.record import Absence, DatasetFacts, HoleReason, PieceRecord
    from binance_sdk.history.dataset.series_extent import SeriesExtent
    from binance_sdk.history.planning.costs import Figure
    from binance_sdk.history.planning.pieces import Unreachable
    from binance_sdk.history.planning.plan import HistoryPlan, plan, plan_async
    from binance_sdk.history.planning.settings import FetchSettings
    from binance_sdk.history.running.check import check, check_async
    from binance_sdk.history.running.outcome import Progress, RunReport
    from binance_sdk.history.running.run import run, run_async
    from binance_sdk.history.running.sync import SyncReport, sync, sync_async

__all__ = [
    "Absence",
    "ArchiveSession",
    "CheckReport",
    "Dataset",
    "DatasetFacts",
    "DatasetInfo",
    "DatasetReader",
    "Defect",
    "DefectKind",
    "FetchSettings",
    "Fetched",
    "Figure",
    "HistoryPlan",
    "Hole",
    "HoleReason",
    "Origin",
    "Piece",
    "PieceRecord",
    "Prices",
    "Progress",
    "Remark",
    "RunReport",
    "Series",
    "SeriesCheck",
    "SeriesExtent",
    "SeriesInfo",
    "Source",
    "SyncReport",
    "Unreachable",
    "check",
    "check_async",
    "fetch_from_archive",
    "info",
    "list_files",
    "list_symbols",
    "open",
    "plan",
    "plan_async",
    "read_zip",
    "run",
    "run_async",
    "sync",
    "sync_async",
    "terms_notice",
]

_HOMES = {
    "Absence": ("dataset.record", "Absence"),
    "ArchiveSession": ("archive.session", "ArchiveSession"),
    "CheckReport": ("dataset.checking.report", "CheckReport"),
    "Dataset": ("dataset.dataset", "Dataset"),
    "DatasetFacts": ("dataset.record", "DatasetFacts"),
    "DatasetInfo": ("dataset.info", "DatasetInfo"),
    "DatasetReader": ("dataset.reading.reader", "DatasetReader"),
    "Defect": ("dataset.checking.report", "Defect"),
    "DefectKind": ("dataset.checking.report", "DefectKind"),
    "FetchSettings": ("planning.settings", "FetchSettings"),
    "Figure": ("planning.costs", "Figure"),
    "HistoryPlan": ("planning.plan", "HistoryPlan"),
    "Hole": ("dataset.checking.report", "Hole"),
    "HoleReason": ("dataset.record", "HoleReason"),
    "PieceRecord": ("dataset.record", "PieceRecord"),
    "Progress": ("running.outcome", "Progress"),
    "RunReport": ("running.outcome", "RunReport"),
    "SeriesCheck": ("dataset.checking.report", "SeriesCheck"),
    "SeriesExtent": ("dataset.series_extent", "SeriesExtent"),
    "SeriesInfo": ("dataset.info", "SeriesInfo"),
    "SyncReport": ("running.sync", "SyncReport"),
    "Unreachable": ("planning.pieces", "Unreachable"),
    "check": ("running.check", "check"),
    "check_async": ("running.check", "check_async"),
    "fetch_from_archive": ("archive.fetch", "fetch_from_archive"),
    "info": ("dataset.info", "info"),
    "list_files": ("archive.listing", "list_files"),
    "list_symbols": ("archive.listing", "list_symbols"),
    "open": ("dataset.reading.reader", "open_reader"),
    "plan": ("planning.plan", "plan"),
    "plan_async": ("planning.plan", "plan_async"),
    "read_zip": ("archive.reading", "read_zip"),
    "run": ("running.run", "run"),
    "run_async": ("running.run", "run_async"),
    "sync": ("running.sync", "sync"),
    "sync_async": ("running.sync", "sync_async"),
    "terms_notice": ("archive.fetch", "terms_notice"),
}
"""Module and name there of what is imported when it is asked for: whoever plans does not load what reads files."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, inside = _HOMES[name]
        return getattr(import_module(f"{__name__}.{module}"), inside)
