"""Output that cannot be written and files that cannot be opened: one line on stderr and a documented exit code."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from binance_sdk.cli.exit_codes import CommandError, ExitCode, exit_for, shortage
from binance_sdk.cli.output import OutputError
from binance_sdk.errors import APIConnectionError, ConfigError
from binance_sdk.simulator import Simulator

from .support import Cli

WAIT = 60.0
KLINES = "call spot klines symbol=BTCUSDT interval=1m limit=1000"

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a shell and /dev/full")


def shell(arguments: str, redirection: str, before: str = "", **variables: str) -> tuple[int, str]:
    """Exit code and stderr of the command line, started by a shell."""
    line = f"{before} exec {sys.executable} -m binance_sdk {arguments} {redirection}"
    ran = subprocess.run(
        ["/bin/sh", "-c", line], stderr=subprocess.PIPE, text=True, timeout=WAIT, env={**os.environ, **variables}
    )
    return ran.returncode, ran.stderr


@pytest.mark.parametrize(
    ("arguments", "sink"),
    [
        (KLINES, ">/dev/full"),
        (f"{KLINES} --json", ">&-"),
        ("call spot time --raw", ">&-"),
        ("snapshot BTCUSDT --json", ">&-"),
        ("demo --live", ">/dev/full"),
        ("simulate --port 0", ">/dev/full"),
        ("--help", ">/dev/full"),
        ("stream --help", "1</dev/null"),
    ],
)
def test_output_that_cannot_be_written(simulator: Simulator, arguments: str, sink: str) -> None:
    code, errors = shell(arguments, sink, BINANCE_SDK_SIMULATOR=simulator.url)
    assert code == ExitCode.SYSTEM
    assert errors.startswith("binance-sdk: output cannot be written: ")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_without_buffers_of_python(unbuffered: str) -> None:
    code, errors = shell("--version", ">/dev/full", PYTHONUNBUFFERED=unbuffered)
    assert (code, errors.count("\n")) == (ExitCode.SYSTEM, 1)


@pytest.mark.parametrize("arguments", ["--help", KLINES, f"{KLINES} --json"])
def test_a_reader_that_has_seen_enough_is_no_error(simulator: Simulator, arguments: str) -> None:
    reader, writer = os.pipe()
    # Gone before the first byte: no race between the two.
    os.close(reader)
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "binance_sdk", *arguments.split()],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=WAIT,
            env={**os.environ, "BINANCE_SDK_SIMULATOR": simulator.url},
        )
    finally:
        os.close(writer)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "sinks", "code"),
    [
        ("call spot klines", "2>/dev/full", ExitCode.USAGE),
        ("call spot klines", "2>&- >&-", ExitCode.USAGE),
        ("nonsense", "2>/dev/full", ExitCode.USAGE),
        ("--version", "2>&- >/dev/full", ExitCode.SYSTEM),
    ],
)
def test_a_stderr_that_is_gone_changes_no_exit_code(arguments: str, sinks: str, code: ExitCode) -> None:
    assert shell(arguments, sinks) == (code, "")


@pytest.mark.parametrize("arguments", ["simulate --port 0", "stream spot book_ticker BTCUSDT"])
def test_no_open_files_left(simulator: Simulator, arguments: str) -> None:
    code, errors = shell(arguments, "", before="ulimit -n 5;", BINANCE_SDK_SIMULATOR=simulator.url)
    assert code == ExitCode.SYSTEM
    assert errors == (
        "binance-sdk: this machine allows no more open files: close some, or raise the limit (`ulimit -n`)\n"
    )


def test_a_simulator_that_can_take_no_more_connections_says_so_once() -> None:
    # Its own files fit, those of the client beside it do not.
    code, errors = shell("demo", "", before="ulimit -n 14;")
    # Whoever asks for the last file is told; a client that got it may wait for a simulator that did not.
    assert code in (ExitCode.SYSTEM, ExitCode.CONNECTION)
    assert "Traceback" not in errors
    assert errors.splitlines()[-1].startswith("binance-sdk: ")
    assert errors.count("more connections") <= 1


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


FULL = OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (FULL, ExitCode.SYSTEM, "ulimit -n"),
        (MemoryError(), ExitCode.SYSTEM, "no memory"),
        (OSError(errno.ENOSPC, "No space left on device", "/tmp/x"), ExitCode.SYSTEM, "No space left"),
        (
            caused(APIConnectionError("spot.time: no connection"), FULL),
            ExitCode.SYSTEM,
            "spot.time: no connection; this",
        ),
        (APIConnectionError("spot.time: out of file descriptors: close some"), ExitCode.SYSTEM, "close some"),
        (caused(CommandError("it could not start"), FULL), ExitCode.SYSTEM, "ulimit -n"),
        (caused(ImportError("numpy"), FULL), ExitCode.SYSTEM, "ulimit -n"),
        (ExceptionGroup("several", [ValueError(), FULL]), ExitCode.SYSTEM, "ulimit -n"),
        (OutputError(OSError(errno.ENOSPC, "No space left on device")), ExitCode.SYSTEM, "No space left on device"),
        (OutputError(BrokenPipeError(errno.EPIPE, "Broken pipe")), ExitCode.OK, ""),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), ExitCode.OK, ""),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, ""),
        (APIConnectionError("no connection"), ExitCode.CONNECTION, "no connection"),
        (ConfigError("wrong"), ExitCode.USAGE, "wrong"),
    ],
)
def test_the_verdict(error: BaseException, code: ExitCode, told: str) -> None:
    found = exit_for(error)
    assert found is not None
    assert found[0] == code
    assert told in found[1]
    assert "\n" not in found[1]


@pytest.mark.parametrize("error", [ValueError("a mistake of ours"), ImportError("typer"), AssertionError()])
def test_a_mistake_of_our_own_keeps_its_traceback(error: Exception) -> None:
    assert exit_for(error) is None


def test_causes_that_go_round_in_a_circle() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert shortage(first) == ""


def test_a_failure_whose_cause_is_the_group_it_was_in() -> None:
    error = ValueError("the first of two")
    error.__cause__ = ExceptionGroup("both", [error, KeyError()])
    assert shortage(error) == ""


def test_what_is_suppressed_is_no_cause() -> None:
    error = ValueError("another thing")
    error.__context__, error.__suppress_context__ = FULL, True
    assert shortage(error) == ""


def test_a_stdout_of_somebody_else_stays(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from binance_sdk.cli.output import guard_streams

    mine = io.StringIO()
    monkeypatch.setattr(sys, "stdout", mine)
    monkeypatch.setattr(sys, "stderr", mine)
    guard_streams()()
    assert sys.stdout is sys.stderr is mine
