"""Unions of objects that the value of a key tells apart, decided inside pydantic-core."""

from __future__ import annotations

from typing import Any, cast, get_args

from pydantic import BaseModel, GetCoreSchemaHandler, Tag
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from binance_sdk._runtime.json_validator import UNKNOWN_MEMBER

UNKNOWN_TAG = "unknown"
KNOWN_TAG = "known_tag"
"""Type of the error with which the ``Unknown`` member refuses an object that another member is for."""


class ByTag:
    """Annotation of a union of ``Annotated[Model, Tag(...)]``: the value of a key says which member it is.

    A known tag is strict: a malformed object with a known tag is an error, not an unknown one. Every other tag gives
    the member tagged ``UNKNOWN_TAG``. No Python function runs for a known tag: one call for each filter of an
    exchangeInfo would take longer than reading it, and let the garbage collector run hundreds of times.
    """

    __slots__ = ("attribute", "wire")

    def __init__(self, wire: str, attribute: str) -> None:
        self.wire = wire
        self.attribute = attribute

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        known: dict[str, CoreSchema] = {}
        unknown: CoreSchema | None = None
        for member in get_args(source):
            model, tag = cast("tuple[type[BaseModel], Tag]", get_args(member))
            schema = handler.generate_schema(model)
            if tag.tag == UNKNOWN_TAG:
                unknown = schema
            else:
                known[tag.tag] = schema
        assert unknown is not None
        other = core_schema.no_info_after_validator_function(
            self._refusing(known), unknown, metadata={UNKNOWN_MEMBER: self.attribute}
        )
        return core_schema.json_or_python_schema(
            self._either(known, self.wire, other),
            # Objects made in Python have the attribute; a dict may have either name.
            self._either(known, [[self.wire], [self.attribute]], other),
        )

    def _either(
        self, known: dict[str, CoreSchema], discriminator: str | list[list[str | int]], other: CoreSchema
    ) -> CoreSchema:
        tagged = core_schema.tagged_union_schema(
            cast("dict[Any, CoreSchema]", known), discriminator, from_attributes=True
        )
        return core_schema.union_schema([(tagged, "<known>"), (other, "<unknown>")], mode="left_to_right")

    def _refusing(self, known: dict[str, CoreSchema]) -> Any:
        attribute, tags = self.attribute, frozenset(known)

        def refuse_known(value: object) -> object:
            # Reached only if no known member could be read.
            if getattr(value, attribute) in tags:
                raise PydanticCustomError(KNOWN_TAG, "is of a known kind")
            return value

        return refuse_known
