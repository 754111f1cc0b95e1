"""``python -m codegen new endpoint|stream``: all that a new endpoint or stream wants written, with marks to fill.

Each mark begins with the word of ``FILL``; the spec is refused, and the suite red, until the last one is gone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from codegen.documents import FILL
from codegen.names import english_list, pascal, shadowing, singular
from codegen.scaffold.hand_tables import (
    ENDPOINTS,
    SIMULATOR_NAMES,
    SIMULATOR_WEIGHTS,
    Line,
    names_table,
    weights_table,
    with_line,
)
from codegen.scaffold.hand_tables import STREAMS as STREAM_TABLE
from codegen.spec_model.editor_schema import modeline
from codegen.spec_model.explain import did_you_mean
from codegen.spec_model.spec import STREAMS, Spec

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PATH = re.compile(r"/[A-Za-z0-9/_-]+")
_PLACE = re.compile(r"\{(\w+)\}")
_SYMBOLS = ("symbol", "pair")
"""Parameters that take a symbol; those of streams with other names are choices."""

_BEGIN = """\
{modeline}description: {fill} in a sentence what this family of endpoints tells
source: {{document: "{fill} in the name of Binance's page", date: {today}}}
hosts: [{hosts}]

"""
_ENDPOINT = """\
schemas:
  {schema}:
    description: {fill} in what one row or answer is
    fields:
      # One line for each key of the JSON. Types and flags: CONTRIBUTING, "The words of a schema".
      {fill}: {{type: {fill}, description: "{fill} in what it is, with its unit"}}

operations:
  {name}:
    summary: {fill} in a sentence what it answers, and in which order
    path: {path}
    # A number, or `by` a parameter with `bands`: CONTRIBUTING, "The words of a schema".
    weight: {fill}
    parameters:
      {symbol}
    returns:
      - type: list<{schema}>
        example: {{{example}}}
    cache: {{ttl: 1s}}
"""
_EVENT = """\
  {event}:
    description: {fill} in what the event tells
    fields:
      # One line for each key of the JSON, with a full name for each letter.
      e: {{name: event_type, type: string, description: Kind of the event.}}
      E: {{name: event_time, type: time, description: Time at which the event was made.}}
{symbol}      {fill}: {{name: {fill}, type: {fill}, description: "{fill} in what it is, with its unit"}}
"""
_STREAM = """\
  {name}:
    summary: {fill} in a sentence what it sends
    pattern: "{pattern}"
    event: {event}
    event_type: {fill}
{route}    speed: {fill} in how often it sends, such as every second
{parameters}    # periodic with its `period_ms`, activity with `seconds`, or never.
    quiet: {{kind: {fill}}}
    source: {{document: "{fill} in the name of Binance's page", date: {today}}}
"""


@dataclass(frozen=True)
class EndpointDraft:
    """The sections of an endpoint's file, and its example answer, as far as they are known."""

    text: str
    example: str | None


class RefusedError(Exception):
    """What was asked for cannot be begun; nothing was written."""


