"""Errors that are Virtuoso's and ours at once, so that ``except`` clauses written for either match."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from binance_sdk.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    BinanceError,
    BudgetError,
    CircuitOpenError,
    IPBannedError,
    ParameterError,
    RateLimitError,
    shown,
)

__all__ = [
    "ErrorBridge",
    "InvalidSymbolError",
    "NoSourceError",
    "OutOfScopeError",
    "translated",
    "translated_sync",
]

P = ParamSpec("P")
T = TypeVar("T")


class InvalidSymbolError(ParameterError):
    """The exchange does not list the symbol. Virtuoso knows it by the words ``invalid symbol`` in the text."""

    def __init__(self, symbol: object, reason: str) -> None:
        super().__init__(f"invalid symbol {shown(symbol)}: {reason}", parameter="symbol", value=symbol)


class OutOfScopeError(BinanceError):
    """Something that needs an account: this adapter reads public data and signs nothing."""


class NoSourceError(BinanceError):
    """No source of ``data_sources`` has anything that may be used.

    Attributes:
        symbol: The symbol that was asked for.
        reasons: Why not, by source.
    """

    def __init__(self, symbol: str, reasons: Mapping[str, str]) -> None:
        told = "; ".join(f"{source}: {reason}" for source, reason in reasons.items())
        super().__init__(f"no source has market data of {symbol} that may be used: {told}")
        self.symbol = symbol
        self.reasons: dict[str, str] = dict(reasons)


# The first line that fits is taken, so special errors stand before general ones.
_COUNTERPARTS: tuple[tuple[type[BinanceError], str], ...] = (
    (APITimeoutError, "TimeoutError"),
    (APIConnectionError, "NetworkError"),
    (CircuitOpenError, "NetworkError"),
    (RateLimitError, "RateLimitError"),
    (IPBannedError, "RateLimitError"),
    (BudgetError, "RateLimitError"),
    (AuthenticationError, "AuthenticationError"),
    (BinanceError, "ExchangeError"),
)


class ErrorBridge:
    """Knows the error classes of one Virtuoso.

    Args:
        base_exchange_class: Virtuoso's ``BaseExchange``; its module holds the error classes.
    """

    def __init__(self, base_exchange_class: type) -> None:
        self._module = sys.modules.get(base_exchange_class.__module__)
        self._classes: dict[tuple[type[BinanceError], type[Exception]], type[BinanceError]] = {}

    def translate(self, error: BinanceError) -> BinanceError:
        """The same error as an instance of Virtuoso's class too; where it has none, the error itself."""
        counterpart = self._counterpart(error)
        if counterpart is None or isinstance(error, counterpart):
            return error
        cls = self._combined(type(error), counterpart)
        # Virtuoso's constructors may want other arguments than ours: neither is called, the contents are moved over.
        both = cls.__new__(cls, *error.args)
        both.args = error.args
        both.__dict__.update(error.__dict__)
        if getattr(both, "retry_after", None) is None:
            seconds = _retry_after(error)
            if seconds is not None:
                both.__dict__["retry_after"] = seconds
        return both

    def _counterpart(self, error: BinanceError) -> type[Exception] | None:
        for ours, name in _COUNTERPARTS:
            if isinstance(error, ours):
                found: object = getattr(self._module, name, None)
                if isinstance(found, type) and issubclass(found, Exception):
                    return found
                # A module without the special class may still have the general one.
                general: object = getattr(self._module, "ExchangeError", None)
                return general if isinstance(general, type) and issubclass(general, Exception) else None
        return None

    def _combined(self, ours: type[BinanceError], theirs: type[Exception]) -> type[BinanceError]:
        found = self._classes.get((ours, theirs))
        if found is None:

            def reduce(self: BinanceError) -> tuple[object, ...]:
                # A class made at run time cannot be found by pickle; the other side gets our half of it.
                plain = ours.__new__(ours, *self.args)
                plain.args = self.args
                plain.__dict__.update(self.__dict__)
                reduced: tuple[object, ...] = plain.__reduce__()
                return reduced

            made = type(ours.__name__, (ours, theirs), {"__module__": ours.__module__, "__reduce__": reduce})
            found = self._classes[ours, theirs] = cast("type[BinanceError]", made)
        return found


def _retry_after(error: BinanceError) -> float | None:
    retry_at = getattr(error, "retry_at", None)
    if isinstance(error, APIError) or retry_at is None:
        return None
    return max(0.0, float(retry_at) / 1000 - time.time())


class _HasErrors(Protocol):
    binance_errors: ErrorBridge

    def note_failure(self, error: BinanceError) -> None: ...


S = TypeVar("S", bound=_HasErrors)


@contextmanager
def _translating(owner: _HasErrors) -> Generator[None, None, None]:
    try:
        yield
    except BinanceError as error:
        owner.note_failure(error)
        both = owner.binance_errors.translate(error)
        if both is error:
            raise
        raise both from error


def translated(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Decorator: errors of the SDK leave the method as instances of Virtuoso's classes too."""

    @wraps(method)
    async def call(self: S, *args: P.args, **kwargs: P.kwargs) -> T:
        with _translating(self):
            return await method(self, *args, **kwargs)

    return cast("Callable[Concatenate[S, P], Coroutine[Any, Any, T]]", call)


def translated_sync(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """The same for methods that are not coroutines."""

    @wraps(method)
    def call(self: S, *args: P.args, **kwargs: P.kwargs) -> T:
        with _translating(self):
            return method(self, *args, **kwargs)

    return cast("Callable[Concatenate[S, P], T]", call)
