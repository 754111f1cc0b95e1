"""A dataset proved from the first row of each series to its last, without asking anybody."""

from __future__ import annotations

import os
import time

from binance_sdk._runtime.archive import Archive
from binance_sdk.errors import DatasetError
from binance_sdk.history.dataset.checking.report import CheckReport, Defect
from binance_sdk.history.dataset.checking.series_scan import SeriesScan
from binance_sdk.history.dataset.dataset import Dataset
from binance_sdk.history.dataset.layout import parquet_path
from binance_sdk.history.dataset.record import Absence, PieceRecord
from binance_sdk.history.piece import Series


def check_offline(url: str | os.PathLike[str], *, archive: Archive | None = None) -> CheckReport:
    """Prove a dataset: rows, order, doubles, ids, checksums, columns, and holes with their reason.

    Files are read in parts, one at a time, so memory stays flat; only pieces that overlap, which is within a month, are
    held together. Nothing is written, and no source is asked.

    Args:
        url: The folder or URL of the dataset.
        archive: What the archive has, where that is not this version's own knowledge.

    Raises:
        DatasetError: There is no dataset, or it cannot be read at all; what is wrong inside stands in the report.
        ConfigError: polars or pyarrow is not installed.
    """
    begun = time.monotonic()
    dataset = Dataset.open(url, archive=archive)
    broken: list[DatasetError] = []
    records = dataset.records(broken=broken)
    by_series: dict[Series, tuple[list[PieceRecord], list[Absence]]] = {}
    for record in records:
        by_series.setdefault(record.piece.series, ([], []))[0].append(record)
    for absence in dataset.absences():
        by_series.setdefault(absence.series, ([], []))[1].append(absence)
    defects = [Defect("record", error.path, 0, str(error)) for error in broken]
    if not broken:
        known = {parquet_path(record.piece) for record in records}
        text = "no record names it: a run is at work, or one was killed and sync clears it away"
        defects += [
            Defect("no_record", file.path, 0, text)
            for file in dataset.storage.files()
            if file.path.endswith(".parquet") and file.path not in known
        ]
    series = tuple(
        SeriesScan(dataset.storage, dataset.prices, dataset.kind_of(one), one, *by_series[one]).run()
        for one in sorted(by_series)
    )
    return CheckReport(dataset.url, dataset.prices, series, tuple(defects), time.monotonic() - begun)
