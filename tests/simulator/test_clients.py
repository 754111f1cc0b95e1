"""One address for everything a simulator serves: ready clients, and the variable that points any client at it."""

from __future__ import annotations

import errno
import inspect
import socket
from collections.abc import Iterator

import httpx
import pytest

from binance_sdk import BinanceClient, SyncBinanceClient
from binance_sdk.catalogue import MARKETS
from binance_sdk.errors import ConfigError, NotFoundError
from binance_sdk.simulator import PortInUseError, Simulator, SimulatorError, simulator_process
from binance_sdk.simulator.clients import ClientOptions
from binance_sdk.simulator.sockets import bind_ports
from binance_sdk.simulator_url import LAST_PORT

from .conftest import simulator

ELSEWHERE = {
    "self",
    "environment",
    *(f"{market}_{kind}_url" for market in MARKETS for kind in ("base", "stream")),
    "http_client",
    "proxy",
    "ssl_context",
    "trust_env",
}
"""Arguments about places to ask and ways there: of no use where the place is this machine."""


@pytest.fixture(scope="module")
def ticking() -> Iterator[Simulator]:
    """By the real clock, so that streams say something."""
    with Simulator(history_days=2) as running:
        yield running


@pytest.mark.parametrize("client", [BinanceClient, SyncBinanceClient])
def test_they_take_every_option_of_a_client(client: type) -> None:
    assert ClientOptions.__optional_keys__ == set(inspect.signature(client.__init__).parameters) - ELSEWHERE


async def read_both(client: BinanceClient) -> None:
    async with client:
        assert (await client.spot.klines("BTCUSDT", "1h", limit=1))[0].close > 0
        assert (await client.futures.open_interest("BTCUSDT")).open_interest > 0
        for streams in (client.spot.streams, client.futures.streams):
            async with streams.book_ticker("BTCUSDT") as events:
                async for event in events:
                    assert getattr(event, "symbol", None) == "BTCUSDT"
                    break


async def test_a_client_reads_both_markets_and_their_streams(ticking: Simulator) -> None:
    await read_both(ticking.client(max_retries=0))


