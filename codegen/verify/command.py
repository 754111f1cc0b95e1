"""``python -m codegen verify``: what ``binance-sdk verify`` does, with the YAML in the place of what was generated."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from codegen.names import english_list
from codegen.releasing.release import Project
from codegen.rendering.verify_facts import facts_text, verify_facts
from codegen.spec_model.spec import Spec

if TYPE_CHECKING:
    from binance_sdk.verify import VerifySettings

_KINDS = ("base", "stream")


def add_verify(parser: argparse.ArgumentParser) -> None:
    """The options of the command but those of each market, which only the spec names: see ``read_urls``."""
    parser.epilog = "For each market also --MARKET-base-url URL and --MARKET-stream-url URL, as of a simulator."
    parser.add_argument("--environment", help="mainnet, data_only, testnet or demo")
    parser.add_argument("--only", default="*", metavar="GLOB", help="only these operations and streams: 'spot.*'")
    parser.add_argument("--listen", type=float, default=60.0, metavar="SECONDS", help="to streams, at most; 0 for none")
    parser.add_argument("--dry-run", action="store_true", help="tell what it would cost, and send nothing")
    parser.add_argument("--json", metavar="FILE", help="write the report as JSON; - prints it instead of the tables")
    parser.add_argument("--markdown", metavar="FILE", help="the same as Markdown")
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--propose", type=Path, metavar="FILE", help="write the change of the spec, for `git apply`")
    change.add_argument("--write", action="store_true", help="make it")


def read_urls(arguments: Sequence[str], markets: Sequence[str]) -> argparse.Namespace:
    """The hosts of markets among the arguments."""
    parser = argparse.ArgumentParser(prog="python -m codegen verify", add_help=False)
    for kind in _KINDS:
        for market in markets:
            parser.add_argument(f"--{market.replace('_', '-')}-{kind}-url", metavar="URL")
    return parser.parse_args(arguments)


def run_verify(spec: Spec, options: argparse.Namespace, rest: Sequence[str], project: Project, today: date) -> int:
    """Compare and print; the exit code is that of ``binance-sdk verify``.

    Args:
        spec: What to compare with.
        options: Of the command.
        rest: Arguments that are not among them: hosts of markets.
        project: The files that follow from a change of the spec.
        today: The day.
    """
    urls = read_urls(rest, spec.market_names)
    # What it compares with is the YAML; what it calls with is the package, which an error in it must not keep from
    # generating itself anew.
    try:
        from binance_sdk.cli.exit_codes import error_line, exit_code
        from binance_sdk.cli.verify import VerifyCall, compared, exit_code_of, write_report
        from binance_sdk.cli.verify import run_verify as compare
        from binance_sdk.errors import BinanceError
        from binance_sdk.verify import MarketSpec, VerifySettings
        from codegen.proposing.command import run_proposal
    except ModuleNotFoundError as error:
        print(f"{sys.executable} has no {error.name}; install the extra `cli`", file=sys.stderr)
        return 2

    specs = {
        market: MarketSpec.model_validate_json(facts_text(verify_facts(spec, market))) for market in spec.market_names
    }
    settings = VerifySettings(
        environment=options.environment,
        base_urls=_urls(urls, spec.market_names, "base"),
        stream_urls=_urls(urls, spec.market_names, "stream"),
        only=options.only,
        listen_seconds=options.listen,
        specs=specs,
    )
    call = VerifyCall(settings=settings, dry=options.dry_run, json_file=options.json, markdown_file=options.markdown)
    try:
        if options.dry_run or not (options.propose or options.write):
            return compare(call)
        report = compared(settings)
        write_report(report, options.json, options.markdown)
        run_proposal(spec, report.findings, _where(settings), today, project, options.propose)
        return exit_code_of(report)
    except BinanceError as error:
        print(error_line(error), file=sys.stderr)
        return exit_code(error)
    except OSError as error:
        print(error, file=sys.stderr)
        return 2


def _where(settings: VerifySettings) -> str:
    """Whom was asked, for what is written beside a fact."""
    hosts = dict.fromkeys(urlsplit(url).netloc for url in settings.base_urls.values())
    return english_list([*hosts]) or settings.environment or os.environ.get("BINANCE_SDK_ENVIRONMENT", "mainnet")


def _urls(urls: argparse.Namespace, markets: tuple[str, ...], kind: str) -> dict[str, str]:
    given = {market: getattr(urls, f"{market}_{kind}_url", None) for market in markets}
    return {market: url for market, url in given.items() if url is not None}
