"""The command ``verify`` with its options, of which each market brings two."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, get_type_hints

import typer

from binance_sdk.cli.environment_option import EnvironmentOption
from binance_sdk.cli.exit_codes import exiting_on_error
from binance_sdk.cli.markets import ALL_MARKETS, market_word

URL_KINDS: Mapping[str, str] = {"base": "REST host", "stream": "Stream host"}
"""Kind of URL to what it is of; with a market it makes the name of an option."""


def url_options() -> Iterator[tuple[str, str]]:
    """Name and help of each option that names a host of a market: ``spot_base_url``."""
    for kind, words in URL_KINDS.items():
        for market in ALL_MARKETS:
            yield f"{market}_{kind}_url", f"{words} of {market_word(market)}, e.g. of a simulator."


def urls_of(kind: str, given: Mapping[str, Any]) -> dict[str, str]:
    """The URLs of one kind by market, of those options that were given."""
    return {market: url for market in ALL_MARKETS if (url := given.get(f"{market}_{kind}_url")) is not None}


def _with_url_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each host, as its signature says; it gets them by name."""
    signature = inspect.signature(command)
    hints = get_type_hints(command, include_extras=True)
    parameters = [
        parameter.replace(annotation=hints[name])
        for name, parameter in signature.parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    for name, words in url_options():
        option = Annotated[str | None, typer.Option(metavar="URL", help=words)]
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option))
    vars(command)["__signature__"] = signature.replace(parameters=parameters)
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


@_with_url_options
def verify(
    environment: EnvironmentOption = None,
    only: Annotated[
        str, typer.Option(metavar="GLOB", help="Only these operations and streams, e.g. 'spot.*' or '*.klines'.")
    ] = "*",
    listen: Annotated[
        float, typer.Option(help="Seconds to listen to streams at most; 0 leaves them out.", min=0, max=60)
    ] = 60.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what it would cost, and send nothing.")] = False,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write the report as JSON; - prints it instead.")
    ] = None,
    markdown_file: Annotated[
        str | None, typer.Option("--markdown", metavar="FILE", help="The same as Markdown.")
    ] = None,
    **urls: Any,
) -> None:
    """Compare the exchange with what this version knows of it: every endpoint and every stream, within the limits.

    Exit code 0: no difference. 4: one that breaks programs. 7: only such that break nothing. 3: nothing could be
    compared.
    """
    with exiting_on_error():
        from binance_sdk.cli.verify import VerifyCall, run_verify
        from binance_sdk.verify.run import VerifySettings

        settings = VerifySettings(
            environment=environment,
            base_urls=urls_of("base", urls),
            stream_urls=urls_of("stream", urls),
            only=only,
            listen_seconds=listen,
        )
        code = run_verify(VerifyCall(settings=settings, dry=dry_run, json_file=json_file, markdown_file=markdown_file))
        if code:
            raise typer.Exit(code)
