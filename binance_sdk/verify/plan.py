"""Which calls show whether a market is what the spec says: decided from the spec and from the symbols that trade now.

Pure: no IO, no clock. Nothing here knows an endpoint; what can be asked of one stands in its parameters, its weight and
its way of paging.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

from pydantic import JsonValue

from binance_sdk._runtime import weight as rules
from binance_sdk._runtime.weight import ArgumentValue, WeightRule
from binance_sdk.verify.market_spec import MarketSpec, OperationSpec, ParameterSpec, SymbolsSpec

Purpose: TypeAlias = Literal["variant", "choice", "edge", "empty", "mistake"]
"""What a call is made for: a shape of the answer, a value of an enum, an end of a parameter or of a band of weight, an
answer without rows, or the error that a wrong parameter gets."""

_LONG_AGO = 1_000_000_000_000
"""2001-09-09 in milliseconds, when nothing was traded yet."""
_NO_SUCH = "NOSUCH"
DEAR = 100
"""Weight of a call above which only its shapes are looked at: all together has to fit into one minute."""


@dataclass(frozen=True)
class LiveSymbols:
    """What trades now at the host that is asked.

    Attributes:
        symbol: One that trades, that of the spec's examples if it does.
        pair: The pair of it, where the market has pairs.
        many: All that trade, ``symbol`` first.
    """

    symbol: str
    pair: str
    many: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request.

    Attributes:
        name: Name of the operation.
        operation: What the spec says of it.
        purpose: What it is made for.
        variant: Number of the variant that its answer is.
        arguments: By wire name.
        weight: What the spec charges for it.
        parameter: The one that is at its end, has a new choice, or is wrong.
        mistake: Name of the mistake, for a call that is to be refused.
    """

    name: str
    operation: OperationSpec
    purpose: Purpose
    variant: int = 0
    arguments: Mapping[str, ArgumentValue] = field(default_factory=dict[str, ArgumentValue])
    weight: int
    parameter: str = ""
    mistake: str = ""

    @property
    def pages(self) -> bool:
        """Whether its rows are asked for once more, from one of them on: a page must begin where it was told to."""
        paging = self.operation.paging
        return self.purpose == "variant" and paging is not None and paging.unique and self.weight <= DEAR

    @property
    def rows(self) -> int | None:
        """Rows that a whole page has, where the call says how many it wants."""
        size = self.operation.size
        wanted = self.arguments.get(size) if size else None
        most = self.operation.parameters[size].max if size else None
        return min(wanted, most or wanted) if isinstance(wanted, int) else None


def live_symbols(symbols: SymbolsSpec, rows: Sequence[Mapping[str, JsonValue]]) -> LiveSymbols | None:
    """What trades, by the rows of the exchange information; None where nothing does."""
    trading = [
        (name, row)
        for row in rows
        if row.get(symbols.status) == symbols.traded and isinstance(name := row.get("symbol"), str)
    ]
    if not trading:
        return None
    symbol, row = next((found for found in trading if found[0] == symbols.example), trading[0])
    pair = row.get(symbols.pair) if symbols.pair else symbol
    names = [symbol, *(name for name, _ in trading if name != symbol)]
    return LiveSymbols(symbol, pair if isinstance(pair, str) else symbol, names)


def example_symbols(spec: MarketSpec) -> LiveSymbols:
    """The symbols of the examples, for whoever asks nobody which trade."""
    symbols = spec.symbols
    return LiveSymbols("", "") if symbols is None else LiveSymbols(symbols.example, symbols.pair_example)


def plan(spec: MarketSpec, live: LiveSymbols, names: Sequence[str]) -> Iterator[Call]:
    """Every call for these operations, none of them twice."""
    told: set[tuple[str, str]] = set()
    enums: set[str] = set()
    for name in names:
        for call in _Planner(spec, live, name, enums).calls():
            key = (name, repr(sorted(call.arguments.items())))
            if key not in told:
                told.add(key)
                yield call


