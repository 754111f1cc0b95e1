"""What HTTP libraries do unasked: send again, keep cookies, follow redirects, wait without end."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from binance_sdk import BinanceClient, SyncBinanceClient, errors
from tests.runtime.server import RawServer, http

from .clients import REST, use
from .lab import Lab

PING = http("200 OK", b"{}", last=False)
rest = pytest.mark.parametrize("library", REST)


def pings(library: str, url: str, times: int, **settings: Any) -> list[errors.BinanceError | None]:
    """What comes of that many calls, one after the other, of one client."""
    outcomes: list[errors.BinanceError | None] = []
    if library == "httpx blocking":
        with SyncBinanceClient(spot_base_url=url, max_retries=0, **settings) as client:
            for _ in range(times):
                try:
                    client.spot.ping()
                    outcomes.append(None)
                except errors.BinanceError as error:
                    outcomes.append(error)
        return outcomes

    async def run() -> None:
        transport: Any = library
        async with BinanceClient(spot_base_url=url, max_retries=0, transport=transport, **settings) as client:
            for _ in range(times):
                try:
                    await client.spot.ping()
                    outcomes.append(None)
                except errors.BinanceError as error:
                    outcomes.append(error)

    asyncio.run(run())
    return outcomes


@rest
def test_a_request_leaves_once_though_its_connection_breaks(library: str) -> None:
    seen: list[int] = []

    def answer(connection: socket.socket) -> None:
        # Every second request of a connection, so always one that was kept, finds a line that breaks.
        seen.append(0)
        if len(seen) % 2:
            connection.sendall(PING)
        else:
            connection.shutdown(socket.SHUT_RDWR)

    with RawServer(answer, keep_alive=True) as server:
        outcomes = pings(library, server.url, 10)
    assert [type(outcome) for outcome in outcomes] == [type(None), errors.APIConnectionError] * 5
    assert len(server.requests) == 10


@rest
def test_no_cookie_is_kept(library: str) -> None:
    answer = http("200 OK", b"{}", {"Set-Cookie": "a=b; Path=/"}, last=False)
    with RawServer(answer, keep_alive=True) as server:
        assert pings(library, server.url, 3) == [None] * 3
    assert all(b"cookie" not in request.lower() for request in server.requests)


def test_a_client_of_the_users_keeps_its_cookies() -> None:
    answer = http("200 OK", b"{}", {"Set-Cookie": "a=b; Path=/"}, last=False)
    with RawServer(answer, keep_alive=True) as server, httpx.Client() as own:
        assert pings("httpx blocking", server.url, 2, http_client=own) == [None] * 2
    assert b"cookie: a=b" in server.requests[1].lower()


@pytest.mark.parametrize("library", ["websockets", "aiohttp streams"])
@pytest.mark.parametrize("there", ["the same", "another"])
def test_a_handshake_follows_no_redirect(
    library: str, there: str, lab: Lab, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates))
    here = f"wss://localhost:{lab.streams.port}"
    with RawServer(PING) as other:
        lab.streams.redirect = f"{here}/elsewhere" if there == "the same" else other.url.replace("http", "ws")
        error = use(library, spot_base_url="http://127.0.0.1:1", spot_stream_url=here)
        assert other.requests == []
    assert isinstance(error, errors.BinanceError)
    assert "HTTP 302" in str(error)
    assert "redirects are not followed" in str(error)
    assert lab.streams.redirect in str(error)
    assert len(lab.streams.seen) == 1


def drip(part: bytes) -> Callable[[socket.socket], None]:
    """Sends a byte now and then, each well within the timeout of a step."""

    def act(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(200):
            connection.sendall(part)
            time.sleep(0.05)

    return act


@rest
@pytest.mark.parametrize("part", [b"X: a\r\n", b"a"], ids=["headers", "one header"])
def test_a_dripping_header_ends_with_the_timeout(library: str, part: bytes) -> None:
    with RawServer(drip(part)) as server:
        began = time.monotonic()
        (error,) = pings(library, server.url, 1, timeout=0.3)
        lasted = time.monotonic() - began
    assert type(error) is errors.APITimeoutError
    # Without a deadline it lasts ten seconds, and would last for ever.
    assert lasted < 5


def test_a_name_that_nobody_looks_up_ends_with_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    forever = threading.Event()

    def silent(*_: Any, **__: Any) -> Any:
        forever.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    began = time.monotonic()
    (error,) = pings("httpx blocking", "http://api.invalid", 1, timeout=0.3)
    lasted = time.monotonic() - began
    forever.set()
    assert type(error) is errors.APITimeoutError
    assert lasted < 5


def test_an_address_that_says_nothing_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    import httpcore

    from binance_sdk._runtime.transport.httpcore_backends import DeadlineBackend

    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (ip, 80)) for ip in ("192.0.2.1", "192.0.2.2")]
    )
    tried: list[tuple[str, float]] = []

    class Silent(httpcore.NetworkBackend):
        def connect_tcp(self, host: str, port: int, timeout: float | None = None, *args: Any) -> Any:
            assert timeout is not None
            tried.append((host, timeout))
            raise httpcore.ConnectTimeout

    deadlines = DeadlineBackend(Silent())
    deadlines.set(time.monotonic() + 100)
    with pytest.raises(httpcore.ConnectTimeout):
        deadlines.connect_tcp("api.invalid", 80, 1000)
    assert [host for host, _ in tried] == ["192.0.2.1", "192.0.2.2"]
    assert 40 < tried[0][1] <= 50
    assert 90 < tried[1][1] <= 100


@rest
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_out_of_file_descriptors(library: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(PING, keep_alive=True) as server:
        url = server.url.replace("127.0.0.1", name)
        no_descriptors(monkeypatch)
        error = pings(library, url, 6)[-1]
        monkeypatch.undo()
    # The sixth would be a CircuitOpenError if it had been held against the host.
    assert type(error) is errors.APIConnectionError
    assert "out of file descriptors" in str(error)
    assert "ulimit -n" in str(error)


@pytest.mark.parametrize("library", ["websockets", "aiohttp streams"])
def test_out_of_file_descriptors_when_a_stream_is_opened(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    no_descriptors(monkeypatch)
    error = use(library, spot_base_url="http://127.0.0.1:1", spot_stream_url="ws://127.0.0.1:1")
    monkeypatch.undo()
    assert type(error) is errors.StreamError
    assert "out of file descriptors" in str(error)


def no_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every one were in use. Those that the event loop itself needs are made in pairs, and are there."""
    import errno

    create = socket.socket.__init__

    def refuse(self: socket.socket, *args: Any, **kwargs: Any) -> None:
        # The fourth is a descriptor that is there already.
        if len(args) < 4 and kwargs.get("fileno") is None:
            raise OSError(errno.EMFILE, "Too many open files")
        create(self, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "__init__", refuse)


async def test_an_idle_connection_is_asked_at_its_socket_whether_it_was_closed() -> None:
    import httpcore

    from binance_sdk._runtime.transport.httpcore_backends import TrackingBackend

    here, there = socket.socketpair()
    asked: list[str] = []

    class Stream(httpcore.AsyncNetworkStream):
        async def start_tls(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
            return Stream()

        def get_extra_info(self, info: str) -> Any:
            asked.append(info)
            return here if info == "socket" else None

    class Connected(httpcore.AsyncNetworkBackend):
        async def connect_tcp(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
            return Stream()

    with here, there:
        plain = await TrackingBackend(Connected()).connect_tcp("api.invalid", 443)
        streams = [plain, await plain.start_tls(ssl.create_default_context())]
        assert [stream.get_extra_info("is_readable") for stream in streams] == [False, False]
        there.close()
        assert [stream.get_extra_info("is_readable") for stream in streams] == [True, True]
        assert asked == ["socket"], "the stream below gathers all that it knows before it answers"
        streams[1].get_extra_info("ssl_object")
        assert asked == ["socket", "ssl_object"]
    assert plain.get_extra_info("is_readable"), "a socket that is closed here"
