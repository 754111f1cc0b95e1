"""What an endpoint is asked for a piece."""

from __future__ import annotations

from typing import Any

from binance_sdk._runtime.archive import RestTwin
from binance_sdk._runtime.calls.paging import paging_of
from binance_sdk._runtime.operation import Operation
from binance_sdk.history.piece import Piece


def arguments_of(operation: Operation[Any], twin: RestTwin, piece: Piece) -> dict[str, object]:
    """Arguments of the walk that gives a piece, by wire name; without times where rows are found by ids alone."""
    paging = paging_of(operation)
    given: dict[str, object] = {operation.by_name[name].wire: value for name, value in twin.arguments.items()}
    given[operation.by_name[twin.symbol].wire] = piece.series.symbol
    if piece.series.interval:
        given[operation.by_name["interval"].wire] = piece.series.interval
    start = paging.start or paging.cursor
    if operation.by_wire[start].type == "time":
        given[start] = piece.start + twin.shift
    if paging.end is not None:
        given[paging.end] = piece.end + twin.shift - 1
    return given
