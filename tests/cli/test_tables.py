"""Answers as tables."""

from __future__ import annotations

import io
import json

import pytest
from pydantic import TypeAdapter
from rich.console import Console

from binance_sdk import futures, spot
from binance_sdk.catalogue import CATALOGUE, Market, fixture
from binance_sdk.cli.tables import view


def shown(answer: object, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False)
    for part in view(answer, width):
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


KLINE = [
    1795572000000,
    "78121.03000000",
    "78256.99",
    "77968.79",
    "78034.82",
    "13.5",
    1795575599999,
    "1.5",
    300,
    "0",
    "0",
    "0",
]


def test_rows_become_columns_without_needless_zeros() -> None:
    lines = shown([spot.Kline.from_wire(KLINE), spot.Kline.from_wire([*KLINE[:5], "7.25", *KLINE[6:]])]).splitlines()
    assert [cell.strip() for cell in lines[1].strip("│").split("│")][:6] == [
        "open_time",
        "open",
        "high",
        "low",
        "close",
        "volume",
    ]
    assert [cell.strip() for cell in lines[3].strip("│").split("│")][:6] == [
        "2026-11-25 02:00Z",
        "78121.03",
        "78256.99",
        "77968.79",
        "78034.82",
        "13.50",
    ]


def test_what_has_no_room_is_named() -> None:
    text = shown([spot.Kline.from_wire(KLINE)], 50)
    assert "no room for" in text
    assert "volume" in text[text.index("no room for") :]
    assert max(len(line) for line in text.splitlines()) <= 50


def test_an_object_is_a_list_of_fields_with_its_lists_below() -> None:
    book = {"lastUpdateId": 7, "bids": [["1.5", "2"], ["1.4", "3"]], "asks": []}
    text = shown(TypeAdapter(spot.OrderBook).validate_json(json.dumps(book)))
    assert "│ last_update_id │ 7" in text
    assert "│ bids           │ 2 below" in text
    assert "│ asks           │ –" in text
    assert "\nbids\n" in text
    assert "│   1.5 │   2 │" in text


def test_absent_fields_are_dashes_and_added_fields_are_shown() -> None:
    text = shown(
        TypeAdapter(futures.FundingRate).validate_python(
            {"symbol": "A", "fundingRate": "0.1", "fundingTime": 1795564800002, "markPrice": "", "brandNew": "x[bold]y"}
        )
    )
    assert "│ mark_price   │ –" in text
    assert "│ rate_type    │ –" in text
    assert "│ brandNew     │ x[bold]y" in text
    assert "2026-11-25 00:00:00.002Z" in text


def test_empty_answers() -> None:
    assert shown([]) == "(an empty list)\n"
    assert shown(TypeAdapter(spot.Ping).validate_python({})) == "(an empty object)\n"


def test_long_lists_are_shown_whole_and_nested_ones_shortened() -> None:
    levels = [[f"{price}.5", "1"] for price in range(50)]
    book = {"lastUpdateId": 7, "bids": levels, "asks": levels}
    assert "30 more rows (--json shows all)" in shown(TypeAdapter(spot.OrderBook).validate_json(json.dumps(book)))
    assert len(shown([spot.PriceLevel.from_wire(level) for level in levels]).splitlines()) == 50 + 4


FIXTURES = [
    (operation.market, operation.name, suffix)
    for operation in CATALOGUE.operations
    for variant in operation.variants
    for suffix in variant.fixtures
]


@pytest.mark.parametrize(("market", "name", "suffix"), FIXTURES)
def test_every_answer_of_the_catalogue_can_be_shown(market: Market, name: str, suffix: str) -> None:
    operation = CATALOGUE[market].operations[name]
    variant = next(variant for variant in operation.variants if suffix in variant.fixtures)
    body = fixture(market, name, suffix)
    text = shown(variant.adapter.validate_json(body))
    assert text.strip()
    assert max(len(line) for line in text.splitlines()) <= 100
    symbol = _first_symbol(json.loads(body))
    assert symbol is None or symbol in text


def _first_symbol(body: object) -> str | None:
    first = body[0] if isinstance(body, list) and body else body
    found = first.get("symbol") if isinstance(first, dict) else None
    return found if isinstance(found, str) else None
