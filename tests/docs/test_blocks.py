"""Every Python block of every page runs on the simulator, and every command is one that there is."""

from __future__ import annotations

import asyncio
import re
import shlex
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import pytest
import typer

from binance_sdk import BinanceClient, frames
from binance_sdk.cli.app import app
from binance_sdk.cli.history_command import FetchByDefault
from binance_sdk.simulator import Simulator
from tests.docs.notebook import run
from tests.pages import ROOT, Block, blocks, commands, pages
from tests.shared.servers import running, valkey

OWN_TESTS = {
    "adapters/virtuoso_binance/README.md": "tests/virtuoso/documents/test_pages.py",
    "docs/api/binance_wrapper.md": "tests/virtuoso/documents/test_wrapper_page.py",
    "docs/data-sources.md": "tests/virtuoso/sources/test_page.py",
    "docs/frames.md": "tests/frames/test_page.py",
    "docs/history.md": "tests/history/test_page.py",
    "docs/integration/binance_integration.md": "tests/virtuoso/documents/test_pages.py",
    "docs/monitoring.md": "tests/metrics/test_page.py",
    "docs/recipes/cron.md": "tests/docs/test_programs_of_recipes.py",
    "docs/recipes/dask.md": "tests/docs/test_programs_of_recipes.py",
    "docs/recipes/logging.md": "tests/docs/test_logging_page.py",
    "docs/recipes/proxy.md": "tests/network/test_page.py",
    "docs/recipes/web-application.md": "tests/docs/test_programs_of_recipes.py",
    "docs/testing.md": "tests/docs/test_testing_page.py",
    "docs/onboarding.md": "tests/virtuoso/documents/test_pages.py",
    "docs/virtuoso-monitoring.md": "tests/virtuoso/health/test_metrics.py",
    "docs/virtuoso.md": "tests/virtuoso/test_registration.py",
    "docs/when-binance-changes.md": "tests/codegen/test_worked_example.py",
}
"""Pages whose blocks need more than a simulator: their own tests run them."""
STORE = "valkey.internal:6379"
PAGES = [page for page in pages() if page not in OWN_TESTS and blocks(page, "python")]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(symbols=["BTCUSDT", "ETHUSDT", "BTCUSD_PERP"], history_days=40) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with running(valkey()) as server:
        yield f"127.0.0.1:{server.port}"