def new_endpoint(
    root: Path, spec: Spec, market: str, name: str, path: str, draft: EndpointDraft | None = None
) -> list[str]:
    """Begin an endpoint: its YAML, its example answer and its lines in the tables written by hand.

    Args:
        draft: What is known of it already, in the place of marks.

    Returns:
        What was written, as ``file`` or ``file, table``.

    Raises:
        RefusedError: Something of it is there already, or cannot be.
    """
    _check_market(spec, market)
    _check_name(name)
    if not _PATH.fullmatch(path):
        raise RefusedError(f"`{path}` is no path; write one such as /api/v3/depth")
    same = next((placed for placed in spec.operations.values() if placed.value.path == path), None)
    if (market, name) in spec.operations or same is not None:
        taken = f"{market}.{name}" if same is None else f"{same.scope}.{same.name} with the path {path}"
        raise RefusedError(f"there is an endpoint {taken} already, in {spec.folder.name}/{market}/")
    begins = spec.entry(market).paths or ["/"]
    if not path.startswith(tuple(begins)):
        raise RefusedError(f"paths of {market} begin with {english_list(begins, 'or')}, and `{path}` does not")
    begin = _BEGIN.format(
        fill=FILL,
        modeline=modeline(f"{market}/{name}.yaml"),
        today=_today(),
        hosts=", ".join(spec.serving(market)),
    )
    if draft is None:
        wire = "pair" if beside_pairs(spec, market, path) else "symbol"
        symbol, example = symbol_parameter(spec, market, wire), f"{wire}: {example_symbol(spec, market, wire)}"
        rest = _ENDPOINT.format(
            fill=FILL, name=name, path=path, schema=pascal(singular(name)), symbol=symbol, example=example
        )
    else:
        rest = draft.text
    nothing = json.dumps([{FILL: f"{FILL} in an example answer, two rows if it is a list"}], indent=1) + "\n"
    answer = nothing if draft is None or draft.example is None else draft.example
    files = {
        f"{spec.folder.name}/{market}/{name}.yaml": begin + rest,
        f"{spec.folder.name}/fixtures/{market}/{name}.json": answer,
    }
    lines = [
        Line(
            SIMULATOR_WEIGHTS,
            weights_table(market),
            f'"{path}": _flat(1),  # {FILL} in the weight, from Binance\'s page',
        ),
        Line(ENDPOINTS, "WEIGHTS", f'"{market}.{name}": [({{}}, 1)],  # {FILL} in arguments and weights'),
    ]
    _write(root, files, lines)
    return [*files, *(f"{line.file}, {line.table}" for line in lines)]


def new_stream(root: Path, spec: Spec, market: str, name: str, pattern: str, route: str | None) -> list[str]:
    """Begin a stream: its YAML, its example message and its lines in the tables written by hand.

    Returns:
        What was written, as ``file`` or ``file, table``.

    Raises:
        RefusedError: Something of it is there already, or cannot be.
    """
    _check_market(spec, market)
    _check_name(name)
    routes = sorted(spec.entry(market).streams.routes)
    if routes and route not in routes:
        raise RefusedError(f"streams of {market} have a route: add --route {' or --route '.join(routes)}")
    if not routes and route is not None:
        raise RefusedError(f"streams of {market} have no routes; drop --route {route}")
    same = next(
        (placed for placed in spec.streams_of(market) if name == placed.name or pattern == placed.value.pattern), None
    )
    if same is not None:
        there = f"{spec.folder.name}/{STREAMS}/{market}.yaml"
        raise RefusedError(f"there is a stream {same.name} with the pattern {same.value.pattern} already, in {there}")
    parameters = _PLACE.findall(pattern)
    if re.search(r"[{}\s]", _PLACE.sub("", pattern)) or not pattern:
        raise RefusedError(f"`{pattern}` is no pattern; write one such as '{{symbol}}@aggTrade'")
    event = f"{pascal(name)}Event"
    if spec.schema(market, event) is not None:
        raise RefusedError(f"there is a schema {event} already; choose another name")
    symbol = "      s: {name: symbol, type: symbol, description: Symbol.}\n" if "symbol" in parameters else ""
    values = {
        "fill": FILL,
        "name": name,
        "pattern": pattern,
        "event": event,
        "today": _today(),
        "symbol": symbol,
        "route": f"    route: {route}\n" if route else "",
        "parameters": _parameters(spec, market, parameters),
    }
    file = f"{spec.folder.name}/{STREAMS}/{market}.yaml"
    text = (root / file).read_text(encoding="utf-8")
    example = json.dumps({FILL: f"{FILL} in an example message, without the wrapper of combined streams"}) + "\n"
    lines = [
        Line(SIMULATOR_NAMES, names_table(market, route), _simulated_name(name, pattern)),
        Line(
            STREAM_TABLE,
            "_LINES",
            f"{f'{market}.{name}':<27} {route or '-':<7} {_table_name(spec, market, pattern)}",
        ),
    ]
    example_file = f"{spec.folder.name}/fixtures/{market}/{STREAMS}/{name}.json"
    text = _in_section(text, "schemas", _EVENT.format(**values))
    text = _in_section(text, "streams", _STREAM.format(**values))
    _write(root, {example_file: example}, lines, {file: text})
    where = f"{file}, at the end of `schemas` and of `streams`"
    return [where, example_file, *(f"{line.file}, {line.table}" for line in lines)]


