"""The tables that are written by hand beside the spec, and the line each of them wants for an endpoint or a stream.

The simulator and the contract tests have what costs and names what from Binance's pages and not from the spec, so that
a wrong number must be wrong twice to go unseen. The lines made here save typing, and are to be compared with the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

from codegen.documents import FILL
from codegen.spec_model.operations import Operation
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.stream_names import texts
from codegen.spec_model.streams import StreamNode, quiet_seconds
from codegen.spec_model.weights import Band, BandWeight, CaseWeight, CountWeight, ItemWeight, ValueWeight, WeightRule

SIMULATOR_WEIGHTS = "binance_sdk/simulator/rest/weights.py"
SIMULATOR_NAMES = "binance_sdk/simulator/streams/names.py"
ENDPOINTS = "tests/contract/endpoint_table.py"
STREAMS = "tests/contract/stream_table.py"


Given = Mapping[str, int | str]
"""Arguments of a call by wire name; a list is told by its length."""


@dataclass(frozen=True)
class Line:
    """One line that a table wants."""

    file: str
    table: str
    """Name to which the file assigns the table."""
    text: str

    def __str__(self) -> str:
        return f"{self.file}, {self.table}:\n    {self.text}"


class TableError(Exception):
    """A table is not where it is looked for."""


def wanted(lines: list[Line]) -> str:
    """What a failing test says: which file wants which line."""
    told = "\n".join(map(str, lines))
    return f"the tables written by hand want these lines; compare each with Binance's page before you paste it:\n{told}"


def with_line(text: str, line: Line) -> str:
    """The text of a file with a line at the end of its table.

    Raises:
        TableError: It has no such table, or the table has such a line.
    """
    found = re.search(rf'^{line.table}\b[^\n=]*= f?(?:\{{|""")\n', text, re.MULTILINE)
    end = re.compile(r'^(?:\}|""")', re.MULTILINE).search(text, found.end()) if found else None
    if found is None or end is None:
        raise TableError(f"{line.file} has no table {line.table} that ends in a line of its own")
    key = re.match(r'"[^"]*"|\S+', line.text)
    if key is not None and re.search(rf"^ *{re.escape(key[0])}[: ,]", text[found.end() : end.start()], re.MULTILINE):
        raise TableError(f"{line.file}, {line.table} has a line for {key[0]} already")
    indent = "" if '"""' in found[0] else "    "
    return f"{text[: end.start()]}{indent}{line.text}\n{text[end.start() :]}"


# --------------------------------------------------------------------------------------- endpoints


def weights_table(market: str) -> str:
    """Name of the simulator's table of weights for a market."""
    return f"_{market.upper()}"


def lines_of_endpoint(spec: Spec, placed: Placed[Operation]) -> list[Line]:
    """Every line that the tables want for an endpoint."""
    operation, id_ = placed.value, f"{placed.scope}.{placed.name}"
    rows = ", ".join(f"({_row(given)}, {weight})" for given, weight in _rows(spec, placed, operation.weight))
    lines = [
        Line(SIMULATOR_WEIGHTS, weights_table(placed.scope), f'"{operation.path}": {simulated_price(operation)},'),
        Line(ENDPOINTS, "WEIGHTS", f'"{id_}": [{rows}],'),
    ]
    lines += [Line(ENDPOINTS, "GROUPS", f'"{id_}" belongs to the members of "{group}"') for group in operation.groups]
    if operation.security != "none":
        lines.append(Line(ENDPOINTS, "SECURED", f'"{id_}": "{operation.security}",'))
    if operation.used_weight_header != "trusted":
        lines.append(Line(ENDPOINTS, "COUNT_NOT_TRUSTED", f'"{id_}": "{operation.used_weight_header}",'))
    missing = missing_on(spec, placed)
    if missing:
        lines.append(Line(ENDPOINTS, "NOT_SERVED_BY", f'"{id_}": {{{", ".join(map(repr_, missing))}}},'))
    return lines


