"""The commands and their options; what they do is in the modules beside this one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from binance_sdk import __version__
from binance_sdk.catalogue import CATALOGUE, MARKETS, Market
from binance_sdk.cli.command_classes import PROGRAM, Command, Group, Probe
from binance_sdk.cli.environment_option import EnvironmentOption
from binance_sdk.cli.exit_codes import EPILOG, error_line, exit_code, exiting_on_error, print_error
from binance_sdk.cli.health_command import HEALTH_EPILOG, health
from binance_sdk.cli.history_command import history
from binance_sdk.cli.limits_command import limits
from binance_sdk.cli.markets import ALL_MARKETS, CHOICES, complete_market, market_word, read_market
from binance_sdk.cli.verify_command import verify
from binance_sdk.simulator_url import LAST_PORT

_TITLES = ", ".join(facts.title for facts in MARKETS.values())


app: typer.Typer = typer.Typer(
    name=PROGRAM,
    cls=Group,
    help=f"Binance's public market data ({_TITLES}), with the cost of a call known before it is sent.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


def _chosen(context: typer.Context) -> Market | None:
    """The market typed before: read already, or still the word."""
    name = context.params.get("market")
    return next((market for market in ALL_MARKETS if name in (market, market_word(market))), None)


def complete_operation(context: typer.Context, incomplete: str) -> list[str]:
    """Operations of the market typed before."""
    market = _chosen(context)
    return [name for name in CATALOGUE[market].operations if name.startswith(incomplete)] if market else []


def complete_parameter(context: typer.Context, incomplete: str) -> list[str]:
    """``name=`` of each parameter, and ``name=choice`` once the name stands."""
    market, name = _chosen(context), context.params.get("operation")
    operation = CATALOGUE[market].operations.get(str(name)) if market else None
    if operation is None:
        return []
    words = [f"{parameter.name}=" for parameter in operation.parameters]
    if "=" in incomplete:
        words = [
            f"{parameter.name}={choice}" for parameter in operation.parameters for choice in parameter.choices or ()
        ]
    return [word for word in words if word.startswith(incomplete)]


def complete_fault(incomplete: str) -> list[str]:
    """Names of faults."""
    try:
        from binance_sdk.simulator.faults.parsing import describe_faults
    except ModuleNotFoundError:
        return []
    return [fault.name for fault in describe_faults() if fault.name.startswith(incomplete)]


MarketArgument = Annotated[
    Market,
    typer.Argument(parser=read_market, metavar="MARKET", help=f"{CHOICES}.", autocompletion=complete_market),
]
OptionalMarketArgument = Annotated[
    Market | None,
    typer.Argument(
        parser=read_market, metavar="MARKET", help=f"{CHOICES}; all by default.", autocompletion=complete_market
    ),
]


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Options that stand before a command."""


@app.command(epilog=EPILOG, cls=Command)
def demo(
    live: Annotated[
        bool, typer.Option("--live", help="Ask Binance itself (or what BINANCE_SDK_* names), not the simulator.")
    ] = False,
    symbol: Annotated[str, typer.Option(help="Symbol, on spot and on futures.")] = "BTCUSDT",
    seed: Annotated[int, typer.Option(help="Seed of the simulated market; no effect with --live.")] = 1,
) -> None:
    """Show one symbol whole: rules, ticker, candles, order book, trades, funding, and what it cost."""
    with exiting_on_error():
        from binance_sdk.cli.demo import run_demo

        failure = run_demo(symbol, live=live, seed=seed).failure
        if failure is not None:
            print_error(error_line(failure))
            raise typer.Exit(exit_code(failure))


@app.command(epilog=EPILOG, cls=Command)
def simulate(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="First port to listen at; 0 takes free ones.", min=0, max=LAST_PORT)] = 8080,
    seed: Annotated[int, typer.Option(help="Seed of the market: the same seed, the same prices.")] = 1,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FAULT",
            help="Let this go wrong: NAME:KEY=VALUE,..., e.g. reset:probability=0.1 or close:count=3. May be repeated.",
            autocompletion=complete_fault,
        ),
    ] = None,
    list_faults: Annotated[bool, typer.Option("--list-faults", help="List all faults and exit.")] = False,
) -> None:
    """Run the simulated Binance in the foreground until Ctrl-C, which ends it with exit code 0.

    Each market has two ports, REST and streams: spot this one and the next, futures the two after those, and so on.
    """
    with exiting_on_error():
        from binance_sdk.cli.simulate import print_faults, run_simulator

        if list_faults:
            print_faults()
        else:
            run_simulator(host, port, seed, fault or ())


