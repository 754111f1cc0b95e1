"""``binance-sdk call``: calls one operation and prints a table, CSV or the JSON; or only plans it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from binance_sdk import Plan, RequestOptions, Response, SyncBinanceClient
from binance_sdk.catalogue import CATALOGUE, Market
from binance_sdk.cli.arguments import find_operation, read_arguments
from binance_sdk.cli.columns import as_csv, chosen
from binance_sdk.cli.console import make_console
from binance_sdk.cli.exit_codes import CommandError
from binance_sdk.cli.formats import ABSENT
from binance_sdk.cli.tables import view
from binance_sdk.errors import APIError, DecodeError


@dataclass(frozen=True)
class Call:
    """What the command line asks for."""

    market: Market
    operation: str
    pairs: Sequence[str]
    environment: str | None = None
    timeout: float = 10.0
    deadline: float = 30.0
    as_json: bool = False
    as_csv: bool = False
    raw: bool = False
    plan_only: bool = False
    fields: Sequence[str] = ()


def run_call(call: Call) -> None:
    """Make the call, or price it, and print.

    Raises:
        CommandError: the command line is wrong.
        BinanceError: the call failed.
    """
    _check_forms(call)
    operation = find_operation(call.market, call.operation)
    arguments = read_arguments(operation, call.pairs)
    if operation.deprecated:
        make_console(stderr=True).print(operation.deprecated.replace("`", ""))
    # The client refuses an unknown environment and names the known ones.
    with SyncBinanceClient(cast(Any, call.environment), timeout=call.timeout) as client:
        api = client.market(call.market)
        if call.plan_only:
            plan = cast("Callable[..., Plan]", getattr(api.plan, operation.name))
            _print_plan(plan(**arguments), call)
            return
        send = cast("Callable[..., Response[object]]", getattr(api.with_raw_response, operation.name))
        try:
            # With a deadline, a ban is reported at once and not waited for.
            answer = send(**arguments, options=RequestOptions(deadline=call.deadline))
            # What is not as the spec says is an error in every form of output.
            _ = answer.data
        except (APIError, DecodeError) as error:
            if call.raw:
                _print_raw(error.status_code, error.headers, error.body)
            raise
    if call.raw:
        _print_raw(answer.status_code, answer.headers, answer.content)
    elif call.as_json:
        _print_bytes(answer.content)
    else:
        _print_view(answer, call)


def _check_forms(call: Call) -> None:
    """One form of output at a time.

    Raises:
        CommandError: several are asked for.
    """
    forms = {"--json": call.as_json, "--csv": call.as_csv, "--raw": call.raw}
    asked = [name for name, wanted in forms.items() if wanted]
    if len(asked) > 1:
        raise CommandError(f"{' and '.join(asked)} exclude each other: choose one")
    if call.plan_only and (call.as_csv or call.raw):
        raise CommandError(f"--plan sends nothing, so there is no answer for {asked[0]}")
    if call.fields and (call.as_json or call.raw or call.plan_only):
        other = "--plan" if call.plan_only else asked[0]
        raise CommandError(f"--fields chooses columns of a table or of --csv; {other} always shows everything")


def _print_view(answer: Response[object], call: Call) -> None:
    data = chosen(answer.data, call.fields) if call.fields else answer.data
    if call.as_csv:
        sys.stdout.write(as_csv(data))
        return
    console = make_console()
    for part in view(data, console.width):
        console.print(part)
    used = ABSENT if answer.used_weight is None else str(answer.used_weight)
    limit = CATALOGUE[call.market].limits.weight
    note = f"weight {answer.weight} · server counts {used} of {limit.limit} · {answer.elapsed * 1000:,.0f} ms"
    console.print(note, style="bright_black")


def _print_plan(plan: Plan, call: Call) -> None:
    if call.as_json:
        sys.stdout.write(json.dumps({**asdict(plan), "groups": dict(plan.groups)}) + "\n")
        return
    limits = CATALOGUE[call.market].limits
    costs = [f"weight {plan.weight} of {limits.weight.limit} in {limits.weight.seconds} s"]
    for name, count in plan.groups.items():
        group = limits.groups[name]
        costs.append(f"{count} of {group.limit} {name} requests in {group.seconds} s")
    sys.stdout.write(f"{plan.operation} costs {', '.join(costs)}. Nothing was sent.\n")


def _print_raw(status: int, headers: Mapping[str, str], body: bytes) -> None:
    lines = [f"HTTP {status}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    _print_bytes("\n".join(lines).encode() + body)


def _print_bytes(content: bytes) -> None:
    # The bytes as they came, so that no number passes through Python.
    sys.stdout.flush()
    sys.stdout.buffer.write(content if content.endswith(b"\n") else content + b"\n")
    sys.stdout.buffer.flush()