def missing_on(spec: Spec, placed: Placed[Operation]) -> list[str]:
    """Environments that serve the market, but not this endpoint."""
    return sorted(set(spec.serving(placed.scope)).difference(spec.hosts[placed.scope, placed.name]))


def repr_(text: str) -> str:
    """In the quotes that the formatter wants."""
    return f'"{text}"'


def _row(given: Given) -> str:
    return "{" + ", ".join(f'"{k}": {v if isinstance(v, int) else repr_(v)}' for k, v in given.items()) + "}"


def _rows(spec: Spec, placed: Placed[Operation], rule: WeightRule) -> Iterator[tuple[Given, int]]:
    """Arguments on both sides of every step, and what each call costs; lists are told by their length."""
    operation = placed.value
    if isinstance(rule, int):
        yield {}, rule
    elif isinstance(rule, BandWeight):
        default = operation.parameters[rule.by].default
        if isinstance(default, int):
            yield {}, _in_band(rule.bands, default)
        yield from (({rule.by: value}, weight) for value, weight in _edges(rule.bands))
    elif isinstance(rule, CountWeight):
        yield from (({rule.count_of: value}, weight) for value, weight in _edges(rule.bands))
    elif isinstance(rule, ValueWeight):
        default = operation.parameters[rule.by].default
        if default is not None:
            yield {}, rule.values[default]
        yield from (({rule.by: value}, weight) for value, weight in rule.values.items())
    elif isinstance(rule, ItemWeight):
        full = 3 if rule.cap is None else rule.cap // max(rule.each, 1)
        for count in (1, 2, full, full + 1):
            price = rule.each * count
            yield {rule.per_item_of: count}, price if rule.cap is None else min(price, rule.cap)
    else:
        for case in rule.cases:
            for given, weight in _rows(spec, placed, case.weight):
                yield _with(spec, placed, case.given, given), weight


def _with(spec: Spec, placed: Placed[Operation], name: str | None, given: Given) -> Given:
    if name is None or name in given:
        return given
    parameter = placed.value.parameters[name]
    return {name: 1 if parameter.is_list else spec.example_symbol(placed.scope, pair=parameter.pair), **given}


def _edges(bands: list[Band]) -> Iterator[tuple[int, int]]:
    first = bands[0]
    yield first.min, first.weight
    for band, after in pairwise(bands):
        if band.max is not None:
            yield band.max, band.weight
            yield band.max + 1, after.weight


def _in_band(bands: list[Band], value: int) -> int:
    return next((band.weight for band in bands if band.max is None or value <= band.max), bands[-1].weight)


def simulated_price(operation: Operation) -> str:
    """The weight in the words of the simulator's table."""
    rule = operation.weight
    if isinstance(rule, int):
        return f"_flat({rule})"
    if isinstance(rule, BandWeight) and rule.by == "limit":
        steps = "".join(f", ({band.max}, {band.weight})" for band in rule.bands[:-1])
        return f"_limit_up_to({operation.parameters['limit'].default}{steps}, above={rule.bands[-1].weight})"
    if isinstance(rule, ValueWeight) and rule.by == "limit":
        table = ", ".join(f"{value}: {weight}" for value, weight in rule.values.items())
        return f"_limit_is({operation.parameters['limit'].default}, {{{table}}})"
    cases = {case.given: case.weight for case in rule.cases} if isinstance(rule, CaseWeight) else {}
    one, some, rest = (cases.get(name) for name in ("symbol", "symbols", None))
    if isinstance(one, int) and isinstance(rest, int):
        if set(cases) == {"symbol", None}:
            return f"_one_or_all({one}, {rest})"
        if set(cases) == {"symbol", "symbols", None} and some == rest:
            return f"_one_some_or_all({one}, {rest})"
    if isinstance(some, ItemWeight) and some.each == one and some.cap is not None:
        return f"_each({some.each}, cap={some.cap})"
    return "_your_own"


# ----------------------------------------------------------------------------------------- streams


