"""Events of a stream that the simulated market does not know: its example message, with fitting symbol, times and ids.

Binance adds streams faster than anybody writes feeds for them. What the spec knows of a stream is enough to send its
example once a second with the symbol that was asked for, times of the present, and ids that follow each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast, get_args, get_origin

from pydantic import BaseModel

from binance_sdk.simulator.json_text import json_text
from binance_sdk.simulator.market.candles import Calendar
from binance_sdk.simulator.market.symbols import SymbolTable
from binance_sdk.simulator.streams.feeds import grid
from binance_sdk.simulator.streams.market_view import MarketView
from binance_sdk.simulator.streams.names import StreamName

if TYPE_CHECKING:
    from binance_sdk.catalogue import StreamOperation

_PERIOD = 1_000
"""Less than what any stream may be silent for."""

Fields = dict[str, Any]


class FixtureFeed:
    """The example message, once a second."""

    def __init__(self, view: MarketView, name: StreamName, operation: StreamOperation[object], fixture: bytes) -> None:
        """``fixture`` is the example message of ``operation``, the stream that ``name`` belongs to."""
        self._view = view
        self._name = name
        self._operation = operation
        self._fixture = fixture
        self._model = cast("type[BaseModel]", operation.item)
        self._names: Mapping[str, str] = {}
        self._is_list = get_origin(operation.type) is list

    def next(self, after: int, now: int) -> int:
        return grid(after, now, _PERIOD)

    def at(self, due: int) -> Iterable[bytes]:
        self._view.market.open(due)
        table, symbol = self._view.market.table, self._name.symbol
        self._names = self._what_it_is_about(table)
        known = table.knows_any or any(symbol in names for names in (table.by_symbol, table.pairs, table.dollar_assets))
        if symbol and not known:
            return []
        body: Any = json.loads(self._fixture)
        for event in cast("list[Fields]", body if self._is_list else [body]):
            self._fit(event, due)
        return [json_text(cast("object", body))]

    def _what_it_is_about(self, table: SymbolTable) -> Mapping[str, str]:
        """What the attributes of an event say that name its subject: a pair, or a symbol and its pair."""
        symbol = self._name.symbol
        if not symbol:
            return {}
        if any(parameter.name == "pair" for parameter in self._operation.parameters):
            return {"pair": symbol}
        contract = table.by_symbol.get(symbol)
        return {"symbol": symbol, "pair": symbol if contract is None else contract.pair}

    def _fit(self, event: Fields, due: int) -> None:
        times = list(_times(self._model, event))
        newest = max((holder[key] for holder, key in times), default=due)
        for holder, key in times:
            holder[key] += due - newest
        for holder, key, name in _named(self._model, event):
            holder[key] = self._names.get(name, holder[key])
        fill = self._operation.fill
        for path, parameter in fill.given.items() if fill is not None else ():
            if parameter in self._name.choices:
                self._set(event, path, self._name.choices[parameter])
        self._number(event, due)

    def _number(self, event: Fields, due: int) -> None:
        """Ids that follow each other: the number of the second, or of the bar, is one."""
        sequence = self._operation.sequence
        if sequence is None:
            return
        if sequence.kind == "time":
            calendar = Calendar(self._name.choices[sequence.interval])
            # The moment at which a bar ends belongs to it: that is when it is told once more, closed.
            number = calendar.number(due - 1)
            opened, end = calendar.opens(number, 2).tolist()
            self._set(event, sequence.first, opened)
            self._set(event, sequence.closed, end == due)
            return
        number = due // _PERIOD
        self._set(event, sequence.first, number)
        self._set(event, sequence.last, number)
        if sequence.previous:
            self._set(event, sequence.previous, number - 1)

    def _set(self, event: Fields, path: str, value: object) -> None:
        """Set an attribute of the event, e.g. ``kline.open_time``, under the keys of the wire."""
        model, holder = self._model, event
        *above, last = path.split(".")
        for name in above:
            holder = holder[_wire(model, name)]
            model = next(_models(model.model_fields[name].annotation))
        holder[_wire(model, last)] = value


def _wire(model: type[BaseModel], name: str) -> str:
    return model.model_fields[name].alias or name


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """Models in the type of a field."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _places(model: type[BaseModel], value: Fields) -> Iterator[tuple[type[BaseModel], str, Fields, str]]:
    """Each scalar of an event and of the objects in it: (model, attribute, the object that holds it, its key)."""
    for name in model.model_fields:
        key = _wire(model, name)
        held: Any = value.get(key)
        items = cast("list[object]", held if isinstance(held, list) else [held])
        inside = next(_models(model.model_fields[name].annotation), None)
        if inside is None:
            yield model, name, value, key
        else:
            for item in items:
                if isinstance(item, dict):
                    yield from _places(inside, cast("Fields", item))


def _times(model: type[BaseModel], event: Fields) -> Iterator[tuple[Fields, str]]:
    """Where the event holds a moment; 0 stands for none."""
    for owner, name, holder, key in _places(model, event):
        if hasattr(owner, f"{name}_dt") and isinstance(holder.get(key), int) and holder[key]:
            yield holder, key


def _named(model: type[BaseModel], event: Fields) -> Iterator[tuple[Fields, str, str]]:
    """Each text of an event: the object that holds it, its key, and its attribute."""
    for _, name, holder, key in _places(model, event):
        if isinstance(holder.get(key), str):
            yield holder, key, name
