"""``with_raw_response``: nothing is decoded before it is asked for, and nothing is lost by that."""

from __future__ import annotations

import json
import pickle
from typing import Any

import httpx
import polars as pl
import pytest

from binance_sdk import BinanceClient, RequestOptions, SyncBinanceClient
from binance_sdk.catalogue import CATALOGUE, fixture
from binance_sdk.errors import DecodeError
from binance_sdk.events import Event, ResponseReceived, Retrying, RowSkipped

KLINES = fixture("spot", "klines")
ROWS = json.loads(KLINES)
BROKEN = json.dumps([ROWS[0], [*ROWS[1][:4], None, *ROWS[1][5:]]]).encode()
TELLS = r"spot\.klines: the answer is not what the spec says: \[1\]\.close: should be a string, got null"


class Line:
    """Answers with these bodies, the last one again and again."""

    def __init__(self, *bodies: bytes) -> None:
        self.bodies = list(bodies)
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(200, content=self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0])


def client(*bodies: bytes, told: list[Event] | None = None, **settings: Any) -> SyncBinanceClient:
    transport = httpx.MockTransport(Line(*bodies))
    hooks = [] if told is None else [told.append]
    return SyncBinanceClient(http_client=httpx.Client(transport=transport), budget=False, hooks=hooks, **settings)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every body that klines of spot were made of."""
    reader = CATALOGUE["spot"].operations["klines"].variants[0].reader
    found: list[bytes] = []
    read = reader.read

    def noted(content: bytes) -> Any:
        found.append(content)
        return read(content)

    monkeypatch.setattr(reader, "read", noted)
    return found


def test_an_answer_is_decoded_once_and_only_when_it_is_read(decoded: list[bytes]) -> None:
    raw = client(KLINES).spot.with_raw_response.klines("BTCUSDT", "1h")
    assert (raw.content, raw.weight, decoded) == (KLINES, 2, [])
    assert raw.to_polars().height == len(raw.to_pandas()) == raw.to_arrow().num_rows == 3
    assert raw.to_numpy()["close"].tolist() == [float(row[4]) for row in ROWS]
    assert decoded == []
    assert raw.data is raw.data
    assert len(decoded) == 1
    assert [list(row) for row in raw.data] == ROWS


async def test_the_asynchronous_client_does_the_same(decoded: list[bytes]) -> None:
    transport = httpx.MockTransport(Line(KLINES))
    async with BinanceClient(http_client=httpx.AsyncClient(transport=transport), budget=False) as made:
        raw = await made.spot.with_raw_response.klines("BTCUSDT", "1h")
        frame = raw.to_polars(prices="decimal", scale=8, columns=["open_time", "close"])
    assert frame.schema == {"open_time": pl.Datetime("us", "UTC"), "close": pl.Decimal(38, 8)}
    assert decoded == []


@pytest.mark.parametrize("read", ["data", "to_polars", "to_pandas", "to_arrow", "to_numpy"])
def test_what_is_not_as_the_spec_says_is_one_error_however_it_is_read(read: str) -> None:
    made = client(BROKEN)
    raw = made.spot.with_raw_response.klines("BTCUSDT", "1h")
    with pytest.raises(DecodeError, match=TELLS) as told:
        _ = raw.data if read == "data" else getattr(raw, read)()
    assert (told.value.operation, told.value.body) == ("spot.klines", BROKEN)
    assert [drift.kind for drift in made.drift() if hasattr(drift, "kind")] == ["null"]
    with pytest.raises(DecodeError, match=TELLS):
        made.spot.klines("BTCUSDT", "1h")


def test_what_binance_adds_is_told_when_data_is_read() -> None:
    trades = [{**row, "mood": "high"} for row in json.loads(fixture("spot", "trades"))]
    made = client(json.dumps(trades).encode())
    raw = made.spot.with_raw_response.trades("BTCUSDT")
    assert "mood" not in raw.to_polars().columns
    assert made.drift() == []
    assert raw.data[0].model_extra == {"mood": "high"}
    assert [getattr(drift, "kind", "") for drift in made.drift()] == ["field_added"]


@pytest.mark.parametrize("torn", [b"", b"<html>504</html>", KLINES[:-1], b"\xef\xbb\xbf" + KLINES])
def test_a_torn_body_is_asked_for_again_as_ever(torn: bytes) -> None:
    told: list[Event] = []
    raw = client(torn, KLINES, told=told, max_retries=1).spot.with_raw_response.klines("BTCUSDT", "1h")
    assert raw.retries == 1
    assert raw.to_polars().height == 3
    assert len([event for event in told if isinstance(event, Retrying)]) == 1


def test_bad_rows_are_left_out_of_frames_too() -> None:
    told: list[Event] = []
    skipping = RequestOptions(bad_rows="skip")
    raw = client(BROKEN, told=told).spot.with_raw_response.klines("BTCUSDT", "1h", options=skipping)
    assert (raw.skipped, len([event for event in told if isinstance(event, RowSkipped)])) == (1, 1)
    assert raw.to_polars()["close"].to_list() == [float(ROWS[0][4])]


def test_what_teaches_the_client_is_decoded_as_it_comes() -> None:
    made = client(fixture("spot", "time"))
    made.spot.with_raw_response.time()
    assert made._core.engine.attempts.markets["spot"].pool.time.calibrated


def test_what_teaches_the_client_fails_as_it_comes() -> None:
    told: list[Event] = []
    with pytest.raises(DecodeError, match=r"serverTime: should be an integer, got null"):
        client(b'{"serverTime":null}', told=told).spot.with_raw_response.time()
    assert [event.outcome for event in told if isinstance(event, ResponseReceived)] == ["DecodeError"]


def test_a_cached_answer_makes_frames_and_keeps_its_own_list() -> None:
    made = client(KLINES, cache=True)
    first = made.spot.with_raw_response.klines("BTCUSDT", "1h")
    first.data.clear()
    second = made.spot.with_raw_response.klines("BTCUSDT", "1h")
    assert len(second.data) == second.to_polars().height == 3


def test_an_answer_that_is_not_as_the_spec_says_is_not_kept() -> None:
    made = client(BROKEN, KLINES, cache=True)
    with pytest.raises(DecodeError, match=TELLS):
        made.spot.with_raw_response.klines("BTCUSDT", "1h")
    assert made.spot.with_raw_response.klines("BTCUSDT", "1h").to_polars().height == 3


def test_an_answer_can_be_pickled_read_or_not() -> None:
    raw = client(KLINES).spot.with_raw_response.klines("BTCUSDT", "1h")
    for _ in range(2):
        again = pickle.loads(pickle.dumps(raw))
        assert again == raw
        assert again.data == raw.data
        assert again.to_polars().equals(raw.to_polars())


def test_a_frame_of_an_order_book_is_made_of_its_sides() -> None:
    from binance_sdk import frames
    from binance_sdk.errors import ParameterError

    raw = client(fixture("spot", "depth")).spot.with_raw_response.depth("BTCUSDT")
    with pytest.raises(ParameterError, match=r"OrderBook does not fit into a frame: bids holds a list, asks holds a l"):
        raw.to_polars()
    assert frames.to_polars(raw.data.bids).columns == ["price", "qty"]
    assert raw.to_polars(columns=["last_update_id"]).rows() == [(raw.data.last_update_id,)]
