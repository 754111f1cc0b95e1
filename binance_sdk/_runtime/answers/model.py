"""The base of every generated object model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from binance_sdk._runtime.json_validator import fail_early
from binance_sdk._runtime.numbers import anything_schema, numbers_written
from binance_sdk._runtime.type_adapter import CACHE_STRINGS


class Model(BaseModel):
    """A JSON object of Binance: frozen, exact, and written back as it came.

    Fields that Binance adds are kept in ``model_extra`` and are never an error.
    ``model_dump_json(by_alias=True, exclude_unset=True)`` equals the JSON that was read. A number with more digits than
    a double holds is a Decimal and is written as a number again (as a string, where another model dumps this one).
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True,
        extra="allow",
        strict=True,
        defer_build=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=False,
        protected_namespaces=(),
        ser_json_inf_nan="constants",
        cache_strings=CACHE_STRINGS,
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        whole = cast("dict[str, Any]", handler.resolve_ref_schema(schema))
        fields = whole.get("schema", {})
        if fields.get("type") == "model-fields":
            fields["extras_schema"] = anything_schema()
        fail_early(cast("CoreSchema", whole))
        return schema

    if not TYPE_CHECKING:
        # Type checkers see pydantic's own signature, which grows from version to version.
        def model_dump_json(self, **settings: Any) -> str:
            """Like pydantic's; every number is written as it was read, however many digits it has."""
            dump = super().model_dump_json
            return numbers_written(lambda: dump(**settings))
