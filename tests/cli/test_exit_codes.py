"""Which error ends with which code, and in which words."""

from __future__ import annotations

import re
from decimal import ROUND_UP, Context, Inexact, getcontext, localcontext

import pytest

from binance_sdk import errors
from binance_sdk.cli import __doc__ as documentation
from binance_sdk.cli import main
from binance_sdk.cli.exit_codes import EPILOG, ExitCode, error_line, exit_code

EXPECTED = {
    "APIConnectionError": 3,
    "APIError": 1,
    "APITimeoutError": 3,
    "ArchiveError": 1,
    "AuthenticationError": 1,
    "BadRequestError": 1,
    "BinanceError": 2,
    "BookNotSyncedError": 3,
    "BudgetError": 5,
    "CircuitOpenError": 3,
    "ConfigError": 2,
    "DatasetError": 6,
    "DecodeError": 4,
    "ForbiddenError": 1,
    "HistoryError": 6,
    "IPBannedError": 5,
    "NotFoundError": 1,
    "ParameterError": 2,
    "RateLimitError": 5,
    "RestrictedLocationError": 1,
    "RunError": 6,
    "ServerError": 1,
    "StoreError": 3,
    "StreamError": 3,
}


def test_every_error_has_been_thought_of() -> None:
    assert set(errors.__all__) == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_code_of_an_error(name: str) -> None:
    kind: type[errors.BinanceError] = getattr(errors, name)
    error = kind("text", status_code=400) if issubclass(kind, errors.APIError) else kind("text")
    assert exit_code(error) == EXPECTED[name]


def test_the_first_failure_of_a_run_stands_for_all() -> None:
    def failed(cause: errors.BinanceError) -> errors.RunError:
        error = errors.RunError("2 of 3 pieces could not be fetched")
        error.__cause__ = cause
        return error

    assert exit_code(failed(errors.IPBannedError("banned", status_code=418))) == ExitCode.LIMITED
    assert exit_code(failed(errors.APITimeoutError("no answer"))) == ExitCode.CONNECTION
    assert exit_code(failed(errors.DatasetError("no room"))) == ExitCode.SYSTEM


def test_every_code_is_documented() -> None:
    for code in ExitCode:
        assert f"{code} " in EPILOG
        assert f"\n{code} " in (documentation or "")


def test_an_explanation_is_one_line_with_a_remedy() -> None:
    assert error_line(errors.APIConnectionError("no\nconnection; check it")) == "no connection; check it"
    assert "--raw" in error_line(errors.DecodeError("odd"))
    assert error_line(errors.ConfigError("wrong; do this")) == "wrong; do this"


def test_what_is_shown_depends_on_no_decimal_context(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr("binance_sdk.cli.app.run", lambda: seen.append(repr(getcontext())))
    for context in (Context(), Context(prec=3, rounding=ROUND_UP, traps=[Inexact])):
        with localcontext(context), pytest.raises(SystemExit):
            main()
    assert seen[0] == seen[1]
    assert "prec=28, rounding=ROUND_HALF_EVEN" in seen[0]


def run(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> int:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr("sys.argv", ["binance-sdk", *words])
    with pytest.raises(SystemExit) as caught:
        main()
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["book", "BTCUSDT", "--limit", "0"], "0"),
        (["demo", "--seed", "x"], "x"),
        (["simulate", "--port", "99999"], "99999"),
    ],
)
def test_a_wrong_value_of_an_option_is_named(
    words: list[str], value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, words) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert re.search(rf"{words[-2]}'?: .*\b{value}\b", told)
    assert "Input" not in told


@pytest.mark.parametrize("words", ["history", "history fetch", "history info", "call", "stream", "book", "health"])
def test_help_has_arguments_in_capitals_and_no_type_of_a_flag(
    words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, [*words.split(), "--help"]) == ExitCode.OK
    told = capsys.readouterr().out
    assert "<bool>" not in told
    usage = next(line for line in told.splitlines() if "Usage:" in line).partition("[OPTIONS]")[2]
    assert usage.strip()
    assert usage == usage.upper()
