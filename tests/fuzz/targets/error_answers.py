"""Answers that are none into typed errors: the first line is status and headers, the rest is the body."""

from __future__ import annotations

import math
import pickle

from binance_sdk._runtime.answers.api_errors import api_error
from binance_sdk._runtime.response import Headers
from binance_sdk._runtime.transport.protocol import RawResponse
from binance_sdk.catalogue import CATALOGUE

_NOW = 1_764_000_000_000
_BODIES = (
    b'{"code":-1121,"msg":"Invalid symbol."}',
    b'{"code":-1003,"msg":"Way too much request weight used; IP banned until 1764000600000. Please use WebSocket."}',
    b'{"code":0,"msg":"Service unavailable from a restricted location according to \'b. Eligibility\'"}',
    b"<html><head><title>403 ERROR</title></head><body><h1>Request blocked.</h1></body></html>",
    b"",
    b"[]",
)
_HEADS = (b"400", b"403 server=CloudFront", b"418 retry-after=600", b"429 retry-after=1.5", b"451", b"503")


def seeds() -> list[bytes]:
    dated = b"429 retry-after=Mon, 24 Nov 2025 16:00:30 GMT"
    with_code = [b"200\n" + body for body in _BODIES if b"code" in body]
    return [*with_code, *(head + b"\n" + body for head in (*_HEADS, dated) for body in _BODIES)]


def target(data: bytes) -> bool:
    """The error has one line, a wait that ends, and can be pickled; there is none where there may be data."""
    head, _, body = data.partition(b"\n")
    status, _, given = head.decode("latin-1").partition(" ")
    pairs = dict(pair.split("=", 1) for pair in given.split(";") if "=" in pair)
    number = int(status) if status.isascii() and status.isdigit() and len(status) == 3 else 500
    found = api_error("spot.klines", RawResponse(number, Headers(pairs), body), CATALOGUE, "mainnet", _NOW)
    if found is None:
        assert number == 200
        return False
    text = str(found)
    assert text.startswith(f"spot.klines: HTTP {number}")
    assert len(text) < 5000
    assert found.retry_after is None or (math.isfinite(found.retry_after) and 0 <= found.retry_after <= 3 * 86_400)
    again = pickle.loads(pickle.dumps(found))
    assert (str(again), again.body) == (text, body)
    return True
