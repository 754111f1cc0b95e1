"""Checks of settings; each raises a ``ConfigError`` that names setting, value and remedy."""

from __future__ import annotations

import inspect
from typing import NoReturn, TypeVar

from binance_sdk.errors import ConfigError, plain_number, shown

T = TypeVar("T")

MOST_SECONDS = 1_000_000
"""Eleven days; sockets and timers accept it on every platform."""
MOST_RETRIES = 1000
MOST_CONCURRENT = 10_000


def is_number(value: object) -> bool:
    """Whether the value is an int or a float; True and False are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def refuse(name: str, value: object, reason: str) -> NoReturn:
    raise ConfigError(f"{name}={shown(value)} {reason}")


def check_number(name: str, value: object, least: float, most: float, unit: str = "", otherwise: str = "") -> None:
    """Check for an int or a float from ``least`` to ``most``; NaN is refused."""
    if not (isinstance(value, (int, float)) and is_number(value) and least <= value <= most):
        refuse(name, value, f"must be {otherwise}a number{unit} from {plain_number(least)} to {plain_number(most)}")


def check_seconds(name: str, value: object) -> None:
    """Check for a number of seconds above 0."""
    if not (isinstance(value, (int, float)) and is_number(value) and 0 < value <= MOST_SECONDS):
        refuse(name, value, f"must be a number of seconds above 0 and at most {MOST_SECONDS}")


def check_count(name: str, value: object, least: int, most: int) -> None:
    if not (isinstance(value, int) and not isinstance(value, bool) and least <= value <= most):
        refuse(name, value, f"must be an int from {least} to {most}")


def check_flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        refuse(name, value, "must be True or False")


def check_function(name: str, value: object) -> None:
    """Check for a callable that is not a coroutine function."""
    if not callable(value):
        refuse(name, value, "must be a function that takes one event")
    if inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(type(value).__call__):
        refuse(name, value, "must be a plain function: nobody would await a coroutine function")


def check_instance(name: str, value: object, kind: type[T]) -> T:
    if isinstance(value, kind):
        return value
    refuse(name, value, f"must be a {kind.__name__}: write {name}={kind.__name__}(...)")