@dataclass
class _Planner:
    spec: MarketSpec
    live: LiveSymbols
    name: str
    enums: set[str]
    """Those whose values have been tried with another operation."""

    @property
    def operation(self) -> OperationSpec:
        return self.spec.operations[self.name]

    def calls(self) -> Iterator[Call]:
        """Those without arguments first: their rows tell what the others can ask for."""
        for variant in sorted(self.operation.returns, key=lambda one: bool(one.example)):
            yield self._call("variant", self._adapted(variant.example))
        if self.operation.price(self._base) > DEAR:
            return
        yield from self._choices()
        yield from self._edges()
        yield from self._empty()
        yield from self._mistakes()

    def _call(
        self,
        purpose: Purpose,
        arguments: Mapping[str, ArgumentValue],
        *,
        parameter: str = "",
        mistake: str = "",
    ) -> Call:
        try:
            weight = self.operation.price(arguments)
        except (LookupError, TypeError):
            # A mistake may leave out what the price depends on.
            weight = self.operation.price(self._base)
        return Call(
            name=self.name,
            operation=self.operation,
            purpose=purpose,
            variant=self.operation.variant_for(arguments),
            arguments=arguments,
            weight=weight,
            parameter=parameter,
            mistake=mistake,
        )

    # ------------------------------------------------------------------------------- arguments

    @property
    def _base(self) -> dict[str, ArgumentValue]:
        return self._adapted(self.operation.returns[0].example)

    def _adapted(self, example: Mapping[str, JsonValue]) -> dict[str, ArgumentValue]:
        """The example with symbols that trade, and from the first row on where it names an id of its own."""
        return {
            name: self._adapted_value(self.operation.parameters[name], value)
            for name, value in cast("Mapping[str, ArgumentValue]", example).items()
        }

    def _adapted_value(self, parameter: ParameterSpec, value: ArgumentValue) -> ArgumentValue:
        symbols = self.spec.symbols
        if parameter.type == "id":
            paging = self.operation.paging
            return 1 if paging is None or paging.first is None else paging.first
        if parameter.type != "symbol" or symbols is None:
            return value
        if parameter.list:
            return self._some_symbols(len(cast("Sequence[str]", value))) or value
        if value == symbols.pair_example:
            return self.live.pair
        return self.live.symbol if value == symbols.example else value

    def _some_symbols(self, count: int) -> tuple[str, ...]:
        return tuple(self.live.many[:count])

    # ------------------------------------------------------------------------ choices and edges

    def _choices(self) -> Iterator[Call]:
        """Each value of an enum, with the first operation that takes it."""
        for name, parameter in self.operation.parameters.items():
            if parameter.type != "enum" or parameter.enum is None or parameter.list or parameter.open:
                continue
            base = self._base
            excluded = {other for group in self.operation.exclusive if name in group for other in group} - {name}
            if parameter.enum in self.enums or excluded & base.keys():
                continue
            self.enums.add(parameter.enum)
            size = self.operation.size
            for value in parameter.choices:
                arguments = {**base, name: str(value)} | ({size: 2} if size else {})
                yield self._call("choice", arguments, parameter=name)

    def _edges(self) -> Iterator[Call]:
        for name, parameter in self.operation.parameters.items():
            if parameter.type != "int":
                continue
            numbers = {number for number in (parameter.min, parameter.max) if number is not None}
            numbers |= {choice for choice in parameter.choices if isinstance(choice, int)}
            for edge in self.operation.rule.edges():
                numbers |= {edge, edge + 1}
            for number in sorted(numbers):
                if self._may_be(parameter, number):
                    yield self._call("edge", {**self._base, name: number}, parameter=name)
        yield from self._lists(self.operation.rule)

    @staticmethod
    def _may_be(parameter: ParameterSpec, number: int) -> bool:
        if parameter.choices:
            return number in parameter.choices
        return (parameter.min is None or number >= parameter.min) and (parameter.max is None or number <= parameter.max)

    def _lists(self, rule: WeightRule) -> Iterator[Call]:
        """As many symbols as make the price rise."""
        if isinstance(rule, rules.Cases):
            for given, inner in rule.cases:
                yield from self._lists(inner)
                if given is None and not any(parameter.required for parameter in self.operation.parameters.values()):
                    # The dearest case is often that of no argument at all.
                    yield self._call("edge", {})
        counts: set[int] = set()
        of = ""
        if isinstance(rule, rules.Counts):
            of, counts = rule.of, {count for upper, _ in rule.steps for count in (upper, upper + 1)}
        elif isinstance(rule, rules.PerItem):
            most = rule.cap // rule.each if rule.cap and rule.each else 2
            of, counts = rule.of, {1, 2, most, most + 1}
        most_items = self.operation.parameters[of].max_items if of else None
        for count in sorted(counts):
            names = self._some_symbols(count)
            if len(names) == count and count <= (most_items or count):
                arguments = self._with_list(of, names)
                yield self._call("edge", arguments, parameter=of)

    def _with_list(self, of: str, names: tuple[str, ...]) -> dict[str, ArgumentValue]:
        for variant in self.operation.returns:
            if of in variant.example:
                return {**self._adapted(variant.example), of: names}
        return {of: names}

    # -------------------------------------------------------------------- no rows, and mistakes

    def _empty(self) -> Iterator[Call]:
        paging = self.operation.paging
        if paging is None or paging.end is None or self.operation.looks_back:
            return
        start = paging.start or paging.cursor
        if self.operation.parameters[start].type == "time":
            times = {start: _LONG_AGO, paging.end: _LONG_AGO + 60_000}
            yield self._call("empty", {**self._base, **times})

    def _mistakes(self) -> Iterator[Call]:
        """The first parameter of each kind, made wrong."""
        base, done = self._base, set[str]()
        for name, parameter in self.operation.parameters.items():
            for mistake, value in self._wrong(parameter):
                if mistake in done or mistake not in self.spec.mistakes:
                    continue
                if name not in base and self._excluded(name, base):
                    continue
                done.add(mistake)
                rest = {key: given for key, given in base.items() if key != name}
                arguments = rest if value is None else {**rest, name: value}
                yield self._call("mistake", arguments, parameter=name, mistake=mistake)

    def _excluded(self, name: str, base: Mapping[str, ArgumentValue]) -> bool:
        return any(name in group and base.keys() & set(group) for group in self.operation.exclusive)

    def _wrong(self, parameter: ParameterSpec) -> Iterator[tuple[str, ArgumentValue | None]]:
        if parameter.required:
            yield "missing", None
        if parameter.list:
            return
        if parameter.type == "symbol" and self.spec.symbols is not None:
            known = self.live.pair if parameter.pair else self.live.symbol
            yield "unknown_symbol", f"{_NO_SUCH}{known}"
        if parameter.type == "enum" and not parameter.open:
            yield "unknown_choice", _NO_SUCH
        if parameter.type == "int" and not parameter.clamp:
            if parameter.max is not None:
                yield "out_of_bounds", parameter.max + 1
            elif parameter.choices:
                yield "out_of_bounds", max(choice for choice in parameter.choices if isinstance(choice, int)) + 1
