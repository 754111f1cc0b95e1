"""For everything that a server can do, a caller sees exactly one error of our tree that says what happened."""

from __future__ import annotations

import gzip
import json
import pickle
import select
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binance_sdk import RequestOptions, errors
from binance_sdk._runtime.answers.api_errors import wait_seconds
from tests.listening import closed_port

from .broken_lines import BROKEN
from .server import Act, RawServer, http
from .support import KEY, NOW, NOW_MS, Mode, in_flight, outcome

ONCE = RequestOptions(max_retries=0)
HTML = b"<!DOCTYPE html>\n<html><head><title>403 Forbidden</title></head><body>no</body></html>"
UNTIL = NOW_MS + 125_000


def said(code: object, message: object = "It is said.") -> bytes:
    return json.dumps({"code": code, "msg": message}).encode()


def klines(client: Any) -> Any:
    return client.spot.klines("BTCUSDT", "1h", options=ONCE)


def price(client: Any) -> Any:
    return client.spot.ticker_price("BTCUSDT", options=ONCE)


def with_key(client: Any) -> Any:
    return client.futures.historical_trades("BTCUSDT", from_id=7, options=ONCE)


def check(error: object, kind: type[errors.BinanceError], operation: str) -> errors.BinanceError:
    """What holds for every error of the matrix."""
    assert type(error) is kind, repr(error)
    assert isinstance(error, errors.BinanceError)
    assert error.operation == operation
    assert str(error).startswith(f"{operation}: ")
    assert len(str(error)) < 2000
    for shown in (str(error), repr(error), repr(error.args)):
        assert KEY not in shown
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert again.args == error.args
    assert vars(again) == vars(error)
    if isinstance(error, (errors.APIConnectionError, errors.DecodeError)):
        assert isinstance(error.__cause__, Exception)
        assert not isinstance(error.__cause__, errors.BinanceError)
    return error


def failed(mode: Mode, answer: bytes | Act | None, call: Callable[[Any], Any] = klines, **settings: Any) -> object:
    """What a call gives when the server answers so; the ledger must be settled afterwards."""
    left: list[int] = []
    with RawServer(answer) as server:
        found = outcome(
            mode,
            call,
            lambda client: left.append(in_flight(client)),
            spot_base_url=server.url,
            futures_base_url=server.url,
            api_key=KEY,
            **settings,
        )
    assert left == [0]
    assert len(server.requests) == 1
    return found


both = pytest.mark.parametrize("mode", ["sync", "async"])

# ---------------------------------------------------------------------- refused with a status

STATUSES: list[tuple[str, bytes, type[errors.APIError], int | None, str]] = [
    # status line, body, class, code, part of the text
    ("400 Bad Request", said(-1121, "Invalid symbol."), errors.BadRequestError, -1121, "code -1121 (BAD_SYMBOL)"),
    ("400 Bad Request", said("-1121"), errors.BadRequestError, -1121, "BAD_SYMBOL"),
    ("400 Bad Request", said(-9999), errors.BadRequestError, -9999, "It is said."),
    ("400 Bad Request", said("abc"), errors.BadRequestError, None, "It is said."),
    ("400 Bad Request", said(True), errors.BadRequestError, None, "It is said."),
    ("400 Bad Request", said(10**400), errors.BadRequestError, 10**400, "It is said."),
    ("400 Bad Request", said(-1100, {"odd": 1}), errors.BadRequestError, -1100, "odd"),
    ("400 Bad Request", said(-1100, None), errors.BadRequestError, -1100, "null"),
    ("400 Bad Request", b'{"code":-1100}', errors.BadRequestError, -1100, "ILLEGAL_CHARS"),
    ("400 Bad Request", b'{"code":NaN,"msg":"x"}', errors.BadRequestError, None, "x"),
    ("400 Bad Request", b'{"code":' + b"9" * 5000 + b',"msg":"x"}', errors.BadRequestError, None, "999"),
    ("400 Bad Request", b"[" * 100_000, errors.BadRequestError, None, "[[["),
    ("400 Bad Request", b'{"msg":"\xff\xfe"}', errors.BadRequestError, None, "msg"),
    ("400 Bad Request", b"\xef\xbb\xbf" + said(-1121), errors.BadRequestError, -1121, "BAD_SYMBOL"),
    ("401 Unauthorized", said(-2014), errors.AuthenticationError, -2014, "api_key"),
    ("403 Forbidden", HTML, errors.ForbiddenError, None, "403 Forbidden"),
    ("404 Not Found", b"", errors.NotFoundError, None, "no body"),
    ("404 Not Found", HTML, errors.NotFoundError, None, "base URL"),
    ("405 Method Not Allowed", b"", errors.BadRequestError, None, "HTTP 405"),
    ("408 Request Timeout", b"", errors.ServerError, None, "HTTP 408"),
    ("409 Conflict", b"", errors.BadRequestError, None, "HTTP 409"),
    ("451 Unavailable", said(0, "Service unavailable"), errors.RestrictedLocationError, 0, "data_only"),
    ("500 Internal Server Error", b"", errors.ServerError, None, "no body"),
    ("502 Bad Gateway", HTML, errors.ServerError, None, "403 Forbidden"),
    ("503 Service Unavailable", said(-1008), errors.ServerError, -1008, "SERVER_BUSY"),
    ("504 Gateway Timeout", b"upstream\x00\x1b[31m", errors.ServerError, None, "upstream"),
    ("600 Whatever", b"", errors.ServerError, None, "HTTP 600"),
    ("202 Accepted", b"", errors.APIError, None, "HTTP 202"),
    ("202 Accepted", b"[]", errors.APIError, None, "HTTP 202"),
    ("204 No Content", b"", errors.APIError, None, "HTTP 204"),
    ("206 Partial Content", b"[]", errors.APIError, None, "HTTP 206"),
    ("299 Odd", b"[]", errors.APIError, None, "HTTP 299"),
    ("304 Not Modified", b"", errors.APIError, None, "HTTP 304"),
    ("200 OK", said(-1121, "Invalid symbol."), errors.BadRequestError, -1121, "HTTP 200; code -1121"),
    ("200 OK", said(-1003, "Too many requests."), errors.RateLimitError, -1003, "TOO_MANY_REQUESTS"),
    ("200 OK", b'\n {"msg":"Down.","code":"-1000"}', errors.BadRequestError, -1000, "Down."),
]


