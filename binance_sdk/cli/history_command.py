"""The commands of ``binance-sdk history`` with their options; what they do is in the modules beside this one."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from binance_sdk.catalogue import ARCHIVE, Market
from binance_sdk.cli.command_classes import Command, Flags
from binance_sdk.cli.environment_option import EnvironmentOption
from binance_sdk.cli.exit_codes import EPILOG, exiting_on_error
from binance_sdk.cli.markets import ALL_MARKETS, CHOICES, complete_market, read_market

_FETCH = "fetch"
_KINDS = list(dict.fromkeys(name for _, name in ARCHIVE.kinds))
_INTERVALS = list(
    dict.fromkeys(
        interval for kind in ARCHIVE.kinds.values() for known in kind.intervals.values() for interval in known
    )
)


class FetchByDefault(Flags, TyperGroup):
    """A group in which symbols may follow at once: ``history BTCUSDT`` is ``history fetch BTCUSDT``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [_FETCH, *args]
        return super().parse_args(ctx, args)


history: typer.Typer = typer.Typer(
    name="history",
    cls=FetchByDefault,
    help="Keep market data on disk: [bold]binance-sdk history BTCUSDT ETHUSDT -m futures -i 1m --since 2020-01-01 "
    "--out data/[/bold]\n\nIt comes from Binance's archive of files, and over REST where that ends; what is there "
    "already is not fetched again, and whatever ends a run, the next one goes on.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def complete_kind_of_history(incomplete: str) -> list[str]:
    """Kinds of data."""
    return [name for name in _KINDS if name.startswith(incomplete)]


def complete_interval(incomplete: str) -> list[str]:
    """Intervals of bars."""
    return [name for name in _INTERVALS if name.startswith(incomplete)]


DatasetArgument = Annotated[str, typer.Argument(metavar="DATASET", help="A folder, or the URL of an object store.")]
WorkersOption = Annotated[
    int,
    typer.Option(
        help="Processes that fetch; each has its part of the limits, or BINANCE_SDK_LIMITS_URL what they share.",
        min=1,
        max=256,
    ),
]
SourceOption = Annotated[
    str, typer.Option(metavar="auto|archive|rest", help="Where it may come from.", show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@history.command(_FETCH, epilog=EPILOG, no_args_is_help=True, cls=Command)
def fetch(
    symbols: Annotated[
        list[str], typer.Argument(metavar="SYMBOL...", help="Symbols, or pairs for index_price_klines.")
    ],
    *,
    since: Annotated[str, typer.Option(help="First day or moment wanted, in UTC: 2020-01-01.")],
    until: Annotated[
        str | None, typer.Option(help="First day or moment not wanted any more.", show_default="now")
    ] = None,
    market: Annotated[
        Market,
        typer.Option(
            "--market", "-m", parser=read_market, metavar="MARKET", help=f"{CHOICES}.", autocompletion=complete_market
        ),
    ] = ALL_MARKETS[0],
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            "-k",
            help=f"What of them: {', '.join(_KINDS)}.",
            autocompletion=complete_kind_of_history,
        ),
    ] = "klines",
    interval: Annotated[
        str | None, typer.Option("--interval", "-i", help="Length of a bar: 1m, 1h.", autocompletion=complete_interval)
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="DATASET", help="Where to keep it: a folder, or the URL of an object store."),
    ] = None,
    source: SourceOption = "auto",
    prices: Annotated[
        str | None,
        typer.Option(
            metavar="decimal|float",
            help="Exact decimals, or floats; of a whole dataset.",
            show_default="decimal for a new dataset",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what it would take, and fetch nothing.")] = False,
    workers: WorkersOption = 1,
    as_json: JsonOption = False,
    environment: EnvironmentOption = None,
) -> None:
    """Fetch history and keep it; the word fetch may be left out.

    First comes what it takes: pieces, requests, weight, bytes and minutes. After Ctrl-C the same command goes on.
    """
    with exiting_on_error():
        from binance_sdk.cli.history import Fetch, run_fetch

        run_fetch(
            Fetch(
                symbols=tuple(symbols),
                market=market,
                kind=kind,
                interval=interval,
                since=since,
                until=until,
                out=out,
                source=source,
                prices=prices,
                dry_run=dry_run,
                workers=workers,
                as_json=as_json,
                environment=environment,
            )
        )


@history.command(epilog=EPILOG, no_args_is_help=True, cls=Command)
def sync(
    dataset: DatasetArgument,
    source: SourceOption = "auto",
    checksums: Annotated[
        bool, typer.Option(help="Ask whether files were replaced since, one small request each.")
    ] = True,
    workers: WorkersOption = 1,
    as_json: JsonOption = False,
    environment: EnvironmentOption = None,
) -> None:
    """Bring all of a dataset up to now: new days and months, and files that Binance has replaced since."""
    with exiting_on_error():
        from binance_sdk.cli.history import Sync, run_sync

        run_sync(
            Sync(
                dataset=dataset,
                source=source,
                checksums=checksums,
                workers=workers,
                as_json=as_json,
                environment=environment,
            )
        )


@history.command(epilog=EPILOG, no_args_is_help=True, cls=Command)
def check(
    dataset: DatasetArgument,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also ask the archive for its checksums of today, and REST for the holes.")
    ] = False,
    as_json: JsonOption = False,
    environment: EnvironmentOption = None,
) -> None:
    """Prove a dataset: files, rows, order, doubles, and every hole with its reason; without --deep, offline.

    Exit code 0: all is there, and right. 4: something is wrong. 7: what is there is right, and something is missing.
    """
    with exiting_on_error():
        from binance_sdk.cli.history_check import run_check

        code = run_check(dataset, deep=deep, as_json=as_json, environment=environment)
        if code:
            raise typer.Exit(code)


@history.command(epilog=EPILOG, no_args_is_help=True, cls=Command)
def info(dataset: DatasetArgument, as_json: JsonOption = False) -> None:
    """Show what a dataset has: spans, rows, sources, remarks and terms, by its manifest alone."""
    with exiting_on_error():
        from binance_sdk.cli.history_check import run_info

        run_info(dataset, as_json=as_json)
