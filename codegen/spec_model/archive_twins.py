"""What an endpoint answers of the same as a file of the archive."""

from __future__ import annotations

from codegen.names import snake
from codegen.spec_model.archive import ArchiveColumn, ArchiveTwin
from codegen.spec_model.operations import Operation
from codegen.spec_model.parameters import Lookback
from codegen.spec_model.schemas import ObjectSchema, RowSchema
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.types import parse_type


def lookback(operation: Operation) -> str | None:
    """How far back an endpoint goes by its own rules, None where they do not say so."""
    return next((rule.lookback for rule in operation.rules if isinstance(rule, Lookback)), None)


def answers(spec: Spec, placed: Placed[Operation]) -> dict[str, str]:
    """Attributes of a row of an answer, with their types."""
    schema = spec.schema(placed.scope, parse_type(placed.value.returns[0].type).leaf.name)
    if schema is None:
        return {}
    if isinstance(schema.value, RowSchema):
        return {position.name: position.type or "" for position in schema.value.row if position.name is not None}
    if not isinstance(schema.value, ObjectSchema):
        return {}
    fields = spec.fields(placed.scope, schema.value)
    return {field.name or snake(wire): field.type for wire, field in fields.items()}


def read_from(twin: ArchiveTwin, fields: dict[str, str], columns: list[ArchiveColumn]) -> dict[str, str]:
    """Column to the attribute that it is read from."""
    if twin.columns:
        return twin.columns
    kept = (column.python for column in columns if column.type not in (None, "symbol"))
    return {name: name for name in kept if name in fields}
