"""Keeps keys and passwords out of tracebacks: many programs show the variables of every frame of an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from binance_sdk.errors import BinanceError

P = ParamSpec("P")
ExceptionT = TypeVar("ExceptionT", bound=BaseException)


class Hidden(str):
    """A text that may hold a secret, so its ``repr`` shows nothing of it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def without_arguments_in_tracebacks(function: Callable[P, None]) -> Callable[P, None]:
    """An error of ours says all there is to say; the frames it went through hold every argument."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except BinanceError as error:
            failure = without_frames(error)
        else:
            return
        del args, kwargs
        try:
            raise failure
        finally:
            del failure

    return call


def without_frames(error: ExceptionT) -> ExceptionT:
    """The error, with no traceback at it or at any error behind it."""
    for each in behind(error):
        each.__traceback__ = None
    return error


def behind(error: BaseException) -> Iterator[BaseException]:
    """An error, and every one that it was raised from or in the handling of."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", each).exceptions