async def test_one_variable_does_the_same(ticking: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINANCE_SDK_SIMULATOR", f" {ticking.url}/ ")
    monkeypatch.setenv("BINANCE_SDK_ENVIRONMENT", "testnet")
    await read_both(BinanceClient(max_retries=0))


def test_a_blocking_client(ticking: Simulator) -> None:
    with ticking.sync_client(max_retries=0) as client:
        assert client.spot.ticker_24hr("BTCUSDT").symbol == "BTCUSDT"
        with client.futures.streams.book_ticker("BTCUSDT") as events:
            assert next(iter(events)) is not None


def test_in_another_process() -> None:
    with simulator_process(symbols=["BTCUSDT"], history_days=1) as control, control.sync_client() as client:
        assert client.spot.exchange_info().symbols[0].symbol == "BTCUSDT"
        with client.spot.streams.book_ticker("BTCUSDT") as events:
            assert next(iter(events)) is not None


def test_a_url_of_its_own_goes_first(ticking: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINANCE_SDK_SIMULATOR", ticking.url)
    with SyncBinanceClient(spot_base_url="http://127.0.0.1:9", max_retries=0) as client:
        assert "spot_base_url='http://127.0.0.1:9'" in repr(client)
        assert client.futures.ping() is not None
        # Another exchange's streams would not belong to what is asked there.
        with pytest.raises(ConfigError, match="spot_stream_url"), client.spot.streams.book_ticker("BTCUSDT"):
            pass


def test_the_address_in_place_of_a_markets_own_url_is_found_out(ticking: Simulator) -> None:
    port = int(ticking.url.rpartition(":")[2])
    with SyncBinanceClient(spot_base_url=ticking.url, futures_base_url=ticking.url, max_retries=0) as client:
        assert client.spot.ping() is not None
        for call in (client.futures.ping, lambda: client.futures.basis("BTCUSDT", "PERPETUAL", "5m")):
            with pytest.raises(NotFoundError) as caught:
                call()
            assert f"port {port} of this simulator serves spot, futures is at port {port + 2}" in str(caught.value)
            assert f"BINANCE_SDK_SIMULATOR=http://HOST:{port}" in str(caught.value)


def test_a_browser_too_is_told_where_a_path_is(ticking: Simulator) -> None:
    port = int(ticking.url.rpartition(":")[2])
    answer = httpx.get(ticking.base_url("futures") + "/api/v3/ping", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert answer.json()["code"] == -5000
    assert f"spot is at port {port}" in answer.json()["msg"]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("127.0.0.1:8080", "must be http://, a host and a port"),
        ("https://127.0.0.1:8080", "must be http://, a host and a port"),
        ("http://127.0.0.1", "must be http://, a host and a port"),
        ("http://127.0.0.1:8080/api", "must be http://, a host and a port"),
        ("http://127.0.0.1:8080?a=1", "must be http://, a host and a port"),
        ("http://127.0.0.1:99999", "is no URL"),
        ("http://[::1:8080", "is no URL"),
        ("http://127.0.0.1:65535", f"at most {LAST_PORT}"),
        ("http://me:secret@127.0.0.1:8080", "must not hold a user or password"),
    ],
)
def test_a_variable_that_is_no_address(monkeypatch: pytest.MonkeyPatch, value: str, told: str) -> None:
    monkeypatch.setenv("BINANCE_SDK_SIMULATOR", value)
    for kind in (BinanceClient, SyncBinanceClient):
        with pytest.raises(ConfigError) as caught:
            kind()
        text = str(caught.value)
        assert text.startswith("BINANCE_SDK_SIMULATOR")
        assert told in text
        assert "binance-sdk simulate" in text
        assert "secret" not in text


def test_no_client_before_the_start() -> None:
    stopped = simulator()
    for make in (stopped.client, stopped.sync_client):
        with pytest.raises(SimulatorError, match="before it is started"):
            make()


def test_each_market_has_two_ports_of_its_own() -> None:
    with simulator() as running:
        port = int(running.url.rpartition(":")[2])
        assert running.base_url("spot") == running.url
        for number, market in enumerate(MARKETS):
            assert running.base_url(market) == f"http://127.0.0.1:{port + 2 * number}"
            assert running.stream_url(market) == f"ws://127.0.0.1:{port + 2 * number + 1}"
    # The same ones again, as nobody else has them.
    with simulator(port=port) as running:
        assert running.url == f"http://127.0.0.1:{port}"


def test_a_neighbour_that_has_one_of_the_ports_is_named() -> None:
    with simulator() as running:
        port = int(running.url.rpartition(":")[2])
    for above, whose in ((2, "the futures REST API"), (3, "the futures streams")):
        with (
            socket.create_server(("127.0.0.1", port + above)),
            pytest.raises(PortInUseError, match=f"127.0.0.1:{port + above}.*{whose}.*port {port}"),
        ):
            simulator(port=port).start()
    # What was bound before is free again.
    with simulator(port=port):
        pass


@pytest.mark.parametrize("port", [-1, LAST_PORT + 1, 65_535])
def test_a_port_that_leaves_no_room_is_refused(port: int) -> None:
    with pytest.raises(PortInUseError, match=f"port={port} must be from 0 to {LAST_PORT}.*0 takes free ones"):
        simulator(port=port).start()


@pytest.mark.parametrize(
    ("failure", "remedy"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "choose a host .* of this machine"),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"), "choose a host .* of this machine"),
        (OSError(errno.EACCES, "Permission denied"), "above 1023"),
        (OSError(errno.EADDRINUSE, "Address already in use"), "end the program that uses it"),
    ],
)
def test_what_to_try_is_told_by_what_failed(monkeypatch: pytest.MonkeyPatch, failure: OSError, remedy: str) -> None:
    def bind(self: socket.socket, address: object) -> None:
        raise failure

    monkeypatch.setattr(socket.socket, "bind", bind)
    with pytest.raises(PortInUseError, match=f"{failure.strerror}.*{remedy}"):
        bind_ports("an.address", 8080)
