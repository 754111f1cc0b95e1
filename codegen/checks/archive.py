"""That what ``archive.yaml`` says of files fits together, and fits what REST answers."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.documents import Problem
from codegen.names import english_list, snake
from codegen.spec_model.archive import ArchiveColumn, ArchiveKind, ArchiveMarket, ArchiveTwin
from codegen.spec_model.archive_twins import answers, lookback, read_from
from codegen.spec_model.dictionary import split
from codegen.spec_model.explain import did_you_mean, where
from codegen.spec_model.operations import Operation
from codegen.spec_model.spec import Placed, Spec

_TYPES = {
    "text_time": "time",
    "time_or_digits": "time",
    "number": "decimal",
    "decimal_or_number": "decimal",
    "id": "int",
}
"""Types whose values are those of another."""


def check_archive(spec: Spec) -> Iterator[Problem]:
    """Every mistake in ``archive.yaml`` that no single node can see."""
    document = next(document for document, node in spec.documents if node is spec.archive)
    # What is wrong with a kind is found in each of its markets.
    for message, *path in dict.fromkeys(_mistakes(spec)):
        yield Problem(document.file, document.line(*path), f"{where(path)}: {message}")


Mistake = tuple[str | int, ...]
"""Words, and the path to the line that is to blame."""
Path = tuple[str | int, ...]


def _mistakes(spec: Spec) -> Iterator[Mistake]:
    markets = {market for kind in spec.archive.kinds.values() for market in kind.markets}
    for market in spec.archive.folders:
        if market not in spec.markets.markets:
            yield _unknown_market(spec, market), "folders", market
        elif market not in markets:
            yield f"no kind has files of {market}; drop its folder", "folders", market
    intervals = {
        interval
        for kind in spec.archive.kinds.values()
        for own in kind.markets.values()
        for some in own.intervals.values()
        for interval in some
    }
    for interval in spec.archive.spellings:
        if interval not in intervals:
            yield f"no kind has files of `{interval}`; drop it", "spellings", interval
    for name, kind in spec.archive.kinds.items():
        for wire, index in _repeated([column.wire for column in kind.columns]):
            yield f"there are two columns `{wire}`", "kinds", name, "columns", index, "wire"
        for market in kind.markets:
            at = ("kinds", name, "markets", market)
            if market not in spec.markets.markets:
                yield _unknown_market(spec, market), *at
            elif market not in spec.archive.folders:
                yield f"`folders` has none for {market}; name it there", *at
            else:
                yield from _of_market(spec, kind, market, ("kinds", name))


def _unknown_market(spec: Spec, market: str) -> str:
    known = list(spec.market_names)
    return f"markets.yaml has no `{market}`{did_you_mean(market, known) or f'; it has {english_list(known)}'}"


def _repeated(names: list[str]) -> Iterator[tuple[str, int]]:
    return ((name, index) for index, name in enumerate(names) if name in names[:index])


def _of_market(spec: Spec, kind: ArchiveKind, market: str, here: Path) -> Iterator[Mistake]:
    own = kind.markets[market]
    at = (*here, "markets", market)
    columns = {column.python: column for column in kind.columns_in(market)}
    for wire, index in _repeated([column.wire for column in own.columns]):
        yield f"there are two columns `{wire}`", *at, "columns", index, "wire"
    for name, _ in _repeated([column.python for column in kind.columns_in(market)]):
        yield f"two columns of {market} are called `{name}`", *here, "columns"
    for index, column in enumerate(own.columns):
        if column in kind.columns:
            yield f"`{column.wire}` is as in other markets; drop it here", *at, "columns", index
    for column in columns.values():
        yield from _refused_name(spec, column, *here, "columns")
    for index, name in enumerate(kind.key):
        yield from _column_of(columns, name, *here, "key", index)
    yield from _column_of(columns, kind.time, *here, "time", types=("time", "text_time"))
    if kind.sequence is not None:
        yield from _column_of(columns, kind.sequence, *here, "sequence", types=("id",))
    if kind.cadence is not None and own.intervals:
        yield "bars are as far apart as their interval says; drop it", *here, "cadence"
    yield from _of_twins(spec, kind, market, *at)


def _of_twins(spec: Spec, kind: ArchiveKind, market: str, *at: str | int) -> Iterator[Mistake]:
    """What REST answers of a kind, and what it should and does not."""
    own = kind.markets[market]
    columns = {column.python: column for column in kind.columns_in(market)}
    # Without the time nothing of an answer has a place, which is told of each endpoint.
    answered = {kind.time}
    for index, twin in enumerate(own.rest):
        placed = spec.operations.get((market, twin.operation))
        if placed is None:
            known = sorted(name for scope, name in spec.operations if scope == market)
            hint = did_you_mean(twin.operation, known) or "; name one, or drop this"
            yield f"there is no endpoint `{twin.operation}` in {market}{hint}", *at, "rest", index, "operation"
            return
        fields = answers(spec, placed)
        for message, *path in _of_twin(spec, placed, twin, fields, columns, own):
            yield message, *at, "rest", index, *path
        yield from _intervals(spec, placed, own, *at, "intervals")
        read = read_from(twin, fields, kind.columns_in(market))
        if kind.time not in read:
            yield f"nothing says when its rows are: read `{kind.time}` from a field too", *at, "rest", index, "columns"
        answered |= set(read)
    for name, column in columns.items() if own.rest else ():
        if column.type not in (None, "symbol") and name not in answered and not column.nullable:
            yield f"no endpoint answers `{name}`; let it be `nullable`, or name its field", *at, "rest"


def _refused_name(spec: Spec, column: ArchiveColumn, *path: str | int) -> Iterator[Mistake]:
    for name, fact in spec.names.names.items():
        if column.type is not None and (column.python, frozenset()) in map(split, fact.never):
            yield f"`{column.python}` is called `{name}` (names.yaml); give the column that name", *path


def _column_of(
    columns: dict[str, ArchiveColumn], name: str, *path: str | int, types: tuple[str, ...] = ()
) -> Iterator[Mistake]:
    column = columns.get(name)
    if column is None:
        known = [name for name, column in columns.items() if column.type is not None]
        yield f"there is no column `{name}`{did_you_mean(name, known) or f'; there are {english_list(known)}'}", *path
    elif column.type in (None, "symbol"):
        yield f"`{name}` is not kept; name another column", *path
    elif types and column.type not in types:
        yield f"`{name}` is of type {column.type}, and must be {english_list(types, 'or')}", *path


def _of_twin(
    spec: Spec,
    placed: Placed[Operation],
    twin: ArchiveTwin,
    fields: dict[str, str],
    columns: dict[str, ArchiveColumn],
    own: ArchiveMarket,
) -> Iterator[Mistake]:
    parameters = {it.name or snake(wire): it for wire, it in placed.value.parameters.items()}
    for name, *path in ((twin.symbol, "symbol"), *((name, "arguments", name) for name in twin.arguments)):
        if name not in parameters:
            hint = did_you_mean(name, parameters) or f"; it has {english_list(list(parameters))}"
            yield f"`{name}` is no parameter of {twin.operation}{hint}", *path
    if parameters.get(twin.symbol) is not None and parameters[twin.symbol].pair != (own.by == "pair"):
        yield (
            f"`{twin.symbol}` takes a {'pair' if own.by == 'symbol' else 'symbol'}, and folders are by {own.by}",
            "symbol",
        )
    for name, field in twin.columns.items():
        yield from _column_of(columns, name, "columns", name)
        if field not in fields:
            hint = did_you_mean(field, fields) or f"; it has {english_list(list(fields))}"
            yield f"an answer of {twin.operation} has no `{field}`{hint}", "columns", name
    for name, field in read_from(twin, fields, list(columns.values())).items():
        column, answer = columns.get(name), fields.get(field)
        if column is not None and answer is not None and _plain(column.type or "") != _plain(answer):
            yield f"`{name}` is of type {column.type}, and `{field}` of an answer is {answer}", "columns", name
    if twin.reach is not None and lookback(placed.value) is not None:
        yield f"the rules of {twin.operation} say so already; drop it", "reach"


def _intervals(spec: Spec, placed: Placed[Operation], own: ArchiveMarket, *path: str | int) -> Iterator[Mistake]:
    parameter = placed.value.parameters.get("interval")
    enum = spec.enum(placed.scope, parameter.enum) if parameter is not None and parameter.enum else None
    if enum is None:
        return
    for period, some in own.intervals.items():
        for index, interval in enumerate(some):
            if interval not in enum.value.values:
                hint = did_you_mean(interval, enum.value.values)
                yield f"`{interval}` is no interval of {placed.name}{hint}", *path, period, index


def _plain(type_: str) -> str:
    return _TYPES.get(type_, type_)
