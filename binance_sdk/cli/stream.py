"""``binance-sdk stream``: one kind of stream, as a live table or as one line of JSON a message."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from pydantic import BaseModel
from rich.live import Live
from rich.table import Table

from binance_sdk import BinanceClient
from binance_sdk.catalogue import STREAMS, Market
from binance_sdk.cli.arguments import near
from binance_sdk.cli.console import make_console
from binance_sdk.cli.exits import CommandError, complain
from binance_sdk.cli.formats import ABSENT, exact, moment, printable, utc
from binance_sdk.cli.loop import run
from binance_sdk.streams import Gap, Notice, Reconnected, SilentStream, Stream

_HIDDEN = frozenset({"event_type", "ignore", "symbol_type"})
_MOST_COLUMNS = 12
_ROOM = 8
"""Lines of the terminal that are not for rows."""
_TIMES = ("_time", "timestamp", "session_start", "session_end")

Fields = Mapping[str, str]


@dataclass(frozen=True)
class StreamCall:
    """What the command line asks for."""

    market: Market
    kind: str
    words: Sequence[str]
    environment: str | None = None
    as_json: bool = False
    fill_gaps: bool = False
    count: int | None = None


def kinds(market: str) -> list[str]:
    """Names of the streams of a market."""
    return [one.name for one in STREAMS if one.market == market]


def run_stream(call: StreamCall) -> None:
    """Print what comes until Ctrl-C, the end of the reader, or ``count`` messages.

    Raises:
        CommandError: the command line is wrong.
        BinanceError: the stream cannot be opened.
    """
    symbols, choices = _read(call)
    as_json = call.as_json or not sys.stdout.isatty()
    run(lambda: _follow(call, symbols, choices, _print_line if as_json else None))


def _read(call: StreamCall) -> tuple[list[str], dict[str, str | int]]:
    """Symbols and choices out of ``BTCUSDT interval=1m``."""
    operation = next((one for one in STREAMS if one.market == call.market and one.name == call.kind), None)
    if operation is None:
        other = "futures" if call.market == "spot" else "spot"
        if call.kind in kinds(other):
            raise CommandError(f"{call.market} has no stream {call.kind!r}, but {other} has")
        hint = near(call.kind, kinds(call.market))
        raise CommandError(f"{call.market} has no stream {call.kind!r}{hint}; `binance-sdk stream --help` lists all")
    symbols = [word for word in call.words if "=" not in word]
    takes_symbols = any(parameter.kind == "symbol" for parameter in operation.parameters)
    if takes_symbols and not symbols:
        raise CommandError(f"{operation.id} wants a symbol: binance-sdk stream {call.market} {call.kind} BTCUSDT")
    if symbols and not takes_symbols:
        raise CommandError(f"{operation.id} is about all symbols: leave {symbols[0]} out")
    known = {parameter.name: parameter for parameter in operation.parameters if parameter.kind == "choice"}
    choices: dict[str, str | int] = {}
    for word in call.words:
        name, sign, text = word.partition("=")
        if not sign:
            continue
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise CommandError(f"{operation.id} has no parameter {name!r}; {takes}")
        accepted = {str(value): value for value in known[name].texts}
        if text not in accepted:
            raise CommandError(f"{name}={text} is none of {', '.join(accepted)}")
        choices[name] = accepted[text]
    for name, parameter in known.items():
        if name not in choices and parameter.default is None:
            values = "|".join(str(value) for value in parameter.texts)
            raise CommandError(f"{operation.id}: {name} is required: add {name}={values}")
    return symbols, choices


async def _follow(
    call: StreamCall,
    symbols: Sequence[str],
    choices: Mapping[str, str | int],
    write: Callable[[object], None] | None,
) -> None:
    # An unknown environment is the client's to refuse: it names the known ones.
    async with BinanceClient(cast(Any, call.environment)) as client:
        streams = client.spot.streams if call.market == "spot" else client.futures.streams
        make = cast("Callable[..., Stream[object]]", getattr(streams, call.kind))
        stream = make(*symbols, **choices, fill_gaps=call.fill_gaps)
        left = call.count
        screen = None if write is not None else Screen(", ".join(stream.names))
        async with stream as events:
            if screen is not None:
                screen.start()
            try:
                async for event in events.with_notices():
                    if isinstance(event, Notice):
                        (complain if screen is None else screen.tell)(_told(event))
                        continue
                    if screen is not None:
                        screen.show(event)
                    elif write is not None:
                        write(event)
                    left = None if left is None else left - 1
                    if left == 0:
                        return
            finally:
                if screen is not None:
                    screen.stop()


def _told(notice: Notice) -> str:
    """A notice as a sentence."""
    match notice:
        case Gap():
            return f"{notice.stream}: missing from {notice.last_id} to {notice.first_id} ({notice.reason})"
        case Reconnected():
            lost = f"{utc(moment(notice.since))} to {utc(moment(notice.until))}"
            return f"reconnected; nothing is known of {', '.join(notice.streams)} from {lost}"
        case SilentStream():
            return f"{notice.stream} has been silent for {notice.seconds:.0f} s: is the symbol traded?"


def _print_line(event: object) -> None:
    if isinstance(event, BaseModel):
        text = event.model_dump_json(by_alias=True, exclude_unset=True)
    else:
        items = cast("list[BaseModel]", event)
        text = f"[{','.join(one.model_dump_json(by_alias=True, exclude_unset=True) for one in items)}]"
    # At once: whoever reads a pipe wants the trade now, and the end of the reader must be noticed.
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.buffer.flush()


# ----------------------------------------------------------------------------------------- live table


class Screen:
    """A table that renews itself: the newest messages on top, or the newest list."""

    def __init__(self, title: str) -> None:
        self._console = make_console()
        self._title = title if len(title) < 60 else f"{title[:57]}..."
        self._rows: deque[Fields] = deque(maxlen=max(5, self._console.height - _ROOM))
        self._notices: deque[str] = deque(maxlen=3)
        self._seen = 0
        self._live = Live(console=self._console, get_renderable=self.table, refresh_per_second=8, transient=False)

    def start(self) -> None:
        """Take over the terminal's lower part."""
        self._live.start()

    def stop(self) -> None:
        """Leave the last table standing."""
        self._live.stop()

    def tell(self, text: str) -> None:
        """Show a notice below the table."""
        self._notices.append(text)

    def show(self, event: object) -> None:
        """Put a message into the table."""
        self._seen += 1
        if isinstance(event, list):
            self._rows.clear()
            for one in cast("list[object]", event)[: self._rows.maxlen]:
                self._rows.append(dict(_cells(one)))
        else:
            self._rows.appendleft(dict(_cells(event)))

    def table(self) -> Table:
        """What is shown now."""
        notes = "".join(f"\n{note}" for note in self._notices)
        table = Table(title=self._title, caption=f"{self._seen:,} messages; Ctrl-C ends{notes}", expand=False)
        names = list(self._rows[0])[:_MOST_COLUMNS] if self._rows else ["waiting for the first message"]
        for name in names:
            table.add_column(name, justify="right", no_wrap=True)
        for row in self._rows:
            table.add_row(*(row.get(name, ABSENT) for name in names))
        return table


def _cells(event: object) -> Iterator[tuple[str, str]]:
    """Names and texts of what an event holds; what it consists of is taken apart, lists are counted."""
    if not isinstance(event, BaseModel):
        yield "message", printable(str(event))
        return
    for name in type(event).model_fields:
        value: object = getattr(event, name)
        if name in _HIDDEN or value is None:
            continue
        if isinstance(value, BaseModel):
            yield from _cells(value)
        elif isinstance(value, (list, tuple)):
            yield name, _levels(cast("Sequence[object]", value))
        else:
            yield name, _text(name, value)


def _levels(values: Sequence[object]) -> str:
    best = getattr(values[0], "price", None) if values else None
    return f"{len(values)} from {exact(best)}" if isinstance(best, Decimal) else str(len(values))


def _text(name: str, value: object) -> str:
    if isinstance(value, Decimal):
        return exact(value)
    if isinstance(value, int) and not isinstance(value, bool) and name.endswith(_TIMES) and value > 10**11:
        return utc(moment(value)).partition(" ")[2]
    return printable(str(value))
