"""What symbols look like: of every market by itself, and beside the others, as generated code writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from codegen.spec_model.markets import Names
from codegen.spec_model.spec import Spec


class Constant(str):
    """The name of a constant, which generated code has without quotes."""

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class FormView:
    """The form of the symbols, or of the pairs, of one market."""

    constant: str
    what: str
    market: str
    names: Names
    pairs: str
    elsewhere: Mapping[str, str]


def symbol_forms(spec: Spec) -> Iterator[FormView]:
    """The forms that generated code names, market by market."""
    symbols = {name: entry.symbols for name, entry in spec.markets.markets.items() if entry.symbols}
    pairs = {name: its.pairs for name, its in symbols.items() if its.pairs}
    for market, its in symbols.items():
        elsewhere = {name: other.pattern for name, other in symbols.items() if name != market}
        own_pairs = its.pairs.pattern if its.pairs else ""
        yield FormView(f"{market.upper()}_SYMBOL", "symbol", market, its, own_pairs, elsewhere)
        if its.pairs:
            elsewhere = {name: other.pattern for name, other in pairs.items() if name != market}
            yield FormView(f"{market.upper()}_PAIR", "pair", market, its.pairs, "", elsewhere)


def form_of(spec: Spec, market: str, *, pair: bool) -> Constant | None:
    """The form of a market's symbols or pairs; None where any text will do."""
    has = spec.symbol_names(market, pair=pair) is not None
    return Constant(f"{market.upper()}_{'PAIR' if pair else 'SYMBOL'}") if has else None


def forms_of(spec: Spec, market: str) -> list[Constant]:
    """Every form that a market has."""
    return [form for pair in (False, True) if (form := form_of(spec, market, pair=pair))]
