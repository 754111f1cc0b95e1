"""The base of every generated object model, and the choice between the members of a union."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from binance_sdk._runtime.type_adapter import CACHE_STRINGS, fail_early

UNKNOWN_TAG = "unknown"


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


def tag_of(field: str, attribute: str, known: Iterable[str]) -> Callable[[object], str | None]:
    """A discriminator: the value of ``field`` where it is known, else the tag of the ``Unknown`` member.

    A known tag stays strict: a malformed known member is an error, not an unknown one.
    """
    tags = frozenset(known)

    def discriminate(value: object) -> str | None:
        if isinstance(value, Mapping):
            found = cast("Mapping[str, object]", value).get(field)
        else:
            found = getattr(value, attribute, None)
        return found if isinstance(found, str) and found in tags else UNKNOWN_TAG

    return discriminate
