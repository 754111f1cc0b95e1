"""The command line: ``binance-sdk``, or ``python -m binance_sdk``.

====  ==========================================================================================================
Code  Meaning
====  ==========================================================================================================
0     Done; also ``simulate`` ended by Ctrl-C, and output whose reader has gone (``| head``)
1     Binance refused
2     Usage, a parameter or a setting is wrong, or an extra is not installed
3     No connection, or no answer in time
4     The answer is not what the spec says
5     Rate limited, banned, or over the request budget
6     This machine: output or a dataset cannot be written or used, or no more files can be opened
7     ``verify`` found differences, and none that breaks anything; ``history check`` found holes, and nothing wrong
130   Ctrl-C
143   A SIGTERM, which ends everything in order as Ctrl-C does
====  ==========================================================================================================

Errors are one line on stderr. Nothing here imports typer or rich before ``main`` runs, so that a missing extra
is one line as well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import localcontext
from importlib import import_module
from typing import NoReturn

from binance_sdk.arithmetic import QUOTIENTS

__all__ = ["main"]

_OURS = "binance_sdk"


def main() -> NoReturn:
    """Run the command line with ``sys.argv`` and exit."""
    from binance_sdk.cli.event_loop import ignore_unopened_loops
    from binance_sdk.cli.output import guard_streams
    from binance_sdk.cli.signals import TERMINATED, end_in_order, was_terminated

    end_in_order()
    finish = guard_streams()
    ignore_unopened_loops()
    code = _run(finish)
    sys.exit(TERMINATED if was_terminated() and code else code)


def _run(finish: Callable[[], None]) -> int:
    try:
        code = _command()
        if code == 0:
            # Flushes what --help and --version have written; a command has flushed its own output.
            finish()
    except (Exception, KeyboardInterrupt) as error:
        # Errors outside a command: in what typer does itself, such as help, or in an import.
        from binance_sdk.cli.exit_codes import report

        found = report(error)
        if found is None:
            raise
        return found
    return code


def _command() -> int:
    try:
        # Commands import it where they need it; if it is missing, that is said at once.
        import_module("rich")
        from binance_sdk.cli.app import run
    except ModuleNotFoundError as error:
        package = (error.name or _OURS).partition(".")[0]
        if package == _OURS:
            raise
        sys.stderr.write(
            f"binance-sdk: {package} is not installed; the command line needs an extra: "
            'pip install "binance-market-sdk[cli,simulator]"\n'
        )
        return 2
    try:
        # What is shown must not depend on a decimal context that sitecustomize may have set.
        with localcontext(QUOTIENTS):
            run()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
