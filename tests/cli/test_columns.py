"""``--fields`` and ``--csv``: chosen columns, with the values of the wire."""

from __future__ import annotations

import csv
import io
import json

import pytest

from binance_sdk import spot
from binance_sdk.catalogue import CATALOGUE, Market, fixture
from binance_sdk.cli.columns import as_csv, chosen
from binance_sdk.cli.exit_codes import CommandError
from binance_sdk.simulator import Simulator

from .support import Cli

KLINES = ("call", "spot", "klines", "symbol=BTCUSDT", "interval=1h", "limit=2")


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_csv_has_the_values_of_the_wire(cli: Cli, simulator: Simulator) -> None:
    wire = json.loads(cli(*KLINES, "--json").output)
    ran = cli(*KLINES, "--csv")
    assert (ran.code, ran.errors) == (0, "")
    head, *rows = read(ran.output)
    assert head[:6] == ["open_time", "open", "high", "low", "close", "volume"]
    assert [row[:9] for row in rows] == [[str(value) for value in row[:9]] for row in wire]
    assert "\r" not in ran.output


def test_fields_are_columns_in_the_order_asked_for(cli: Cli, simulator: Simulator) -> None:
    head, *rows = read(cli(*KLINES, "--csv", "--fields", "close, open_time").output)
    assert head == ["close", "open_time"]
    assert [len(row) for row in rows] == [2, 2]
    table = cli(*KLINES, "--fields", "open_time,close").output
    assert "2027-01-15 08:00Z" in table
    assert "volume" not in table


def test_a_dot_goes_inside(cli: Cli, simulator: Simulator) -> None:
    ran = cli("call", "futures", "exchange_info", "--csv", "--fields", "symbols.symbol,symbols.contractType")
    head, *rows = read(ran.output)
    assert head == ["symbol", "contractType"]
    assert ["BTCUSDT", "PERPETUAL"] in rows


def test_names_of_the_wire_work_too_and_stand_as_they_were_written() -> None:
    answer = spot.Ticker24hr.model_validate_json(fixture("spot", "ticker_24hr", "full_single"))
    assert chosen(answer, ["lastPrice", "last_price"]) == {
        "lastPrice": answer.last_price,
        "last_price": answer.last_price,
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--fields", "clse"), "there is no 'clse'; did you mean close or close_time?"),
        (("--fields", "a.b,c"), "are not fields of one thing"),
        (("--fields", "close.open"), "without it"),
        (("--fields", "close", "--json"), "--json always shows everything"),
        (("--fields", "close", "--plan"), "--plan always shows everything"),
        (("--csv", "--json"), "--json and --csv exclude each other"),
        (("--raw", "--csv"), "--csv and --raw exclude each other"),
        (("--plan", "--csv"), "--plan sends nothing"),
    ],
)
def test_what_does_not_go_together(cli: Cli, simulator: Simulator, arguments: tuple[str, ...], told: str) -> None:
    ran = cli(*KLINES, *arguments)
    assert (ran.code, ran.output, ran.errors.count("\n")) == (2, "", 1)
    assert told in ran.errors


@pytest.mark.parametrize("market", ["spot", "futures"])
def test_every_answer_can_be_csv(market: Market) -> None:
    for operation in CATALOGUE[market]:
        for variant in operation.variants:
            for suffix in variant.fixtures:
                content = fixture(market, operation.name, suffix)
                answer = variant.adapter.validate_json(content)
                wire = json.loads(content)
                head, *rows = read(as_csv(answer)) or [[]]
                expected = len(wire) if isinstance(wire, list) else 1
                assert len(rows) == (expected if head else 0), operation.id
                assert all(len(row) == len(head) for row in rows), operation.id


def test_nothing_is_rounded_and_nothing_guessed() -> None:
    class Odd(spot.Ticker24hr):
        pass

    content = json.loads(fixture("spot", "ticker_24hr", "full_single"))
    answer = Odd.model_validate({**content, "lastPrice": "0.10000000", "added": [{"a": "1.50"}, None, True]})
    (head, row) = read(as_csv(answer))
    cells = dict(zip(head, row, strict=True))
    assert cells["last_price"] == "0.10000000"
    assert json.loads(cells["added"]) == [{"a": "1.50"}, None, True]


def test_an_empty_list_is_nothing() -> None:
    assert as_csv([]) == ""
    with pytest.raises(CommandError, match="there is no 'x'"):
        chosen({"y": 1}, ["x"])
