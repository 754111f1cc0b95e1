"""Where the facts about Binance were read: ``binance-sdk operations --sources`` and ``binance-sdk weights``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from binance_sdk.catalogue import CATALOGUE, Limit, Operation, PoolLimits, Provenance, source_of
from binance_sdk.cli.console import make_console
from binance_sdk.cli.operations import documented

UNSURE = " ?"
"""Behind what the documents do not settle."""
_LEGEND = "?  is not settled by the documents; it is taken as what is refused less."


def list_sources(operations: Iterable[Operation[object]], *, as_json: bool) -> None:
    """Print where each operation was read."""
    chosen = list(operations)
    if as_json:
        _write([{"id": operation.id, "path": operation.path, **_as_json(source_of(operation))} for operation in chosen])
        return
    table = _table("operation", "path", "read in", "on")
    for operation in chosen:
        source = source_of(operation)
        table.add_row(*_cells(_marked(operation.id, source), operation.path, source.document, source.date.isoformat()))
    _print([table, *_remarks((operation.id, source_of(operation)) for operation in chosen)])


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
    _print([limits, weights, *_remarks([*pools, *((operation.id, source_of(operation)) for operation in operations)])])


def _market_as_json(market: str) -> dict[str, object]:
    pool = CATALOGUE[market].limits
    limits = {"weight": pool.weight, **pool.groups}
    return {
        "market": market,
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
    }


def _limit(limit: Limit) -> str:
    return f"{limit.limit} in {limit.seconds} s"


def _marked(name: str, source: Provenance) -> str:
    return name + (UNSURE if source.uncertain else "")


def _remarks(sources: Iterable[tuple[str, Provenance]]) -> Iterator[Text]:
    """What stands behind each mark."""
    lines: list[str] = []
    for name, source in sources:
        lines += [f"{name}: {text.replace('`', '')}" for text in source.uncertain]
        lines += [f"{name}: observed {source.observed.replace('`', '')}"] if source.observed else []
    if lines:
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
