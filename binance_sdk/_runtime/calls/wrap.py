"""Same signature, other result: how ``with_raw_response`` and ``plan`` keep types and overloads.

The wrapped method belongs to an API object whose caller returns the other result at run time; these functions tell type
checkers so, for each method, instead of a second class written out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Any, LiteralString, ParamSpec, TypeVar, cast

from typing_extensions import deprecated

from binance_sdk._runtime.calls.drive import drive
from binance_sdk._runtime.response import Plan, Response

P = ParamSpec("P")
T = TypeVar("T")


def raw(method: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[Response[T]]]:
    """``method`` with the whole ``Response`` around its result."""
    return cast("Callable[P, Awaitable[Response[T]]]", method)


def sync_raw(method: Callable[P, T]) -> Callable[P, Response[T]]:
    """``method`` with the whole ``Response`` around its result."""
    return cast("Callable[P, Response[T]]", method)


def plan(method: Callable[P, Awaitable[T]]) -> Callable[P, Plan]:
    """``method`` priced at once, without sending and without ``await``."""

    told: LiteralString | None = getattr(method, "__deprecated__", None)
    if told is not None:
        # Warned of here, so that the line that is blamed is the caller's.
        bound: Any = method
        method = bound.__func__.__wrapped__.__get__(bound.__self__)

    def planned(*args: P.args, **kwargs: P.kwargs) -> Plan:
        return cast(Plan, drive(cast("Coroutine[Any, Any, object]", method(*args, **kwargs))))

    return planned if told is None else deprecated(told)(planned)


def sync_plan(method: Callable[P, T]) -> Callable[P, Plan]:
    """``method`` priced, without sending."""
    return cast("Callable[P, Plan]", method)


def plan_pages(method: Callable[P, AsyncIterator[T]]) -> Callable[P, Plan]:
    """An iterator priced as a whole, without sending."""
    return cast("Callable[P, Plan]", method)


def sync_plan_pages(method: Callable[P, Iterator[T]]) -> Callable[P, Plan]:
    """An iterator priced as a whole, without sending."""
    return cast("Callable[P, Plan]", method)
