"""Where facts were read: every endpoint and limit has a document and a day, and what is not settled is marked."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from importlib import import_module

import pytest

from binance_sdk import SyncBinanceClient
from binance_sdk.catalogue import CATALOGUE, MARKETS, STREAMS, Market, source_of, stream
from codegen.load import load
from tests.shared_facts import REPOSITORY

from .support import Cli

SPEC = load(REPOSITORY / "spec")
ALL = [operation for market in MARKETS for operation in CATALOGUE[market]]


def words(text: str) -> str:
    """What a table says, without its lines."""
    return " ".join("".join(cell for cell in text if cell not in "│╭╮╰╯─┬┴├┤┼").split())


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: str(operation.id))
def test_an_endpoint_was_read_where_the_spec_says(operation: object) -> None:
    found = source_of(operation)  # type: ignore[arg-type]
    market, name = operation.id.split(".")  # type: ignore[attr-defined]
    written, node = SPEC.source_of(SPEC.operations[market, name]), SPEC.operations[market, name].value
    assert (found.document, found.date, found.observed) == (written.document, written.date, node.observed)
    assert set(node.uncertain) <= set(found.uncertain)
    for parameter in node.parameters.values():
        assert parameter.uncertain is None or any(parameter.uncertain in text for text in found.uncertain)


def test_streams_and_limits_were_read_somewhere() -> None:
    for known in STREAMS:
        market, name = known.id.split(".")
        assert source_of(known).document == SPEC.source_of(SPEC.streams[market, name]).document
        assert set(SPEC.streams[market, name].value.uncertain) <= set(source_of(known).uncertain)
    for market in MARKETS:
        pool = CATALOGUE[market].limits
        entry = SPEC.markets.pools[pool.name]
        unsure = [limit.uncertain for limit in (entry.weight, *entry.groups.values()) if limit.uncertain]
        assert [text.partition(": ")[2] for text in source_of(pool).uncertain] == unsure


def test_what_another_catalogue_has_was_read_nowhere() -> None:
    with pytest.raises(LookupError, match="nothing tells where 'elsewhere' was read: only what this catalogue has"):
        source_of(replace(CATALOGUE["spot"].limits, name="elsewhere"))


def test_sources_as_json(cli: Cli) -> None:
    ran = cli("operations", "--sources", "--json")
    found = {row["id"]: row for row in json.loads(ran.output)}
    assert (ran.code, ran.errors) == (0, "")
    assert found.keys() == {operation.id for operation in ALL}
    for operation in ALL:
        source = source_of(operation)
        assert found[operation.id] == {
            "id": operation.id,
            "path": operation.path,
            "document": source.document,
            "date": source.date.isoformat(),
            "observed": source.observed,
            "uncertain": list(source.uncertain),
            "parts": [{"name": n, "document": its.document, "date": its.date.isoformat()} for n, its in source.parts],
        }
    (depth,) = json.loads(cli("operations", "futures", "depth", "--sources", "--json").output)
    assert depth["id"] == "futures.depth"
    assert depth["observed"].startswith("2026-10-07: ")


def test_sources_as_a_table(cli: Cli) -> None:
    ran = cli("operations", "futures", "funding_rate", "--sources")
    source = source_of(CATALOGUE["futures"].operations["funding_rate"])
    text = words(ran.output)
    assert "futures.funding_rate ?" in text
    assert source.date.isoformat() in text
    assert "? is not settled by the documents" in text
    for line in source.uncertain:
        assert f"futures.funding_rate: {words(line.replace('`', ''))}" in text
    settled = words(cli("operations", "spot", "time", "--sources").output)
    assert "spot.time" in settled
    assert "?" not in settled
    assert "did you mean depth" in cli("operations", "spot", "dept", "--sources").errors


def test_a_field_that_was_read_elsewhere_stands_below_its_operation(cli: Cli) -> None:
    text = words(cli("operations", "futures", "funding_info", "--sources").output)
    assert "FundingInfo.update_time" in text
    assert "2026-10-07" in text
    (info,) = json.loads(cli("operations", "futures", "funding_info", "--sources", "--json").output)
    assert [part["name"] for part in info["parts"]] == ["FundingInfo.update_time"]


def test_sources_of_streams(cli: Cli) -> None:
    found = json.loads(cli("stream", "spot", "--sources", "--json").output)
    assert [row["id"] for row in found] == [known.id for known in STREAMS if known.market == "spot"]
    (kline,) = json.loads(cli("stream", "futures", "kline", "--sources", "--json").output)
    source = source_of(stream("futures.kline"))
    assert (kline["document"], kline["name"]) == (source.document, "{symbol}@kline_{interval}")
    # What is not settled of a part of an event is told of the stream.
    assert any(text.startswith("`KlineBar.first_trade_id`: ") for text in kline["uncertain"])
    assert "futures.kline ?" in words(cli("stream", "futures", "kline", "--sources").output)
    assert "did you mean kline" in cli("stream", "spot", "klines", "--sources").errors


def test_what_holds_for_a_whole_market(cli: Cli) -> None:
    for market in MARKETS:
        entry, source = SPEC.entry(market), source_of(CATALOGUE[market])
        assert source.document == SPEC.markets.source.document
        unsure = [urls.uncertain for urls in entry.hosts.values()]
        unsure += [entry.streams.connections.uncertain, entry.symbols and entry.symbols.uncertain]
        for text in filter(None, unsure):
            assert any(text in told for told in source.uncertain)
            assert words(text.replace("`", "")) in words(cli("weights", market).output)


@pytest.mark.parametrize("market", MARKETS)
def test_weights(cli: Cli, market: str) -> None:
    ran = cli("weights", market)
    assert (ran.code, ran.errors) == (0, "")
    text = words(ran.output)
    pool = CATALOGUE[market].limits
    assert f"{pool.weight.limit} in {pool.weight.seconds} s" in text
    for operation in CATALOGUE[market]:
        source = source_of(operation)
        assert date.fromisoformat(source.date.isoformat()) == source.date
        for line in source.uncertain:
            assert words(line.replace("`", "")) in text, operation.id


def test_weights_as_json(cli: Cli) -> None:
    found = {entry["market"]: entry for entry in json.loads(cli("weights", "--json").output)}
    assert list(found) == list(MARKETS)
    spot = found["spot"]
    assert spot["pool"]["limits"]["weight"] == {"limit": 6000, "seconds": 60}
    assert any(text.startswith("`weight`: ") for text in spot["pool"]["uncertain"])
    depth = next(operation for operation in spot["operations"] if operation["id"] == "spot.depth")
    assert depth["weight"].startswith("5 for limit up to 100, 25 up to 500")
    assert depth["document"] == "Binance spot API docs, rest-api.md"


@pytest.mark.parametrize("market", MARKETS)
def test_every_docstring_of_a_market_says_where_and_when(market: Market) -> None:
    """Of its methods, its streams, and all that they answer with; what is not Binance's has no source."""
    public = import_module(f"binance_sdk.{market}")
    with SyncBinanceClient() as client:
        api = client.market(market)
        methods = {name: getattr(api, name) for name in CATALOGUE[market].operations}
        streams = [known.name for known in STREAMS if known.market == market]
        methods |= {f"streams.{name}": getattr(api.streams, name) for name in streams}
    ours = re.compile(r"Unknown|(Async|Sync)\w+Market$")
    classes = {name: getattr(public, name) for name in public.__all__ if not ours.match(name)}
    told = {**methods, **{name: value for name, value in classes.items() if isinstance(value, type)}}
    silent = [name for name, value in told.items() if not re.search(r"as of 20\d\d-", " ".join(value.__doc__.split()))]
    assert len(told) > 60
    assert silent == []
