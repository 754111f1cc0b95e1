"""Bodies that grow when they are unpacked."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from functools import cache

import pytest

from binance_sdk import errors
from binance_sdk._runtime.transport import protocol
from binance_sdk._runtime.transport.decompression import BodyReader
from binance_sdk._runtime.transport.protocol import TransportFailure
from binance_sdk.errors import BinanceError
from tests.runtime.server import RawServer, http

from .clients import REST, use

rest = pytest.mark.parametrize("library", REST)
TIME = b'{"serverTime":1790000000000}'
MIB = 1024 * 1024


def bare(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@cache
def bomb(layers: int, size: int) -> bytes:
    data = b"[" + b" " * size
    for _ in range(layers):
        data = gzip.compress(data, 6)
    return data


def memory_of(work: Callable[[], BinanceError | None]) -> tuple[int, BinanceError | None]:
    """What it takes at most beyond what is taken already; where somebody traces all of Python, that goes on."""
    traced = tracemalloc.is_tracing()
    tracemalloc.start()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    try:
        result = work()
        return tracemalloc.get_traced_memory()[1] - before, result
    finally:
        if not traced:
            tracemalloc.stop()


GOOD = {
    "gzip": gzip.compress(TIME),
    "x-gzip": gzip.compress(TIME),
    "GZIP": gzip.compress(TIME),
    "identity": TIME,
    "deflate": zlib.compress(TIME),
    "deflate, gzip": gzip.compress(zlib.compress(TIME)),
    "gzip, gzip": gzip.compress(gzip.compress(TIME)),
    "gzip, identity": gzip.compress(TIME),
}


@rest
@pytest.mark.parametrize("encoding", GOOD)
def test_what_is_packed_well(library: str, encoding: str) -> None:
    with RawServer(http("200 OK", GOOD[encoding], {"Content-Encoding": encoding})) as server:
        assert use(library, spot_base_url=server.url) is None
    assert b"accept-encoding: gzip, deflate\r\n" in server.requests[0].lower()


@rest
def test_deflate_without_a_head(library: str) -> None:
    with RawServer(http("200 OK", bare(TIME), {"Content-Encoding": "deflate"})) as server:
        assert use(library, spot_base_url=server.url) is None


@rest
@pytest.mark.parametrize(
    ("encoding", "layers", "size"),
    [("gzip", 1, 200 * MIB), ("gzip, gzip", 2, 500 * MIB), ("gzip, gzip, gzip", 3, 90 * MIB)],
)
def test_what_grows_without_end_is_left_at_the_limit(library: str, encoding: str, layers: int, size: int) -> None:
    body = bomb(layers, size)
    with RawServer(http("200 OK", body, {"Content-Encoding": encoding})) as server:
        most, error = memory_of(lambda: use(library, spot_base_url=server.url))
    assert type(error) is errors.DecodeError
    assert f"larger than {protocol.MAX_RESPONSE_BYTES} bytes" in str(error)
    assert most < 100 * MIB


@rest
def test_the_deadline_holds_while_it_is_unpacked(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from binance_sdk._runtime.transport import over_aiohttp, over_httpx

    def late(ends: float) -> None:
        raise protocol.TooLate("the whole answer did not arrive in time")

    monkeypatch.setattr(over_httpx, "check_time", late)
    monkeypatch.setattr(over_aiohttp, "check_time", late)
    with RawServer(http("200 OK", gzip.compress(TIME), {"Content-Encoding": "gzip"})) as server:
        error = use(library, spot_base_url=server.url)
    assert type(error) is errors.APITimeoutError


@rest
@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        ("br", TIME, "Content-Encoding 'br', not gzip, deflate"),
        ("zstd, gzip", gzip.compress(TIME), "Content-Encoding 'zstd'"),
        ("gzip, gzip, gzip, gzip, gzip", gzip.compress(TIME), "compressed 5 times"),
        ("gzip", TIME, "not what its Content-Encoding says"),
        ("gzip", gzip.compress(TIME)[:-9], "cut short"),
        ("gzip", gzip.compress(b"") * 2000, "goes on after the end"),
        ("deflate", zlib.compress(TIME) + b"more", "goes on after the end"),
    ],
    # Of bytes it would hold the moment at which they were packed.
    ids=lambda value: value if isinstance(value, str) else "body",
)
def test_what_is_packed_badly(library: str, encoding: str, body: bytes, text: str) -> None:
    with RawServer(http("200 OK", body, {"Content-Encoding": encoding})) as server:
        error = use(library, spot_base_url=server.url)
    assert type(error) is errors.DecodeError
    assert text in str(error)


@pytest.mark.parametrize("pace", [1, 7, 4096])
@pytest.mark.parametrize("encoding", [*GOOD, "bare"])
def test_it_does_not_matter_how_it_comes(encoding: str, pace: int) -> None:
    packed = bare(TIME) if encoding == "bare" else GOOD[encoding]
    body = BodyReader("deflate" if encoding == "bare" else encoding, lambda: None)
    for at in range(0, len(packed), pace):
        body.feed(packed[at : at + pace])
    assert body.end() == TIME


def test_several_members_and_zeros_after_them() -> None:
    body = BodyReader("gzip", lambda: None)
    body.feed(gzip.compress(TIME[:9]) + gzip.compress(TIME[9:]) + b"\0" * 99)
    assert body.end() == TIME


def test_more_than_one_step_of_text() -> None:
    text = bytes(range(256)) * 4 * 3000 + b"x"
    body = BodyReader("gzip", lambda: None)
    body.feed(gzip.compress(text))
    assert body.end() == text


def test_nothing_at_all() -> None:
    body = BodyReader("gzip", lambda: None)
    assert body.end() == b""


def test_the_limit_counts_every_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_RESPONSE_BYTES", 1000)
    inner = gzip.compress(b"") * 60
    body = BodyReader("gzip, gzip", lambda: None)
    with pytest.raises(TransportFailure, match="larger than 1000 bytes"):
        body.feed(gzip.compress(inner))
