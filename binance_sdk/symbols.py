"""The rules for prices and quantities of orders, by symbol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from typing import TYPE_CHECKING, Protocol

from binance_sdk.arithmetic import in_own_context, read_number
from binance_sdk.errors import ParameterError, shown

if TYPE_CHECKING:
    from binance_sdk import futures, spot

__all__ = ["SymbolRules", "Symbols", "futures_symbols", "spot_symbols"]

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
        tick_size: Distance of two prices.
        min_price: Least price.
        max_price: Greatest price.
        step_size: Distance of two quantities, in the base asset.
        min_qty: Least quantity, in the base asset.
        max_qty: Greatest quantity, in the base asset.
        min_notional: Least price times quantity, in the quote asset.
        price_origin: Prices are this plus a multiple of ``tick_size``.
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

    @property
    def is_trading(self) -> bool:
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
            qty: In the base asset, 0 or more; no float.
            rounding: A rounding mode of ``decimal``.

        Raises:
            ParameterError: it is no such quantity, or no rounding mode.
        """
        return _round(read_number(qty, "qty"), self.step_size, Decimal(0), rounding)

    @in_own_context
    def problems(self, price: Decimal | int | str, qty: Decimal | int | str) -> list[str]:
        """Every rule that a price and a quantity break, in words; empty where they keep to all.

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
        notional = exact_price * exact_qty
        if self.min_notional and notional < self.min_notional:
            found.append(f"price times quantity {notional} is below {self.min_notional} {self.quote_asset}")
        return found


class Symbols(Mapping[str, SymbolRules]):
    """The rules of every symbol of a market, by symbol."""

    def __init__(self, rules: Mapping[str, SymbolRules]) -> None:
        self._rules = rules

    def __getitem__(self, symbol: str) -> SymbolRules:
        found = self._rules.get(symbol)
        if found is None:
            raise KeyError(f"{symbol!r} is not listed; symbols look like 'BTCUSDT'")
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


class _Listed(Protocol):
    @property
    def symbol(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def base_asset(self) -> str: ...
    @property
    def quote_asset(self) -> str: ...


class _Price(Protocol):
    @property
    def tick_size(self) -> Decimal: ...
    @property
    def min_price(self) -> Decimal: ...
    @property
    def max_price(self) -> Decimal: ...


class _Lot(Protocol):
    @property
    def step_size(self) -> Decimal: ...
    @property
    def min_qty(self) -> Decimal: ...
    @property
    def max_qty(self) -> Decimal: ...


def _rules(
    info: _Listed, price: _Price | None, lot: _Lot | None, min_notional: Decimal | None, origin: Decimal
) -> SymbolRules:
    return SymbolRules(
        symbol=info.symbol,
        status=info.status,
        base_asset=info.base_asset,
        quote_asset=info.quote_asset,
        tick_size=None if price is None else price.tick_size,
        min_price=None if price is None else price.min_price,
        max_price=None if price is None else price.max_price,
        step_size=None if lot is None else lot.step_size,
        min_qty=None if lot is None else lot.min_qty,
        max_qty=None if lot is None else lot.max_qty,
        min_notional=min_notional,
        price_origin=origin,
    )


def spot_symbols(info: spot.ExchangeInfo) -> Symbols:
    """The rules in the exchange information of the spot market."""
    from binance_sdk import spot

    rules: dict[str, SymbolRules] = {}
    for symbol in info.symbols:
        price = next((f for f in symbol.filters if isinstance(f, spot.PriceFilter)), None)
        lot = next((f for f in symbol.filters if isinstance(f, spot.LotSizeFilter)), None)
        kinds = (spot.NotionalFilter, spot.MinNotionalFilter)
        notionals = [f.min_notional for f in symbol.filters if isinstance(f, kinds)]
        # Spot prices are multiples of the tick; those of futures are counted from the least price.
        rules[symbol.symbol] = _rules(symbol, price, lot, max(notionals, default=None), Decimal(0))
    return Symbols(rules)


def futures_symbols(info: futures.ExchangeInfo) -> Symbols:
    """The rules in the exchange information of the futures market."""
    from binance_sdk import futures

    rules: dict[str, SymbolRules] = {}
    for symbol in info.symbols:
        price = next((f for f in symbol.filters if isinstance(f, futures.PriceFilter)), None)
        lot = next((f for f in symbol.filters if isinstance(f, futures.LotSizeFilter)), None)
        notionals = [f.min_notional for f in symbol.filters if isinstance(f, futures.MinNotionalFilter)]
        origin = Decimal(0) if price is None else price.min_price
        rules[symbol.symbol] = _rules(symbol, price, lot, max(notionals, default=None), origin)
    return Symbols(rules)
