"""One bad row: it fails its list by default, and is left out, told and counted where that is asked for."""

from __future__ import annotations

import json
import logging
from decimal import Decimal
from typing import Any

import httpx
import pytest

from binance_sdk import BinanceClient, RequestOptions, SyncBinanceClient, errors
from binance_sdk._runtime.answers.good_rows import BadRow, good_rows
from binance_sdk.catalogue import CATALOGUE, STREAMS, fixture, stream_fixture
from binance_sdk.events import CacheHit, Event, RowSkipped

SKIP = RequestOptions(bad_rows="skip")
KLINES = json.loads(fixture("spot", "klines"))
TRADES = json.loads(fixture("spot", "trades"))


def client(document: Any, told: list[Event] | None = None, **settings: Any) -> SyncBinanceClient:
    body = json.dumps(document).encode()
    answer = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    return SyncBinanceClient(
        http_client=httpx.Client(transport=answer),
        budget=False,
        hooks=[] if told is None else [told.append],
        **settings,
    )


def skipped(told: list[Event]) -> list[RowSkipped]:
    return [event for event in told if isinstance(event, RowSkipped)]


# ---------------------------------------------------------------------------------- nothing where a value was


def premium(**changed: Any) -> dict[str, Any]:
    return {**json.loads(fixture("futures", "premium_index", "list"))[0], **changed}


def test_an_empty_funding_rate_is_none_and_written_back() -> None:
    rows = [premium(), premium(symbol="BTCUSDT_261225", lastFundingRate="", interestRate="", nextFundingTime=0)]
    perpetual, quarterly = client(rows).futures.premium_index()
    assert isinstance(perpetual.funding_rate, Decimal)
    assert quarterly.funding_rate is quarterly.interest_rate is quarterly.next_funding_time_dt is None
    assert json.loads(quarterly.model_dump_json(by_alias=True, exclude_unset=True)) == rows[1]


def test_other_fields_may_not_be_empty() -> None:
    with pytest.raises(errors.DecodeError, match=r"\[1\]\.markPrice: should be a decimal string, got ''"):
        client([premium(), premium(markPrice="")]).futures.premium_index()


# -------------------------------------------------------------------------------------------- lists


@pytest.mark.parametrize("options", [None, RequestOptions(), RequestOptions(bad_rows="raise")])
def test_a_bad_row_fails_its_list_and_is_named(options: RequestOptions | None) -> None:
    with pytest.raises(errors.DecodeError, match=r"\[1\]\.price: should be a decimal string, got ''"):
        client([TRADES[0], {**TRADES[0], "price": ""}]).spot.trades("BTCUSDT", options=options)


def test_a_bad_row_is_left_out_told_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Event] = []
    bad = {**TRADES[0], "price": "", "qty": None}
    made = client([TRADES[0], bad, {**TRADES[0], "id": 7}, 5], told)
    with caplog.at_level(logging.WARNING, logger="binance_sdk"):
        answer = made.spot.with_raw_response.trades("BTCUSDT", options=SKIP)
    assert [row.trade_id for row in answer.data] == [TRADES[0]["id"], 7]
    assert answer.skipped == 2
    assert skipped(told) == [
        RowSkipped("spot.trades", 1, "price: should be a decimal string, got ''; qty: should be a string, got null"),
        RowSkipped("spot.trades", 3, "should be an object, got 5"),
    ]
    assert "spot.trades: row 1 skipped: price: should be a decimal string" in caplog.text


def test_a_bad_candle_is_left_out_and_its_position_named() -> None:
    told: list[Event] = []
    bad = [*KLINES[0][:4], "1e5", *KLINES[0][5:]]
    rows = client([bad, KLINES[0]], told).spot.klines("BTCUSDT", "1h", options=SKIP)
    assert [list(row) for row in rows] == [KLINES[0]]
    assert skipped(told) == [RowSkipped("spot.klines", 0, "close: should be a decimal string, got '1e5'")]


def test_an_answer_without_bad_rows_is_the_same() -> None:
    told: list[Event] = []
    made = client(TRADES, told)
    answer = made.spot.with_raw_response.trades("BTCUSDT", options=SKIP)
    assert answer.data == made.spot.trades("BTCUSDT")
    assert answer.skipped == 0
    assert not skipped(told)


async def test_the_async_client_and_a_default_of_the_client() -> None:
    told: list[Event] = []
    body = json.dumps([{**TRADES[0], "price": None}, TRADES[0]]).encode()
    answer = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    async with (
        httpx.AsyncClient(transport=answer) as over,
        BinanceClient(http_client=over, budget=False, hooks=[told.append]) as made,
    ):
        patient = made.with_options(SKIP)
        assert len(await patient.spot.trades("BTCUSDT")) == 1
        assert len(skipped(told)) == 1
        with pytest.raises(errors.DecodeError):
            await patient.spot.trades("BTCUSDT", options=RequestOptions(bad_rows="raise"))


