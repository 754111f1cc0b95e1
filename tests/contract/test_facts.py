"""Marks and parameters against what is known of Binance, not against the spec they were generated from."""

from __future__ import annotations

from typing import Any

import pytest
from shared_facts import endpoints, needs_facts

from binance_sdk.catalogue import CATALOGUE, Operation
from tests.hand_lines import lines_for_endpoint

from .calls import OPERATIONS
from .endpoint_table import COUNT_NOT_TRUSTED, NOT_SERVED_BY, SECURED

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)


@every_operation
def test_what_is_special_about_an_endpoint_is_written_by_hand_too(operation: Operation[Any]) -> None:
    id_ = operation.id
    assert SECURED.get(id_, "none") == operation.security, lines_for_endpoint(id_)
    assert COUNT_NOT_TRUSTED.get(id_, "trusted") == operation.used_weight_header, lines_for_endpoint(id_)
    serving = {name for name, environment in CATALOGUE.environments.items() if operation.market in environment.hosts}
    assert NOT_SERVED_BY.get(id_, set()) == serving.difference(operation.hosts), lines_for_endpoint(id_)


def test_what_is_special_is_about_endpoints_of_the_spec() -> None:
    known = {operation.id for operation in OPERATIONS}
    for table in (SECURED, COUNT_NOT_TRUSTED, NOT_SERVED_BY):
        assert [lines_for_endpoint(id_) for id_ in table if id_ not in known] == []


@needs_facts
def test_every_documented_endpoint_is_there() -> None:
    # The fact base is older than an endpoint that was added since.
    assert set(endpoints()) <= {operation.id for operation in OPERATIONS}


@needs_facts
@every_operation
def test_the_documented_parameters(operation: Operation[Any]) -> None:
    known = endpoints().get(operation.id)
    if known is None:
        pytest.skip(f"rest-endpoints.yaml of the fact base has no {operation.id}: it is newer")
    assert operation.path == known["path"]
    assert (operation.security != "none") == (known["security"] == "MARKET_DATA")
    assert set(operation.by_wire) == {fact["name"] for fact in known["parameters"]}
    for fact in known["parameters"]:
        ours, name = operation.by_wire[fact["name"]], fact["name"]
        assert ours.required == fact["required"], name
        assert (ours.min if "min" in fact else None) == fact.get("min"), name
        assert (ours.max if "max" in fact else None) == fact.get("max"), name
        assert ours.max_items == fact.get("max_items"), name
        assert ours.list == ("array_of_strings" in fact.get("encoding", "")), name
        if "enum" in fact:
            assert set(ours.choices or ()) == set(fact["enum"]), name
        if not ours.list and "default" in fact:
            assert str(ours.default) == str(fact["default"]), name
