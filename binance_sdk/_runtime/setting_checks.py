"""Checks of settings. What is wrong is a ``ConfigError`` that names setting, value and remedy."""

from __future__ import annotations

import inspect
from typing import NoReturn, TypeVar

from binance_sdk.errors import ConfigError, shown

T = TypeVar("T")

MOST_SECONDS = 1_000_000
"""Eleven days: what sockets and timers take everywhere."""
MOST_RETRIES = 1000
MOST_CONCURRENT = 10_000


def is_number(value: object) -> bool:
    """Whether it is an int or a float; True is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def refuse(name: str, value: object, reason: str) -> NoReturn:
    raise ConfigError(f"{name}={shown(value)} {reason}")


def check_number(name: str, value: object, least: float, most: float, unit: str = "", otherwise: str = "") -> None:
    """An int or a float from ``least`` to ``most``; NaN is none."""
    if not (isinstance(value, (int, float)) and is_number(value) and least <= value <= most):
        refuse(name, value, f"must be {otherwise}a number{unit} from {least:g} to {most:g}")


def check_seconds(name: str, value: object) -> None:
    """A time that is not nothing."""
    if not (isinstance(value, (int, float)) and is_number(value) and 0 < value <= MOST_SECONDS):
        refuse(name, value, f"must be a number of seconds above 0 and at most {MOST_SECONDS}")


def check_count(name: str, value: object, least: int, most: int) -> None:
    if not (isinstance(value, int) and not isinstance(value, bool) and least <= value <= most):
        refuse(name, value, f"must be an int from {least} to {most}")


def check_flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        refuse(name, value, "must be True or False")


def check_function(name: str, value: object) -> None:
    """Something that is called, and not awaited."""
    if not callable(value):
        refuse(name, value, "cannot be called; pass a function that takes one event")
    if inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(type(value).__call__):
        refuse(name, value, "is a coroutine function, which nobody would await; pass a plain function")


def check_instance(name: str, value: object, kind: type[T]) -> T:
    if isinstance(value, kind):
        return value
    refuse(name, value, f"must be made by {kind.__name__}: write {name}={kind.__name__}(...)")
