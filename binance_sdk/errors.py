"""Every error this package raises, in one tree.

    BinanceError
    ├── APIError                     the server answered, and it was not what was asked for
    │   ├── BadRequestError          400 and other 4xx: the request is wrong
    │   ├── AuthenticationError      401: key missing or bad
    │   ├── ForbiddenError           403: firewall
    │   ├── NotFoundError            404: unknown path
    │   ├── RateLimitError           429: over a limit; see ``retry_after``
    │   ├── IPBannedError            418: banned for going on after 429; see ``banned_until``
    │   ├── RestrictedLocationError  451, or 403 that says so: not served where you are
    │   └── ServerError              5xx and 408: Binance's side
    ├── APIConnectionError           no (whole) answer arrived
    │   └── APITimeoutError          not in time
    ├── DecodeError                  an answer that is not what the spec says
    ├── ParameterError               (also ``ValueError``) found before anything was sent
    ├── BudgetError                  would not fit the request budget in time
    ├── CircuitOpenError             the host failed too often; not tried now
    ├── StreamError                  a stream could not be kept
    │   └── BookNotSyncedError       an order book was read that is not the exchange's at the moment
    ├── StoreError                   the store of ``limits_url`` does not answer who looks at it
    ├── HistoryError                 history could not be fetched, kept or read
    │   ├── ArchiveError             a file of the archive is not there, or cannot be used
    │   ├── DatasetError             a dataset on disk cannot be used
    │   └── RunError                 some pieces of a run could not be fetched
    └── ConfigError                  the client is set up wrongly

Those that end by themselves tell when: ``retry_after`` in seconds, ``retry_at`` in epoch milliseconds.

All can be pickled, name the operation where there is one, and keep what they were made from as ``__cause__``.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import cast

__all__ = [
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "ArchiveError",
    "AuthenticationError",
    "BadRequestError",
    "BinanceError",
    "BookNotSyncedError",
    "BudgetError",
    "CircuitOpenError",
    "ConfigError",
    "DatasetError",
    "DecodeError",
    "ForbiddenError",
    "HistoryError",
    "IPBannedError",
    "NotFoundError",
    "ParameterError",
    "RateLimitError",
    "RestrictedLocationError",
    "RunError",
    "ServerError",
    "StoreError",
    "StreamError",
]

_LONGEST_SHOWN = 80


class BinanceError(Exception):
    """Base of all errors of this package.

    Attributes:
        operation: The endpoint, e.g. ``spot.klines``; None where no single one was concerned.
    """

    def __init__(self, text: str, *, operation: str | None = None) -> None:
        super().__init__(text)
        self.operation = operation

    def __reduce__(self) -> tuple[object, ...]:
        # The default would call the class with the text alone and lose every keyword.
        return _rebuild, (type(self), self.args, {name: _portable(value) for name, value in self.__dict__.items()})


def shown(value: object) -> str:
    """A value for a message: its ``repr`` if it has one, shortened if it is long."""
    try:
        text = repr(value)
    except ValueError:
        # Python refuses to print an int of more than 4300 digits.
        return f"<{type(value).__name__} too long to print>"
    except Exception:  # noqa: BLE001 - whatever the repr of a foreign class raises, the message is about its value
        return f"<{type(value).__name__} that cannot be printed>"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def plain_number(value: float) -> str:
    """A number for a message, never as a power of ten: ``1700000000``, ``0.0001``."""
    text = f"{Decimal(repr(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def error_chain(error: BaseException, *, suppressed: bool = True) -> Iterator[BaseException]:
    """An error, then every error that it was raised from or while handling, and the members of groups among them.

    Args:
        error: Where to begin.
        suppressed: Whether errors that ``raise ... from`` hides are among them.
    """
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        found = waiting.pop()
        # The cause of an error may be a group that the error is a member of.
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [found.__cause__, found.__context__ if suppressed or not found.__suppress_context__ else None]
        if isinstance(found, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", found).exceptions


def _portable(value: object) -> object:
    """The value, or its text where it cannot be pickled (a generator, say), as every error can be pickled."""
    try:
        pickle.dumps(value)
    except Exception:  # noqa: BLE001 - pickle raises whatever the object's own methods do
        return shown(value)
    return value


def _rebuild(cls: type[BinanceError], args: tuple[object, ...], state: dict[str, object]) -> BinanceError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class APIError(BinanceError):
    """Binance answered with an error.

    Attributes:
        status_code: HTTP status.
        code: Binance's own code, e.g. -1121; None where the body had none.
        message: Binance's own message; empty where the body had none.
        retry_after: Seconds until it may be tried again; None where nobody knows.
        retry_at: The same moment in epoch milliseconds, by the clock of the server.
        headers: Headers of the answer, names in lower case.
        body: The bytes of the answer.
    """

    def __init__(
        self,
        text: str,
        *,
        operation: str | None = None,
        status_code: int,
        code: int | None = None,
        message: str = "",
        retry_after: float | None = None,
        retry_at: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> None:
        super().__init__(text, operation=operation)
        self.status_code = status_code
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.retry_at = retry_at
        self.headers: dict[str, str] = dict(headers or {})
        self.body = body


class BadRequestError(APIError):
    """The request is wrong; sending it again will not help."""


class AuthenticationError(APIError):
    """The API key is missing, malformed or refused."""


class ForbiddenError(APIError):
    """The firewall refused: too many requests, or one that looks suspicious; nothing is sent before ``retry_after``."""


class NotFoundError(APIError):
    """There is no such path."""


class RateLimitError(APIError):
    """A limit was exceeded; going on before ``retry_after`` ends in a ban."""


class IPBannedError(APIError):
    """This IP address is banned.

    Attributes:
        banned_until: End of the ban in epoch milliseconds; None where the server did not say.
    """

    def __init__(
        self,
        text: str,
        *,
        operation: str | None = None,
        status_code: int = 418,
        code: int | None = None,
        message: str = "",
        retry_after: float | None = None,
        retry_at: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        banned_until: int | None = None,
    ) -> None:
        super().__init__(
            text,
            operation=operation,
            status_code=status_code,
            code=code,
            message=message,
            retry_after=retry_after,
            retry_at=retry_at,
            headers=headers,
            body=body,
        )
        self.banned_until = banned_until


class RestrictedLocationError(APIError):
    """Binance does not serve this location (451, or 403 whose body says so).

    For spot data ``environment="data_only"`` may.
    """


class ServerError(APIError):
    """Something failed on Binance's side."""


