"""Consoles of rich for a terminal with colours or a pipe with plain text."""

from __future__ import annotations

import codecs
import io
import os
import sys

from rich.console import Console

PIPED_WIDTH = 100

# One ASCII character for each, so that columns stay aligned.
_ASCII = str.maketrans(
    {
        **dict.fromkeys("│┃║╷╵╻╹╽╿├┤▏▎", "|"),
        **dict.fromkeys("─━═┈╌┄", "-"),
        **dict.fromkeys("┌┐└┘┬┴┼╭╮╰╯┏┓┗┛┡┩╇╈╋┢┪", "+"),
        **dict.fromkeys("█▉▊▋▌▍▓▒▀▄▅▆▇", "#"),
        **dict.fromkeys("░▁▂▃", ":"),
        **dict.fromkeys("–−—", "-"),
        **dict.fromkeys("·•●", "."),
        "…": ".",
        "Ⓢ": "S",
        "×": "x",
        "▲": "^",
        "▼": "v",
        "◂": "<",
        "✓": "*",
        "Σ": "S",
    }
)


def _to_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_ASCII)
    return "".join(character if character.isascii() else "?" for character in text), error.end


codecs.register_error("binance_sdk.ascii", _to_ascii)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # rich would exit with code 1; the command decides the exit code.
        raise BrokenPipeError


def make_console(width: int | None = None, *, stderr: bool = False) -> Console:
    """A console that fits its stream.

    Args:
        width: Columns; by default those of the terminal or ``COLUMNS``, and 100 in a pipe.
        stderr: Write to stderr.
    """
    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper) and not stream.encoding.lower().startswith("utf"):
        stream.reconfigure(errors="binance_sdk.ascii")
    if width is None and not stream.isatty() and not os.environ.get("COLUMNS", "").isdigit():
        width = PIPED_WIDTH
    return _Console(width=width, stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=False)
