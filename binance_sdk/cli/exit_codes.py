"""Exit codes, and the way from an exception to one line on stderr."""

from __future__ import annotations

import contextlib
import errno
import sys
from collections.abc import Generator, Mapping
from enum import IntEnum

import typer

from binance_sdk import errors
from binance_sdk.cli.formats import printable
from binance_sdk.cli.output import OutputError

EXTRA = 'pip install "binance-market-sdk[cli,simulator]"'


class ExitCode(IntEnum):
    """What the process says to its caller."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    CONNECTION = 3
    DECODE = 4
    LIMITED = 5
    SYSTEM = 6
    NOTED = 7
    INTERRUPTED = 130


EPILOG = (
    "Exit codes: 0 done · 1 Binance refused · 2 wrong usage, parameter or setting · 3 no connection or timeout · "
    "4 answer not understood · 5 rate limited or banned · 6 output or files of this machine · "
    "7 verify: only differences that break nothing; history check: only holes · 130 Ctrl-C · "
    "143 SIGTERM"
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
    (errors.StoreError, ExitCode.CONNECTION),
    (errors.ArchiveError, ExitCode.REFUSED),
    # A disk that is full, a worker that died, a dataset that cannot be used.
    (errors.HistoryError, ExitCode.SYSTEM),
)

_FILES = "this machine allows no more open files: close some, or raise the limit (`ulimit -n`)"
_NO_FILES = "out of file descriptors"
"""How an error of the SDK says it, even where the system's own error is not among its causes."""
_SHORTAGES: Mapping[int, str] = {
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.ENOBUFS: "this machine has no memory left for connections",
    errno.ENOMEM: "this machine has no memory left",
}


class CommandError(Exception):
    """Something on the command line is wrong; the message says what to do."""


def exit_code(error: errors.BinanceError) -> ExitCode:
    """The exit code for an error; wrong settings and parameters are wrong usage."""
    if shortage(error):
        return ExitCode.SYSTEM
    if isinstance(error, errors.RunError) and isinstance(error.__cause__, errors.BinanceError):
        # Many pieces of it may have failed; the first one stands for them.
        return exit_code(error.__cause__)
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return ExitCode.USAGE


def shortage(error: BaseException) -> str:
    """What this machine has run out of, with the remedy, if that made something fail; otherwise an empty text."""
    for found in errors.error_chain(error, suppressed=False):
        if isinstance(found, OSError) and (short := _SHORTAGES.get(found.errno or 0)):
            return short
        if isinstance(found, errors.BinanceError) and _NO_FILES in str(found):
            return _FILES
        if isinstance(found, MemoryError):
            return _SHORTAGES[errno.ENOMEM]
    return ""


def error_line(error: BaseException) -> str:
    """One printable line: what happened and what to do."""
    text = printable(str(error)) or type(error).__name__
    short = shortage(error)
    if short:
        # The message of an SDK error names the call, and may hold the remedy already.
        told = text if _NO_FILES in text else f"{text}; {short}"
        text = told if isinstance(error, errors.BinanceError) else short
    elif isinstance(error, errors.DecodeError):
        text += "; `call ... --raw` shows the answer, please report it with that"
    return text


def exit_for(error: BaseException) -> tuple[ExitCode, str] | None:
    """Exit code and message for what ended a command; None for a bug of ours, whose traceback is wanted."""
    match error:
        case errors.BinanceError():
            return exit_code(error), error_line(error)
        case CommandError():
            return ExitCode.SYSTEM if shortage(error) else ExitCode.USAGE, error_line(error)
        case KeyboardInterrupt():
            return ExitCode.INTERRUPTED, ""
        case OutputError():
            return (ExitCode.OK, "") if error.reader_gone else (ExitCode.SYSTEM, error_line(error))
        case BrokenPipeError():
            return ExitCode.OK, ""
        case OSError():
            # Something this machine could not do; errors of connections are errors of the SDK.
            return ExitCode.SYSTEM, error_line(error)
        case _:
            return (ExitCode.SYSTEM, error_line(error)) if shortage(error) else None


def report(error: BaseException) -> ExitCode | None:
    """Print the message for what ended a command, and return its exit code; None for a bug of ours."""
    found = exit_for(error)
    if found is None:
        return None
    code, line = found
    if line:
        print_error(line)
    return code


def print_error(text: str) -> None:
    """Print one line on stderr, or nothing if stderr cannot be written."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"binance-sdk: {text}\n")
        sys.stderr.flush()


@contextlib.contextmanager
def exiting_on_error() -> Generator[None]:
    """Turn what a command raises into its exit code.

    Raises:
        typer.Exit: with one of ``ExitCode``.
    """
    try:
        yield
        # Here, where a full disk or a closed pipe can still be reported, and not while the interpreter shuts down.
        sys.stdout.flush()
    except typer.Exit:
        raise
    except (Exception, KeyboardInterrupt) as error:
        code = report(error)
        if code is None:
            raise
        raise typer.Exit(code) from error
