"""What an endpoint promises beside the shape of its answers, compared with what came. Pure: no IO, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from pydantic import JsonValue

from binance_sdk._runtime.budget.announced_limits import INTERVAL_SECONDS, WEIGHT
from binance_sdk._runtime.response import Headers
from binance_sdk.verify.asking import Reply
from binance_sdk.verify.compare import Difference, shown
from binance_sdk.verify.market_spec import LimitSpec, MarketSpec, OperationSpec, OrderSpec, PoolSpec, SymbolsSpec
from binance_sdk.verify.plan import Call

Key = Decimal
_UNITS = (("s", 1), ("m", 60), ("h", 3600), ("d", 86_400))


def rows_of(value: JsonValue, key: str | None) -> list[JsonValue]:
    """The rows of an answer: itself, or the list in one of its fields; none where it is neither."""
    rows = value.get(key) if key is not None and isinstance(value, dict) else value
    return rows if isinstance(rows, list) else []


def key_of(row: JsonValue, by: int | str) -> Key | None:
    """What a row is sorted by; None where that is no number."""
    value: JsonValue = None
    if isinstance(row, list) and isinstance(by, int) and by < len(row):
        value = row[by]
    elif isinstance(row, dict):
        value = row.get(str(by))
    if isinstance(value, bool) or not isinstance(value, (int, str, float)):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def order_differences(operation: OperationSpec, value: JsonValue) -> Iterator[Difference]:
    """Rows that are not in the promised order."""
    for order in operation.sorted:
        rows = rows_of(value, order.list)
        keys = [key for row in rows if (key := key_of(row, order.by)) is not None]
        for first, second in pairwise(keys):
            if (first < second) if order.descending else (first > second):
                seen: JsonValue = [_plain(first), _plain(second)]
                yield Difference("order_changed", _place(order), "", _order(order), seen, operation.uncertain)
                break


def _place(order: OrderSpec) -> str:
    step = f"[{order.by}]" if isinstance(order.by, int) else f".{order.by}"
    return f"{order.list or ''}[]{step}"


def _order(order: OrderSpec) -> JsonValue:
    return {"by": order.by, "rises": not order.descending}


def _plain(key: Key) -> JsonValue:
    return int(key) if key == key.to_integral_value() else str(key)


def page_differences(call: Call, rows: int, *, more: bool) -> Iterator[Difference]:
    """A page with another number of rows than it was asked for.

    Args:
        call: The call.
        rows: How many came.
        more: It is known that there are more rows than came.
    """
    wanted = call.rows
    if wanted is not None and (rows > wanted or (rows < wanted and more)):
        yield Difference("page_size_changed", call.operation.size or "", "", wanted, rows, call.operation.uncertain)


def refusal_differences(spec: MarketSpec, call: Call, reply: Reply) -> Iterator[Difference]:
    """The answer to a call that is wrong on purpose."""
    mistake = spec.mistakes[call.mistake]
    parameter = call.operation.parameters[call.parameter]
    uncertain = (*mistake.uncertain, *parameter.uncertain, *call.operation.uncertain)
    codes: list[JsonValue] = [*mistake.codes]
    if not reply.refused:
        yield Difference("not_refused", call.parameter, "", codes, reply.status, uncertain)
    elif not _is_error(reply):
        yield Difference("error_form_changed", call.parameter, "", ["code", "msg"], _beginning(reply.body))
    elif reply.code not in (*mistake.codes, *call.operation.errors):
        yield Difference("error_code_changed", call.parameter, call.mistake, codes, reply.code, uncertain)


def _is_error(reply: Reply) -> bool:
    try:
        body = reply.json()
    except ValueError:
        return False
    return (
        isinstance(body, dict)
        and isinstance(body.get("code"), int)
        and not isinstance(body.get("code"), bool)
        and isinstance(body.get("msg"), str)
    )


def _beginning(body: bytes) -> JsonValue:
    return shown(body[:500].decode("utf-8", "replace"))


def not_json(body: bytes) -> Difference:
    """An answer that is no JSON at all."""
    return Difference("not_json", "", "", None, _beginning(body))


# --------------------------------------------------------------------------------------- limits


def limit_differences(pool: PoolSpec, rows: Sequence[JsonValue]) -> Iterator[Difference]:
    """Limits in force that are not those of the spec."""
    stated: dict[tuple[str, int], int] = {}
    for row in rows:
        found = announced(row)
        if found is not None:
            kind, unit, number, most = found
            stated[kind, INTERVAL_SECONDS[unit] * number] = most
    for name, limit in pool.limits.items():
        kind = WEIGHT if name == "weight" else name.upper()
        if kind == WEIGHT or limit.every_request:
            yield from _limit(pool, name, kind, limit, stated)


def _limit(
    pool: PoolSpec, name: str, kind: str, limit: LimitSpec, stated: Mapping[tuple[str, int], int]
) -> Iterator[Difference]:
    found = stated.get((kind, limit.seconds))
    if found is None:
        seen: JsonValue = [{"type": one, "seconds": seconds, "limit": most} for (one, seconds), most in stated.items()]
        wanted: JsonValue = {"limit": limit.limit, "seconds": limit.seconds}
        yield Difference("limit_missing", name, pool.name, wanted, seen)
    elif found != limit.limit:
        yield Difference("limit_changed", name, pool.name, limit.limit, found)


def announced(row: JsonValue) -> tuple[str, str, int, int] | None:
    """Type, interval, number of intervals and limit of a row, where it has them all."""
    if not isinstance(row, dict):
        return None
    kind, unit, number, limit = (row.get(key) for key in ("rateLimitType", "interval", "intervalNum", "limit"))
    if not isinstance(kind, str) or not isinstance(unit, str) or unit not in INTERVAL_SECONDS:
        return None
    if not isinstance(number, int) or not isinstance(limit, int):
        return None
    return kind, unit, number, limit


def symbol_differences(symbols: SymbolsSpec, rows: Sequence[Mapping[str, JsonValue]]) -> Iterator[Difference]:
    """A symbol that the client would refuse unsent."""
    pattern = re.compile(symbols.pattern)
    for row in rows:
        name = row.get("symbol")
        if isinstance(name, str) and not pattern.fullmatch(name):
            yield Difference("symbol_form_changed", "symbols[].symbol", "", symbols.pattern, name, symbols.uncertain)
            return


# --------------------------------------------------------------------------------------- weight


def used_weight(pool: PoolSpec, headers: Headers) -> int | None:
    """The server's count for the window of the spec; None where it tells none."""
    for name in weight_headers(pool):
        told = headers.get(name)
        if told is not None and told.isdecimal():
            return int(told)
    return None


def weight_headers(pool: PoolSpec) -> list[str]:
    """Names that the header of the window may have: ``…-1M`` and ``…-60S`` are the same."""
    seconds = pool.limits["weight"].seconds
    labels = [f"{seconds // length}{unit}" for unit, length in _UNITS if seconds % length == 0]
    return [pool.used_weight_header.replace("{interval}", label) for label in reversed(labels)]


def header_difference(pool: PoolSpec, headers: Headers) -> Difference:
    """The header with the used weight is not there."""
    like: list[JsonValue] = [name for name in headers if "weight" in name or "mbx" in name]
    return Difference("header_missing", weight_headers(pool)[0], pool.name, weight_headers(pool)[0], like)