def test_a_refusal_names_what_was_asked_for() -> None:
    """Binance does not say which symbol is invalid; in a log, the message has to."""
    error = failed("sync", http("400 Bad Request", said(-1121, "Invalid symbol.")))
    assert "Invalid symbol. Called with symbol='BTCUSDT', interval='1h'. Correct the parameter" in str(error)


def test_a_page_instead_of_data_is_told_as_such() -> None:
    error = check(failed("sync", http("200 OK", HTML)), errors.DecodeError, "spot.klines")
    assert "the body is HTML, not JSON" in str(error)
    assert "a proxy or a login page on the way" in str(error)


@both
@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "text"), STATUSES, ids=[f"{case[0][:3]} {case[1][:20]!r}" for case in STATUSES]
)
def test_status(mode: Mode, status: str, body: bytes, kind: type[errors.APIError], code: int | None, text: str) -> None:
    answer = http(status, body, {"X-MBX-USED-WEIGHT-1M": "17", "X-Odd": "a"}, length=not status.startswith("204"))
    error = check(failed(mode, answer), kind, "spot.klines")
    assert isinstance(error, errors.APIError)
    assert error.status_code == int(status[:3])
    assert error.code == code
    assert error.body == body
    assert error.headers["x-mbx-used-weight-1m"] == "17"
    # Where the server tells no end, that of the gate is known.
    closes = kind in (errors.ForbiddenError, errors.IPBannedError, errors.RateLimitError)
    assert (error.retry_after is not None) == (error.retry_at is not None) == closes
    assert text in str(error)
    assert str(error).isprintable()


@both
def test_the_key_is_sent_only_where_it_is_needed_and_never_shown(mode: Mode) -> None:
    # Binance may quote the request; even then the key stays out of every text.
    error = check(
        failed(mode, http("401 Unauthorized", b""), with_key), errors.AuthenticationError, "futures.historical_trades"
    )
    assert KEY not in repr(vars(error))
    seen: list[list[bytes]] = []
    for call in (with_key, klines):
        with RawServer(http("200 OK", b"[]")) as server:
            outcome(mode, call, spot_base_url=server.url, futures_base_url=server.url, api_key=KEY)
        seen.append([line for line in server.requests[0].split(b"\r\n") if KEY.encode() in line])
    assert [len(lines) for lines in seen] == [1, 0]
    assert seen[0][0].lower().startswith(b"x-mbx-apikey: ")


@both
def test_redirect_is_not_followed(mode: Mode) -> None:
    with RawServer(http("200 OK", b"[]")) as other:
        error = failed(mode, http("301 Moved", b"", {"Location": f"{other.url}/api/v3/klines"}), with_key)
        target = other.url
    check(error, errors.APIError, "futures.historical_trades")
    assert other.requests == []
    assert "redirects are not followed" in str(error)
    assert target in str(error)


# --------------------------------------------------------------------------- told to wait


def date(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(NOW + seconds, UTC), usegmt=True)


