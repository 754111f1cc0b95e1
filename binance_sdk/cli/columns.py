"""Some of the fields of an answer, and answers as CSV: with the values of the wire, for programs to read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import cast

from pydantic import BaseModel

from binance_sdk.cli.arguments import did_you_mean
from binance_sdk.cli.exit_codes import CommandError
from binance_sdk.cli.tables import RowLike

Record = dict[str, object]


def chosen(answer: object, fields: Sequence[str]) -> object:
    """The answer with these fields alone: a dict, or a list of them.

    Args:
        answer: What a method of the client returned.
        fields: Names of Python or of the wire; ``symbols.status`` is the ``status`` of each of ``symbols``. All of
            those that are written with a prefix have the same one.

    Raises:
        CommandError: there is no such field; the message names those there are.
    """
    prefixes = {field.rpartition(".")[0] for field in fields}
    if len(prefixes) > 1:
        raise CommandError(
            f"--fields: {', '.join(fields)} are not fields of one thing; ask for {fields[0]} and its like"
        )
    inner = answer
    for name in filter(None, prefixes.pop().split(".")):
        if isinstance(inner, list):
            raise CommandError(f"--fields: {name} is one for each row; write the names of fields without it")
        inner = _all_of(inner)[_name(inner, name)]
    names = [field.rpartition(".")[2] for field in fields]
    if isinstance(inner, list):
        return [_picked(record, names) for record in cast("list[object]", inner)]
    return _picked(inner, names)


def as_csv(answer: object) -> str:
    """A header and a line for each row: exact numbers, times in epoch milliseconds, what is nested as JSON."""
    records = [_all_of(record) for record in (cast("list[object]", answer) if isinstance(answer, list) else [answer])]
    names = list(dict.fromkeys(name for record in records for name in record))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if names:
        writer.writerow(names)
    writer.writerows([_cell(record.get(name)) for name in names] for record in records)
    return text.getvalue()


def _picked(record: object, names: Iterable[str]) -> Record:
    values = _all_of(record)
    return {name: values[_name(record, name)] for name in names}


def _name(record: object, wanted: str) -> str:
    """The name of a field in Python, given that one or the one on the wire."""
    known = _all_of(record)
    if wanted in known:
        return wanted
    fields = type(record).model_fields if isinstance(record, BaseModel) else {}
    for name, field in fields.items():
        if field.alias == wanted:
            return name
    raise CommandError(f"--fields: there is no {wanted!r}{did_you_mean(wanted, known)}; there are {', '.join(known)}")


def _all_of(record: object) -> Record:
    if isinstance(record, BaseModel):
        return {**{name: getattr(record, name) for name in type(record).model_fields}, **(record.model_extra or {})}
    if isinstance(record, RowLike):
        return {name: getattr(record, name) for name in record.field_names()}
    if isinstance(record, Mapping):
        return {str(name): value for name, value in cast("Mapping[object, object]", record).items()}
    return {"value": record}


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (int, str)):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return value.model_dump_json(by_alias=True, exclude_unset=True)
    return json.dumps(value, default=_for_json, ensure_ascii=False)


def _for_json(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return format(value, "f") if isinstance(value, Decimal) else str(value)
