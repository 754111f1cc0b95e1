"""Keeps keys and passwords out of tracebacks: many error reporters show the variables of every frame."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from binance_sdk.errors import BinanceError, error_chain

P = ParamSpec("P")
ExceptionT = TypeVar("ExceptionT", bound=BaseException)


class Hidden(str):
    """A text that may hold a secret; its ``repr`` does not show it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def without_arguments_in_tracebacks(function: Callable[P, None]) -> Callable[P, None]:
    """Drop the frames of a ``BinanceError``, which hold every argument; its message says all there is to say."""

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
    """The error without traceback, as are its causes and contexts."""
    for found in error_chain(error):
        found.__traceback__ = None
    return error


class HiddenBytes(bytes):
    """Shows nothing of itself, where a library logs what it does."""

    def __repr__(self) -> str:
        return "b'***'"