WINDOW = 30.62
"""Seconds until the server has surely turned to its next minute."""
WAITS: list[tuple[str, dict[str, str], bytes, float, int | None]] = [
    # status, headers, body, retry_after, banned_until
    ("429 Too Many", {"Retry-After": "7"}, b"", 7.0, None),
    ("429 Too Many", {"Retry-After": " 1.5 "}, said(-1003), 1.5, None),
    # A date has whole seconds, and the clock of these tests stands at half past one.
    ("429 Too Many", {"Retry-After": date(20.5)}, b"", 20.5, None),
    ("429 Too Many", {"Retry-After": date(-60)}, b"", 1.0, None),
    ("429 Too Many", {"Retry-After": "soon"}, b"", WINDOW, None),
    ("429 Too Many", {"Retry-After": "-5"}, b"", WINDOW, None),
    ("429 Too Many", {"Retry-After": "nan"}, b"", WINDOW, None),
    ("429 Too Many", {"Retry-After": "1" * 400}, b"", 600.0, None),
    ("429 Too Many", {"Retry-After": ""}, b"", WINDOW, None),
    ("429 Too Many", {}, HTML, WINDOW, None),
    ("418 Teapot", {"Retry-After": "120"}, b"", 120.0, NOW_MS + 120_000),
    ("418 Teapot", {}, said(-1003, f"Way too much; IP banned until {UNTIL}. Use streams."), 126.0, UNTIL),
    ("418 Teapot", {"Retry-After": "3"}, said(-1003, f"IP banned until {UNTIL}."), 125.0, UNTIL),
    ("418 Teapot", {"Retry-After": "later"}, said(-1003, f"IP banned until {UNTIL}."), 125.0, UNTIL),
    ("418 Teapot", {}, said(-1003, "IP banned until tomorrow."), 120.0, NOW_MS + 120_000),
    ("418 Teapot", {}, b"", 120.0, NOW_MS + 120_000),
    ("418 Teapot", {"Retry-After": "0"}, b"", 120.0, NOW_MS + 120_000),
    ("418 Teapot", {"Retry-After": date(-3600)}, b"", 120.0, NOW_MS + 120_000),
    ("418 Teapot", {"Retry-After": "1" * 400}, b"", 259_200.0, NOW_MS + 259_200_000),
    ("503 Busy", {"Retry-After": "9"}, b"", 9.0, None),
]


@both
@pytest.mark.parametrize(
    ("status", "headers", "body", "after", "until"), WAITS, ids=[f"{case[0][:3]} {str(case[1])[:30]}" for case in WAITS]
)
def test_waits(mode: Mode, status: str, headers: dict[str, str], body: bytes, after: float, until: int | None) -> None:
    kind = {"4": errors.RateLimitError, "5": errors.ServerError}[status[0]]
    kind = errors.IPBannedError if status.startswith("418") else kind
    error = check(failed(mode, http(status, body, headers)), kind, "spot.klines")
    assert isinstance(error, errors.APIError)
    assert error.retry_after == pytest.approx(after)
    assert error.retry_at == pytest.approx(NOW_MS + 1000 * after, abs=1)
    assert getattr(error, "banned_until", None) == until
    if after not in (WINDOW, 120.0):
        assert "retry after" in str(error)


@given(
    header=st.text(max_size=40)
    | st.from_regex(r"\A[A-Z][a-z]{2}, ?\d{1,5} ?[A-Z][a-z]{2} \d{0,6} \d\d:\d\d:\d\d [A-Z+0-9-]{0,6}\Z")
)
def test_any_retry_after_is_a_number_or_none(header: str) -> None:
    found = wait_seconds(header, "", NOW_MS)
    assert found is None or 0 <= found <= 259_200


# ----------------------------------------------------------------------- answers that are no data

KLINE = b'[1499040000000,"1","2","0.5","1.5","10",1499043599999,"12",30,"5","6","0"]'
UNDECODABLE: list[tuple[str, Callable[[Any], Any], bytes, str]] = [
    ("html", klines, HTML, "HTML"),
    ("empty", klines, b"", "empty"),
    ("blank", klines, b" \n", "empty"),
    ("truncated json", klines, b"[" + KLINE[:20], "not JSON"),
    ("object for a list", klines, b"{}", "should be an array, got object {}"),
    ("list for an object", price, b"[]", "should be an object, got array []"),
    ("list of the right object", price, b'[{"symbol":"A","price":"1"}]', "should be an object"),
    ("null", price, b"null", "null"),
    ("string", klines, b'"ok"', "should be an array"),
    ("byte order mark", klines, b"\xef\xbb\xbf[]", "byte order mark"),
    ("NaN", price, b'{"symbol":"A","price":NaN}', "price"),
    ("NaN in a string", price, b'{"symbol":"A","price":"NaN"}', "price: should be a decimal string, got 'NaN'"),
    ("infinity in a string", price, b'{"symbol":"A","price":"Infinity"}', "price"),
    ("exponent", price, b'{"symbol":"A","price":"1e5"}', "price"),
    ("number for text", price, b'{"symbol":"A","price":1.5}', "price: should be a string"),
    ("missing field", price, b'{"symbol":"A"}', "price: is missing"),
    ("text for a time", klines, b'[["x"' + KLINE[14:] + b"]", "[0].open_time: should be an integer"),
    ("short row", klines, b'[[1499040000000,"1"]]', "is missing"),
    ("deep nesting", klines, b"[" * 200_000, "not JSON"),
    ("deep nesting in a field", price, b'{"symbol":"A","price":"1","x":' + b"[" * 5000 + b"]" * 5000 + b"}", "JSON"),
    ("not UTF-8", price, b'{"symbol":"\xff","price":"1"}', "not JSON"),
    ("lone surrogate", price, b'{"symbol":"\\ud800","price":"1"}', "not JSON"),
    ("two documents", price, b'{"symbol":"A","price":"1"}{}', "not JSON"),
    ("code alone", price, b'{"code":-1121}', "symbol: is missing"),
    ("msg alone", price, b'{"msg":"x"}', "symbol: is missing"),
    ("code that is no number", price, b'{"code":"x","msg":"y"}', "symbol: is missing"),
]  # fmt: skip


