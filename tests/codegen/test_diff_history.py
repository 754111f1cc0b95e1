"""Every change of a weight that Binance ever made is told for what it is: the fact base has them with their days."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest
import yaml
from tiny import REPOSITORY

from codegen.diff.report import changes
from codegen.diff.sides import Name, Side, read_folder
from tests.shared_facts import FACTS, needs_facts

HISTORY = FACTS / "upstream" / "weight-history.yaml"
SPEC = read_folder(REPOSITORY / "spec")

INVENTED = {
    "spot": {
        "request_weight_limit_per_minute": [{"from": "2019", "value": 1000}, {"from": "2020", "value": 2000}],
        "/api/v3/depth": [
            {"from": "2020", "value": {"1-100": 3, "101-500": 9, "501-5000": 27}},
            {"from": "2021", "value": {"1-100": 4, "101-500": 9, "501-5000": 27}},
        ],
        "/api/v3/klines": [
            {"from": "before 2020", "value": 3},
            {"from": "2020", "value": 4},
            {"from": "2021", "value": 3},
        ],
        "/api/v3/ticker/24hr": [
            {
                "from": "2020",
                "value": {"symbol": 3, "symbols 1-20": 3, "symbols 21-100": 30, "symbols 101+": 60, "none": 60},
            },
            {
                "from": "2021",
                "value": {"symbol": 3, "symbols 1-20": 5, "symbols 21-100": 30, "symbols 101+": 60, "none": 60},
            },
        ],
        "/api/v3/ticker": [{"from": "2020", "value": {"each": 3}}, {"from": "2021", "value": {"each": 3, "cap": 90}}],
        "/api/v3/referencePrice": [{"from": "2020", "value": 3}],
    },
    "futures": {
        "/fapi/v1/premiumIndex": [
            {"from": "until 2020", "value": 1},
            {"from": "2021", "value": {"symbol": 1, "none": 12}},
        ],
        "/fapi/v1/rpiDepth": [{"from": "2020 (new)", "value": {"limit 1000": 30}}],
    },
}
"""In the forms of the fact base, for where there is none."""


@dataclass(frozen=True)
class Step:
    """One line of a history and the one before."""

    market: str
    what: str
    day: str
    before: Any
    """None where it is new."""
    after: Any

    def __str__(self) -> str:
        return f"{self.market} {self.what} {self.day}"


def steps(history: dict[str, Any]) -> Iterator[Step]:
    for market, table in history.items():
        for what, lines in table.items():
            if not isinstance(lines, list):
                continue  # What did not change.
            if what.startswith("/"):
                first = lines[0]
                yield Step(market, what, str(first["from"]), None, first["value"])
            for old, new in pairwise(lines):
                yield Step(market, what, str(new["from"]), old["value"], new["value"])


def weight(value: Any, limit: str = "limit") -> Any:
    """A value of the history in the words of the spec."""
    if isinstance(value, int):
        return value
    if all(re.fullmatch(r"\d+-\d+", key) for key in value):
        return {"by": limit, "bands": [band(key, price) for key, price in value.items()]}
    if "each" in value:
        return {"per_item_of": "symbols", **value}
    if all(key.startswith("limit ") for key in value):
        return {"by": limit, "values": {key.removeprefix("limit "): price for key, price in value.items()}}
    cases: list[dict[str, Any]] = []
    counted = [(key, price) for key, price in value.items() if key.startswith("symbols ")]
    for key, price in value.items():
        if key == "none":
            cases.append({"weight": price})
        elif not key.startswith("symbols "):
            cases.append({"given": key, "weight": weight(price)})
        elif (key, price) == counted[0]:
            bands = [band(text.removeprefix("symbols "), cost) for text, cost in counted]
            cases.append({"given": "symbols", "weight": {"count_of": "symbols", "bands": bands}})
    return {"cases": cases}


def band(text: str, price: int) -> dict[str, int]:
    low, _, high = text.rstrip("+").partition("-")
    return {"min": int(low), **({"max": int(high)} if high else {}), "weight": price}


def at(step: Step, value: Any) -> tuple[Side, Name]:
    """The spec of today with the value of that day."""
    if step.what.startswith("/"):
        name = next(
            name
            for name, thing in SPEC.things.items()
            if name.kind == "operation" and name.scope == step.market and thing.value["path"] == step.what
        )
        thing = SPEC.things[name]
        things = {key: entry for key, entry in SPEC.things.items() if value is not None or key != name}
        if value is not None:
            things[name] = replace(thing, value={**thing.value, "weight": weight(value)})
        return Side("then", things, SPEC.fixtures), name
    name = Name("pool", "", SPEC.things[Name("market", "", step.market)].value["pool"])
    pool = SPEC.things[name].value
    if step.what == "request_weight_limit_per_minute":
        pool = {**pool, "weight": {**pool["weight"], "limit": value}}
    else:
        group = {**pool["groups"]["raw_requests"], "limit": value}
        pool = {**pool, "groups": {**pool["groups"], "raw_requests": group}}
    return Side("then", SPEC.things | {name: replace(SPEC.things[name], value=pool)}, SPEC.fixtures), name


def is_told(step: Step) -> None:
    (old, name), (new, _) = at(step, step.before), at(step, step.after)
    (change,) = changes(old, new)
    assert change.difference.name == name
    if step.before is None:
        assert (change.kind.word, change.difference.how) == ("additive", "added")
        return
    assert change.kind.word == "behavioural"
    if name.kind == "pool":
        assert change.text.endswith(f"limit: {step.before} -> {step.after}")
        assert f"client.{step.market}" in change.affected.methods
        return
    assert change.difference.path == ("weight",)
    assert f"client.{name}" in change.affected.methods
    assert change.text.startswith("weight: ")
    before, after = change.text.removeprefix("weight: ").split(" -> ")
    for told, value in ((before, step.before), (after, step.after)):
        # Every price of that day is told; the cap and the number of items are no prices of a band.
        assert "{" not in told, "in words, and not as YAML"
        for price in prices(value):
            assert str(price) in re.findall(r"\d+", told)


def prices(value: Any) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    else:
        for inner in value.values():
            yield from prices(inner)


@pytest.mark.parametrize("step", list(steps(INVENTED)), ids=str)
def test_an_invented_change(step: Step) -> None:
    is_told(step)


@needs_facts
def test_every_change_of_the_history() -> None:
    history = yaml.safe_load(HISTORY.read_text(encoding="utf-8")) if HISTORY.is_file() else {}
    told = list(steps(history))
    assert len(told) > 40
    for step in told:
        is_told(step)
