"""What ``order_book`` and ``order_books`` take, and what they say of anything else, before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from binance_sdk import BinanceClient, SyncBinanceClient
from binance_sdk.errors import ParameterError, StreamError

NOWHERE = "http://127.0.0.1:1"

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("spot", {"limit": 0}, "limit=0 must be an int from 1 to 5000"),
    ("spot", {"limit": 5001}, "limit=5001 must be an int from 1 to 5000"),
    ("spot", {"limit": True}, "limit=True must be"),
    ("spot", {"limit": 100.0}, "limit=100.0 must be"),
    ("spot", {"limit": None}, "limit=None must be"),
    ("futures", {"limit": 7}, "limit=7 must be one of 5, 10, 20, 50, 100, 500, 1000"),
    ("futures", {"limit": 5000}, "limit=5000 must be one of 5, 10, 20, 50, 100, 500, 1000"),
    ("spot", {"share": 0}, "share=0 must be a number above 0 and at most 1"),
    ("spot", {"share": 1.01}, "share=1.01 must be"),
    ("spot", {"share": -0.4}, "share=-0.4 must be"),
    ("spot", {"share": float("nan")}, "share=nan must be"),
    ("spot", {"share": "0.4"}, "share='0.4' must be"),
    ("spot", {"share": True}, "share=True must be"),
    ("spot", {"verify_every": 0}, "verify_every=0 must be a number of seconds above 0, or None"),
    ("spot", {"verify_every": float("inf")}, "verify_every=inf must be"),
    ("spot", {"speed": "250ms"}, "speed='250ms' must be one of '1000ms', '100ms'"),
    ("futures", {"speed": "1000ms"}, "speed='1000ms' must be one of '250ms', '500ms', '100ms'"),
]


@pytest.mark.parametrize(("market", "arguments", "text"), WRONG)
@pytest.mark.parametrize("client", [BinanceClient, SyncBinanceClient])
def test_a_wrong_argument_is_named_with_its_value_and_what_it_may_be(
    client: Any, market: str, arguments: dict[str, Any], text: str
) -> None:
    namespace = getattr(client(spot_base_url=NOWHERE, futures_base_url=NOWHERE), market)
    for make in (
        lambda: namespace.order_book("BTCUSDT", **arguments),
        lambda: namespace.order_books(["A"], **arguments),
    ):
        with pytest.raises(ParameterError, match=market) as caught:
            make()
        assert text in str(caught.value)
        assert caught.value.parameter in arguments


@pytest.mark.parametrize("symbol", ["", "BTC/USDT", None, 7, ["BTCUSDT"], "A" * 65])
def test_what_is_no_symbol_is_refused(symbol: Any) -> None:
    client = SyncBinanceClient(spot_base_url=NOWHERE)
    with pytest.raises(ParameterError, match="symbol"):
        client.spot.order_book(symbol)
    with pytest.raises(ParameterError, match="symbol"):
        client.spot.order_books([symbol])
    with pytest.raises(ParameterError, match="symbol"):
        client.spot.order_books([])


def test_each_symbol_has_one_book_in_whatever_case_it_is_written() -> None:
    client = SyncBinanceClient(spot_base_url=NOWHERE)
    assert list(client.spot.order_books(["btcusdt", "BTCUSDT", "ETHUSDT"])) == ["BTCUSDT", "ETHUSDT"]
    assert list(client.spot.order_books("btcusdt")) == ["BTCUSDT"]
    assert client.spot.order_book("btcusdt").symbol == "BTCUSDT"


def test_a_book_that_is_not_open_says_so() -> None:
    book = SyncBinanceClient(spot_base_url=NOWHERE).spot.order_book("BTCUSDT")
    for read in (lambda: book.best_bid, lambda: book.synced, lambda: book.bids(3), lambda: book.last_known.mid):
        with pytest.raises(StreamError, match="not open"):
            read()
    with pytest.raises(ParameterError, match="count=-1"):
        book.bids(-1)
    assert repr(book) == "SyncLiveBook(BTCUSDT)"
    book.close()