@pytest.fixture
def names(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What a reader has by the time that he comes to a block: a client, some symbols, two moments."""
    monkeypatch.setenv("BINANCE_SDK_SIMULATOR", simulator.url)
    monkeypatch.setenv("EGRESS", "nat-1")
    monkeypatch.chdir(tmp_path)
    loop = asyncio.new_event_loop()
    client = BinanceClient()
    now = round(time.time() * 1000)
    kline = loop.run_until_complete(client.spot.klines("BTCUSDT", "1h", limit=1))[0]
    names: dict[str, Any] = {
        "__name__": "a_page",
        "_loop": loop,
        "BinanceClient": BinanceClient,
        "client": client,
        "events": [kline],
        "frames": frames,
        "kline": kline,
        "s": client.spot.streams,
        "symbols": ["BTCUSDT", "ETHUSDT"],
        "t0": now - 3_600_000,
        "t1": now,
    }
    opened = [client]
    names["_opened"] = opened
    yield names
    for one in opened:
        loop.run_until_complete(one.aclose())
    loop.close()


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_page_runs(page: str, names: dict[str, Any], request: pytest.FixtureRequest) -> None:
    for block in blocks(page, "python"):
        code = block.code
        if not re.search(r"(as client:|^client = )", code, re.MULTILINE):
            # Blocks stand for themselves: what another one has closed is open for whoever reads this one.
            names |= {"client": names["_opened"][0], "s": names["_opened"][0].spot.streams}
        if STORE in code:
            code = code.replace("rediss://", "redis://").replace(STORE, request.getfixturevalue("store"))
            code = re.sub(r"\?ssl_ca_certs=[^\"]*", "", code)
        run(replace(block, code=code), names)
        # What a reader leaves open at the end of a page, his program closes.
        names["_opened"] += [value for value in names.values() if isinstance(value, BinanceClient)]


@pytest.mark.parametrize("page", pages())
def test_no_line_of_python_is_wider_than_a_laptop_shows(page: str) -> None:
    # docs/assets/site.css has room for so much; what is longer goes on in the next line, against its indentation.
    lines = [(block, line) for block in blocks(page, "python") for line in block.code.splitlines()]
    assert [f"{block}: {line}" for block, line in lines if len(line) > 100] == []


# ------------------------------------------------------------------------------------------ commands


def told(page: str, program: str) -> list[tuple[int, str]]:
    return list(commands(page, program))


@pytest.mark.parametrize("page", pages())
def test_every_command_of_the_command_line_is_one(page: str) -> None:
    for line, said in told(page, "binance-sdk"):
        words = shlex.split(re.split(r"[;|>&]", re.sub(r"\[.*?\]", "", said))[0])[1:]
        if words == ["..."]:
            continue
        command: Any = typer.main.get_command(app)
        while words and words[0] in (below := getattr(command, "commands", {})):
            command = below[words.pop(0)]
        if isinstance(command, FetchByDefault):
            command = command.commands["fetch"]
        assert not getattr(command, "commands", {}) or not words or words[0].startswith("-"), f"{page}:{line}: {said}"
        known = {option for parameter in command.params for option in parameter.opts}
        unknown = [word for word in words if word.startswith("-") and word.split("=")[0] not in known]
        assert unknown == [], f"{page}:{line}: {said}"


@pytest.mark.parametrize("page", pages())
def test_every_extra_that_a_page_installs_is_one(page: str) -> None:
    known = set(metadata("binance-market-sdk").get_all("Provides-Extra", []))
    for line, said in told(page, "pip"):
        for extras in re.findall(r"binance-market-sdk\[([^]]*)\]", said):
            assert set(extras.split(",")) <= known, f"{page}:{line}: {said}"


@pytest.mark.parametrize("page", pages())
def test_every_target_of_make_is_one(page: str) -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for line, said in told(page, "make"):
        for word in shlex.split(said)[1:]:
            assert "=" in word or word in known, f"{page}:{line}: {said}"


def test_pages_with_tests_of_their_own_are_run_by_them() -> None:
    for page, test in OWN_TESTS.items():
        assert Path(page).name in (ROOT / test).read_text("utf-8"), f"{test} does not name {page}"


# ----------------------------------------------------------------------------------- how they are run


def test_an_endless_loop_ends_after_a_few_rounds() -> None:
    code = """
import itertools
async def forever():
    for number in itertools.count():
        yield number
seen = []
async for number in forever():
    seen.append(number)
"""
    loop = asyncio.new_event_loop()
    names: dict[str, Any] = {"_loop": loop}
    run(Block("a.md", 1, "python", code), names)
    loop.close()
    assert names["seen"] == [0, 1, 2]


@pytest.mark.parametrize("said", ["# 251, and nothing was sent:", "# 25"])
def test_an_output_that_changed_is_named(said: str) -> None:
    line = "print(250, 7)"
    right = Block("a.md", 3, "python", f"# 250, and nothing was sent:\n{line}\n{line}  # 250, and what is left\n")
    run(right, {})
    for code in (f"{said}\n{line}\n", f"{line}  {said}\n"):
        with pytest.raises(AssertionError, match=r"a.md:\d: it prints 250 7"):
            run(replace(right, code=code), {})


def test_the_beginning_of_a_text_is_compared_too() -> None:
    line = 'print("price 7 is not on a tick of 2")'
    run(Block("a.md", 3, "python", f"{line}  # price 7 is not on a tick of ...\n"), {})
    with pytest.raises(AssertionError, match="it prints price 7"):
        run(Block("a.md", 3, "python", f"{line}  # price 8 is not on a tick of ...\n"), {})


def test_a_block_that_fails_says_where() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run(Block("a.md", 41, "python", "one = 1\none / 0\n"), {})
    assert caught.traceback[-1].lineno == 41
