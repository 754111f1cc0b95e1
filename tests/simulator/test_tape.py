"""The engines below the endpoints: numbering without gaps, books that move, text that is exact."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from binance_sdk.simulator.market.book import Book, Side
from binance_sdk.simulator.market.candles import Calendar, Candles, bars_of, fold
from binance_sdk.simulator.market.decimals import DecimalFormat
from binance_sdk.simulator.market.prices import Prices
from binance_sdk.simulator.market.randomness import Walk
from binance_sdk.simulator.market.symbols import COIN_FUTURES, FUTURES, SPOT, Instrument
from binance_sdk.simulator.market.tape import Aggregates, Tape, split_fills
from binance_sdk.simulator.market.worth import worth, worth_of_orders

DAY, MINUTE = 86_400_000, 60_000
LISTING = 20_000 * DAY
SPAN = 30 * DAY
TAPES = [
    Tape(instrument, Prices(5), 5, LISTING)
    for instrument in SPOT + FUTURES + COIN_FUTURES
    if instrument.symbol in ("BTCUSDT", "币安人生USDT", "PEPEUSDT", "ETHBTC", "BTCUSD_PERP")
]
tapes = st.sampled_from(TAPES)
times = st.integers(LISTING, LISTING + SPAN)


def same(one: Aggregates, two: Aggregates) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in Aggregates.__slots__)


@given(tapes, times, st.integers(0, 3 * 3_600_000))
def test_reading_by_time_and_by_number_gives_the_same(tape: Tape, start: int, length: int) -> None:
    found = tape.between(start, start + length)
    assert np.array_equal(found.id, np.arange(len(found)) + tape.count(start - 1))
    assert tape.count(start + length) == tape.count(start - 1) + len(found)
    assert np.all(np.diff(found.time) >= 0)
    if len(found):
        assert start <= found.time[0]
        assert found.time[-1] <= start + length
        assert same(found, tape.numbered(int(found.id[0]), int(found.id[-1]) + 1))
        assert same(tape.last(start + length), found.slice(len(found) - 1, len(found)))


@given(tapes, st.integers(0, 100_000), st.integers(1, 300))
def test_fills_are_numbered_without_gaps(tape: Tape, first: int, count: int) -> None:
    fills = tape.fills(first, first + count)
    assert np.array_equal(fills.id, np.arange(first, first + count))
    assert np.all(fills.quantity > 0)
    assert np.all(fills.price > 0)
    aggregate = tape.aggregate_of(first)
    (owner_first,) = tape.first_fill(np.array([aggregate]))
    (next_first,) = tape.first_fill(np.array([aggregate + 1]))
    assert owner_first <= first < next_first


@given(tapes, times)
def test_every_fill_belongs_to_its_aggregate(tape: Tape, start: int) -> None:
    found = tape.between(start, start + 3_600_000)
    fills = split_fills(found)
    assert len(fills.id) == int(found.fills.sum())
    assert int(fills.quantity.sum()) == int(found.quantity.sum())
    worth_of_fills = worth(tape.instrument, fills.price, fills.quantity)
    assert int(worth_of_fills.sum()) == int(worth_of_orders(tape.instrument, found).sum())


def test_nothing_comes_before_the_listing() -> None:
    tape = TAPES[0]
    assert len(tape.between(LISTING - DAY, LISTING - 1)) == 0
    assert tape.count(LISTING - 1) == 0
    assert len(tape.numbered(-5, 0)) == 0
    assert len(tape.fills(0, 0).id) == 0
    assert int(tape.last(LISTING - DAY).id[0]) == 0
    assert Candles(tape).window(LISTING - DAY, LISTING - 1).shape == (10, 0)


@given(tapes, times, st.integers(0, 3 * DAY), st.sampled_from([MINUTE, 15 * MINUTE]))
def test_windows_hold_exactly_their_trades(tape: Tape, start: int, length: int, step: int) -> None:
    candles, end = Candles(tape), start + length
    edges = np.array([start, end + 1])
    expected = fold(bars_of(tape.between(start, end), tape.instrument), edges)
    assert np.array_equal(fold(candles.window(start, end, step), edges), expected)


@given(
    st.sampled_from(["1s", "1m", "3m", "8h", "1d", "3d", "1w", "1M"]),
    st.integers(-720, 840),
    st.integers(0, 4 * 10**12),
)
def test_calendars_cover_time_without_gaps(interval: str, offset: int, time: int) -> None:
    calendar = Calendar(interval, offset * MINUTE)
    number = calendar.number(time)
    opened, following = calendar.opens(number, 2).tolist()
    assert opened <= time < following
    assert calendar.number(opened) == number
    assert calendar.number(following) == number + 1
    assert not calendar.step or following - opened == calendar.step


@given(st.integers(0, 10**7), st.integers(1, 500), st.integers(0, 10**5))
def test_noise_does_not_depend_on_what_is_read_with_it(first: int, count: int, later: int) -> None:
    walk = Walk(1, "any", ((1, 0.1), (64, 0.3), (5000, 0.6)))
    minutes = np.arange(first, first + count)
    together = walk.at(minutes)
    assert np.all(np.abs(together) <= 1.0)
    assert np.array_equal(walk.at(np.append(minutes, first + count + later))[:-1], together)
    assert walk.at(minutes[-1:])[0] == together[-1]
    assert len(walk.at(minutes[:0])) == 0


def test_rates_beyond_the_slots_of_a_minute_are_refused() -> None:
    busy = Instrument("spot", "AAUSDT", "AA", "USDT", 2, 2, rate=9)
    with pytest.raises(ValueError, match="rate of 9 a minute"):
        Tape(busy, Prices(1), 1, LISTING)


BOOKS = [Book(tape, 5) for tape in TAPES]
books = st.sampled_from(BOOKS)
updates = st.integers(1, SPAN)


@given(books, updates)
def test_books_are_sorted_and_not_crossed(book: Book, update: int) -> None:
    snapshot = book.snapshot(update, 500)
    assert snapshot.update_id == update
    assert np.all(np.diff(snapshot.bids.price) < 0)
    assert np.all(np.diff(snapshot.asks.price) > 0)
    assert snapshot.bids.price[0] < snapshot.asks.price[0]
    assert snapshot.bids.price[-1] > 0
    for side in (snapshot.bids, snapshot.asks):
        assert np.all(side.quantity > 0)


@given(books, updates, st.integers(1, 400))
def test_a_shallow_book_is_the_top_of_a_deep_one(book: Book, update: int, levels: int) -> None:
    deep, shallow = book.snapshot(update, 500), book.snapshot(update, levels)
    for full, top in ((deep.bids, shallow.bids), (deep.asks, shallow.asks)):
        assert np.array_equal(full.price[:levels], top.price)
        assert np.array_equal(full.quantity[:levels], top.quantity)


@given(books, st.integers(1, 400), st.lists(times | st.integers(LISTING, LISTING + 2 * MINUTE), min_size=2, max_size=8))
def test_a_followed_book_is_the_book(book: Book, levels: int, moments: list[int]) -> None:
    """After small steps and leaps, of time and of the price, and after looks back."""
    followed = book.follow(levels)
    for moment in [*moments, *sorted(moments)]:
        found, true = followed.at(moment), book.at(moment, levels)
        assert (found.update_id, found.changed) == (true.update_id, true.changed)
        for mine, other in ((found.bids, true.bids), (found.asks, true.asks)):
            assert np.array_equal(mine.price, other.price)
            assert np.array_equal(mine.quantity, other.quantity)


def changed_levels(one: Side, two: Side) -> int:
    before = dict(zip(one.price.tolist(), one.quantity.tolist(), strict=True))
    after = dict(zip(two.price.tolist(), two.quantity.tolist(), strict=True))
    return sum(before.get(price) != after.get(price) for price in before | after)


@given(updates)
def test_books_change_little_by_little(update: int) -> None:
    """Between two looks within a tenth of a second nothing moves unless something traded."""
    book, tape = BOOKS[0], TAPES[0]
    start = update // 100 * 100
    begin, end = book.snapshot(start + 1, 1000), book.snapshot(start + 99, 1000)
    if tape.count(LISTING + start + 1) == tape.count(LISTING + start + 99):
        assert changed_levels(begin.asks, end.asks) == 0
    later = book.snapshot(start + 199, 1000)
    if tape.count(LISTING + start + 1) == tape.count(LISTING + start + 199):
        assert 0 < changed_levels(begin.asks, later.asks) < 700


def test_levels_come_and_go() -> None:
    looks = [BOOKS[0].snapshot(SPAN + back, 200).asks for back in (5_000, 10_000, 15_000)]
    prices = [set(look.price.tolist()) for look in looks]
    assert prices[0] - prices[1] or prices[1] - prices[0] or prices[1] ^ prices[2]


def test_five_thousand_levels_are_there() -> None:
    deep = BOOKS[0].snapshot(SPAN, 5000)
    assert (len(deep.bids.price), len(deep.asks.price)) == (5000, 5000)


@given(st.integers(-(10**18), 10**18), st.integers(0, 8), st.integers(0, 4))
def test_text_is_exact(value: int, decimals: int, zeros: int) -> None:
    form = DecimalFormat(decimals, zeros)
    text = form.text(value)
    assert Decimal(text) == Decimal(value).scaleb(-decimals)
    assert len(text.partition(".")[2]) == decimals + zeros
    if value >= 0:
        columns = form.columns(np.array([value]))
        assert form.template % tuple(column[0] for column in columns) == text


@given(st.integers(-(10**15), 10**15), st.integers(0, 10**12))
def test_ratios_are_cut_off(numerator: int, denominator: int) -> None:
    text = DecimalFormat(2, 1).ratio(numerator, denominator)
    exact = Decimal(numerator) / denominator if denominator else Decimal(0)
    assert abs(Decimal(text)) <= abs(exact) < abs(Decimal(text)) + Decimal("0.001")
