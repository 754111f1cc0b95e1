"""``python -m codegen draft``: begins an endpoint with all that an OpenAPI file or an example answer tells of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from codegen.documents import FILL
from codegen.importer.openapi import ApiEndpoint, ApiParameter, OpenApi, Place, Value
from codegen.importer.shapes import Shapes
from codegen.importer.weights import told_weight
from codegen.names import pascal, snake
from codegen.scaffold.new import EndpointDraft, beside_pairs, example_symbol, is_pair, symbol_parameter
from codegen.spec_model.spec import Spec

_ROWS = 2
"""So many rows of a list are enough of an example."""
_NUMBERS = re.compile(r"[Dd]efault:?\s*(?P<default>\d+)|[Mm]ax(?:imum)?:?\s*(?P<max>\d+)")


def from_answer(spec: Spec, market: str, name: str, path: str, answer: Any) -> EndpointDraft:
    """A draft by an answer that somebody recorded."""
    wire = "pair" if beside_pairs(spec, market, path) else "symbol"
    line = f"      {symbol_parameter(spec, market, wire)}"
    return _draft(spec, market, name, path, None, answer, [line], {wire: example_symbol(spec, market, wire)})


def from_openapi(spec: Spec, market: str, name: str, api: OpenApi, endpoint: ApiEndpoint) -> EndpointDraft:
    """A draft by what the file says of an endpoint."""
    answer = endpoint.example
    if answer is None and endpoint.answer is not None:
        answer = _sample(api, endpoint.answer, frozenset())
    parameters = [line for parameter in endpoint.parameters for line in _parameter(spec, market, parameter)]
    arguments: dict[str, str] = {
        parameter.name: example_symbol(spec, market, parameter.name)
        if parameter.name in ("symbol", "pair")
        else f"{FILL} in a value"
        for parameter in endpoint.parameters
        if parameter.required
    }
    if not arguments and any(parameter.name == "symbol" for parameter in endpoint.parameters):
        arguments["symbol"] = example_symbol(spec, market, "symbol")
    return _draft(spec, market, name, endpoint.path, endpoint, answer, parameters, arguments)


def _draft(
    spec: Spec,
    market: str,
    name: str,
    path: str,
    endpoint: ApiEndpoint | None,
    answer: Any,
    parameters: list[str],
    arguments: dict[str, str],
) -> EndpointDraft:
    shapes = Shapes(spec, market)
    type_ = FILL if answer is None else shapes.type_of(name, [answer])
    told = None if endpoint is None else told_weight(endpoint.description)
    # A price for each symbol says that a call has to name its symbols.
    is_each = isinstance(told, dict) and "each" in str(told)
    summary = endpoint.summary if endpoint is not None else ""
    enums = list(_enums(spec, market, endpoint))
    lines = [*(["enums:", *enums, ""] if enums else []), *(["schemas:", *shapes.lines, ""] if shapes.lines else [])]
    lines += [
        "operations:",
        f"  {name}:",
        f"    summary: {_text(summary) if summary else f'{FILL} in a sentence what it answers, and in which order'}",
        f"    path: {path}",
        '    # A number, or `by` a parameter with `bands`: CONTRIBUTING, "The words of a schema".',
        f"    weight: {FILL if told is None else json.dumps(told)}",
        *(["    parameters:", *parameters] if parameters else []),
        *(["    rules:", "      - exactly_one_of: [symbol, symbols]"] if is_each else []),
        "    returns:",
        f"      - type: {type_}",
        f"        example: {json.dumps(arguments)}",
        "    cache: {ttl: 1s}",
    ]
    example = None if answer is None else json.dumps(_shortened(answer), ensure_ascii=False, indent=1) + "\n"
    return EndpointDraft("\n".join(lines) + "\n", example)


def _shortened(answer: Any) -> Any:
    return answer[:_ROWS] if isinstance(answer, list) else answer


def _text(text: str) -> str:
    """A text as YAML has it, whatever stands in it."""
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


# ------------------------------------------------------------------------------------- parameters


def _parameter(spec: Spec, market: str, one: ApiParameter) -> Iterator[str]:
    is_list = one.value.kind == "array" or (one.name == "symbols" and one.value.kind == "string")
    choices = one.value.content.get("enum")
    words: list[str] = []
    if isinstance(choices, list) and not is_list:
        words += ["type: enum", f"enum: {_enum(spec, market, one, choices)}"]
    elif is_pair(spec, market, one.name):
        words += ["type: symbol", "pair: true"]
    else:
        words.append(f"type: {_parameter_type(one)}")
    words += ["required: true"] if one.required else []
    words += ["list: true"] if is_list else []
    if one.value.kind == "integer" and one.name == "limit":
        told = {
            key: int(text)
            for match in _NUMBERS.finditer(one.description)
            for key, text in match.groupdict().items()
            if text
        }
        told |= {
            ours: one.value.content[key]
            for key, ours in (("default", "default"), ("maximum", "max"))
            if key in one.value.content
        }
        words += [f"default: {told['default']}"] if "default" in told and not one.required else []
        words += ["min: 1", f"max: {told.get('max', FILL)}"]
    text = one.description or f"{FILL} in what it means"
    yield f"      {one.name}: {{{', '.join(words)}, description: {_text(text)}}}"


def _parameter_type(one: ApiParameter) -> str:
    if one.name in ("symbol", "symbols"):
        return "symbol"
    if one.value.kind == "integer":
        is_time = one.name.lower().endswith("time")
        return "time" if is_time else "id" if one.name.endswith("Id") else "int"
    return {"boolean": "bool", "string": "string"}.get(one.value.kind, FILL)


def _enum(spec: Spec, market: str, one: ApiParameter, choices: list[Any]) -> str:
    """An enum that is there already and has the same values, or the name of a new one."""
    values = {str(value) for value in choices}
    for (scope, _), placed in spec.enums.items():
        if scope in (market, "shared") and set(placed.value.values) == values:
            return placed.name
    name = pascal(snake(one.name))
    return name if spec.enum(market, name) is None and spec.schema(market, name) is None else f"{name}Choice"


def _enums(spec: Spec, market: str, endpoint: ApiEndpoint | None) -> Iterator[str]:
    for parameter in endpoint.parameters if endpoint is not None else ():
        choices = parameter.value.content.get("enum")
        if not isinstance(choices, list) or parameter.value.kind == "array":
            continue
        name = _enum(spec, market, parameter, choices)
        if spec.enum(market, name) is None:
            values = json.dumps([str(value) for value in choices])
            yield f"  {name}:\n    description: {FILL} in what is chosen\n    values: {values}"


# ---------------------------------------------------------------------------------------- answers


def _sample(api: OpenApi, value: Value, above: frozenset[Place]) -> Any:
    """An answer such as the schema describes, with marks where it gives no example."""
    if value.place in above:
        raise api.problem(value.place, "it holds itself; write it out as deep as it goes")
    inside = above | {value.place}
    if "example" in value.content:
        return _as_json(value.content["example"])
    alternatives = list(api.alternatives(value))
    first = alternatives[0] if alternatives else value
    if first.kind == "array":
        items = _sample(api, api.part(first, "items"), inside) if "items" in first.content else f"{FILL} in a row"
        # An example of a row, put where its items belong.
        return items if isinstance(items, list) and first.content.get("minItems") else [items]
    if first.kind == "object":
        return {name: _sample(api, member, inside) for name, member in api.fields(value).items()}
    if first.kind == "boolean":
        return True
    return f"{FILL} in a value"


def _as_json(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))
