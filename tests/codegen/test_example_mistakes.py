"""What is wrong with an example answer or message, told with file and field."""

from __future__ import annotations

import pytest
from tiny import TinySpec


@pytest.mark.parametrize(
    ("content", "printed"),
    [
        ("[" * 100_000 + "]" * 100_000, ":1: too many lists and objects lie in each other"),
        ("[NaN]", ":1: holds a number that is none: NaN"),
        ('["\\ud800"]', ":1: a text holds '\\ud800', half a character"),
        ("[" + "9" * 5000 + "]", ":1: holds a number that is none: Exceeds the limit"),
    ],
)
def test_an_example_answer_that_cannot_be_carried_on(content: str, printed: str, tiny: TinySpec) -> None:
    for name in ("fixtures/spot/bars.json", "fixtures/spot/streams/bar.json"):
        whole = (tiny.folder / name).read_bytes()
        (mistake,) = tiny.write(name, content).mistakes()
        assert mistake.startswith(f"{name}{printed}")
        tiny.write(name, whole)


def test_a_missing_fixture(tiny: TinySpec) -> None:
    assert tiny.remove("fixtures/spot/bars.json").mistakes() == [
        "spot/market.yaml:71: bars: fixtures/spot/bars.json is missing; write an example answer there"
    ]


def test_a_stray_fixture(tiny: TinySpec) -> None:
    assert tiny.write("fixtures/spot/barz.json", "[]").mistakes() == [
        "fixtures/spot/barz.json:1: no operation uses this fixture; rename or delete it"
    ]


def test_a_fixture_that_is_not_utf_8(tiny: TinySpec) -> None:
    assert tiny.write("fixtures/spot/bars.json", b'[\n"\xff"]').mistakes() == [
        "fixtures/spot/bars.json:2: byte 3 of the file is not UTF-8; save it as UTF-8"
    ]


DECIMAL = 'must be a decimal in quotes such as "1.50"'


@pytest.mark.parametrize(
    ("fixture", "old", "new", "printed"),
    [
        pytest.param("price.single", '"1.10"', "1.1", f"lastPrice: {DECIMAL}, not `1.1`", id="a number"),
        pytest.param("price.single", '"1.10"', '"1e5"', f"lastPrice: {DECIMAL}, not `1e5`", id="an exponent"),
        pytest.param("price.single", '"1.10"', "null", f"lastPrice: {DECIMAL}, not nothing", id="null"),
        pytest.param("price.single", '"1.10"', '""', f"lastPrice: {DECIMAL}, not ``", id="an empty text"),
        pytest.param(
            "price.single",
            '"lastPrice"',
            '"lastprice"',
            "lastprice: Price has no field `lastprice`; did you mean `lastPrice`?|"
            "the example: lacks `lastPrice` of Price; add it, or mark it `optional: true` there",
            id="a key misspelt",
        ),
        pytest.param(
            "price.mini", "null", 'null, "zz": 1', "zz: PriceMini has no field `zz`; describe it there", id="a key more"
        ),
        pytest.param("price.single", '"m": true', '"m": 1', "m: must be true or false, not `1`", id="no bool"),
        pytest.param(
            "price.single",
            'nextTime": 0',
            'nextTime": false',
            "nextTime: must be a time in milliseconds, not `false`",
            id="a bool for a time",
        ),
        pytest.param("price.single", '"5.0"', "5", f"rules[0].cap: {DECIMAL}, not `5`", id="in a member of a union"),
        pytest.param(
            "price.single",
            '"kind": "CAP", ',
            "",
            "rules[0]: has no text `kind` that tells which Rule it is",
            id="no tag",
        ),
        pytest.param(
            "price.list", "[]", "{}", "[0].rules: must be a list, not a mapping of keys to values", id="no list"
        ),
        pytest.param(
            "bars", '0, "0"]]', '"0", "0"]]', "[1][2]: must be a whole number, not `0`; it is `trade_count`", id="row"
        ),
        pytest.param("bars", ", 7", "", "[0]: must be a list of 4 values, a Bar, not a list of 3", id="a short row"),
        pytest.param("bars", "7,", "7, 8,", "[0]: must be a list of 4 values, a Bar, not a list of 5", id="a long row"),
        pytest.param(
            "streams/bar", '"i":"1m"', '"i":1', "i: must be a value of Step, not `1`", id="no text for an enum"
        ),
        pytest.param(
            "streams/bar",
            '"e":"bar"',
            '"e":"baz"',
            "e: is `baz`, and the stream has `event_type: bar`; correct one of the two",
            id="another event",
        ),
        pytest.param(
            "streams/price", '"1.50"', "1.5", f"b[0][1]: {DECIMAL}, not `1.5`; it is `close`", id="a row in an event"
        ),
    ],
)
def test_an_example_that_contradicts_its_schema(fixture: str, old: str, new: str, printed: str, tiny: TinySpec) -> None:
    file = f"fixtures/spot/{fixture}.json"
    assert tiny.change(file, old, new).mistakes() == [f"{file}:1: {line}" for line in printed.split("|")]


def test_the_line_of_a_contradiction_and_no_end_of_them(tiny: TinySpec) -> None:
    rows = ",\n".join('[1700000000000, "1.10", null, "0"]' for _ in range(100))
    mistakes = tiny.write("fixtures/spot/bars.json", f"[\n{rows}\n]").mistakes()
    assert len(mistakes) == 20
    assert mistakes[3].startswith("fixtures/spot/bars.json:5: [3][2]: must be a whole number, not nothing")


def test_what_an_example_may_hold(tiny: TinySpec) -> None:
    """A value of tomorrow, an unused position of any kind, and what the spec marks as absent or empty."""
    tiny.change("fixtures/spot/streams/bar.json", '"i":"1m"', '"i":"7m"')
    tiny.change("fixtures/spot/bars.json", '0, "0"]]', "0, {}]]")
    assert tiny.load()


def test_a_missing_stream_fixture(tiny: TinySpec) -> None:
    assert tiny.remove("fixtures/spot/streams/bar.json").mistakes() == [
        "streams/spot.yaml:28: bar: fixtures/spot/streams/bar.json is missing; write an example message there"
    ]


def test_a_stray_stream_fixture(tiny: TinySpec) -> None:
    assert tiny.write("fixtures/futures/streams/bar.json", "{}").mistakes() == [
        "fixtures/futures/streams/bar.json:1: no stream has this name; rename or delete it"
    ]


@pytest.mark.parametrize(
    ("content", "printed"),
    [
        pytest.param(
            "{\n1}",
            ":2: not JSON: expecting property name enclosed in double quotes at column 1",
            id="no JSON",
        ),
        pytest.param(b'{"a": "\xff"}', ":1: byte 7 of the file is not UTF-8; save it as UTF-8", id="not UTF-8"),
        pytest.param("[]", ":1: the example: must be an object, a BarEvent, not `[]`", id="a list"),
    ],
)
def test_a_stream_fixture_that_is_no_message(content: str | bytes, printed: str, tiny: TinySpec) -> None:
    name = "fixtures/spot/streams/bar.json"
    assert tiny.write(name, content).mistakes() == [f"{name}{printed}"]


def test_a_stream_fixture_that_is_no_list(tiny: TinySpec) -> None:
    assert tiny.write("fixtures/spot/streams/all_prices.json", "{}").mistakes() == [
        "fixtures/spot/streams/all_prices.json:1: the example: must be a list, not a mapping of keys to values"
    ]
