"""What `verify` finds becomes a change of the spec, after which it finds nothing any more."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from binance_sdk.verify import Finding, MarketSpec, VerifySettings
from binance_sdk.verify.finding import Kind
from codegen.__main__ import main
from codegen.load import load
from codegen.proposing.proposal import Proposal, propose
from codegen.rendering.verify_facts import facts_text, verify_facts
from codegen.spec_model.base import Source
from codegen.spec_model.schemas import ObjectSchema, RowSchema
from codegen.spec_model.spec import Spec

from .drifts import DRIFTS, Drift
from .mutated import MutatedExchange
from .test_drifts import _LISTEN_SECONDS, compared

REPOSITORY = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 30)


@cache
def spec() -> Spec:
    return load(REPOSITORY / "spec")


def facts(changed: Spec) -> dict[str, MarketSpec]:
    names = changed.market_names
    return {market: MarketSpec.model_validate_json(facts_text(verify_facts(changed, market))) for market in names}


def settings(exchange: MutatedExchange, drift: Drift, changed: Spec | None = None) -> VerifySettings:
    listen = _LISTEN_SECONDS if drift.of_stream else 0.0
    more = {} if changed is None else {"specs": facts(changed)}
    return exchange.settings(drift.only, listen, **more)


PATCHED = {
    *("field_added", "field_missing", "field_renamed", "type_changed", "null", "empty_string", "value_added"),
    *("member_added", "positions_added", "positions_missing", "page_size_changed", "weight_changed", "limit_changed"),
    *("error_code_changed", "event_type_changed", "interval_changed"),
}
"""Kinds of which a program can change the spec, mostly."""
ALL = os.environ.get("ALL_DRIFTS") == "1"
"""With it every drift is tried by itself, which takes minutes."""


def one_of_each_kind() -> list[Drift]:
    first = {drift.kind: drift for drift in reversed(DRIFTS) if drift.kind in PATCHED}
    return [drift for drift in DRIFTS if drift in first.values()]


@pytest.fixture(scope="module")
def proposal(_exchange: MutatedExchange) -> Proposal:
    """What is proposed where one of each kind was found."""
    findings: list[Finding] = []
    for drift in one_of_each_kind():
        with pytest.MonkeyPatch.context() as patch:
            _exchange.reset()
            drift.change(_exchange, patch)
            findings += compared(_exchange, settings(_exchange, drift)).findings
    return propose(spec(), findings, "mainnet", TODAY)


def test_one_of_each_kind_is_changed(proposal: Proposal) -> None:
    assert {finding.kind for finding in proposal.patched} == PATCHED
    assert proposal.by_hand == (), "\n".join(map(str, proposal.by_hand))


def test_the_changed_spec_passes_lint_and_becomes_code(
    proposal: Proposal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "spec", tmp_path / "_generated"
    shutil.copytree(REPOSITORY / "spec", folder)
    proposal.write(folder)
    assert main(["--spec", str(folder), "lint"]) == 0, capsys.readouterr().err
    assert main(["--spec", str(folder), "--out", str(out), "generate"]) == 0, capsys.readouterr().err
    for path in out.rglob("*.py"):
        compile(path.read_text("utf-8"), str(path), "exec", dont_inherit=True)


@pytest.mark.parametrize("drift", one_of_each_kind(), ids=lambda drift: drift.name)
def test_after_the_change_it_is_not_found_again(
    drift: Drift, exchange: MutatedExchange, monkeypatch: pytest.MonkeyPatch, proposal: Proposal
) -> None:
    drift.change(exchange, monkeypatch)
    found = {(one.kind, one.path) for one in compared(exchange, settings(exchange, drift, proposal.spec)).findings}
    assert (drift.kind, drift.path) not in found


@pytest.mark.skipif(not ALL, reason="takes minutes; ALL_DRIFTS=1 makes it run")
@pytest.mark.parametrize("drift", DRIFTS if ALL else DRIFTS[:1], ids=lambda drift: drift.name)
def test_the_change_for_one_drift_silences_the_next_comparison(
    drift: Drift, exchange: MutatedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    drift.change(exchange, monkeypatch)
    report = compared(exchange, settings(exchange, drift))
    assert report.findings
    alone = propose(spec(), report.findings, "mainnet", TODAY)
    left = {(one.finding.kind, one.finding.subject, one.finding.path) for one in alone.by_hand}
    assert len(alone.patched) + len(alone.by_hand) == len(report.findings)
    again = compared(exchange, settings(exchange, drift, alone.spec))
    assert {(one.kind, one.subject, one.path) for one in again.findings} <= left, again.as_markdown()


# ------------------------------------------------------------------------------------ the command


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A spec with a changelog beside it."""
    shutil.copytree(REPOSITORY / "spec", tmp_path / "spec")
    shutil.copy(REPOSITORY / "CHANGELOG.md", tmp_path)
    return tmp_path


