"""What streams, and the attributes of their events, are called."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codegen.names import snake
from codegen.spec_model.schemas import ObjectSchema
from codegen.spec_model.spec import Spec
from codegen.spec_model.streams import StreamNode, StreamParameter
from codegen.spec_model.types import parse_type


def texts(spec: Spec, market: str, one: StreamParameter) -> dict[str | int, str]:
    """Each value of a choice with what it becomes in the name of the stream."""
    if one.texts is not None:
        return dict[str | int, str](one.texts.items())
    enum = spec.enum(market, one.enum) if one.enum else None
    values: list[int | str] = [*enum.value.values] if enum is not None else [*(one.values or [])]
    return {value: str(value) for value in values}


def name_pattern(spec: Spec, market: str, node: StreamNode) -> str:
    """A regular expression of the names of a stream, with a group for each parameter."""
    pattern = re.escape(node.pattern)
    for name, parameter in node.parameters.items():
        choices = "|".join(re.escape(text) for text in texts(spec, market, parameter).values())
        group = f"(?P<{name}>{'[^@]+' if parameter.type == 'symbol' else choices})"
        pattern = pattern.replace(re.escape(f"{{{name}}}"), group)
    return pattern


def attributes(spec: Spec, scope: str, event: str, prefix: str = "") -> Iterator[tuple[str, tuple[bool, bool]]]:
    """Every attribute path of an event with (whether it may be absent in a live one, whether it is live only)."""
    placed = spec.schema(scope, event)
    if placed is None or not isinstance(placed.value, ObjectSchema):
        return
    for wire, field in placed.value.fields.items():
        path = prefix + (field.name or snake(wire))
        yield path, (field.optional, field.live_only)
        type_ = parse_type(field.type)
        if type_.kind == "name" and (scope, type_.name) in spec.events:
            yield from attributes(spec, scope, type_.name, f"{path}.")


def last_step(path: str) -> str:
    """``kline.close`` as ``close``, which is what a row calls it too: one fact has one name."""
    return path.rpartition(".")[2]
