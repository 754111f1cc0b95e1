"""Answers are read and written alike, whatever ``decimal.getcontext()`` says."""

from __future__ import annotations

from decimal import Context, localcontext
from typing import Any

import pytest
from pydantic import TypeAdapter

from binance_sdk.catalogue import CATALOGUE, fixture
from tests.decimal_contexts import HOSTILE


def written() -> list[str]:
    """Every example answer, decoded and written again, with the typed values of its objects and rows."""
    texts: list[str] = []
    for operation in CATALOGUE.operations:
        for variant in operation.variants:
            adapter: TypeAdapter[Any] = TypeAdapter(variant.type)
            for suffix in variant.fixtures:
                value = adapter.validate_json(fixture(operation.market, operation.name, suffix))
                texts.append(adapter.dump_json(value, by_alias=True, exclude_unset=True).decode())
                texts.extend(str(row.model_dump()) for row in (value if isinstance(value, list) else [value]))
    return texts


@pytest.mark.parametrize("context", HOSTILE.values(), ids=HOSTILE)
def test_answers_are_the_same_under_every_context(context: Context) -> None:
    expected = written()
    assert len(expected) > 100
    with localcontext(context):
        found = written()
    assert found == expected