def texts(house: Path) -> dict[str, str]:
    files = [path for path in (house / "spec").rglob("*") if path.is_file()]
    return {path.relative_to(house).as_posix(): path.read_text("utf-8") for path in files}


def test_the_command_writes_a_patch_or_the_change_itself(
    house: Path, exchange: MutatedExchange, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone, cheaper = "spot.avg_price", "spot.trades"
    for drift in DRIFTS:
        if drift.name in ("an endpoint is gone", "a lower weight"):
            drift.change(exchange, monkeypatch)
    asked = ["--spec", str(house / "spec"), "verify", "--listen", "0"]
    asked += ["--spot-base-url", exchange.simulator.base_url("spot")]
    before, patch = texts(house), house / "found.patch"
    assert main([*asked, "--only", cheaper, "--propose", str(patch)]) == 7
    assert texts(house) == before
    told = capsys.readouterr().out
    assert f"1. git apply {patch}" in told
    assert "binance_sdk/simulator/rest/weights.py" in told
    assert "python -m codegen generate" in told
    assert "CHANGELOG.md" in told
    subprocess.run(["git", "apply", str(patch)], cwd=house, check=True)
    applied = texts(house)
    assert [name for name in applied if applied[name] != before[name]] == ["spec/spot/trades.yaml"]
    for name, text in before.items():
        (house / name).write_text(text, encoding="utf-8")
    assert main([*asked, "--only", cheaper, "--write"]) == 7
    assert texts(house) == applied
    assert main([*asked, "--only", cheaper]) == 0
    capsys.readouterr()
    assert main([*asked, "--only", gone, "--write"]) == 4
    assert texts(house) == applied
    told_by_hand = capsys.readouterr()
    assert f": {gone}: the path is not served any more" in told_by_hand.err
    assert "by hand, in spec/spot/" in told_by_hand.err
    assert "nothing to change by a program; 1 by hand" in told_by_hand.out


def test_a_patch_is_written_or_made_but_not_both(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["verify", "--propose", "x", "--write"])
    assert "not allowed with" in capsys.readouterr().err


# ------------------------------------------------------------------------- findings written by hand


def finding(kind: Kind, subject: str, path: str = "", owner: str = "", spec: JsonValue = None, **more: Any) -> Finding:
    given: dict[str, Any] = {"severity": "noted", "about": "operation", "where": "answer", "arguments": {}, **more}
    market = subject.partition(".")[0]
    return Finding(kind=kind, subject=subject, market=market, path=path, owner=owner, spec=spec, **given)


BY_HAND: list[tuple[Finding, str]] = [
    (finding("field_added", "spot.trades", "[].a-b", "Trade", seen=1), "a key such as `a-b` has no place"),
    (
        finding("field_missing", "spot.trades", "[].price", "Trade", "decimal"),
        "is refused: trade: `price` may be absent",
    ),
    (finding("type_changed", "spot.trades", "", "", "list<Trade>", seen={}), "the answer as a whole"),
    (finding("type_changed", "spot.trades", "[].isBuyerMaker", "Trade", "bool", seen="x"), "correct its type or give"),
    (finding("positions_missing", "spot.klines", "[]", "Kline", 12, seen=["1", "2"]), "which positions are gone"),
    (finding("positions_added", "spot.depth", "asks[]", "PriceLevel", 2, seen=["1", "2", "3"]), "bids[] of the same"),
    (
        finding("weight_changed", "futures.klines", spec=1, seen=3, arguments={"limit": 99}),
        "a call with limit=99 cost 3, and limit=1 what it did: the band ends in between",
    ),
    (finding("limit_missing", "spot.exchange_info", "weight", "spot", seen=[]), "correct the two together"),
    (finding("endpoint_gone", "spot.ping", seen=404), "correct `path`, or mark the endpoint `deprecated`"),
    (finding("host_moved", "spot.ping", seen="https://x"), "correct `hosts` in markets.yaml"),
    (finding("sequence_changed", "spot.trade", "t", about="stream"), "correct `sequence`"),
    (finding("page_size_changed", "spot.klines", "limit", spec=1000, seen=1001), "asked for 1000 rows, 1001 came"),
    (finding("header_missing", "spot.ping", "X", "spot", seen=["server"]), "no other header of the answer"),
]


def test_what_no_program_can_change_is_said_with_its_place() -> None:
    made = propose(spec(), [one for one, _ in BY_HAND], "testnet", TODAY)
    assert made.changed == {}
    assert made.patched == ()
    told = {one.finding.subject + one.finding.kind + one.finding.path: one for one in made.by_hand}
    for one, why in BY_HAND:
        found = told[one.subject + one.kind + one.path]
        assert why in found.why
        assert str(found).startswith("by hand, in spec/")
        assert (REPOSITORY / found.place.partition(":")[0]).is_file()


def test_nothing_found_changes_nothing() -> None:
    made = propose(spec(), [], "testnet", TODAY)
    assert (made.changed, made.patched, made.by_hand, made.as_patch("spec")) == ({}, (), (), "")


def test_what_one_market_has_of_a_shared_row_is_its_own_from_then_on() -> None:
    row: list[JsonValue] = [1, "1", "1", "1", "1", "1", 1, "1", 1, "1", "1", "0", 7]
    made = propose(spec(), [finding("positions_added", "spot.klines", "[]", "Kline", 12, seen=row)], "testnet", TODAY)
    kline, shared = (made.spec.schema(market, "Kline") for market in ("spot", "futures"))
    assert kline is not None
    assert shared is not None
    assert isinstance(kline.value, RowSchema)
    assert isinstance(shared.value, RowSchema)
    assert (len(kline.value.row), len(shared.value.row)) == (13, 12)
    assert kline.value.row[:12] == shared.value.row
    assert json.loads(made.spec.fixtures["spot/klines.json"])[0][-1] == 7
    assert "spec/fixtures/futures" not in made.as_patch("spec")


def test_nested_and_strange_values_are_drafted() -> None:
    seen: list[tuple[str, JsonValue]] = [
        ("moods", {"a": 1, "bList": ["x"], "c": None, "d": {}, "some": [], "rows": [[1, "2.0"]]}),
        *(("none", None), ("empty", ""), ("nothing", {}), ("z", 5), ("long", "x" * 400)),
    ]
    found = [finding("field_added", "spot.trades", f"[].{key}", "Trade", seen=value) for key, value in seen]
    made = propose(spec(), found, "testnet", TODAY)
    assert made.by_hand == ()
    placed = made.spec.schema("spot", "Trade")
    assert placed is not None
    assert isinstance(placed.value, ObjectSchema)
    added = {key: placed.value.fields[key] for key, _ in seen}
    for one in added.values():
        assert one.optional
        assert one.uncertain == "Seen, and no document was read."
        assert one.source == Source(document="verify at testnet", date=TODAY)
    assert (added["moods"].type, added["none"].type, added["z"].name) == ("Moods", "any", "undocumented_z")
    assert "FILL" not in made.as_patch("spec")
    # The generated code uses the other name itself.
    assert made.spec.schema("spot", "Row2") is not None
    example = json.loads(made.spec.fixtures["spot/trades.json"])[0]
    assert {key: example[key] for key, _ in seen} == dict(seen)


def test_a_weight_that_no_single_number_explains_is_left() -> None:
    calls = [({"limit": 5}, 2), ({"limit": 500}, 3)]
    found = [finding("weight_changed", "spot.trades", spec=25, seen=seen, arguments=given) for given, seen in calls]
    made = propose(spec(), found, "testnet", TODAY)
    assert made.changed == {}
    assert made.by_hand[0].why.startswith("calls that it prices alike cost 2 and 3")


def test_a_code_of_several_endpoints_is_one_of_the_mistake() -> None:
    subjects = ("spot.klines", "spot.depth", "spot.trades")
    found = [finding("error_code_changed", name, "limit", "out_of_bounds", [-1130], seen=-4999) for name in subjects]
    made = propose(spec(), found, "testnet", TODAY)
    assert [*made.changed] == ["errors.yaml"]
    assert -4999 in made.spec.errors.mistakes["out_of_bounds"].codes
    assert made.spec.errors.codes[-4999].name == "UNDOCUMENTED_4999"
    one = propose(spec(), found[:1], "testnet", TODAY)
    assert [*one.changed] == ["errors.yaml", "spot/klines.yaml"]
