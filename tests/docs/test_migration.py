"""Each row of the tables for those who come from another library: our call runs, and theirs is one that there is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import ccxt  # pyright: ignore[reportMissingTypeStubs]
import ccxt.pro  # pyright: ignore[reportMissingTypeStubs]
import httpx
import pytest

from binance_sdk import SyncBinanceClient, errors
from binance_sdk.books import SyncLiveBook
from binance_sdk.catalogue import Market
from binance_sdk.events import RequestSent
from binance_sdk.simulator import Fault, Simulator
from binance_sdk.streams import SyncStream
from tests.pages import ROOT
from tests.simulated_http import NO_CERTIFICATES

PAGE = "docs/migration.md"
TEXT = (ROOT / PAGE).read_text("utf-8")
CCXT, PYTHON_BINANCE, CONNECTORS = "ccxt", "python-binance", "Binance's own connectors"
_HOSTS: dict[str, Market] = {
    "api.binance.com": "spot",
    "fapi.binance.com": "futures",
    "dapi.binance.com": "coin_futures",
}
_NOT_OF_REST = ("watch_", "market(", "price_to_precision", "amount_to_precision")


@dataclass(frozen=True)
class Row:
    """A row of a table, with what stands in its cells in code."""

    line: int
    theirs: str
    ours: str
    comes: str

    def __str__(self) -> str:
        return f"{PAGE}:{self.line}"


def rows(heading: str, first: str) -> list[Row]:
    """The rows of the table below a heading whose first column is called so."""
    found: list[Row] = []
    inside = table = False
    for number, line in enumerate(TEXT.splitlines(), 1):
        if line.startswith("## "):
            inside = line.removeprefix("## From ") == heading
        elif not line.startswith("|"):
            table = False
        elif line.startswith(f"| {first} |"):
            table = True
        elif inside and table and not line.startswith("|-"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            found.append(Row(number, cells[0].strip("` "), cells[1].strip("` |"), cells[2] if len(cells) > 2 else ""))
    return found


CALLS = [row for library in (CCXT, PYTHON_BINANCE, CONNECTORS) for row in rows(library, "Their call")]
ONCE = list({(row.ours, row.comes): row for row in CALLS}.values())
SETTINGS = [row for library in (CCXT, PYTHON_BINANCE, CONNECTORS) for row in rows(library, "Their setting")]
ASKED_OF_CCXT = [row for row in rows(CCXT, "Their call") if not any(word in row.theirs for word in _NOT_OF_REST)]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(symbols=["BTCUSDT", "ETHUSDT", "BTCUSD_PERP"], history_days=3, api_key_required=False) as simulator:
        yield simulator


@dataclass
class Ours:
    """A client, with the names that the page uses, and what it has asked for."""

    client: SyncBinanceClient
    names: Mapping[str, Any]
    asked: list[str]


@pytest.fixture(scope="module")
def ours(simulator: Simulator) -> Iterator[Ours]:
    asked: list[str] = []

    def note(event: object) -> None:
        if isinstance(event, RequestSent):
            asked.append(urlsplit(event.url).path)

    with simulator.sync_client(hooks=[note]) as client:
        now = simulator.now_ms()
        yield Ours(client, {"client": client, "t0": now - 5 * 3_600_000, "t1": now - 60_000}, asked)


@pytest.mark.parametrize("row", ONCE, ids=str)
def test_our_call_gives_what_the_page_says(row: Row, ours: Ours) -> None:
    result = eval(row.ours, dict(ours.names))
    named = re.findall(r"`(\w+)`", row.comes)
    if row.comes == "live book":
        assert isinstance(result, SyncLiveBook)
        with result as book:
            assert book.best_bid is not None
            assert book.best_ask is not None
            assert book.best_bid.price < book.best_ask.price
    elif row.comes.startswith("loop over") and isinstance(result, SyncStream):
        with cast("SyncStream[object]", result) as events:
            assert type(next(iter(events))).__name__ in named
    elif row.comes.startswith("loop over"):
        assert [type(next(result)).__name__] == named
    elif row.comes.startswith("list of"):
        assert result
        assert isinstance(result, list)
        assert {type(one).__name__ for one in cast("list[object]", result)} == set(named)
    else:
        assert [type(result).__name__] == named


@pytest.mark.parametrize("row", SETTINGS, ids=str)
def test_our_setting_is_one(row: Row, ours: Ours) -> None:
    result = eval(row.ours, {**ours.names, "SyncBinanceClient": SyncBinanceClient})
    if isinstance(result, SyncBinanceClient):
        result.close()


# ------------------------------------------------------------------------------------------- theirs


class OnTheSimulator(ccxt.binance):
    """ccxt's Binance, whose requests go to a simulator."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__({"enableRateLimit": False, "options": {"fetchMargins": False}})
        self.has["fetchCurrencies"] = False
        self.simulator = simulator
        self.asked: list[str] = []

    def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        whole = urlsplit(url)
        self.asked.append(whole.path)
        base = self.simulator.base_url(_HOSTS[whole.netloc])
        return (
            httpx.get(f"{base}{whole.path}?{whole.query}", verify=NO_CERTIFICATES, trust_env=False)
            .raise_for_status()
            .json()
        )


