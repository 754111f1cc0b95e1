"""Where the facts about Binance were read: ``binance-sdk operations --sources`` and ``binance-sdk weights``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from binance_sdk.catalogue import CATALOGUE, Limit, Operation, PoolLimits, Provenance, StreamOperation, source_of
from binance_sdk.cli.console import make_console
from binance_sdk.cli.operations import documented

UNSURE = " ?"
"""Behind what the documents do not settle."""
_LEGEND = "?  is not settled by the documents; it is taken as what is refused less."


def list_sources(operations: Iterable[Operation[object]], *, as_json: bool) -> None:
    """Print where each operation was read, and below it what of it was read elsewhere."""
    rows = [(operation.id, operation.path, source_of(operation)) for operation in operations]
    _list(rows, ("operation", "path"), as_json=as_json)


def list_stream_sources(streams: Iterable[StreamOperation[object]], *, as_json: bool) -> None:
    """Print where each stream was read, and below it what of it was read elsewhere."""
    rows = [(stream.id, stream.pattern, source_of(stream)) for stream in streams]
    _list(rows, ("stream", "name"), as_json=as_json)


def _list(rows: Sequence[tuple[str, str, Provenance]], titles: tuple[str, str], *, as_json: bool) -> None:
    if as_json:
        _write([{"id": id_, titles[1]: asked_by, **_as_json(source)} for id_, asked_by, source in rows])
        return
    table = _table(*titles, "read in", "on")
    for id_, asked_by, source in rows:
        table.add_row(*_cells(_marked(id_, source), asked_by, source.document, source.date.isoformat()))
        for part, its in source.parts:
            table.add_row(*_cells(f"  {part}", "", its.document, its.date.isoformat()))
    _print([table, *_remarks((id_, source) for id_, _, source in rows)])


def list_weights(markets: Sequence[str], *, as_json: bool) -> None:
    """Print what each operation of markets costs, what there is to spend, and where that was read."""
    if as_json:
        _write([_market_as_json(market) for market in markets])
        return
    told: dict[str, PoolLimits] = {}
    operations = [operation for market in markets for operation in CATALOGUE[market]]
    weights = _table("operation", "weight", "counted as", "read on")
    for operation in operations:
        source = source_of(operation)
        _, weight = documented(operation)
        cells = (_marked(operation.id, source), weight, ", ".join(operation.groups), source.date.isoformat())
        weights.add_row(*_cells(*cells))
    limits = _table("pool", "limit", "at most", "read on")
    for market in markets:
        pool = CATALOGUE[market].limits
        if told.setdefault(pool.name, pool) is pool:
            for name, limit in {"weight": pool.weight, **pool.groups}.items():
                source = source_of(pool)
                is_unsure = any(text.startswith(f"`{name}`") for text in source.uncertain)
                shown = name + (UNSURE if is_unsure else "")
                limits.add_row(*_cells(pool.name, shown, _limit(limit), source.date.isoformat()))
    pools = [(f"pool {pool.name}", source_of(pool)) for pool in told.values()]
    pools += [(market, source_of(CATALOGUE[market])) for market in markets]
    _print([limits, weights, *_remarks([*pools, *((operation.id, source_of(operation)) for operation in operations)])])


def _market_as_json(market: str) -> dict[str, object]:
    pool = CATALOGUE[market].limits
    limits = {"weight": pool.weight, **pool.groups}
    return {
        "market": market,
        **_as_json(source_of(CATALOGUE[market])),
        "pool": {
            "name": pool.name,
            "limits": {name: {"limit": limit.limit, "seconds": limit.seconds} for name, limit in limits.items()},
            **_as_json(source_of(pool)),
        },
        "operations": [
            {
                "id": operation.id,
                "weight": documented(operation)[1],
                "groups": list(operation.groups),
                **_as_json(source_of(operation)),
            }
            for operation in CATALOGUE[market]
        ],
    }


def _as_json(source: Provenance) -> dict[str, object]:
    return {
        "document": source.document,
        "date": source.date.isoformat(),
        "observed": source.observed,
        "uncertain": list(source.uncertain),
        "parts": [{"name": name, "document": its.document, "date": its.date.isoformat()} for name, its in source.parts],
    }


def _limit(limit: Limit) -> str:
    return f"{limit.limit} in {limit.seconds} s"


def _marked(name: str, source: Provenance) -> str:
    return name + (UNSURE if source.uncertain else "")


def _remarks(sources: Iterable[tuple[str, Provenance]]) -> Iterator[Text]:
    """What stands behind each mark."""
    told = list(sources)
    lines: list[str] = []
    for name, source in told:
        lines += [f"{name}: {text.replace('`', '')}" for text in source.uncertain]
        lines += [f"{name}: observed {source.observed.replace('`', '')}"] if source.observed else []
    if any(source.uncertain for _, source in told):
        yield Text(_LEGEND)
    for line in lines:
        yield Text(f"   {line}")


def _table(*columns: str) -> Table:
    table = Table(box=box.ROUNDED, border_style="bright_black", expand=True)
    for index, name in enumerate(columns):
        table.add_column(name, overflow="fold", no_wrap=index == len(columns) - 1)
    return table


def _cells(*texts: str) -> Iterator[Text]:
    return (Text(text) for text in texts)


def _print(parts: Iterable[Table | Text]) -> None:
    console = make_console()
    for part in parts:
        console.print(part)


def _write(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
