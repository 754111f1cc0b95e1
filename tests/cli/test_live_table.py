"""The live table: what a row stands for, what fits, and when it is drawn."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from binance_sdk import spot
from binance_sdk.catalogue import STREAMS, Market, stream, stream_fixture
from binance_sdk.cli.live_rows import LiveRows, View
from binance_sdk.cli.live_screen import INTERVAL, Redrawer
from binance_sdk.cli.live_table import LiveTable
from binance_sdk.cli.stream import view_of
from binance_sdk.streams import Gap, Reconnected


def mini(symbol: str, close: str, turnover: str = "1") -> spot.MiniTickerEvent:
    event = json.loads(stream_fixture("spot", "mini_ticker"))
    return spot.MiniTickerEvent.model_validate({**event, "s": symbol, "c": close, "q": turnover})


def bar(opened: int, close: str, *, closed: bool = False) -> spot.KlineEvent:
    event = json.loads(stream_fixture("spot", "kline"))
    event["k"] |= {"t": opened, "c": close, "x": closed}
    return spot.KlineEvent.model_validate(event)


def example(market: Market, name: str) -> Any:
    return stream(f"{market}.{name}").adapter.validate_json(stream_fixture(market, name))


class Table:
    """A live_table of a size, and what it shows."""

    def __init__(self, view: View, width: int = 120, height: int = 24) -> None:
        self._console = Console(file=io.StringIO(), width=width, height=height, markup=False, highlight=False)
        self.live_table = LiveTable("a@stream", view, self._console)

    def text(self) -> str:
        with self._console.capture() as captured:
            self._console.print(self.live_table.picture())
        return captured.get()


def shown(view: View, *messages: object, width: int = 120, height: int = 24, notices: tuple[object, ...] = ()) -> str:
    table = Table(view, width, height)
    for message in messages:
        table.live_table.show(message)
    for notice in notices:
        table.live_table.tell(notice)
    return table.text()


def column(text: str, number: int) -> list[str]:
    lines = [line for line in text.splitlines() if line.startswith("│")]
    return [line.strip("│").split("│")[number].strip() for line in lines]


# -------------------------------------------------------------------------------------------- rows


def test_an_array_stream_keeps_one_row_a_symbol() -> None:
    whole = [mini(f"S{n:02d}USDT", str(n + 1)) for n in range(19)]
    text = shown(View("symbol"), whole, [mini("S03USDT", "77")], height=40)
    assert column(text, 0) == ["symbol", *(f"S{n:02d}USDT" for n in range(19))]
    assert column(text, 1)[4] == "77"
    assert "2 messages" in text


def test_symbols_stand_in_the_order_of_their_turnover() -> None:
    text = shown(View("symbol"), [mini("A", "1", "5"), mini("B", "1", "70"), mini("C", "1", "6")])
    assert column(text, 0)[1:] == ["B", "C", "A"]


def test_symbols_that_do_not_fit_are_counted() -> None:
    text = shown(View("symbol"), [mini(f"S{n:03d}", "1") for n in range(100)], height=20)
    assert len(text.splitlines()) <= 20
    assert "86 more symbols" in text
    assert column(text, 0)[1] == "S000"


def test_messages_come_newest_first_and_do_not_name_the_symbol_again() -> None:
    text = shown(View("message"), mini("A", "1"), mini("A", "2.50"), mini("A", "3"))
    assert column(text, 0)[0] == "event_time"
    assert column(text, 1) == ["last_price", "3.0", "2.5", "1.0"]
    assert "symbol" not in text


def test_a_bar_has_one_row_whatever_is_told_of_it() -> None:
    first, second = 1_800_000_000_000, 1_800_000_060_000
    view = View("bar", "kline.open_time")
    text = shown(view, bar(first, "1"), bar(first, "2", closed=True), bar(second, "3"), bar(second, "4"))
    assert column(text, 0) == ["open_time", "08:01:00Z", "08:00:00Z"]
    assert column(text, column_of(text, "close")) == ["close", "4", "2"]


def column_of(text: str, name: str) -> int:
    head = next(line for line in text.splitlines() if line.startswith("│"))
    return [cell.strip() for cell in head.strip("│").split("│")].index(name)


def test_streams_without_a_symbol_in_their_messages_are_named() -> None:
    from binance_sdk._runtime.stream.stream_event import mark_stream

    events = [example("spot", "partial_depth") for _ in range(3)]
    for event, name in zip(events, ("b@depth5", "a@depth5", "b@depth5"), strict=True):
        mark_stream(event, name)
    text = shown(View("stream"), *events)
    assert column(text, 0) == ["stream", "a@depth5", "b@depth5"]


def test_the_symbol_of_a_nested_order_is_found() -> None:
    live_rows = LiveRows(View("symbol"))
    order = example("futures", "all_force_orders")
    live_rows.put(order)
    live_rows.put(order)
    assert len(live_rows) == 1


def test_a_table_of_messages_does_not_grow_for_ever() -> None:
    for view in (View("message"), View("bar", "kline.open_time")):
        live_rows = LiveRows(view)
        for number in range(2000):
            live_rows.put(bar(number * 60_000, "1"))
        assert len(live_rows) == 500


@pytest.mark.parametrize(
    ("market", "kind", "streams", "view"),
    [
        ("spot", "agg_trade", 1, View("message")),
        ("spot", "agg_trade", 2, View("stream")),
        ("spot", "kline", 1, View("bar", "kline.open_time")),
        ("futures", "continuous_kline", 1, View("bar", "kline.open_time")),
        ("spot", "kline", 3, View("stream")),
        ("spot", "all_mini_tickers", 1, View("symbol")),
        ("futures", "all_mark_prices", 1, View("symbol")),
        ("futures", "all_force_orders", 1, View("symbol")),
        ("futures", "trading_session", 1, View("message")),
    ],
)
def test_what_a_row_stands_for(market: Market, kind: str, streams: int, view: View) -> None:
    assert view_of(market, kind, streams) == view


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.id)
@pytest.mark.parametrize("width", [40, 80, 140])
def test_every_stream_fits(stream: Any, width: int) -> None:
    for streams in (1, 2):
        text = shown(view_of(stream.market, stream.name, streams), example(stream.market, stream.name), width=width)
        assert max(map(len, text.splitlines())) <= width
        assert len(column(text, 0)) >= 2


def test_what_has_no_room_is_named() -> None:
    text = shown(View("symbol"), [mini("A", "1")], width=60)
    assert "no room for" in text.splitlines()[-1]
    assert column_of(text, "last_price") == 1


def test_columns_do_not_become_narrower() -> None:
    table = Table(View("message"))
    table.live_table.show(mini("A", "123456.789"))
    wide = table.text().splitlines()[1]
    for _ in range(30):
        table.live_table.show(mini("A", "1"))
    assert table.text().splitlines()[1] == wide


def test_the_last_notices_stand_below() -> None:
    gaps = [Gap("a@trade", 5, 9 + n) for n in range(4)]
    notices = (*gaps, Reconnected(("b@ticker",), 0, 1500, "reset"))
    lines = shown(View("message"), mini("A", "1"), notices=notices).splitlines()
    assert lines[-1].startswith("b@ticker: off the air for 1.5 s")
    assert lines[-2].startswith("a@trade: missing from 5 to 12")
    assert "5 notices" in lines[-4]


def test_nothing_steers_the_terminal() -> None:
    text = shown(View("message"), mini("A", "1"), notices=("\x1b[2Jgone\nand more",))
    assert "\x1b" not in text
    assert "gone and more" in text


# ------------------------------------------------------------------------------------- when it is drawn


class Watch:
    """Counts drawings; its sleep ends when the test says so."""

    def __init__(self) -> None:
        self.drawn = 0
        self.slept: list[float] = []
        self._end = asyncio.Event()

    def draw(self) -> None:
        self.drawn += 1

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self._end.wait()
        self._end.clear()

    async def end_sleep(self) -> None:
        self._end.set()
        await turns()


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def painting(test: Callable[[Redrawer, Watch], Any]) -> None:
    watch = Watch()
    redrawer = Redrawer(watch.draw, watch.sleep)
    task = asyncio.create_task(redrawer.run())
    try:
        await test(redrawer, watch)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_nothing_is_drawn_while_nothing_changes() -> None:
    async def run(redrawer: Redrawer, watch: Watch) -> None:
        await turns()
        assert (watch.drawn, watch.slept) == (0, [])
        redrawer.changed()
        await turns()
        assert (watch.drawn, watch.slept) == (1, [INTERVAL])
        for _ in range(3):
            await watch.end_sleep()
        # It waits for a change, and asks no clock.
        assert (watch.drawn, watch.slept) == (1, [INTERVAL])

    await painting(run)


async def test_a_thousand_changes_are_one_drawing_in_a_quarter_of_a_second() -> None:
    async def run(redrawer: Redrawer, watch: Watch) -> None:
        for round_ in range(1, 4):
            for _ in range(1000):
                redrawer.changed()
                await asyncio.sleep(0)
            assert watch.drawn == round_
            await watch.end_sleep()
        assert watch.drawn == 4
        assert INTERVAL == 0.25
        assert watch.slept == [INTERVAL] * 4

    await painting(run)


async def test_a_failure_to_draw_ends_it() -> None:
    def fail() -> None:
        raise RuntimeError("the terminal is gone")

    redrawer = Redrawer(fail)
    redrawer.changed()
    with pytest.raises(RuntimeError, match="terminal"):
        await redrawer.run()
