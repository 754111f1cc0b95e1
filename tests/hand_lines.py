"""What a test says where a table written by hand lacks a line: the file, and the line to paste."""

from __future__ import annotations

from functools import cache

from codegen.load import load
from codegen.scaffold.hand_tables import lines_of_endpoint, lines_of_stream, wanted
from codegen.spec_model.spec import Spec
from tests.shared_facts import REPOSITORY


@cache
def _spec() -> Spec:
    return load(REPOSITORY / "spec")


def lines_for_endpoint(id_: str) -> str:
    """For an assertion about ``market.name``."""
    market, name = id_.split(".")
    placed = _spec().operations.get((market, name))
    return (
        f"the spec has no endpoint {id_}: drop its lines"
        if placed is None
        else wanted(lines_of_endpoint(_spec(), placed))
    )


def lines_for_stream(id_: str) -> str:
    """For an assertion about ``market.name``."""
    market, name = id_.split(".")
    placed = _spec().streams.get((market, name))
    return (
        f"the spec has no stream {id_}: drop its lines" if placed is None else wanted(lines_of_stream(_spec(), placed))
    )