@app.command(epilog=EPILOG, no_args_is_help=True, cls=Command)
def call(
    market: MarketArgument,
    operation: Annotated[
        str,
        typer.Argument(
            metavar="OPERATION", help="Name of the operation, e.g. klines.", autocompletion=complete_operation
        ),
    ],
    parameters: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME=VALUE",
            help="Parameters by Python or wire name. Lists are separated by commas; times are ISO-8601 "
            "(UTC where no zone is given) or epoch milliseconds.",
            autocompletion=complete_parameter,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the JSON exactly as Binance sent it.")] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV: exact numbers, times in epoch milliseconds, nested parts as JSON.")
    ] = False,
    fields: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help="Only these columns, in this order, of the table or of --csv; a dot goes inside: symbols.status.",
        ),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Print status, headers and body, also of a refusal.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Print what the call costs and send nothing.")] = False,
    environment: EnvironmentOption = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for connection and answer, each attempt.")] = 10.0,
    deadline: Annotated[float, typer.Option(help="Seconds in all, retries and waiting for limits included.")] = 30.0,
) -> None:
    """Call one operation: [bold]binance-sdk call spot klines symbol=BTCUSDT interval=1h limit=5[/bold]"""
    with exiting_on_error():
        from binance_sdk.cli.call import Call, run_call

        run_call(
            Call(
                market=market,
                operation=operation,
                pairs=parameters or (),
                environment=environment,
                timeout=timeout,
                deadline=deadline,
                as_json=as_json,
                as_csv=as_csv,
                raw=raw,
                plan_only=plan,
                fields=[name.strip() for name in (fields or "").split(",") if name.strip()],
            )
        )


