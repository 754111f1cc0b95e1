"""``binance-sdk verify``: compares an exchange with the spec and prints what is different."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue
from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from binance_sdk.cli.console import make_console
from binance_sdk.cli.event_loop import run
from binance_sdk.cli.exit_codes import ExitCode
from binance_sdk.verify.finding import Finding
from binance_sdk.verify.report import Report, grouped
from binance_sdk.verify.run import DryRun, VerifySettings, dry_run, verify

_COLOURS = {"breaking": "bold red", "noted": "yellow"}
_MOST = 160
_NAMES_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class VerifyCall:
    """What the command line asks for.

    Attributes:
        settings: Whom to ask, and for what.
        dry: Only tell what it would cost.
        json_file: Where the report goes as JSON; ``-`` is the standard output, and then there is no table.
        markdown_file: The same as Markdown.
    """

    settings: VerifySettings
    dry: bool = False
    json_file: str | None = None
    markdown_file: str | None = None


def run_verify(call: VerifyCall) -> ExitCode:
    """Compare and print.

    Raises:
        BinanceError: a setting is wrong.
        OSError: a file cannot be written.
    """
    if call.dry:
        _print_dry_run(dry_run(call.settings))
        return ExitCode.OK
    report = compared(call.settings)
    write_report(report, call.json_file, call.markdown_file)
    return exit_code_of(report)


def compared(settings: VerifySettings) -> Report:
    """The report, while a terminal shows what is going on."""
    console = make_console(stderr=True)
    waiting = console.status("asking ...") if console.is_terminal else contextlib.nullcontext()
    with waiting as status:

        def progress(text: str) -> None:
            if status is not None:
                status.update(f"asking {text} ...")

        return run(lambda: verify(settings, progress))


def exit_code_of(report: Report) -> ExitCode:
    """The worst that was found decides; where nothing could be compared, there was no connection that helps."""
    if report.severity is not None:
        return ExitCode.DECODE if report.severity == "breaking" else ExitCode.NOTED
    return ExitCode.OK if report.compared else ExitCode.CONNECTION


def write_report(report: Report, json_file: str | None, markdown_file: str | None) -> None:
    """Print the tables, and write the files that are wanted."""
    forms: tuple[tuple[str | None, Callable[[], str]], ...] = (
        (json_file, report.as_json),
        (markdown_file, report.as_markdown),
    )
    for file, text in forms:
        if file is not None and file != "-":
            Path(file).write_text(text(), encoding="utf-8")
    to_stdout = next((text for file, text in forms if file == "-"), None)
    if to_stdout is not None:
        sys.stdout.write(to_stdout())
        return
    console = make_console()
    for part in _parts(report):
        console.print(part)


def _print_dry_run(planned: DryRun) -> None:
    table = Table(box=box.ROUNDED, border_style="bright_black")
    for name in ("market", "requests", "streams"):
        table.add_column(name, justify="left" if name == "market" else "right")
    for market, calls in planned.calls.items():
        table.add_row(market, str(calls), str(planned.streams[market]))
    console = make_console()
    console.print(table)
    weights = ", ".join(f"{weight} of the pool {pool}" for pool, weight in planned.weight.items())
    console.print(f"about {weights} in weight, about {planned.seconds:.0f} s. Nothing was sent.")


def _parts(report: Report) -> Iterator[RenderableType]:
    if report.findings:
        table = _table("severity", "of", "place", "what", "spec", "seen")
        for one in report.findings:
            table.add_row(*_cells(one))
        yield table
        yield from _remedies(report)
    if report.not_judged:
        table = _table("not judged", "because", "of")
        for what, because, names in grouped(report.not_judged):
            more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
            table.add_row(Text(what), Text(because), Text(", ".join(names[:_NAMES_SHOWN]) + more))
        yield table
    yield Text(report.summary(), style="bold")


def _remedies(report: Report) -> Iterator[Text]:
    remedies = {one.kind: one.remedy for one in report.findings}
    for kind, remedy in remedies.items():
        yield Text(f"  {kind}: {remedy}")


def _table(*names: str) -> Table:
    table = Table(box=box.ROUNDED, border_style="bright_black", expand=True)
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _cells(one: Finding) -> Iterator[Text]:
    yield Text(one.severity, style=_COLOURS[one.severity])
    yield Text(f"{one.subject} ({one.variant})" if one.variant else one.subject)
    yield Text(f"{one.where} {one.path}".rstrip())
    yield Text(f"{one.kind}: {one.meaning}")
    yield Text(_short(one.spec))
    yield Text(_short(one.seen))


def _short(value: JsonValue) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
