"""Exit codes, and the way from an exception to one line on stderr."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator
from enum import IntEnum

import typer

from binance_sdk import errors
from binance_sdk.cli.formats import printable

EXTRA = 'pip install "binance-market-sdk[cli,simulator]"'


class ExitCode(IntEnum):
    """What the process says to its caller."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    CONNECTION = 3
    DECODE = 4
    LIMITED = 5
    INTERRUPTED = 130


EPILOG = (
    "Exit codes: 0 done · 1 Binance refused · 2 wrong usage, parameter or setting · 3 no connection or timeout · "
    "4 answer not understood · 5 rate limited or banned · 130 Ctrl-C"
)

_CODES: tuple[tuple[type[errors.BinanceError], ExitCode], ...] = (
    (errors.RateLimitError, ExitCode.LIMITED),
    (errors.IPBannedError, ExitCode.LIMITED),
    (errors.BudgetError, ExitCode.LIMITED),
    (errors.APIError, ExitCode.REFUSED),
    (errors.DecodeError, ExitCode.DECODE),
    (errors.APIConnectionError, ExitCode.CONNECTION),
    (errors.CircuitOpenError, ExitCode.CONNECTION),
    (errors.StreamError, ExitCode.CONNECTION),
)


class CommandError(Exception):
    """Something on the command line is wrong; the message holds the remedy."""


def exit_code(error: errors.BinanceError) -> ExitCode:
    """The exit code that stands for an error; settings and parameters are usage."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return ExitCode.USAGE


def explain(error: BaseException) -> str:
    """One printable line: what happened and what to do."""
    text = printable(str(error)) or type(error).__name__
    if isinstance(error, errors.APIConnectionError) and not isinstance(error, errors.APITimeoutError):
        text += "; check the network, the base URL, and HTTPS_PROXY where a proxy is needed"
    elif isinstance(error, errors.DecodeError):
        text += "; `call ... --raw` shows the answer, please report it with that"
    return text


def complain(text: str) -> None:
    """One line on stderr. A stderr that is gone as well is nobody's problem."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"binance-sdk: {text}\n")
        sys.stderr.flush()


@contextlib.contextmanager
def reporting() -> Generator[None]:
    """Turn what a command raises into its exit code.

    Raises:
        typer.Exit: with one of ``ExitCode``.
    """
    try:
        yield
        # Here, where a reader that went away can still be met calmly, and not while the interpreter shuts down.
        sys.stdout.flush()
    except errors.BinanceError as error:
        complain(explain(error))
        raise typer.Exit(exit_code(error)) from error
    except CommandError as error:
        complain(explain(error))
        raise typer.Exit(ExitCode.USAGE) from error
    except KeyboardInterrupt as error:
        raise typer.Exit(ExitCode.INTERRUPTED) from error
    except BrokenPipeError as error:
        _leave_stdout()
        raise typer.Exit(ExitCode.OK) from error


def _leave_stdout() -> None:
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
