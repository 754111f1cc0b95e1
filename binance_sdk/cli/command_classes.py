"""What our commands do otherwise than those of typer: their help, and what they say to a wrong command line."""

from __future__ import annotations

from typing import Any, cast

from typer.core import TyperCommand, TyperGroup

from binance_sdk.cli.exit_codes import ExitCode, print_error
from binance_sdk.cli.formats import printable
from binance_sdk.cli.health_command import UNKNOWN
from binance_sdk.errors import shown

PROGRAM = "binance-sdk"


class Flags:
    """Help in which an option without a value is shown without the type of one."""

    def get_params(self, ctx: Any) -> list[Any]:
        found: list[Any] = cast(Any, super()).get_params(ctx)
        for parameter in found:
            if getattr(parameter, "is_flag", False) and parameter.metavar is None:
                parameter.metavar = ""
        return found


class Command(Flags, TyperCommand):
    """A command."""


class Group(Flags, TyperGroup):
    """The program itself; what is wrong with the words that were typed is told on one line, as any other error."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
        except Exception as error:
            told = _wrong_words(error)
            if told is None:
                raise
            if told:
                print_error(told)
            raise SystemExit(cast(Any, error).exit_code) from error
        raise SystemExit(code if isinstance(code, int) else 0)


def _wrong_words(error: Exception) -> str | None:
    """What is wrong with the words of a command line, and where to look; None for any other error.

    Empty where there were none at all: then the help was printed.
    """
    # Its class is click's, which typer may bring along under a name of its own.
    if not hasattr(error, "format_message"):
        return None
    if type(error).__name__ == "NoArgsIsHelpError":
        return ""
    context = cast(Any, error).ctx
    place = PROGRAM if context is None else context.command_path
    text: str = cast(Any, error).format_message()
    if "Input should" in text and hasattr(error.__cause__, "errors"):
        # Newer versions of typer say what is wrong with a value in pydantic's words, which leave it out.
        text = text.replace("Input should", f"{shown(cast(Any, error.__cause__).errors()[0]['input'])} should", 1)
    return f"{printable(text).rstrip('.')}; `{place} --help` shows how it is written"


class Probe(Command):
    """A command whose wrong usage is no verdict: to a monitor the usual code for it says that all is down."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().make_context(*args, **kwargs)
        except Exception as error:
            # Its class is click's, which typer may bring along under a name of its own.
            if getattr(error, "exit_code", 0) == ExitCode.USAGE:
                cast(Any, error).exit_code = UNKNOWN
            raise
