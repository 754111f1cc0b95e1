"""What ``binance_sdk.verify`` compares an exchange with: the spec of one market, without its prose, as JSON.

It is written beside the generated code of the market, and only ``verify`` loads it; ``python -m codegen verify`` takes
it straight from the YAML instead, so that a change of the spec can be tried before anything is generated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from codegen.names import snake
from codegen.spec_model.base import seconds
from codegen.spec_model.operations import Operation, SortedBy
from codegen.spec_model.parameters import AtMostOneOf, Lookback, Parameter
from codegen.spec_model.schemas import RowPosition, RowSchema, Schema, SchemaField, UnionSchema
from codegen.spec_model.spec import SHARED, Placed, Spec
from codegen.spec_model.stream_names import texts
from codegen.spec_model.streams import StreamNode, StreamParameter
from codegen.spec_model.types import parse_type
from codegen.spec_model.weights import CaseWeight, WeightRule

Facts = dict[str, Any]


def verify_facts(spec: Spec, market: str) -> Facts:
    """Everything that can be compared of a market."""
    pool = spec.pool_of(market)
    operations = sorted(spec.of_market(market), key=lambda placed: placed.name)
    return {
        "market": market,
        "pool": {
            "name": spec.entry(market).pool,
            "used_weight_header": pool.used_weight_header,
            "limits": {
                name: {
                    "limit": limit.limit,
                    "seconds": seconds(limit.interval),
                    "every_request": limit.every_request,
                    "uncertain": _remarks(limit.uncertain),
                }
                for name, limit in (("weight", pool.weight), *pool.groups.items())
            },
        },
        "symbols": _symbols(spec, market),
        "mistakes": {
            name: {"codes": mistake.codes, "uncertain": _remarks(mistake.uncertain)}
            for name, mistake in spec.errors.mistakes.items()
        },
        "enums": {
            name: {"values": placed.value.values, "uncertain": _remarks(placed.value.uncertain)}
            for (scope, name), placed in sorted(spec.enums.items(), key=lambda item: item[0])
            if scope in (SHARED, market)
        },
        "schemas": {name: _schema(spec, market, schema) for name, schema in _schemas(spec, market).items()},
        "operations": {placed.name: _operation(spec, placed) for placed in operations},
        "streams": {placed.name: _stream(spec, placed) for placed in spec.streams_of(market)},
    }


def facts_text(facts: Facts) -> str:
    """The facts as JSON; each entry of a table has a line of its own."""
    parts = [f"{json.dumps(key)}: {_table(value)}" for key, value in facts.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _table(value: Any) -> str:
    entries = cast("Facts", value) if isinstance(value, dict) else {}
    if not any(isinstance(inner, dict) for inner in entries.values()):
        return json.dumps(value, ensure_ascii=False)
    lines = [f" {json.dumps(key)}: {json.dumps(inner, ensure_ascii=False)}" for key, inner in entries.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def _remarks(text: str | None) -> list[str]:
    return [text] if text else []


def _set(**values: Any) -> Facts:
    """Only what says something, as most words of most nodes are left out."""
    return {name: value for name, value in values.items() if value or type(value) is int}


# -------------------------------------------------------------------------------------- symbols


def _symbols(spec: Spec, market: str) -> Facts | None:
    symbols = spec.entry(market).symbols
    if symbols is None:
        return None
    info = spec.operations[market, "exchange_info"].value.returns[0].type
    rows = spec.schema(market, parse_type(info).name)
    item = parse_type(spec.fields(market, rows.value)["symbols"].type).leaf.name if rows else ""
    placed = spec.schema(market, item)
    fields = spec.fields(market, placed.value) if placed else {}
    wires = {field.name or snake(wire): wire for wire, field in fields.items()}
    return {
        "example": symbols.example,
        "pattern": symbols.pattern,
        "pair_example": symbols.pairs.example if symbols.pairs else symbols.example,
        "described_by": "exchange_info",
        "status": wires["status"],
        "traded": symbols.traded,
        "pair": wires.get("pair"),
        "uncertain": _remarks(symbols.uncertain),
    }


# -------------------------------------------------------------------------------------- schemas


def _schemas(spec: Spec, market: str) -> Mapping[str, Schema]:
    """All that a market answers with or sends; its own stand before the shared ones of the same name."""
    found: dict[str, Schema] = {}
    for table in (spec.schemas, spec.events):
        for scope in (SHARED, market):
            found |= {name: placed.value for (home, name), placed in table.items() if home == scope}
    return dict(sorted(found.items()))


def _schema(spec: Spec, market: str, schema: Schema) -> Facts:
    if isinstance(schema, RowSchema):
        return {"row": [_position(position) for position in schema.row]}
    if isinstance(schema, UnionSchema):
        return {"discriminator": schema.discriminator, "members": schema.members}
    return {"fields": {wire: _field(field) for wire, field in spec.fields(market, schema).items()}}


def _position(position: RowPosition) -> Facts:
    uncertain = _remarks(position.uncertain)
    return _set(name=position.name, type=position.type, unused=position.unused, uncertain=uncertain)


def _field(field: SchemaField) -> Facts:
    return _set(
        type=field.type,
        optional=field.optional,
        nullable=field.nullable,
        empty=field.empty,
        uncertain=_remarks(field.uncertain),
    )


# ----------------------------------------------------------------------------------- operations


def _operation(spec: Spec, placed: Placed[Operation]) -> Facts:
    operation, market = placed.value, placed.scope
    paging = operation.paging
    return {
        "path": operation.path,
        "weight": _weight(operation.weight),
        "hosts": spec.hosts[market, placed.name],
        "parameters": {wire: _parameter(spec, market, parameter) for wire, parameter in operation.parameters.items()},
        "returns": [
            _set(variant=variant.variant, type=variant.type, **(variant.when.model_dump() if variant.when else {}))
            | {"example": variant.example}
            for variant in operation.returns
        ],
        **_set(
            groups=operation.groups,
            security=operation.security if operation.security != "none" else None,
            used_weight_header=operation.used_weight_header if operation.used_weight_header != "trusted" else None,
            exclusive=[rule.at_most_one_of for rule in operation.rules if isinstance(rule, AtMostOneOf)],
            looks_back=any(isinstance(rule, Lookback) for rule in operation.rules),
            sorted=list(_sorted(spec, placed)),
            paging=paging
            and _set(
                size=paging.size,
                cursor=paging.cursor,
                start=paging.start,
                end=paging.end,
                key=_wire(spec, market, operation.returns[0].type, paging.key),
                unique=paging.unique,
                window=paging.window,
            )
            | ({} if paging.first is None else {"first": paging.first}),
            **_teaches(spec, market, operation),
            errors=list(operation.errors),
            uncertain=operation.uncertain,
        ),
    }


def _teaches(spec: Spec, market: str, operation: Operation) -> Facts:
    """Keys of the answer that hold the limits in force, and the time where that is all it tells."""
    teaches, type_ = operation.teaches, operation.returns[0].type
    if teaches is None:
        return {}
    if teaches.limits:
        return {"limits": _wire(spec, market, type_, teaches.limits)}
    return {"time": _wire(spec, market, type_, teaches.time)} if teaches.time else {}


def _weight(rule: WeightRule) -> Any:
    if isinstance(rule, CaseWeight):
        return {"cases": [_set(given=case.given) | {"weight": _weight(case.weight)} for case in rule.cases]}
    return rule if isinstance(rule, int) else rule.model_dump(exclude_none=True)


def _parameter(spec: Spec, market: str, parameter: Parameter) -> Facts:
    enum = spec.enum(market, parameter.enum) if parameter.enum else None
    found = _set(
        type=parameter.type,
        required=parameter.required,
        list=parameter.is_list,
        enum=parameter.enum,
        choices=parameter.values or (enum and enum.value.values),
        open=enum and enum.value.open,
        max_items=parameter.max_items,
        clamp=parameter.above == "clamp",
        pair=parameter.pair,
        uncertain=_remarks(parameter.uncertain),
    )
    numbers = {"default": parameter.default, "min": parameter.min, "max": parameter.max}
    return found | {name: value for name, value in numbers.items() if value is not None}


def _sorted(spec: Spec, placed: Placed[Operation]) -> Iterator[Facts]:
    """The order that an answer promises: as written, or that of the key by which it pages."""
    operation = placed.value
    orders = operation.sorted or ([SortedBy(by=operation.paging.key)] if operation.paging else [])
    for order in orders:
        type_ = operation.returns[0].type
        if order.list:
            rows = spec.schema(placed.scope, parse_type(type_).name)
            type_ = spec.fields(placed.scope, rows.value)[order.list].type if rows else type_
        yield _set(list=order.list, descending=order.descending) | {"by": _wire(spec, placed.scope, type_, order.by)}


def _wire(spec: Spec, market: str, type_: str, attribute: str) -> str | int:
    """Key or position of a row that an attribute is read from.

    Raises:
        LookupError: the rows of the type have no such attribute.
    """
    placed = spec.schema(market, parse_type(type_).leaf.name)
    if placed is not None and isinstance(placed.value, RowSchema):
        return next(index for index, position in enumerate(placed.value.row) if position.name == attribute)
    fields = spec.fields(market, placed.value) if placed is not None else {}
    found = next((wire for wire, field in fields.items() if (field.name or snake(wire)) == attribute), None)
    if found is None:
        raise LookupError(f"{type_} has no attribute {attribute}")
    return found


# -------------------------------------------------------------------------------------- streams


def _stream(spec: Spec, placed: Placed[StreamNode]) -> Facts:
    node, market = placed.value, placed.scope
    sequence = node.sequence
    quiet = node.quiet
    return {
        "pattern": node.pattern,
        "event": node.event,
        "parameters": {name: _stream_parameter(spec, market, parameter) for name, parameter in node.parameters.items()},
        **_set(
            event_type=node.event_type,
            route=node.route,
            quiet=_set(
                kind=quiet.kind,
                period_ms=quiet.period_ms,
                by=quiet.periods and quiet.periods.by,
                values_ms=quiet.periods and {str(value): ms for value, ms in quiet.periods.values_ms.items()},
            ),
            sequence=sequence
            and sequence.kind != "time"
            and _set(
                kind=sequence.kind,
                first=_event_path(spec, market, node, sequence.first),
                last=_event_path(spec, market, node, sequence.last),
                previous=sequence.previous and _event_path(spec, market, node, sequence.previous),
            ),
            moment=_event_key(spec, market, node, "event_time"),
            own_rows=_own_rows(spec, market, node),
            uncertain=node.uncertain,
        ),
    }


def _event_key(spec: Spec, market: str, node: StreamNode, attribute: str) -> str | None:
    """The key of an event that an attribute is read from; None where it has no such attribute."""
    placed = spec.schema(market, parse_type(node.event).leaf.name)
    fields = spec.fields(market, placed.value) if placed is not None else {}
    return next((wire for wire, field in fields.items() if (field.name or snake(wire)) == attribute), None)


def _own_rows(spec: Spec, market: str, node: StreamNode) -> Facts | None:
    rule = spec.own_rows.get(market)
    key = rule and _event_key(spec, market, node, rule.value.field)
    return {"key": key, "values": rule.value.values} if rule and key else None


def _event_path(spec: Spec, market: str, node: StreamNode, path: str) -> str:
    """``book.last_update_id`` as the keys of the wire."""
    type_, wires = node.event, list[str]()
    for attribute in path.split("."):
        wire = str(_wire(spec, market, type_, attribute))
        wires.append(wire)
        placed = spec.schema(market, parse_type(type_).leaf.name)
        type_ = spec.fields(market, placed.value)[wire].type if placed else type_
    return ".".join(wires)


def _stream_parameter(spec: Spec, market: str, parameter: StreamParameter) -> Facts:
    choices = texts(spec, market, parameter) if parameter.type == "choice" else {}
    return _set(type=parameter.type, pair=parameter.pair, listed_by=parameter.listed_by) | (
        {"texts": {str(value): text for value, text in choices.items()}, "default": parameter.default}
        if choices
        else {}
    )
