"""The rules for prices and quantities of orders, by symbol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import (
    ROUND_05UP,
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)
from fractions import Fraction
from typing import Any, Protocol

from binance_sdk._generated.markets import MARKETS, Market
from binance_sdk._runtime.market import SymbolFacts
from binance_sdk.arithmetic import in_own_context, read_number
from binance_sdk.errors import ParameterError, shown

__all__ = ["SymbolRules", "Symbols", "read_symbols"]

_ROUNDINGS = (
    ROUND_DOWN,
    ROUND_UP,
    ROUND_FLOOR,
    ROUND_CEILING,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_05UP,
)


@dataclass(frozen=True, slots=True)
class SymbolRules:
    """What orders of one symbol have to keep to; None and 0 mean that there is no such rule.

    Args:
        symbol: E.g. ``BTCUSDT``.
        status: ``TRADING``, or why it is not traded.
        base_asset: What is bought and sold.
        quote_asset: What it is paid with.
        tick_size: Distance of two prices, in the quote asset.
        min_price: Least price, in the quote asset.
        max_price: Greatest price, in the quote asset.
        step_size: Distance of two quantities, in the base asset, or in contracts where there is a ``contract_size``.
        min_qty: Least quantity, in the same unit.
        max_qty: Greatest quantity, in the same unit.
        min_notional: Least price times quantity, in the quote asset.
        price_origin: Prices are this plus a multiple of ``tick_size``.
        contract_size: What one contract is worth, in the quote asset, where quantities are contracts (COIN-M futures).
    """

    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    tick_size: Decimal | None
    min_price: Decimal | None
    max_price: Decimal | None
    step_size: Decimal | None
    min_qty: Decimal | None
    max_qty: Decimal | None
    min_notional: Decimal | None
    price_origin: Decimal = Decimal(0)
    contract_size: Decimal | None = None

    @property
    def is_trading(self) -> bool:
        """Whether it is traded now: its status is ``TRADING``."""
        return self.status == "TRADING"

    def round_price(self, price: Decimal | int | str, rounding: str = ROUND_HALF_EVEN) -> Decimal:
        """``price`` on the nearest tick, with the digits of the tick size.

        Args:
            price: 0 or more. No float: it would not be the price you wrote.
            rounding: A rounding mode of ``decimal``, e.g. ``ROUND_DOWN``.

        Raises:
            ParameterError: it is no such price, or no rounding mode.
        """
        return _round(read_number(price, "price"), self.tick_size, self.price_origin, rounding)

    def round_qty(self, qty: Decimal | int | str, rounding: str = ROUND_DOWN) -> Decimal:
        """``qty`` on a step, by default the one below and never above it, with the digits of the step size.

        Args:
            qty: In the unit of ``step_size``, 0 or more; no float.
            rounding: A rounding mode of ``decimal``.

        Raises:
            ParameterError: it is no such quantity, or no rounding mode.
        """
        return _round(read_number(qty, "qty"), self.step_size, Decimal(0), rounding)

    @in_own_context
    def problems(self, price: Decimal | int | str, qty: Decimal | int | str) -> list[str]:
        """Every rule that a price and a quantity break, in words; empty where they keep to all.

        Args:
            price: In the quote asset, 0 or more; no float.
            qty: In the unit of ``step_size``, 0 or more; no float.

        Raises:
            ParameterError: one of them is no number of 0 or more.
        """
        exact_price, exact_qty = read_number(price, "price"), read_number(qty, "qty")
        found: list[str] = []
        if self.round_price(exact_price) != exact_price:
            found.append(f"price {exact_price} is not on a tick of {self.tick_size}")
        if self.round_qty(exact_qty) != exact_qty:
            found.append(f"quantity {exact_qty} is not on a step of {self.step_size}")
        for name, value, low, high in (
            ("price", exact_price, self.min_price, self.max_price),
            ("quantity", exact_qty, self.min_qty, self.max_qty),
        ):
            if low and value < low:
                found.append(f"{name} {value} is below {low}")
            if high and value > high:
                found.append(f"{name} {value} is above {high}")
        # What contracts are worth does not depend on the price.
        worth, of = (exact_price, "price") if self.contract_size is None else (self.contract_size, "contract size")
        notional = worth * exact_qty
        if self.min_notional and notional < self.min_notional:
            found.append(f"{of} times quantity {notional} is below {self.min_notional} {self.quote_asset}")
        return found


class Symbols(Mapping[str, SymbolRules]):
    """The rules of every symbol of a market, by symbol."""

    def __init__(self, rules: Mapping[str, SymbolRules], example: str = "BTCUSDT") -> None:
        self._rules = rules
        self._example = example

    def __getitem__(self, symbol: str) -> SymbolRules:
        found = self._rules.get(symbol)
        if found is None:
            raise KeyError(f"{symbol!r} is not listed; symbols look like {self._example!r}")
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def trading(self, quote_asset: str | None = None) -> list[str]:
        """Symbols that are traded now, with one quote asset or with any."""
        return [
            rules.symbol
            for rules in self._rules.values()
            if rules.is_trading and quote_asset in (None, rules.quote_asset)
        ]


@in_own_context
def _round(value: Decimal, step: Decimal | None, origin: Decimal, rounding: str) -> Decimal:
    if rounding not in _ROUNDINGS:
        text = f"rounding={shown(rounding)} must be one of {', '.join(_ROUNDINGS)}"
        raise ParameterError(text, parameter="rounding", value=rounding)
    if not step:
        return value
    # Exact fractions, as a rounded quotient may already be the next step.
    size = Fraction(step)
    steps, rest = divmod(Fraction(value - origin), size)
    # What is past the step below, as far as any rounding mode needs to know.
    past = "0" if not rest else "0.25" if 2 * rest < size else "0.5" if 2 * rest == size else "0.75"
    whole = (steps + Decimal(past)).to_integral_value(rounding)
    # The first price may have more digits than the tick.
    finest = min(0, *(int(number.normalize().as_tuple().exponent) for number in (step, origin)))
    return (origin + whole * step).quantize(Decimal(1).scaleb(finest))


class _Filter(Protocol):
    @property
    def filter_type(self) -> str: ...


class _Listed(Protocol):
    @property
    def symbol(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def base_asset(self) -> str: ...
    @property
    def quote_asset(self) -> str: ...
    @property
    def filters(self) -> Sequence[_Filter]: ...


class ExchangeInfoLike(Protocol):
    """The exchange information of any market."""

    @property
    def symbols(self) -> Sequence[_Listed]: ...


def read_symbols(info: ExchangeInfoLike, market: Market) -> Symbols:
    """The rules in the exchange information of a market.

    Args:
        info: What ``exchange_info()`` of that market answered.
        market: E.g. ``spot``.

    Raises:
        ParameterError: The market lists nothing by symbol.
    """
    facts = MARKETS[market].symbols
    if facts is None:
        have = ", ".join(name for name, known in MARKETS.items() if known.symbols is not None)
        raise ParameterError(f"market={market!r} has no symbols; use one of {have}", parameter="market", value=market)
    return Symbols({listed.symbol: _rules(listed, facts) for listed in info.symbols}, facts.form.example)


def _rules(listed: _Listed, facts: SymbolFacts) -> SymbolRules:
    # A symbol has at most one filter of each kind.
    filters: Mapping[str, Any] = {each.filter_type: each for each in listed.filters}
    price, lot = filters.get("PRICE_FILTER"), filters.get("LOT_SIZE")
    notionals = [filters[kind].min_notional for kind in ("MIN_NOTIONAL", "NOTIONAL") if kind in filters]
    size = getattr(listed, facts.contract_size) if facts.contract_size else None
    return SymbolRules(
        symbol=listed.symbol,
        status=listed.status,
        base_asset=listed.base_asset,
        quote_asset=listed.quote_asset,
        tick_size=None if price is None else price.tick_size,
        min_price=None if price is None else price.min_price,
        max_price=None if price is None else price.max_price,
        step_size=None if lot is None else lot.step_size,
        min_qty=None if lot is None else lot.min_qty,
        max_qty=None if lot is None else lot.max_qty,
        min_notional=max(notionals, default=None),
        price_origin=price.min_price if price is not None and facts.prices_from == "least" else Decimal(0),
        contract_size=None if size is None else Decimal(size),
    )
