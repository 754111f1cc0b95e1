"""One address for everything a simulator serves: ready clients, and the variable that points any client at it."""

from __future__ import annotations

import inspect
import socket
from collections.abc import Iterator

import pytest

from binance_sdk import BinanceClient, SyncBinanceClient
from binance_sdk.errors import ConfigError
from binance_sdk.simulator import PortInUseError, Simulator, SimulatorError, simulator_process
from binance_sdk.simulator.clients import ClientOptions

from .conftest import simulator

ELSEWHERE = {
    "self",
    "environment",
    "spot_base_url",
    "futures_base_url",
    "spot_stream_url",
    "futures_stream_url",
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
        ("http://127.0.0.1:65535", "at most 65533"),
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


def test_streams_are_at_the_two_next_ports() -> None:
    with simulator() as running:
        port = int(running.url.rpartition(":")[2])
        assert running.spot_url == running.futures_url == running.url
        assert running.spot_stream_url == f"ws://127.0.0.1:{port + 1}"
        assert running.futures_stream_url == f"ws://127.0.0.1:{port + 2}"
    # The same three again, as nobody else has them.
    with simulator(port=port) as running:
        assert running.url == f"http://127.0.0.1:{port}"


def test_a_neighbour_that_has_the_port_of_the_streams_is_named() -> None:
    with simulator() as running:
        port = int(running.url.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port + 2)):
        with pytest.raises(PortInUseError, match=f"127.0.0.1:{port + 2}.*futures streams.*port {port}"):
            simulator(port=port).start()
        # What was bound before is free again.
        with socket.create_server(("127.0.0.1", port)):
            pass
    with pytest.raises(PortInUseError, match="at most 65533"):
        simulator(port=65_535).start()
