"""Messages of a diff stream into updates of a book, by the keys that the rules name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from pydantic_core import CoreConfig, SchemaValidator, core_schema

from binance_sdk._runtime.book.messages import LONGEST_NUMBER, PLAIN_NUMBER, Update
from binance_sdk._runtime.book.rules import BookRules


def update_decoder(rules: BookRules) -> Callable[[bytes], Update]:
    """A function that reads the payload of a message. It raises pydantic's ``ValidationError``.

    Levels stay texts: most of them are replaced before anybody looks at them. Quantities are seen to be plain numbers
    here; a price is looked at by the book, when it is a new one.
    """
    number = core_schema.typed_dict_field(core_schema.int_schema(strict=True))
    quantity = core_schema.str_schema(strict=True, pattern=PLAIN_NUMBER, max_length=LONGEST_NUMBER)
    level = core_schema.tuple_schema([core_schema.str_schema(strict=True), quantity])
    levels = core_schema.typed_dict_field(core_schema.list_schema(level, fail_fast=True))
    fields = {rules.first_id: number, rules.last_id: number, rules.bids: levels, rules.asks: levels}
    if rules.previous_id is not None:
        fields[rules.previous_id] = number
    schema = core_schema.typed_dict_schema(fields, extra_behavior="ignore")
    # Hardly a text comes twice, and looking for it costs more than making it.
    read = SchemaValidator(schema, CoreConfig(cache_strings="none")).validate_json
    first, last, previous, bids, asks = rules.first_id, rules.last_id, rules.previous_id, rules.bids, rules.asks
    if previous is None:

        def decode(payload: bytes) -> Update:
            found = cast("dict[str, Any]", read(payload))
            return Update(found[first], found[last], None, found[bids], found[asks])

        return decode

    def decode_linked(payload: bytes) -> Update:
        found = cast("dict[str, Any]", read(payload))
        return Update(found[first], found[last], found[previous], found[bids], found[asks])

    return decode_linked
