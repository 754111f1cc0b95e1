"""``binance-sdk limits``: who uses what of a shared budget, in a terminal and in a pipe, and what is said without."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import redis
from rich.console import Console

from binance_sdk import SyncBinanceClient
from binance_sdk.cli import limits as limits_module
from binance_sdk.cli.limits_board import LimitsBoard, pictures
from binance_sdk.errors import StoreError
from binance_sdk.shared_limits import Consumer, SharedLimits, SharedPool, SharedWindow
from binance_sdk.simulator import Simulator
from tests.listening import closed_port
from tests.shared.servers import Server, running, valkey

from .support import Cli, start


@pytest.fixture(scope="module")
def _server() -> Iterator[Server]:
    with running(valkey()) as server:
        yield server


@pytest.fixture
def store(_server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    with redis.Redis(port=_server.port) as client:
        client.flushall()
    monkeypatch.setenv("BINANCE_SDK_LIMITS_URL", _server.url)
    return _server


@pytest.fixture(scope="module")
def _exchange() -> Iterator[Simulator]:
    # No window ends in a test.
    with Simulator(weight_window_seconds=86_400) as running:
        yield running


@pytest.fixture
def spender(store: Server, _exchange: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[SyncBinanceClient]:
    _exchange.reset_limits()
    monkeypatch.setenv("BINANCE_SDK_SIMULATOR", _exchange.url)
    with SyncBinanceClient(limits_key="paris") as client:
        client.spot.exchange_info(symbol="BTCUSDT")
        client.spot.depth("BTCUSDT", limit=100)
        client.futures.funding_rate("BTCUSDT")
        yield client


def test_what_is_used_and_by_whom(cli: Cli, spender: SyncBinanceClient) -> None:
    ran = cli("limits", "--json")
    assert (ran.code, ran.errors) == (0, "")
    state = json.loads(ran.output)
    assert state["store_version"].startswith("valkey ")
    futures, spot = sorted(state["pools"], key=lambda pool: pool["name"].rpartition("/")[2])
    assert (spot["name"], spot["limits_key"]) == (spender.limits.spot.pool, "paris")
    weight = spot["windows"]["weight/86400"]
    assert (weight["used"], weight["limit"], weight["left"]) == (25, 6000, 5975)
    assert futures["windows"]["funding_rate/300"]["used"] == 1
    (consumer,) = spot["consumers"]
    assert consumer["id"].startswith(f"{socket.gethostname()}/{os.getpid()}/")
    assert consumer["used"] == {"weight/86400": 5, "raw_requests/300": 2}


def test_looking_changes_nothing(cli: Cli, spender: SyncBinanceClient, store: Server) -> None:
    # A client says now and then how it is.
    spender.close()
    with redis.Redis(port=store.port) as client:
        before = {key: client.dump(key) for key in client.scan_iter()}
        assert len(before) == 2
        assert cli("limits", "--watch", "--count", "3", "--interval", "0.1").code == 0
        assert {key: client.dump(key) for key in client.scan_iter()} == before


def test_only_one_budget(cli: Cli, spender: SyncBinanceClient) -> None:
    assert len(json.loads(cli("limits", "--json", "--limits-key", "paris").output)["pools"]) == 2
    ran = cli("limits", "--limits-key", "rome")
    assert (ran.code, ran.output.splitlines()[1]) == (0, "nobody has used it so far")


def test_without_a_store_it_is_said_what_it_is_for(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BINANCE_SDK_LIMITS_URL", raising=False)
    ran = cli("limits")
    assert (ran.code, ran.output) == (2, "")
    assert "limits_url is not set: it names the Valkey or Redis in which several processes share" in ran.errors
    assert "BINANCE_SDK_LIMITS_URL" in ran.errors


@pytest.mark.parametrize("more", [(), ("--watch",)])
def test_a_store_that_is_not_there(cli: Cli, more: tuple[str, ...]) -> None:
    with closed_port() as port:
        ran = cli("limits", "--limits-url", f"redis://me:gehe1m@127.0.0.1:{port}", *more)
    assert (ran.code, ran.output) == (3, "")
    assert "cannot be reached" in ran.errors
    assert "gehe1m" not in ran.errors


@pytest.mark.usefixtures("store")
def test_a_wrong_name_of_a_budget(cli: Cli) -> None:
    ran = cli("limits", "--limits-key", " ")
    assert (ran.code, ran.output) == (2, "")
    assert "limits_key=' ' must be a str of 1 to 200 printable characters" in ran.errors


def test_watching_goes_on_while_the_store_is_away(
    cli: Cli, spender: SyncBinanceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, looks = SharedLimits.read, 0

    def flaky(self: SharedLimits) -> tuple[SharedPool, ...]:
        nonlocal looks
        looks += 1
        if looks == 2:
            raise StoreError("limits_url: it was unplugged")
        return read(self)

    monkeypatch.setattr(SharedLimits, "read", flaky)
    ran = cli("limits", "--watch", "--json", "--count", "3", "--interval", "0.1")
    assert (ran.code, ran.errors) == (0, "")
    first, second, third = (json.loads(line) for line in ran.output.splitlines())
    assert second["error"] == "limits_url: it was unplugged"
    assert len(first["pools"]) == len(third["pools"]) == 2
    assert first["time"] <= second["time"] <= third["time"]


def test_looks_are_counted_only_while_watching(cli: Cli) -> None:
    ran = cli("limits", "--count", "3")
    assert (ran.code, ran.output) == (2, "")
    assert "--count 3 counts the looks of --watch: add --watch" in ran.errors


def test_ctrl_c_ends_watching(store: Server) -> None:
    process = start("limits", "--watch", BINANCE_SDK_LIMITS_URL=store.url)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["pools"] == []
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "")
    assert all(json.loads(line)["pools"] == [] for line in output.splitlines())


# ------------------------------------------------------------------------------------ the picture

_WEIGHT = SharedWindow("weight", 60, 6000, 5100, 250, 23.4, doubted=False)
_GROUP = SharedWindow("funding_rate", 300, 500, 0, 0, 0.0, doubted=True)
_BUSY = Consumer("web-1/4242/9f8e7d6c5b4a", 1.0, 0.3, False, 250, {"weight/60": 700}, {"weight/60": 250}, 4.0)
_GREEDY = Consumer("web-2/17/aaaaaaaaaaaa", 2.5, 12.0, False, 0, {"weight/60": 4400}, {}, None)
_DEAD = Consumer("a-host-with-a-name-that-is-far-too-long.example.com/99999/bbbb", 1.0, 45.0, True, 0, {}, {}, None)
_POOL = SharedPool(
    "default",
    "mainnet/spot",
    {"funding_rate/300": _GROUP, "weight/60": _WEIGHT},
    (_BUSY, _DEAD, _GREEDY),
    0.0,
    0.0,
    "",
    0.012,
    0.003,
)


class _Limits:
    url, store_version, limits_key = "redis://valkey.internal:6379/0", "valkey 9.1.2", "default"


def drawn(pools: Sequence[SharedPool], width: int) -> list[str]:
    limits: Any = _Limits()
    console = Console(width=width, force_terminal=False, color_system=None)
    with console.capture() as capture:
        for part in pictures(limits, pools, width):
            console.print(part)
    lines = [line.rstrip() for line in capture.get().splitlines()]
    assert all(len(line) <= width for line in lines)
    return lines


@pytest.mark.parametrize("width", [80, 140])
def test_the_picture_fits_the_terminal(width: int) -> None:
    lines = drawn([_POOL], width)
    assert lines[0] == "redis://valkey.internal:6379/0 · valkey 9.1.2 · budget default"
    assert lines[2] == "mainnet/spot  open  250 wanted by calls that wait  clock +0.012 s ±0.003"
    assert "…" not in "".join(lines[:8])
    weight, group = (line.split() for line in lines[4:6])
    assert weight[:9] == ["weight", "60", "s", "5,100", "6,000", "900", "250", "23", "s"]
    assert group[:8] == ["funding_rate", "300", "s", "0", "500", "500", "0", "–"]
    assert group[-1] == "new"
    greedy, busy, dead = (line.split() for line in lines[7:10])
    assert greedy == ["web-2/17", "2.5", "4,400", "0", "–", "–", "12", "s", "ago"]
    assert busy[:10] == ["web-1/4242", "1", "700", "250", "250", "4", "s", "0.3", "s", "ago"]
    assert dead[0].endswith("…")
    assert dead[-1] == "gone"
    assert ("250 weight/60" in lines[8]) == (width == 140)
    assert "3 % until the window is over" in " ".join(lines[10:])


def test_a_narrow_terminal_still_tells_what_is_left() -> None:
    lines = drawn([_POOL], 60)
    assert lines[4].split()[:8] == ["weight", "60", "s", "5,100", "6,000", "900", "23", "s"]


def test_gate_and_ban_say_until_when_and_why() -> None:
    banned = replace(_POOL, closed_for=3_725.0, banned_for=3_725.0, reason="the IP address is banned (418)")
    assert drawn([banned], 100)[2].startswith(
        "mainnet/spot  banned for 1 h 02 min: the IP address is banned (418)  250 wanted"
    )
    closed = replace(_POOL, closed_for=7.2, reason="over a request limit (429)", limits_key="paris", consumers=())
    lines = drawn([closed], 100)
    assert lines[2].startswith("mainnet/spot  budget paris  closed for 7 s: over a request limit (429)  clock")
    assert "  no process uses it at the moment" in lines


async def test_the_board_shows_what_comes_and_what_is_away() -> None:
    console = Console(width=100, force_terminal=False, color_system=None)
    limits: Any = _Limits()
    board = LimitsBoard(limits, (), console)

    def text() -> str:
        with console.capture() as capture:
            console.print(board.picture())
        return capture.get()

    assert "nobody has used it so far" in text()
    board.show((_POOL,))
    assert "mainnet/spot  open" in text()
    board.tell(StoreError("limits_url: it was unplugged"))
    assert "what is shown is old: limits_url: it was unplugged" in text()
    board.show((_POOL,))
    assert "unplugged" not in text()


async def test_a_terminal_is_drawn_until_the_last_look(
    spender: SyncBinanceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures_drawn: list[int] = []
    monkeypatch.setattr(LimitsBoard, "draw", lambda board: pictures_drawn.append(len(board._pools)))
    with SharedLimits() as limits:
        call = limits_module.LimitsCall(None, None, watch=True, as_json=False, interval=0.01, count=2)
        await asyncio.wait_for(limits_module._watch(limits, call), 30)
    assert pictures_drawn[-1] == 2
