"""``binance-sdk limits`` and its options; what it does is in ``limits.py``."""

from __future__ import annotations

from typing import Annotated

import typer

from binance_sdk.cli.exit_codes import exiting_on_error


def limits(
    limits_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="The Valkey or Redis, as for a client.", show_default="BINANCE_SDK_LIMITS_URL"
        ),
    ] = None,
    limits_key: Annotated[str | None, typer.Option(metavar="NAME", help="Only this budget; all by default.")] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Look again and again until Ctrl-C.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON; with --watch a line for each look, as a pipe gets it anyway.")
    ] = False,
    interval: Annotated[float, typer.Option(help="Seconds between two looks.", min=0.1, max=3600)] = 1.0,
    count: Annotated[int | None, typer.Option(help="With --watch: end after so many looks.", min=1)] = None,
) -> None:
    """Show who uses what of a budget that processes share: [bold]binance-sdk limits --watch[/bold]

    Processes share a budget through the store that limits_url names. Looking at it changes nothing.
    """
    with exiting_on_error():
        from binance_sdk.cli.limits import LimitsCall, run_limits

        run_limits(
            LimitsCall(
                limits_url=limits_url,
                limits_key=limits_key,
                watch=watch,
                as_json=as_json,
                interval=interval,
                count=count,
            )
        )
