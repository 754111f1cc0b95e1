"""``binance-sdk health`` and its options; what it does is in ``health.py``."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from binance_sdk.catalogue import Market
from binance_sdk.cli.environment_option import EnvironmentOption
from binance_sdk.cli.exit_codes import exiting_on_error
from binance_sdk.cli.markets import CHOICES, complete_market, read_market

UNKNOWN = 3
HEALTH_EPILOG = (
    "Exit codes, those of monitoring plugins: 0 healthy · 1 degraded · 2 down · 3 cannot tell (wrong usage, setting or "
    "symbol) · 130 Ctrl-C · 143 SIGTERM"
)


def health(
    symbol: Annotated[
        str | None,
        typer.Argument(
            metavar="SYMBOL", help="Also ask for each kind of data of this symbol, e.g. BTCUSDT or BTC/USDT:USDT."
        ),
    ] = None,
    market: Annotated[
        list[str] | None,
        typer.Option(
            "--market",
            "-m",
            parser=read_market,
            metavar="MARKET",
            help=f"{CHOICES}; may be repeated. All by default.",
            autocompletion=complete_market,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all that is known.")] = False,
    degraded_ok: Annotated[
        bool, typer.Option("--degraded-ok", help="Exit with 0 where it is degraded, for probes that know yes and no.")
    ] = False,
    environment: EnvironmentOption = None,
    timeout: Annotated[float, typer.Option(help="Seconds for each answer.", min=0.1, max=600)] = 4.0,
) -> None:
    """Tell whether the exchange is well, as a probe: [bold]binance-sdk health BTCUSDT -m futures[/bold]

    It asks each market for its time (weight 1 each): does it answer, how fast, do the clocks agree, is the gate open.
    With a symbol it asks for each kind of its data too: are these fresh, and can they be true.
    """
    with exiting_on_error():
        from binance_sdk.cli.health import HealthCall, run_health

        code = run_health(HealthCall(symbol, cast(list[Market], market or []), environment, timeout, as_json))
        if code and not (degraded_ok and code == 1):
            raise typer.Exit(code)
