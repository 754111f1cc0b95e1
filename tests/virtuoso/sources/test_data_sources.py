"""The block ``data_sources``: what it says by default, and every mistake told with key, value and remedy."""

from __future__ import annotations

import logging
import math
from typing import Any

import pytest

from binance_sdk.errors import ConfigError
from tests import wrong_values
from virtuoso_binance.sources import DataSources, read_data_sources

KNOWN = ("binance", "bybit", "okx")
PLAN: dict[str, Any] = {
    "primary": "bybit",
    "secondary": ["binance"],
    "aggregation_mode": "primary_with_fallback",
    "cross_validation": True,
}
"""As the integration plan has it."""
WRONG: dict[str, object] = {
    **wrong_values.WRONG, "nan": math.nan, "inf": math.inf, "dict": {}, "list of 5": [5], "list of blank": [" "],
}  # fmt: skip
TAKEN = {
    "primary": set[str](),
    "secondary": {"list"},
    "aggregation_mode": set[str](),
    "cross_validation": {"True", "False"},
    "timeout": {"1", "0.5"},
    "patience": {"1", "0.5"},
    "min_quality": {"0", "1", "0.5"},
    "failback_after": {"0", "1", "0.5"},
    "failback_checks": {"1"},
}


def read(**changes: Any) -> DataSources:
    return read_data_sources({**PLAN, **changes}, KNOWN, names={})


def test_the_block_of_the_plan() -> None:
    found = read()
    assert found == DataSources("bybit", ("binance",), "primary_with_fallback", cross_validation=True)
    assert (found.names, found.asks_all) == (("bybit", "binance"), True)
    assert (found.timeout, found.patience, found.min_quality) == (15.0, 2.0, 90.0)
    assert (found.failback_after, found.failback_checks) == (60.0, 3)


def test_names_are_read_kindly_and_placeholders_expanded() -> None:
    block = {
        "primary": " Binance ",
        "secondary": "${OTHER:bybit}",
        "cross_validation": "${CHECK:false}",
        "timeout": None,
    }
    found = read_data_sources(block, KNOWN, names={"OTHER": "okx"})
    assert (found.primary, found.secondary, found.cross_validation, found.asks_all) == (
        "binance",
        ("okx",),
        False,
        False,
    )
    assert read(cross_validation=False, aggregation_mode="AGGREGATE").asks_all


@pytest.mark.parametrize("key", TAKEN)
@pytest.mark.parametrize("name", WRONG)
def test_every_key_with_wrong_values(key: str, name: str) -> None:
    """A value that is left out counts as that; every other one is taken or refused by name."""
    if name in TAKEN[key]:
        if (key, name) != ("secondary", "list"):
            read(**{key: WRONG[name]})
        return
    with pytest.raises(ConfigError, match=rf"^data_sources\.{key}=.*(write|correct|must be|needs)") as caught:
        read(**{key: WRONG[name]})
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"primary": "kraken"},
            "data_sources.primary='kraken' is no source that there is; write one of binance, bybit",
        ),
        ({"secondary": ["kraken"]}, "data_sources.secondary='kraken' is no source.*or add it below exchanges"),
        (
            {"secondary": ["bybit"]},
            "data_sources.secondary='bybit' is the primary source already; name each source once",
        ),
        ({"secondary": ["binance", "BINANCE"]}, "data_sources.secondary='binance' is named before already"),
        ({"secondary": ["okx"]}, "data_sources.secondary='okx' is switched off; write exchanges.okx.enabled: true"),
        ({"aggregation_mode": "mean"}, "data_sources.aggregation_mode='mean' is no mode; write one of primary_only"),
        ({"secondary": []}, "cross_validation=True has nothing to compare with"),
        ({"secondary": [], "cross_validation": False}, "primary_with_fallback' needs a second source; add secondary"),
        ({"primary": None}, "data_sources.primary is missing; write one of binance, bybit, okx"),
        ({"agregation_mode": "aggregate"}, "data_sources.'agregation_mode' is not known; correct it to one of primary"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_data_sources({**PLAN, **changes}, KNOWN, switched_off=["okx"], names={})


@pytest.mark.parametrize("block", [None, [], "bybit", 5])
def test_something_that_is_no_block(block: Any) -> None:
    with pytest.raises(ConfigError, match=r"data_sources=.* must be a block"):
        read_data_sources(block, KNOWN)


def test_nothing_is_known() -> None:
    with pytest.raises(ConfigError, match="there is no exchange at all yet; add it below exchanges"):
        read_data_sources(PLAN, (), names={})


def test_a_secondary_that_is_never_asked_gets_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "virtuoso_binance"):
        read(aggregation_mode="primary_only", cross_validation=False)
    assert "data_sources.secondary=['binance'] is never asked" in caplog.text
    caplog.clear()
    # Compared with, though it never serves.
    read(aggregation_mode="primary_only")
    assert caplog.text == ""
