"""JSON of answers; that of long ones without a dict for each row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from binance_sdk.simulator.json_text import json_text
from binance_sdk.simulator.market.decimals import DecimalFormat
from binance_sdk.simulator.market.randomness import Ints
from binance_sdk.simulator.market.tape import Bools

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
Body: TypeAlias = "bytes | Json"
"""What an endpoint answers: finished bytes, or something to encode."""


def encode(body: Body) -> bytes:
    return body if isinstance(body, bytes) else json_text(body)


Column: TypeAlias = "tuple[DecimalFormat | None, Ints] | Bools"
"""A decimal column, an integer column (``None``), or a column of booleans."""


def rows(template: str, columns: Iterable[Column]) -> bytes:
    """A JSON array of one text per row.

    Args:
        template: The row, with ``{}`` where each column goes; written with doubled braces otherwise.
        columns: As many columns as the template has places.

    Formatting whole rows with ``%`` is several times faster than building dicts and encoding them.
    """
    formats: list[str] = []
    parts: list[list[int] | list[str]] = []
    for column in columns:
        if isinstance(column, np.ndarray):
            formats.append("%s")
            parts.append(["true" if value else "false" for value in column.tolist()])
        elif column[0] is None:
            formats.append("%d")
            parts.append(column[1].tolist())
        else:
            formats.append(f'"{column[0].template}"')
            parts.extend(column[0].columns(column[1]))
    row = template.format(*formats)
    return ("[" + ",".join([row % values for values in zip(*parts, strict=True)]) + "]").encode()