@app.command(epilog=EPILOG, cls=Command)
def operations(
    market: OptionalMarketArgument = None,
    operation: Annotated[
        str | None,
        typer.Argument(metavar="OPERATION", help="Show the parameters of this one.", autocompletion=complete_operation),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all that is known of each.")] = False,
    sources: Annotated[bool, typer.Option("--sources", help="Show where each was read, and when.")] = False,
) -> None:
    """List what can be called, with its weight; or one operation with its parameters."""
    with exiting_on_error():
        from binance_sdk.cli.operations import list_operations

        if sources:
            from binance_sdk.cli.operations import operations_of
            from binance_sdk.cli.sources import list_sources

            list_sources(operations_of(market, operation), as_json=as_json)
            return
        list_operations(market, operation, as_json=as_json)


@app.command(epilog=EPILOG, cls=Command)
def weights(
    market: OptionalMarketArgument = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what each call costs and what there is to spend, where that was read, and what is not settled."""
    with exiting_on_error():
        from binance_sdk.cli.sources import list_weights

        list_weights(ALL_MARKETS if market is None else [market], as_json=as_json)


@app.command(epilog=EPILOG, no_args_is_help=True, cls=Command)
def snapshot(
    symbol: Annotated[
        str, typer.Argument(metavar="SYMBOL", help="Symbol in any spelling: BTCUSDT, BTC/USDT, BTC/USDT:USDT.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the market_data of the Virtuoso adapter.")] = False,
    environment: EnvironmentOption = None,
    deadline: Annotated[float, typer.Option(help="Seconds for each call, retries and waiting included.")] = 30.0,
) -> None:
    """Show what an analysis gets of one symbol: ticker, candles, sentiment, liquidity, and what is missing."""
    with exiting_on_error():
        from binance_sdk.cli.snapshot import run_snapshot

        failure = run_snapshot(symbol, as_json=as_json, environment=environment, deadline=deadline)
        if failure is not None:
            print_error(error_line(failure))
            raise typer.Exit(exit_code(failure))


class _StreamCommand(Command):
    """A command whose help lists the kinds of streams, which are only read when somebody asks for it."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from binance_sdk.cli.stream_kinds import kinds_in_one_line

        listed = [f"Kinds on {market_word(market)}: {kinds_in_one_line(market)}." for market in ALL_MARKETS]
        self.epilog = "\n\n".join([*listed, EPILOG])
        super().format_help(ctx, formatter)


def complete_kind(context: typer.Context, incomplete: str) -> list[str]:
    """Streams of the market typed before."""
    from binance_sdk.cli.stream import kinds

    market = _chosen(context)
    return [kind for kind in kinds(market) if kind.startswith(incomplete)] if market else []


@app.command(epilog=EPILOG, no_args_is_help=True, cls=_StreamCommand)
def stream(
    market: MarketArgument,
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND",
            help="Kind of stream, e.g. agg_trade; without it all are listed.",
            autocompletion=complete_kind,
        ),
    ] = None,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="SYMBOL|NAME=VALUE", help="Symbols, and choices like interval=1m."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each message as a line of JSON, as a pipe gets it anyway.")
    ] = False,
    count: Annotated[int | None, typer.Option(help="End after so many messages.", min=1)] = None,
    fill_gaps: Annotated[
        bool, typer.Option("--fill-gaps", help="Fetch what a broken connection lost, where that can be done.")
    ] = False,
    sources: Annotated[bool, typer.Option("--sources", help="Show where it was read, and when.")] = False,
    environment: EnvironmentOption = None,
) -> None:
    """Follow a stream until Ctrl-C: [bold]binance-sdk stream spot kline BTCUSDT ETHUSDT interval=1m[/bold]"""
    with exiting_on_error():
        from binance_sdk.cli.stream import StreamCall, find_stream, run_stream

        if sources:
            from binance_sdk.catalogue import STREAMS
            from binance_sdk.cli.sources import list_stream_sources

            known = [stream for stream in STREAMS if stream.market == market]
            list_stream_sources(known if kind is None else [find_stream(market, kind)], as_json=as_json)
            return
        if kind is None:
            from binance_sdk.cli.stream_kinds import list_kinds

            list_kinds(market)
            return
        run_stream(
            StreamCall(
                market=market,
                kind=kind,
                words=words or (),
                environment=environment,
                as_json=as_json,
                fill_gaps=fill_gaps,
                count=count,
            )
        )


@app.command(epilog=EPILOG, no_args_is_help=True, cls=Command)
def book(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="Symbol, e.g. BTCUSDT.")],
    market: Annotated[
        Market,
        typer.Option(
            "--market", "-m", parser=read_market, metavar="MARKET", help=f"{CHOICES}.", autocompletion=complete_market
        ),
    ] = ALL_MARKETS[0],
    levels: Annotated[int, typer.Option(help="Levels a side, as far as the terminal has room.", min=1, max=5000)] = 10,
    limit: Annotated[
        int, typer.Option(help="Levels a side of the snapshot: the book knows nothing behind them.", min=1, max=5000)
    ] = 1000,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each update, as a pipe gets it anyway.")
    ] = False,
    count: Annotated[int | None, typer.Option(help="End after so many updates.", min=1)] = None,
    environment: EnvironmentOption = None,
) -> None:
    """Follow a live order book until Ctrl-C: [bold]binance-sdk book BTCUSDT -m futures[/bold]

    It takes a snapshot whenever it cannot be trusted, and says so.
    """
    with exiting_on_error():
        from binance_sdk.cli.book import BookCall, run_book

        run_book(
            BookCall(
                market=market,
                symbol=symbol,
                levels=levels,
                limit=limit,
                environment=environment,
                as_json=as_json,
                count=count,
            )
        )


app.command(epilog=HEALTH_EPILOG, cls=Probe)(health)
app.command(epilog=EPILOG, cls=Command)(limits)
app.command(epilog=EPILOG, cls=Command)(verify)
app.add_typer(history)


def run() -> None:
    """Run the command line and exit."""
    app(prog_name=PROGRAM)