def _check_market(spec: Spec, market: str) -> None:
    if market not in spec.market_names:
        hint = did_you_mean(market, spec.market_names) or f"; there are {english_list(spec.market_names)}"
        raise RefusedError(f"markets.yaml has no market `{market}`{hint}")


def _check_name(name: str) -> None:
    reason = shadowing(name)
    if not _NAME.fullmatch(name) or reason is not None:
        why = reason or "is no lower-case name with underscores, such as open_interest"
        raise RefusedError(f"`{name}` {why}; choose another name")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def beside_pairs(spec: Spec, market: str, path: str) -> bool:
    """Whether the endpoints beside a path take pairs, and none of them a symbol."""
    folder = path.rpartition("/")[0]
    kinds = [
        parameter.pair
        for placed in spec.of_market(market)
        if placed.value.path.rpartition("/")[0] == folder
        for parameter in placed.value.parameters.values()
        if parameter.type == "symbol"
    ]
    return bool(kinds) and all(kinds)


def is_pair(spec: Spec, market: str, wire: str) -> bool:
    """Whether a parameter of this name takes a pair, where a pair is something else than a symbol."""
    return wire == "pair" and spec.symbol_names(market, pair=True) is not None


def example_symbol(spec: Spec, market: str, wire: str) -> str:
    """What to give for a parameter of this name."""
    return spec.example_symbol(market, pair=is_pair(spec, market, wire))


def symbol_parameter(spec: Spec, market: str, wire: str) -> str:
    """The line of a parameter that takes a symbol or a pair."""
    words = "type: symbol, pair: true" if is_pair(spec, market, wire) else "type: symbol"
    described = f"{wire.capitalize()}, e.g. {example_symbol(spec, market, wire)}."
    return f'{wire}: {{{words}, required: true, description: "{described}"}}'


def _parameters(spec: Spec, market: str, names: list[str]) -> str:
    if not names:
        return ""
    lines = ["    parameters:"]
    for name in names:
        if name in _SYMBOLS:
            words = "type: symbol, pair: true" if is_pair(spec, market, name) else "type: symbol"
            described = f"{name.capitalize()}s, e.g. {example_symbol(spec, market, name)}; one stream each."
            lines.append(f'      {name}: {{{words}, description: "{described}"}}')
        else:
            lines.append(f'      {name}: {{type: choice, values: [{FILL}], description: "{FILL} in what it chooses"}}')
    return "\n".join(lines) + "\n"


def _simulated_name(name: str, pattern: str) -> str:
    def part(match: re.Match[str]) -> str:
        return "{_SYMBOL}" if match[1] in _SYMBOLS else f"(?P<{match[1]}>{FILL})"

    text = _PLACE.sub(part, pattern.replace("+", r"\+"))
    prefix = ("r" if "\\" in text else "") + ("f" if "{_SYMBOL}" in text else "")
    return f'"{name}": {prefix}"{text}",'


def _table_name(spec: Spec, market: str, pattern: str) -> str:
    def part(match: re.Match[str]) -> str:
        name = match[1]
        return example_symbol(spec, market, name).lower() if name in _SYMBOLS else f"{{{{{FILL}}}}}"

    return _PLACE.sub(part, pattern)


def _in_section(text: str, section: str, block: str) -> str:
    """``text`` with a block at the end of a section."""
    start = re.search(rf"^{section}:\n", text, re.MULTILINE)
    if start is None:
        return f"{text.rstrip()}\n\n{section}:\n{block}"
    following = re.compile(r"^\S", re.MULTILINE).search(text, start.end())
    end = len(text) if following is None else following.start()
    gap = "\n" if following is not None else ""
    return f"{text[:end].rstrip()}\n{block}{gap}{text[end:]}"


def _write(root: Path, files: Mapping[str, str], lines: list[Line], changed: Mapping[str, str] | None = None) -> None:
    """Write new files, lines into tables and changed files: all of it or nothing."""
    there = [name for name in files if (root / name).exists()]
    if there:
        raise RefusedError(f"{english_list(there)} is there already; move it away or choose another name")
    texts = {**files, **(changed or {})}
    for line in lines:
        texts[line.file] = with_line(texts.get(line.file) or (root / line.file).read_text(encoding="utf-8"), line)
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
