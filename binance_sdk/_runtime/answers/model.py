"""The base of every generated object model."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from binance_sdk._runtime.json_validator import fail_early
from binance_sdk._runtime.type_adapter import CACHE_STRINGS


class Model(BaseModel):
    """A JSON object of Binance: frozen, exact, and written back as it came.

    Fields that Binance adds are kept in ``model_extra`` and never fatal.
    ``model_dump_json(by_alias=True, exclude_unset=True)`` equals the JSON it was read from.
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
        fail_early(handler.resolve_ref_schema(schema))
        return schema
