"""``binance-sdk operations``: lists the operations, with their weights and parameters."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import cast

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from binance_sdk import SyncBinanceClient
from binance_sdk.catalogue import CATALOGUE, Market, Operation, Parameter
from binance_sdk.cli.arguments import find_operation, form
from binance_sdk.cli.console import make_console
from binance_sdk.cli.formats import ABSENT
from binance_sdk.cli.markets import ALL_MARKETS, market_word

_WEIGHT = re.compile(r"Weight: (.*?)(?=\n\s*\n|\n\s*- |$)", re.DOTALL)
"""Up to the next paragraph or item."""


def list_operations(market: Market | None, name: str | None, *, as_json: bool = False) -> None:
    """Print the operations of a market, of all, or the parameters of one.

    Raises:
        CommandError: there is no such operation.
    """
    if as_json:
        found: object = [_as_json(operation) for operation in operations_of(market, None)]
        if market is not None and name is not None:
            found = _as_json(find_operation(market, name))
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
        return
    console = make_console()
    if market is not None and name is not None:
        parts = _detail(find_operation(market, name))
    else:
        parts = (_overview(known) for known in ALL_MARKETS if market in (None, known))
    for part in parts:
        console.print(part)


def operations_of(market: Market | None, name: str | None) -> list[Operation[object]]:
    """All operations, those of a market, or one of them.

    Raises:
        CommandError: there is no such operation.
    """
    if market is not None and name is not None:
        return [find_operation(market, name)]
    return [operation for known in ALL_MARKETS if market in (None, known) for operation in CATALOGUE[known]]


def documented(operation: Operation[object]) -> tuple[str, str]:
    """Summary and weight of an operation, from the docstring of its method."""
    with SyncBinanceClient("mainnet") as client:
        # With python -OO there are no docstrings.
        words = getattr(client.market(cast(Market, operation.market)), operation.name).__doc__ or ABSENT
    weight = _WEIGHT.search(words)
    return words.partition("\n")[0], " ".join(weight[1].split()).rstrip(".").replace("`", "") if weight else ABSENT


def _overview(market: Market) -> RenderableType:
    operations = CATALOGUE[market]
    table = Table(
        title=f"{market_word(market)}: {len(operations.operations)} operations",
        title_justify="left",
        title_style="bold",
        expand=True,
        box=box.ROUNDED,
        border_style="bright_black",
    )
    table.add_column("operation", no_wrap=True)
    table.add_column("what it answers", ratio=3)
    table.add_column("weight", ratio=2)
    for operation in operations:
        summary, weight = documented(operation)
        notes = [weight, *(f"counted as {group}" for group in operation.groups)]
        if operation.security == "api_key":
            notes.append("needs an API key")
        style = "strike" if operation.deprecated else ""
        table.add_row(Text(operation.name, style=style), Text(summary), Text("; ".join(notes)))
    return table


def _as_json(operation: Operation[object]) -> dict[str, object]:
    summary, weight = documented(operation)
    return {
        "id": operation.id,
        "market": operation.market,
        "name": operation.name,
        "summary": summary,
        "method": "GET",
        "path": operation.path,
        "weight": weight,
        "groups": list(operation.groups),
        "security": operation.security,
        "environments": list(operation.hosts),
        "deprecated": operation.deprecated,
        "pages": operation.paging is not None,
        "parameters": [_parameter_as_json(parameter) for parameter in operation.parameters],
    }


def _parameter_as_json(parameter: Parameter) -> dict[str, object]:
    found = {name: value for name, value in asdict(parameter).items() if value is not None}
    if parameter.symbol_form is not None:
        found["symbol_form"] = {"example": parameter.symbol_form.example, "pattern": parameter.symbol_form.pattern}
    return found


def _detail(operation: Operation[object]) -> Iterator[RenderableType]:
    summary, weight = documented(operation)
    yield Text(operation.id, style="bold").append(f"  {summary}", style="not bold")
    facts = [f"GET {operation.path}", f"weight {weight}", f"served by {', '.join(operation.hosts)}"]
    facts += [f"counted as {group}" for group in operation.groups]
    if operation.security == "api_key":
        facts.append("needs an API key (BINANCE_API_KEY)")
    if operation.deprecated:
        facts.append(operation.deprecated.replace("`", ""))
    for fact in facts:
        yield Text(f"  {fact}")
    if not operation.parameters:
        yield Text("  no parameters")
        return
    table = Table(box=box.ROUNDED, border_style="bright_black")
    for name in ("parameter", "on the wire", "value", "left out", "bounds"):
        table.add_column(name, overflow="fold")
    for parameter in operation.parameters:
        table.add_row(
            Text(parameter.name), Text(parameter.wire), Text(form(parameter)), Text(_left_out(parameter)),
            Text(_bounds(parameter)),
        )  # fmt: skip
    yield table


def _left_out(parameter: Parameter) -> str:
    if parameter.required:
        return "not possible"
    return ABSENT if parameter.default is None else str(parameter.default).lower()


def _bounds(parameter: Parameter) -> str:
    if parameter.max_items is not None:
        return f"at most {parameter.max_items} items"
    low, high = parameter.min, parameter.max
    if low is None and high is None:
        return parameter.pattern_note or ABSENT
    more = ", larger values are taken as that" if parameter.clamp else ""
    return f"{low if low is not None else '…'} to {high if high is not None else '…'}{more}"
