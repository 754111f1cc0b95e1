"""Cross-validation: what sources say about one symbol at one moment, compared pair by pair. Pure functions.

Only what may be compared is: data of one symbol, of one market and of one moment, funding that is due at one time, and
minutes that are over. Tolerances go by the kind of data and by how liquid the market is, as prices of venues differ by
more where little is traded. Two sources of one venue have to agree more closely.

Where more than half of the sources agree with each other, those outside are wrong. Where there is no such majority, as
with two sources, nobody is known to be right: that is told, and decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median
from typing import Literal, TypeAlias, get_args

from virtuoso_binance.kinds import closes_of, funding_of, market_of, price_of, volume_of
from virtuoso_binance.scalars import Row

__all__ = ["DECISIVE", "TOLERANCES", "Check", "ComparedKind", "Comparison", "Liquidity", "compare", "liquidity_of"]

ComparedKind: TypeAlias = Literal["price", "spread", "volume", "funding", "closes"]
Liquidity: TypeAlias = Literal["deep", "usual", "thin"]
Verdict: TypeAlias = Literal["agreed", "outvoted", "disputed", "alone"]

DECISIVE: frozenset[ComparedKind] = frozenset({"price", "closes"})
"""What a source is put into quarantine for. In the rest honest venues may differ; that is told, and no more."""

TOLERANCES: Mapping[ComparedKind, Mapping[Liquidity, float]] = {
    "price": {"deep": 20.0, "usual": 50.0, "thin": 200.0},
    "closes": {"deep": 15.0, "usual": 40.0, "thin": 150.0},
    "spread": {"deep": 5.0, "usual": 25.0, "thin": 200.0},
    "funding": {"deep": 5.0, "usual": 10.0, "thin": 30.0},
    "volume": {"deep": 100.0, "usual": 100.0, "thin": 1000.0},
}
"""Basis points; of volume a factor. For the price half of each spread comes on top."""
SAME_VENUE: Mapping[ComparedKind, float] = {"closes": 1.0, "funding": 1.0, "volume": 1.05}
"""The same for two sources of one venue, where it is less."""
UNITS: Mapping[ComparedKind, str] = {kind: "times" if kind == "volume" else "bps" for kind in get_args(ComparedKind)}

_DEEP, _USUAL = 50_000_000.0, 1_000_000.0
"""Quote units traded in 24 hours."""
_ONE_MOMENT = 30_000
"""Milliseconds that the tickers of two sources may be apart."""
_ONE_DUE = 60_000
_FEWEST_CLOSES = 3
_BPS = 10_000


def liquidity_of(one: Row, other: Row) -> Liquidity:
    """By the smaller turnover of the two."""
    quote = min(volume_of(one).quote, volume_of(other).quote)
    return "deep" if quote >= _DEEP else "usual" if quote >= _USUAL else "thin"


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of data of two sources.

    Attributes:
        kind: What was compared.
        sources: The two.
        difference: Basis points, or for volume the factor.
        tolerance: The most it may be.
    """

    kind: ComparedKind
    sources: tuple[str, str]
    difference: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        return self.difference <= self.tolerance

    def __str__(self) -> str:
        between, unit = " and ".join(self.sources), UNITS[self.kind]
        return f"{self.kind} of {between} by {self.difference:.1f} {unit}, more than {self.tolerance:.1f}"

    def as_row(self) -> Row:
        return {
            "kind": self.kind,
            "sources": list(self.sources),
            # Infinity is no number of JSON.
            "difference": self.difference if math.isfinite(self.difference) else "infinite",
            "tolerance": self.tolerance,
            "unit": UNITS[self.kind],
        }


@dataclass(frozen=True)
class Comparison:
    """The report of one comparison.

    Attributes:
        compared: The sources, the preferred one first.
        left_out: Why others may not be compared with the first one.
        checks: Everything that was compared.
        outvoted: Sources that a majority contradicts, with the kinds of data.
        disputed: Kinds of data in which sources disagree, and none has a majority.
    """

    compared: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    checks: tuple[Check, ...] = ()
    outvoted: Mapping[str, tuple[ComparedKind, ...]] = field(default_factory=dict[str, tuple[ComparedKind, ...]])
    disputed: tuple[ComparedKind, ...] = ()

    @property
    def verdict(self) -> Verdict:
        if not self.checks:
            return "alone"
        return "disputed" if self.disputed else "outvoted" if self.outvoted else "agreed"

    @property
    def disagreements(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.agrees)

    def agreement(self, source: str) -> float | None:
        """Share of the checks of a source that agree, leaving those with outvoted others out; None without any."""
        mine = self.checks_of(source)
        return sum(check.agrees for check in mine) / len(mine) if mine else None

    def checks_of(self, source: str) -> list[Check]:
        """The checks of a source, leaving those with outvoted others out."""
        return [check for check in self.checks if source in check.sources and not self._against_outvoted(check, source)]

    def _against_outvoted(self, check: Check, source: str) -> bool:
        (other,) = set(check.sources) - {source}
        return check.kind in self.outvoted.get(other, ()) and check.kind not in self.outvoted.get(source, ())

    def as_row(self) -> Row:
        """As it stands in ``metadata``."""
        return {
            "verdict": self.verdict,
            "compared": list(self.compared),
            "left_out": dict(self.left_out),
            "checks": len(self.checks),
            "disagreements": [check.as_row() for check in self.disagreements],
            "outvoted": {source: list(kinds) for source, kinds in self.outvoted.items()},
            "disputed": list(self.disputed),
        }


