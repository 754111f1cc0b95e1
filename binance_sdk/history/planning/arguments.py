"""The arguments of a plan, checked: each that is wrong is told by name, with its value and the remedy."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal, NoReturn, TypeAlias, cast, get_args

from binance_sdk._generated.markets import MARKETS, Market
from binance_sdk._market_names import check_market
from binance_sdk._runtime.archive import Archive, ArchiveKind
from binance_sdk._runtime.calls.parameters import upper
from binance_sdk.errors import ParameterError, shown
from binance_sdk.history.moments import read_moment
from binance_sdk.history.piece import Series

SourceChoice: TypeAlias = Literal["auto", "archive", "rest"]
"""``auto``: the archive, and REST for what it has not; or one of them alone."""

_LONGEST_SYMBOL = 40


def refuse(name: str, value: object, reason: str) -> NoReturn:
    """Raise a ``ParameterError`` that names the argument, its value and the remedy."""
    raise ParameterError(f"history.plan: {name}={shown(value)} {reason}", parameter=name, value=value)


def one_of(name: str, value: object, choices: Iterable[str]) -> str:
    """The value, which must be one of the choices."""
    known = list(choices)
    if isinstance(value, str) and value in known:
        return value
    near = get_close_matches(value[:_LONGEST_SYMBOL], known, n=2, cutoff=0.5) if isinstance(value, str) else []
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    refuse(name, value, f"must be one of {', '.join(map(repr, known))}{hint}")


def choose_kind(archive: Archive, market: object, name: object) -> ArchiveKind:
    """The kind of data of a market."""
    checked = check_market(market)
    kinds = {kind: found for (where, kind), found in archive.kinds.items() if where == checked}
    if isinstance(name, str) and name not in kinds:
        elsewhere = [where for where, kind in archive.kinds if kind == name]
        if elsewhere:
            places = " and ".join(f"market={where!r}" for where in elsewhere)
            refuse("kind", name, f"is no data of market={checked!r}: it is of {places}; here are {', '.join(kinds)}")
    return kinds[one_of("kind", name, kinds)]


def choose_interval(kind: ArchiveKind, interval: object) -> str:
    """The interval as REST spells it; empty for kinds without one."""
    known = list(dict.fromkeys(found for period in kind.intervals.values() for found in period))
    if not known:
        if interval is not None and interval != "":
            refuse("interval", interval, f"must be left out: {kind.name} have none")
        return ""
    if interval is None:
        refuse("interval", interval, f"is required for {kind.name}: one of {', '.join(known)}")
    return one_of("interval", interval, known)


def choose_symbols(kind: ArchiveKind, symbols: object) -> tuple[str, ...]:
    """The symbols, in capitals, each once."""
    given: list[object] = [symbols]
    if not isinstance(symbols, str):
        if not isinstance(symbols, Iterable) or isinstance(symbols, (bytes, bytearray)):
            refuse("symbols", given[0], "must be a symbol such as 'BTCUSDT', or a list of them")
        given = list(cast("Iterable[object]", symbols))
    if not given:
        refuse("symbols", given, "is empty: name at least one")
    return tuple(dict.fromkeys(_symbol(kind, symbol) for symbol in given))


def _symbol(kind: ArchiveKind, symbol: object) -> str:
    if not isinstance(symbol, str) or not 1 <= len(symbol) <= _LONGEST_SYMBOL:
        refuse("symbols", symbol, f"must be text of 1 to {_LONGEST_SYMBOL} characters, such as 'BTCUSDT'")
    name = upper(symbol)
    if not name.isprintable() or any(character in '/\\?&#%@"[],.' or character.isspace() for character in name):
        refuse("symbols", symbol, "is no symbol: write it like 'BTCUSDT'; several of them go into a list")
    facts = MARKETS[kind.market].symbols
    if facts is None:
        return name
    form = facts.form
    if kind.symbol == "pair" and form.pairs:
        import re

        if not re.fullmatch(form.pairs, name):
            refuse("symbols", symbol, f"must be a pair, as {kind.name} go by pairs: the part before '_' of a symbol")
    elif not form.fits(name):
        refuse("symbols", symbol, form.refusal(name))
    return name


def choose_series(
    archive: Archive, symbols: object, market: object, kind: object, interval: object
) -> tuple[ArchiveKind, tuple[Series, ...]]:
    """What is wanted, by symbol."""
    found = choose_kind(archive, market, kind)
    where, length = cast(Market, found.market), choose_interval(found, interval)
    return found, tuple(Series(where, found.name, symbol, length) for symbol in choose_symbols(found, symbols))


def choose_source(kind: ArchiveKind, source: object) -> SourceChoice:
    """Where data may come from."""
    chosen = cast(SourceChoice, one_of("source", source, get_args(SourceChoice)))
    if chosen == "rest" and not kind.rest:
        refuse("source", source, f"has nothing: REST does not serve {kind.name}; leave source out")
    return chosen


def choose_span(since: object, until: object, now: int) -> tuple[int, int]:
    """The first moment wanted and the first one after, in milliseconds; the latter is not later than now."""
    start = read_moment("since", since)
    end = now if until is None else min(read_moment("until", until), now)
    if until is not None and start >= read_moment("until", until):
        refuse("since", since, f"is not before until={shown(until)}: swap the two")
    if start >= end:
        refuse("since", since, "is in the future: nothing has happened there")
    return start, end