@both
@pytest.mark.parametrize(("call", "body", "text"), [case[1:] for case in UNDECODABLE], ids=[c[0] for c in UNDECODABLE])
def test_undecodable(mode: Mode, call: Callable[[Any], Any], body: bytes, text: str) -> None:
    error = check(
        failed(mode, http("200 OK", body, {"X-Odd": "a"}), call),
        errors.DecodeError,
        "spot.klines" if call is klines else "spot.ticker_price",
    )
    assert isinstance(error, errors.DecodeError)
    assert error.body == body
    assert error.status_code == 200
    assert error.headers["x-odd"] == "a"
    assert error.problems
    assert text in str(error)


GZIP = gzip.compress(b"[" + KLINE + b"]")


@both
@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"not gzip at all", "Content-Encoding"),
        (GZIP[:10] + b"\xff" * 20, "Content-Encoding"),
        (GZIP[:30], "cut short"),
        (b"", "empty"),
    ],
    ids=["no gzip", "broken", "cut short", "empty"],
)
def test_bad_gzip(mode: Mode, body: bytes, text: str) -> None:
    error = check(failed(mode, http("200 OK", body, {"Content-Encoding": "gzip"})), errors.DecodeError, "spot.klines")
    assert text in str(error)


@both
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "undeclared"])
@pytest.mark.parametrize("compressed", [True, False], ids=["gzip", "plain"])
def test_too_large(mode: Mode, declared: bool, compressed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("binance_sdk._runtime.transport.protocol.MAX_RESPONSE_BYTES", 500)
    body = b"[" + b" " * 1000 + b"]"
    headers = {"Content-Encoding": "gzip"} if compressed else {}
    answer = http("200 OK", gzip.compress(body) if compressed else body, headers, length=declared)
    error = failed(mode, answer)
    assert type(error) is errors.DecodeError
    assert error.operation == "spot.klines"
    assert "larger than 500 bytes" in str(error)
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)


# ------------------------------------------------------------------------------ broken lines


@both
@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_broken_line(mode: Mode, answer: bytes | Act) -> None:
    error = failed(mode, answer)
    check(error, errors.APIConnectionError, "spot.klines")
    assert "127.0.0.1:" in str(error)


def slow(connection: socket.socket) -> None:
    """A body that never ends."""
    connection.sendall(http("200 OK", b"[", {"Content-Length": "10"}))
    connection.recv(1)


def dripping(connection: socket.socket) -> None:
    """Sends a little before each timeout, and never ends."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    # Ends when the client hangs up.
    while not select.select([connection], [], [], 0.01)[0]:
        connection.sendall(b" ")


@both
@pytest.mark.parametrize("answer", [None, slow, dripping], ids=["no answer", "half an answer", "drop by drop"])
def test_timeout(mode: Mode, answer: Act | None) -> None:
    error = check(failed(mode, answer, timeout=0.3), errors.APITimeoutError, "spot.klines")
    assert "raise timeout=" in str(error)


@both
def test_refused_connection(mode: Mode) -> None:
    left: list[int] = []
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}"
        error = outcome(mode, klines, lambda client: left.append(in_flight(client)), spot_base_url=url)
    check(error, errors.APIConnectionError, "spot.klines")
    assert f"127.0.0.1:{port}" in str(error)
    assert left == [0]


@both
def test_unknown_host(mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **kwargs: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = outcome(mode, klines, spot_base_url="http://spot.invalid")
    check(error, errors.APIConnectionError, "spot.klines")
    assert "spot.invalid" in str(error)
    assert "Name or service not known" in str(error)
