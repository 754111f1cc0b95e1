"""What no source has, kept in mind by the dataset, so that a check can tell why there is a hole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from binance_sdk.catalogue import CATALOGUE
from binance_sdk.errors import APIError, BinanceError
from binance_sdk.history.dataset.dataset import Dataset
from binance_sdk.history.dataset.record import HoleReason
from binance_sdk.history.piece import Piece
from binance_sdk.history.planning.pieces import OverRest, Unreachable
from binance_sdk.history.running.outcome import RunReport

_UNKNOWN_SYMBOL = frozenset(code for code, known in CATALOGUE.error_codes.items() if known.name == "BAD_SYMBOL")

_REASONS: Mapping[OverRest, HoleReason] = {
    "not_served": "file_absent",
    "left_out": "file_absent",
    "out_of_reach": "out_of_reach",
    "not_traded": "exchange_had_none",
}


def note_absences(dataset: Dataset, unreachable: Iterable[Unreachable]) -> None:
    """Keep in mind why these spans are not there.

    Raises:
        DatasetError: the dataset cannot be written.
    """
    for lost in unreachable:
        dataset.note_absence(lost.series, lost.start, lost.end, _REASONS[lost.over_rest], lost.text)


def settle_gone(dataset: Dataset, report: RunReport) -> None:
    """Take symbols that the exchange does not know any more for what they are, and not for failures.

    Of a symbol that was delisted the archive has files, and REST refuses it; one that has no file either is an error of
    whoever wrote it.

    Raises:
        DatasetError: the dataset cannot be read or written.
    """
    refused = [(piece, error) for piece, error in report.failures if _is_unknown(piece, error)]
    had = {
        series: any(record.piece.source != "rest" for record in dataset.records(series))
        for series in {piece.series for piece, _ in refused}
    }
    gone = [
        Unreachable(
            piece.series,
            piece.start,
            piece.end,
            "no_file",
            "not_traded",
            f"the archive has no file, and the exchange does not know the symbol any more: {error}",
        )
        for piece, error in refused
        if had[piece.series]
    ]
    report.failures = [found for found in report.failures if found not in refused or not had[found[0].series]]
    report.unreachable += gone
    note_absences(dataset, gone)


def _is_unknown(piece: Piece, error: BinanceError) -> bool:
    return piece.source == "rest" and isinstance(error, APIError) and error.code in _UNKNOWN_SYMBOL