@pytest.fixture(scope="module")
def exchange(simulator: Simulator) -> OnTheSimulator:
    exchange = OnTheSimulator(simulator)
    exchange.load_markets()
    return exchange


@pytest.mark.parametrize("row", ASKED_OF_CCXT, ids=str)
def test_ccxt_asks_the_same_endpoint(row: Row, exchange: OnTheSimulator, ours: Ours) -> None:
    exchange.asked.clear()
    if "load_markets" in row.theirs:
        exchange.fetch_markets()
    else:
        eval(row.theirs, {"exchange": exchange, **ours.names})
    ours.asked.clear()
    result = eval(row.ours, dict(ours.names))
    if row.comes.startswith("loop over"):
        next(result)
    assert ours.asked
    assert set(ours.asked) <= set(exchange.asked)


@pytest.mark.parametrize("row", rows(CCXT, "Their call"), ids=str)
def test_ccxt_has_the_method(row: Row) -> None:
    (name,) = re.findall(r"^exchange\.(\w+)\(", row.theirs)
    assert callable(getattr(ccxt.pro.binance, name, None)) or name in dir(ccxt.pro.binance())


def _methods(package: str) -> set[str]:
    """Names of methods and classes that the sources of an installed package define; it is not imported."""
    found = find_spec(package)
    assert found is not None
    assert found.submodule_search_locations
    trees = [
        ast.parse(path.read_text("utf-8"))
        for folder in found.submodule_search_locations
        for path in Path(folder).rglob("*.py")
        if "models" not in path.parts
    ]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, kinds)}


@pytest.mark.parametrize(
    ("library", "packages"),
    [
        (PYTHON_BINANCE, ["binance"]),
        (CONNECTORS, ["binance_sdk_spot", "binance_sdk_derivatives_trading_usds_futures"]),
    ],
)
def test_the_others_have_the_methods(library: str, packages: list[str]) -> None:
    if any(find_spec(package) is None for package in packages):
        pytest.skip(
            f"{library}: its names are checked where its sources are on PYTHONPATH (pip download --no-deps, unpacked)"
        )
    known = {name for package in packages for name in _methods(package)}
    for row in rows(library, "Their call"):
        called = re.findall(r"(?<!\")\b(\w+)\(", row.theirs.removesuffix(".data()"))
        assert set(called) <= known, row


def test_the_versions_are_those_that_were_read() -> None:
    for name, stated in re.findall(r"([a-z-]+) (\d+\.\d+\.\d+)", TEXT.split("\n## ")[0]):
        try:
            installed = version(name)
        except PackageNotFoundError:
            continue
        # Other environments have the lowest or the newest ccxt: its methods are judged there all the same.
        assert name == CCXT or installed == stated, f"the page was written for {name} {stated}, here is {installed}"


# ------------------------------------------------------------------------------------------- errors

FAULTS = {
    "403": (Fault.forbidden(), 403),
    "418, a ban": (Fault.banned(), 418),
    "429": (Fault.rate_limited(), 429),
    "451, a country": (Fault.restricted(), 451),
    "5xx": (Fault.server_error(), 500),
    "a body that is no answer": (Fault.garbled(), None),
    "connection broken": (Fault.reset(), None),
    "no answer in time": (Fault.silence(), None),
}


def errors_table() -> dict[str, list[str]]:
    lines = TEXT.split("| What happened |")[1].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {what: [name.strip("`") for name in names] for what, *names in cells}


@pytest.mark.parametrize("what", list(errors_table()))
def test_what_we_raise(what: str) -> None:
    expected = getattr(errors, errors_table()[what][-1])
    symbol, limit = "NOSUCHUSDT" if what.startswith("unknown symbol") else "BTCUSDT", 10
    if what.startswith("an argument"):
        limit = -1
    with (
        Simulator(symbols=["BTCUSDT"], history_days=1) as broken,
        broken.sync_client(max_retries=0, timeout=0.3 if what == "no answer in time" else 10.0) as client,
    ):
        if what in FAULTS:
            broken.faults.add(FAULTS[what][0], where="spot.klines")
        with pytest.raises(expected) as caught:
            client.spot.klines(symbol, "1h", limit=limit)
    assert type(caught.value) is expected


def _handled_by_ccxt(exchange: ccxt.binance, status: int) -> None:
    """What ccxt does after each answer, in its order."""
    exchange.handle_errors(status, "", "https://api.binance.com/api/v3/time", "GET", {}, "{}", {}, {}, "")
    exchange.handle_http_status_code(status, "", "", "GET", "")


@pytest.mark.parametrize(("what", "status"), [(what, status) for what, (_, status) in FAULTS.items() if status])
def test_what_ccxt_raises(what: str, status: int) -> None:
    exchange = ccxt.binance()
    with pytest.raises(ccxt.BaseError) as caught:
        _handled_by_ccxt(exchange, status)
    assert type(caught.value).__name__ == errors_table()[what][0]


def test_the_errors_of_ccxt_are_there() -> None:
    named = {names[0] for names in errors_table().values()} - {"–"}
    assert all(issubclass(getattr(ccxt, name), ccxt.BaseError) for name in named)
    assert set(FAULTS) < set(errors_table())