def test_numbers_of_good_rows_keep_every_digit() -> None:
    answer = client([{**TRADES[0], "quoteQty": "0.10000000000000000000000001"}, 1]).spot.trades("BTCUSDT", options=SKIP)
    assert str(answer[0].quote_qty) == "0.10000000000000000000000001"


# ------------------------------------------------------------------------------- lists within an object


def test_a_bad_symbol_is_left_out_of_exchange_info() -> None:
    told: list[Event] = []
    info = json.loads(fixture("spot", "exchange_info"))
    good = info["symbols"][0]
    filters = [{**rule, "stepSize": "x"} if "stepSize" in rule else rule for rule in good["filters"]]
    document = {**info, "symbols": [good, {**good, "symbol": "BAD", "filters": filters}, good, {}]}
    found = client(document, told).spot.with_raw_response.exchange_info(options=SKIP)
    assert [info.symbol for info in found.data.symbols] == [good["symbol"]] * 2
    assert found.skipped == 2
    first, second = skipped(told)
    assert (first.row, second.row) == ("symbols[1]", "symbols[3]")
    assert "stepSize: should be a decimal string, got 'x'" in first.problem
    assert str(first).startswith("spot.exchange_info: symbols[1] skipped: filters[")
    with pytest.raises(errors.DecodeError, match=r"symbols\[1\]\.filters\[\d+\]\.stepSize"):
        client(document).spot.exchange_info()


def test_an_object_that_is_wrong_itself_is_refused() -> None:
    info = json.loads(fixture("spot", "exchange_info"))
    with pytest.raises(errors.DecodeError, match="serverTime: should be an integer"):
        client({**info, "serverTime": "now", "symbols": [{}]}).spot.exchange_info(options=SKIP)


def test_a_bad_price_level_fails_its_book() -> None:
    """A book without one of its prices is not a shorter book but a wrong one."""
    book = {"lastUpdateId": 1, "bids": [["1", "2"], ["0.9", "x"]], "asks": []}
    with pytest.raises(errors.DecodeError, match=r"bids\[1\]\.qty"):
        client(book).spot.depth("BTCUSDT", options=SKIP)


# ------------------------------------------------------------------------------------------- too many


def test_an_answer_of_which_most_rows_are_bad_is_refused() -> None:
    with pytest.raises(errors.DecodeError, match="and more"):
        client([{}] * 101).spot.trades("BTCUSDT", options=SKIP)
    assert client([{}] * 100).spot.trades("BTCUSDT", options=SKIP) == []
    many = client([TRADES[0], {}] * 150 + [TRADES[0]]).spot.with_raw_response.trades("BTCUSDT", options=SKIP)
    assert (len(many.data), many.skipped) == (151, 150)


@pytest.mark.parametrize("body", [b"", b"[", b"<html>", b'{"a":1}', b"5", b"[1,]", b"\xff", b"[" * 5000])
def test_what_is_no_list_is_refused(body: bytes) -> None:
    variant = CATALOGUE["spot"].operations["trades"].variants[0]
    assert good_rows(variant.type, body) is None


@pytest.mark.parametrize("behind", ["a", "]", " {}", "[]"])
def test_rows_with_something_behind_them_are_refused(behind: str) -> None:
    """It may be the rest of another answer, and then the rows are not to be trusted either."""
    assert (
        good_rows(CATALOGUE["spot"].operations["trades"].variants[0].type, f"{json.dumps(TRADES)}{behind}".encode())
        is None
    )
    info = fixture("spot", "exchange_info") + behind.encode()
    assert good_rows(CATALOGUE["spot"].operations["exchange_info"].variants[0].type, info) is None


def test_rows_of_a_message_are_read_the_same_way() -> None:
    """As the streams do, whose arrays are lists of events."""
    stream = next(operation for operation in STREAMS if operation.id == "futures.all_mini_tickers")
    events = json.loads(stream_fixture("futures", "all_mini_tickers"))
    found = good_rows(stream.type, json.dumps([{**events[0], "c": ""}, events[0]]).encode())
    assert found is not None
    (event,), bad = found
    assert event.symbol == events[0]["s"]
    assert bad == (BadRow(0, "c: should be a decimal string, got ''"),)


# ------------------------------------------------------------------------------------------ around it


@pytest.mark.parametrize("wrong", ["", "ignore", True, 1, []])
def test_a_wrong_setting_is_refused(wrong: Any) -> None:
    with pytest.raises(errors.ConfigError, match=r"bad_rows=.* must be 'raise' or 'skip'"):
        RequestOptions(bad_rows=wrong)


def test_who_asks_for_all_rows_gets_no_shorter_answer_from_the_cache() -> None:
    told: list[Event] = []
    made = client([TRADES[0], {}], told, cache=True)
    for _ in range(2):
        assert len(made.spot.trades("BTCUSDT", options=RequestOptions(cache=60, bad_rows="skip"))) == 1
    assert not [event for event in told if isinstance(event, CacheHit)]
    with pytest.raises(errors.DecodeError):
        made.spot.trades("BTCUSDT", options=RequestOptions(cache=60))