def compare(by_source: Mapping[str, Row], now: int, voters: Collection[str] | None = None) -> Comparison:
    """Compare sources.

    Args:
        by_source: ``market_data`` by source, each judged to be usable, the preferred one first.
        now: The time, in epoch milliseconds.
        voters: Sources whose word counts; by default that of all. The others are compared with those.
    """
    if not by_source:
        return Comparison()
    base = next(iter(by_source.values()))
    left_out = {name: why for name, data in by_source.items() if (why := _why_not(base, data)) is not None}
    names = [name for name in by_source if name not in left_out]
    checks = [
        check for pair in combinations(names, 2) for check in _checks(pair, by_source[pair[0]], by_source[pair[1]], now)
    ]
    outvoted: dict[str, tuple[ComparedKind, ...]] = {}
    disputed: list[ComparedKind] = []
    counted = [name for name in names if voters is None or name in voters]
    # Two ways to one venue are one witness.
    venues = {by_source[name]["exchange"]: name for name in reversed(counted)}
    votes = [name for name in counted if venues[by_source[name]["exchange"]] == name]
    for kind in get_args(ComparedKind):
        of_kind = [check for check in checks if check.kind == kind]
        wrong = _outvoted(of_kind, votes, alone=len(counted) == 1)
        if wrong is None:
            disputed.append(kind)
        for name in wrong or ():
            outvoted[name] = (*outvoted.get(name, ()), kind)
    return Comparison(tuple(names), left_out, tuple(checks), outvoted, tuple(disputed))


def _why_not(base: Row, data: Row) -> str | None:
    """Why data may not be compared with those of the first source; None where they may."""
    if data["symbol"] != base["symbol"]:
        return f"{data['symbol']} is not {base['symbol']}"
    if market_of(data) != market_of(base):
        return f"prices of {market_of(data)} are not those of {market_of(base)}"
    apart = abs(price_of(data).time - price_of(base).time)
    return f"{apart / 1000:.0f} s apart" if apart > _ONE_MOMENT else None


def _outvoted(checks: Sequence[Check], voters: Sequence[str], *, alone: bool) -> list[str] | None:
    """Sources that a majority contradicts; None where some disagree, and there is no majority.

    Args:
        checks: Those of one kind.
        voters: Sources whose word counts.
        alone: There is but one such source, and the others are in quarantine: they are judged by it.
    """
    if all(check.agrees for check in checks):
        return []
    names = list(dict.fromkeys(name for check in checks for name in check.sources))
    agree = {frozenset(check.sources) for check in checks if check.agrees}
    voting = [name for name in voters if name in names]
    majority = next(
        (
            group
            for size in range(len(voting), len(voting) // 2, -1)
            for group in combinations(voting, size)
            if all(frozenset(pair) in agree for pair in combinations(group, 2))
        ),
        (),
    )
    if len(majority) < 2 and not alone:
        return None
    return [
        name
        for name in names
        if name not in majority
        and sum(frozenset((name, member)) not in agree for member in majority) > len(majority) / 2
    ]


# ------------------------------------------------------------------------------------- the kinds

Compare: TypeAlias = Callable[[Row, Row, int], "tuple[float, float] | None"]
"""The difference of two, and what comes on top of the tolerance; None where there is nothing to compare."""


def _checks(pair: tuple[str, str], one: Row, other: Row, now: int) -> Iterator[Check]:
    liquidity, same = liquidity_of(one, other), one["exchange"] == other["exchange"]
    for kind, difference_of in _COMPARE.items():
        found = difference_of(one, other, now)
        if found is None:
            continue
        difference, on_top = found
        tolerance = TOLERANCES[kind][liquidity] + on_top
        if same:
            tolerance = min(tolerance, SAME_VENUE.get(kind, tolerance))
        yield Check(kind, pair, difference, tolerance)


def _apart(one: float, other: float) -> float:
    """In basis points of the middle of the two."""
    return abs(one - other) / ((one + other) / 2) * _BPS


def _price(one: Row, other: Row, now: int) -> tuple[float, float]:
    a, b = price_of(one), price_of(other)
    return _apart(a.mid, b.mid), (a.spread_bps + b.spread_bps) / 2


def _spread(one: Row, other: Row, now: int) -> tuple[float, float]:
    return abs(price_of(one).spread_bps - price_of(other).spread_bps), 0.0


def _volume(one: Row, other: Row, now: int) -> tuple[float, float]:
    low, high = sorted((volume_of(one).base, volume_of(other).base))
    return (high / low if low > 0 else math.inf if high > 0 else 1.0), 0.0


def _funding(one: Row, other: Row, now: int) -> tuple[float, float] | None:
    a, b = funding_of(one), funding_of(other)
    # Rates of other intervals are other things.
    if a is None or b is None or abs(a.due - b.due) > _ONE_DUE:
        return None
    return abs(a.rate - b.rate) * _BPS, 0.0


def _closes(one: Row, other: Row, now: int) -> tuple[float, float] | None:
    a, b = closes_of(one, now), closes_of(other, now)
    common = () if a is None or b is None else sorted(a.by_time.keys() & b.by_time.keys())
    if a is None or b is None or len(common) < _FEWEST_CLOSES:
        return None
    # The median: one minute in which a venue stood still is no lie.
    return median(_apart(a.by_time[time], b.by_time[time]) for time in common), 0.0


_COMPARE: Mapping[ComparedKind, Compare] = {
    "price": _price,
    "spread": _spread,
    "volume": _volume,
    "funding": _funding,
    "closes": _closes,
}
