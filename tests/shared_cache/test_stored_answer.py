"""The bytes of an answer: nothing that was changed on the way is ever taken for one."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest

from binance_sdk._runtime.calls.received_answer import ReceivedAnswer
from binance_sdk._runtime.calls.shared_cache import stored_answer
from binance_sdk._runtime.calls.shared_cache.stored_answer import (
    AnswerKeys,
    StoredAnswer,
    WorthlessAnswerError,
    pack,
    unpack,
)
from binance_sdk._runtime.response import Headers, Response

_IDENTITY = "spec https://api.binance.com/api/v3/ping"


def _response(**more: Any) -> Response[Any]:
    told: dict[str, Any] = {
        "answer": ReceivedAnswer("", object, b"", data={}),
        "status_code": 200,
        "headers": Headers({"Date": "now", "X-MBX-USED-WEIGHT-1M": "7", "Set-Cookie": "who=me"}),
        "content": b'{"a":\n"\xc3\xa4"}',
        "weight": 1,
        "used_weight": 7,
        "url": "https://api.binance.com/api/v3/ping",
        "elapsed": 0.25,
        "retries": 2,
    }
    return Response(**{**told, **more})


def _about(**more: Any) -> bytes:
    fields: dict[str, Any] = {
        "identity": _IDENTITY,
        "status_code": 200,
        "headers": {"date": "now"},
        "weight": 1,
        "used_weight": None,
        "url": "u",
        "elapsed": 0.5,
        "retries": 0,
    }
    return zlib.compress(json.dumps({**fields, **more}).encode() + b"\n{}")


@pytest.mark.parametrize("more", [{}, {"used_weight": None}, {"content": b""}, {"content": b"\n\n"}])
def test_what_is_packed_is_read_again_but_for_cookies(more: dict[str, Any]) -> None:
    response = _response(**more)
    stored = unpack(_IDENTITY, pack(_IDENTITY, StoredAnswer.of(response)))
    found = stored.response(ReceivedAnswer("", object, b"", data={"x": 1}))
    assert dict(found.headers) == {"date": "now", "x-mbx-used-weight-1m": "7"}
    for name in ("status_code", "content", "weight", "used_weight", "url", "elapsed", "retries", "skipped"):
        assert getattr(found, name) == getattr(response, name), name


def test_no_byte_can_be_lost_or_changed() -> None:
    answer = StoredAnswer.of(_response())
    body = pack(_IDENTITY, answer)
    for length in range(len(body)):
        with pytest.raises(WorthlessAnswerError):
            unpack(_IDENTITY, body[:length])
    for place in range(len(body)):
        changed = bytearray(body)
        changed[place] ^= 0x10
        try:
            # A few bits of the header of zlib say nothing about the data.
            assert unpack(_IDENTITY, bytes(changed)) == answer
        except WorthlessAnswerError:
            continue
    with pytest.raises(WorthlessAnswerError, match="goes on after its end"):
        unpack(_IDENTITY, body + b"\0")


def test_an_answer_that_expands_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_answer, "MAX_RESPONSE_BYTES", 100_000)
    zeros = StoredAnswer.of(_response(content=bytes(100_000)))
    assert unpack(_IDENTITY, pack(_IDENTITY, zeros)) == zeros
    with pytest.raises(WorthlessAnswerError, match="is more than 100000 bytes large"):
        unpack(_IDENTITY, pack(_IDENTITY, StoredAnswer.of(_response(content=bytes(1_000_000)))))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "is cut short"),
        (b"rubbish", "is not compressed"),
        (zlib.compress(b"no line"), "says nothing about itself"),
        (zlib.compress(b"no JSON\n{}"), "says nothing about itself"),
        (zlib.compress(b"[1]\n{}"), "says nothing about itself"),
        (zlib.compress(b"[" * 60_000 + b"\n"), "says nothing about itself"),
        (zlib.compress(b" " * 70_000 + b"{}\n"), "says nothing about itself"),
        (_about(identity="other"), "answers another request"),
        (_about(status_code="200"), "has no status_code"),
        (_about(status_code=True), "has no status_code"),
        (_about(weight=-1), "has no weight"),
        (_about(weight=1.0), "has no weight"),
        (_about(used_weight="7"), "has no used_weight"),
        (_about(retries=10**13), "has no retries"),
        (_about(url=7), "has no url"),
        (_about(elapsed=float("nan")), "has no elapsed"),
        (_about(elapsed=True), "has no elapsed"),
        (_about(headers=[]), "has no headers"),
        (_about(headers={"date": 7}), "has no date"),
    ],
)
def test_what_is_no_answer_says_why(body: bytes, problem: str) -> None:
    with pytest.raises(WorthlessAnswerError, match=problem):
        unpack(_IDENTITY, body)


def test_whatever_makes_another_answer_makes_another_key() -> None:
    def keys(
        operation: str = "spot.ping", spec: str = "a", url: str = "https://h/p?x=1", options: Any = 1
    ) -> AnswerKeys:
        return AnswerKeys.of(operation, spec, url, options)

    found = [keys(), keys(spec="b"), keys(url="https://other/p?x=1"), keys(url="https://h/p?x=2")]
    assert len({each.answer for each in found}) == len({each.identity for each in found}) == 4
    # Who is more patient waits for others, and uses the same answers.
    assert keys(options=2).answer == keys().answer
    assert keys(options=2).lock != keys().lock
    assert keys().answer.startswith("binance-sdk:cache:{v1}:spot.ping:")
    assert keys().lock.startswith(keys().answer)
