"""Every kind of drift is found on an exchange that has it, and called by its name; without drift nothing is found."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

import pytest

from binance_sdk.catalogue import CATALOGUE, MARKETS
from binance_sdk.verify import KINDS, Report, VerifySettings, verify
from binance_sdk.verify.market_spec import installed_spec

from .drifts import DRIFTS, Drift
from .mutated import MutatedExchange

_LISTEN_SECONDS = 60.0
"""Far longer than it takes: who has heard enough goes on at once."""


def compared(exchange: MutatedExchange, settings: VerifySettings) -> Report:
    """What is found, while time passes at the exchange where streams are listened to."""
    with exchange.running_clock() if settings.listen_seconds else nullcontext():
        return asyncio.run(verify(settings))


def test_at_least_forty_kinds_of_drift_are_tried() -> None:
    assert len(DRIFTS) >= 40
    assert len({drift.name for drift in DRIFTS}) == len(DRIFTS)
    assert {drift.kind for drift in DRIFTS} == set(KINDS)


@pytest.mark.parametrize("drift", DRIFTS, ids=lambda drift: drift.name)
def test_drift_is_found_and_named(drift: Drift, exchange: MutatedExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    drift.change(exchange, monkeypatch)
    listen = _LISTEN_SECONDS if drift.of_stream else 0.0
    report = compared(exchange, exchange.settings(drift.only, listen))
    found = {(one.kind, one.subject, one.path, one.severity) for one in report.findings}
    assert found == {(drift.kind, drift.only, drift.path, drift.severity)}, report.as_markdown()
    if drift.seen is not ...:
        assert drift.seen in [one.seen for one in report.findings], report.as_markdown()


@pytest.mark.parametrize("market", MARKETS)
def test_endpoints_without_drift_are_left_in_peace(market: str, exchange: MutatedExchange) -> None:
    report = compared(exchange, exchange.settings(f"{market}.*"))
    assert report.findings == (), report.as_markdown()
    assert report.operations == len(CATALOGUE[market].operations)


@pytest.mark.parametrize("market", MARKETS)
def test_streams_without_drift_are_left_in_peace(market: str, exchange: MutatedExchange) -> None:
    spec = installed_spec(market)
    listed = {one.listed_by for stream in spec.streams.values() for one in stream.parameters.values()}
    asked = {"time", "exchange_info", *listed}
    operations = {name: operation for name, operation in spec.operations.items() if name in asked}
    streams_alone = {market: spec.model_copy(update={"operations": operations})}
    report = compared(exchange, exchange.settings(f"{market}.*", _LISTEN_SECONDS, specs=streams_alone))
    assert report.findings == (), report.as_markdown()
    silent = {one.subject.partition(".")[2] for one in report.not_judged}
    # Of those that speak when something rare happens nobody knows whether they should have.
    assert all(spec.streams[name].quiet.kind == "never" for name in silent), report.as_markdown()
    assert report.streams == len(spec.streams) - len(silent)