class APIConnectionError(BinanceError):
    """No connection, or one that broke before the whole answer had arrived."""


class APITimeoutError(APIConnectionError):
    """The answer did not arrive in time."""


class DecodeError(BinanceError):
    """An answer with status 200 that is not what the spec says.

    Attributes:
        problems: One line for each kind of mistake, naming row and field.
        body: The bytes of the answer.
        status_code: HTTP status.
        headers: Headers of the answer, names in lower case.
        garbled: It is no JSON at all (HTML, torn, badly packed), so the fault lies on the way and may pass.
    """

    def __init__(
        self,
        text: str,
        *,
        operation: str | None = None,
        problems: tuple[str, ...] = (),
        body: bytes = b"",
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        garbled: bool = False,
    ) -> None:
        super().__init__(text, operation=operation)
        self.garbled = garbled
        self.problems = problems
        self.body = body
        self.status_code = status_code
        self.headers: dict[str, str] = dict(headers or {})


class ParameterError(BinanceError, ValueError):
    """An argument that Binance would refuse. Nothing was sent and nothing charged.

    Attributes:
        parameter: Python name of the argument.
        value: What was passed.
    """

    def __init__(
        self, text: str, *, operation: str | None = None, parameter: str | None = None, value: object = None
    ) -> None:
        super().__init__(text, operation=operation)
        self.parameter = parameter
        self.value = value


class BudgetError(BinanceError):
    """The call does not fit the request budget in time. Nothing was sent.

    Attributes:
        retry_at: Epoch milliseconds at which it would fit; None where it never does.
        retry_after: Seconds until then.
    """

    def __init__(
        self, text: str, *, operation: str | None = None, retry_at: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(text, operation=operation)
        self.retry_at = retry_at
        self.retry_after = retry_after


class CircuitOpenError(BinanceError):
    """The host failed too often of late and is left alone for a while.

    Attributes:
        retry_at: Epoch milliseconds of the next attempt.
        retry_after: Seconds until then.
    """

    def __init__(
        self, text: str, *, operation: str | None = None, retry_at: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(text, operation=operation)
        self.retry_at = retry_at
        self.retry_after = retry_after


class StreamError(BinanceError):
    """A stream could not be opened or kept."""


class BookNotSyncedError(StreamError):
    """A live order book is not the exchange's at the moment: it waits for a snapshot.

    Attributes:
        symbol: Of which book.
        reason: Why it is not synced, such as ``gap``; see ``binance_sdk.events.BookReason``.
    """

    def __init__(self, text: str, *, operation: str | None = None, symbol: str = "", reason: str = "") -> None:
        super().__init__(text, operation=operation)
        self.symbol = symbol
        self.reason = reason


class StoreError(BinanceError):
    """The store of ``limits_url`` does not answer who looks at it. Calls never raise it: they go on without it."""


class HistoryError(BinanceError):
    """History could not be fetched, kept or read."""


class ArchiveError(HistoryError):
    """A file of the public archive is not there, or is not what it should be.

    Attributes:
        url: Address of the file.
        missing: The archive has no such file (404); anything else that went wrong is no absence.
        sha256: Of the file that came and cannot be used; empty where none came.
    """

    def __init__(
        self, text: str, *, operation: str | None = None, url: str = "", missing: bool = False, sha256: str = ""
    ) -> None:
        super().__init__(text, operation=operation)
        self.url = url
        self.missing = missing
        self.sha256 = sha256


class DatasetError(HistoryError):
    """A dataset cannot be opened, written or trusted.

    Attributes:
        path: The file or folder that it is about.
    """

    def __init__(self, text: str, *, operation: str | None = None, path: str = "") -> None:
        super().__init__(text, operation=operation)
        self.path = path


class RunError(HistoryError):
    """Some pieces of a run could not be fetched. What was written stays, and the next run fetches the rest.

    Attributes:
        failures: Why, by piece: ``"futures klines BTCUSDT 1m 2025-01.monthly"``.
    """

    def __init__(
        self, text: str, *, operation: str | None = None, failures: Mapping[str, BinanceError] | None = None
    ) -> None:
        super().__init__(text, operation=operation)
        self.failures: dict[str, BinanceError] = dict(failures or {})


class ConfigError(BinanceError):
    """The client, an environment variable or the machine is set up wrongly."""
