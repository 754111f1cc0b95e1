"""Every example in a docstring is run, as those of pages are."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from binance_sdk import BinanceClient, books, frames
from binance_sdk.simulator import Fault, Simulator, simulator_process
from tests.pages import ROOT, run_python

Names = dict[str, Any]


def docstrings(file: Path) -> Iterator[tuple[str, str]]:
    """Each docstring of a module, with the name of what has it; empty for the module itself."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield getattr(node, "name", ""), ast.get_docstring(node) or ""


def examples_of(docstring: str) -> Iterator[str]:
    """Its indented paragraphs that are Python; those behind a heading such as ``Args:`` are none."""
    found: list[str] = []
    paragraphs = docstring.split("\n\n")
    for paragraph in [*paragraphs, ""]:
        if paragraph.startswith("    "):
            found.append(paragraph)
        elif found:
            code, found = textwrap.dedent("\n\n".join(found)), []
            if _is_python(code):
                yield code


def _is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def examples_in(file: Path) -> dict[str, list[str]]:
    """The examples of a module by module and name of what shows them."""
    found: dict[str, list[str]] = {}
    for name, text in docstrings(file):
        if examples := list(examples_of(text)):
            place = file.relative_to(ROOT).as_posix()
            found[f"{place}:{name}" if name else place] = examples
    return found


async def _client(open_: AsyncExitStack, simulator: Simulator) -> Names:
    client = await open_.enter_async_context(simulator.client())
    return {"client": client, "books": books, "rules": (await client.coin_futures.symbols())["BTCUSD_PERP"]}


async def _frames(open_: AsyncExitStack, simulator: Simulator) -> Names:
    client = await open_.enter_async_context(simulator.client())
    book = await open_.enter_async_context(client.spot.order_book("BTCUSDT"))
    klines = await client.spot.klines("BTCUSDT", "1h", limit=3)
    return {"frames": frames, "klines": klines, "book": book, "events_so_far": klines}


async def _metrics(open_: AsyncExitStack, simulator: Simulator) -> Names:
    def own() -> BinanceClient:
        client = simulator.client()
        open_.push_async_callback(client.aclose)
        return client

    return {"BinanceClient": own, "prometheus_client": SimpleNamespace(start_http_server=lambda port: None)}


async def _adapter(open_: AsyncExitStack, simulator: Simulator) -> Names:
    pytest.importorskip("ccxt", reason="ccxt is missing: install the extra ccxt")
    import virtuoso_binance

    exchanges = []
    for _ in range(2):
        exchange = virtuoso_binance.make_exchange_class(virtuoso_binance.BaseExchange)({})
        open_.push_async_callback(exchange.close)
        await exchange.initialize()
        exchanges.append(exchange)
    config = {"data_sources": {"primary": "binance", "secondary": ["bybit"]}}
    names = dict(zip(("binance", "bybit"), exchanges, strict=True))
    public = {name: getattr(virtuoso_binance, name) for name in virtuoso_binance.__all__}
    return {**public, **names, "config": config, "source": exchanges[0], **await _metrics(open_, simulator)}


async def _simulator(open_: AsyncExitStack, simulator: Simulator) -> Names:
    return {"Simulator": Simulator, "simulator_process": simulator_process, "Fault": Fault}


async def _plugin(open_: AsyncExitStack, simulator: Simulator) -> Names:
    monkeypatch = pytest.MonkeyPatch()
    open_.callback(monkeypatch.undo)
    return {"binance_simulator": simulator, "monkeypatch": monkeypatch, "Simulator": Simulator}


async def _verify(open_: AsyncExitStack, simulator: Simulator) -> Names:
    from binance_sdk.verify import VerifySettings, verify

    return {"verify": verify, "VerifySettings": VerifySettings}


WHAT_A_READER_HAS: dict[str, Callable[[AsyncExitStack, Simulator], Awaitable[Names]]] = {
    "adapters/virtuoso_binance/base_exchange.py": _adapter,
    "adapters/virtuoso_binance/metrics.py": _adapter,
    "adapters/virtuoso_binance/sources/market_data_source.py:MarketDataSource": _adapter,
    "binance_sdk/books.py": _client,
    "binance_sdk/frames.py": _frames,
    "binance_sdk/metrics/__init__.py": _metrics,
    "binance_sdk/simulator/control/process.py": _simulator,
    "binance_sdk/simulator/pytest_plugin.py": _plugin,
    "binance_sdk/simulator/simulator.py:Simulator": _simulator,
    "binance_sdk/verify/__init__.py": _verify,
}
"""What there is by the time that somebody reads an example."""
RUN_ELSEWHERE = {"binance_sdk/history/dataset/reading/reader.py:open_reader": "tests/history/test_page.py"}
"""Examples that need a dataset: the same call is on the page of history."""


def test_every_example_is_run() -> None:
    files = [file for folder in ("binance_sdk", "adapters/virtuoso_binance") for file in (ROOT / folder).rglob("*.py")]
    found = {place for file in files for place in examples_in(file)}
    assert found == {*WHAT_A_READER_HAS, *RUN_ELSEWHERE}


@pytest.mark.parametrize("place", WHAT_A_READER_HAS)
async def test_an_example_runs(place: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINANCE_SDK_SIMULATOR", simulator.url)
    async with AsyncExitStack() as open_:
        names = await WHAT_A_READER_HAS[place](open_, simulator)
        for code in examples_in(ROOT / place.partition(":")[0])[place]:
            await run_python(code, names, place)
        if "exchange" in names:
            await names["exchange"].close()
        if "test_prices" in names:
            await names["test_prices"](simulator)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(symbols=["BTCUSDT", "BTCUSD_PERP"], history_days=40) as simulator:
        yield simulator


def test_what_is_an_example() -> None:
    text = "Does it.\n\n    await client.close()\n\n    x = 1\n\nArgs:\n    one: the first\n\n    --> drawn <--\n\nEnd."
    assert list(examples_of(text)) == ["await client.close()\n\nx = 1"]