def lines_of_stream(spec: Spec, placed: Placed[StreamNode]) -> list[Line]:
    """Every line that the tables want for a stream."""
    node, id_ = placed.value, f"{placed.scope}.{placed.name}"
    lines = [
        Line(
            SIMULATOR_NAMES, names_table(placed.scope, node.route), f'"{placed.name}": {_simulated_name(spec, placed)},'
        ),
        Line(STREAMS, "_LINES", f"{id_:<27} {node.route or '-':<7} {_named(spec, placed)}"),
    ]
    silence = _silence(node)
    if silence:
        lines.append(Line(STREAMS, "SECONDS_OF_SILENCE", f'"{id_}": {{{silence}}},'))
    if node.quiet.kind == "never":
        lines.append(Line(STREAMS, "NEVER_TOO_SILENT", f'"{id_}",'))
    if node.sequence is not None:
        lines.append(Line(STREAMS, "WITH_IDS", f'"{id_}": "{node.sequence.kind}",'))
    if node.fill is not None:
        lines.append(Line(STREAMS, "FILLED_FROM", f'"{id_}": "{placed.scope}.{node.fill.operation}",'))
    return lines


def names_table(market: str, route: str | None) -> str:
    """The simulator's table for the names of a market, or of one of its routes."""
    return f"_{market}_{route}".upper() if route else f"_{market}".upper()


def _simulated_name(spec: Spec, placed: Placed[StreamNode]) -> str:
    """The pattern as an f-string of the simulator, with an expression for each choice."""
    node, parts = placed.value, re.split(r"\{(\w+)\}", placed.value.pattern)
    written = ""
    for index, part in enumerate(parts):
        if index % 2 == 0:
            written += re.escape(part).replace(r"\@", "@").replace(r"\!", "!").replace(r"\-", "-")
        elif node.parameters[part].type == "symbol":
            written += "{_SYMBOL}"
        else:
            values = "|".join(re.escape(text) for text in texts(spec, placed.scope, node.parameters[part]).values())
            written += f"(?P<{part}>{values.replace(chr(92) + '@', '@')})"
    raw = "r" if "\\" in written else ""
    return f'{raw}{"f" if "{_SYMBOL}" in written else ""}"{written}"'


def _named(spec: Spec, placed: Placed[StreamNode]) -> str:
    """The names for a symbol of the market, as the table has them, in an f-string."""
    name = placed.value.pattern
    for parameter, declared in placed.value.parameters.items():
        values = texts(spec, placed.scope, declared) if declared.type == "choice" else {}
        first = sorted(values.items(), key=lambda item: item[0] != declared.default)
        choices = ",".join(text for _, text in first)
        subject = spec.example_symbol(placed.scope, pair=declared.pair).lower()
        # A choice with one text needs no braces.
        part = subject if not values else choices if len(values) == 1 else f"{{{{{choices}}}}}"
        name = name.replace(f"{{{parameter}}}", part)
    return name


def _silence(node: StreamNode) -> str:
    """Seconds of silence by value, as the table has them: the longest stands under the empty text."""
    quiet = node.quiet
    if quiet.period_ms is not None:
        return f'"": {quiet_seconds(quiet.period_ms):g}'
    if quiet.periods is None:
        return ""
    by_value = {str(value): quiet_seconds(period) for value, period in quiet.periods.values_ms.items()}
    longest = [("", max(by_value.values()))]
    return ", ".join(f'"{value}": {seconds:g}' for value, seconds in chain(longest, by_value.items()))


def unfilled(root: Path) -> list[str]:
    """Lines of the tables that still hold a mark, as ``file:line``."""
    files = (SIMULATOR_WEIGHTS, SIMULATOR_NAMES, ENDPOINTS, STREAMS)
    return [
        f"{file}:{number}"
        for file in files
        for number, text in enumerate((root / file).read_text(encoding="utf-8").splitlines(), 1)
        if re.search(rf"\b{FILL}\b", text)
    ]


__all__ = [
    "Line",
    "TableError",
    "lines_of_endpoint",
    "lines_of_stream",
    "names_table",
    "simulated_price",
    "unfilled",
    "wanted",
    "weights_table",
    "with_line",
]
