"""What quantities are worth at prices: exact where they are multiplied, cut to eight decimals for inverse contracts."""

from __future__ import annotations

import numpy as np

from binance_sdk.simulator.market.randomness import Ints
from binance_sdk.simulator.market.symbols import Instrument
from binance_sdk.simulator.market.tape import Aggregates

BASE_DECIMALS = 8
"""Decimals of an amount of the base asset that an inverse contract is worth."""


def worth(instrument: Instrument, price: Ints, quantity: Ints) -> Ints:
    """What trades are worth: price times quantity; of an inverse contract, what it is worth divided by the price.

    The division cuts off, so only sums over the same trades are equal: of longer trades, see ``worth_of_orders``.
    """
    if not instrument.contract_size:
        return price * quantity
    units = instrument.contract_size * 10 ** (BASE_DECIMALS + instrument.price_decimals)
    return np.asarray(quantity * units // price, dtype=np.int64)


def worth_of_orders(instrument: Instrument, orders: Aggregates) -> Ints:
    """What all trades of each order are worth together."""
    if not instrument.contract_size:
        return orders.price * orders.quantity
    first = worth(instrument, orders.price, orders.first_quantity)
    return first + worth(instrument, orders.price, orders.quantity - orders.first_quantity)
