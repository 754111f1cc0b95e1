"""One pool and its side of a store, with replies as the script would give them; times are numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from binance_sdk._runtime.budget.ledger import Ledger, Need, Reservation, Ticket
from binance_sdk._runtime.budget.pool import Pool
from binance_sdk._runtime.budget.server_time import ServerTime
from binance_sdk._runtime.budget.shared.messages import Reply
from binance_sdk._runtime.budget.shared.pool_link import PoolLink
from binance_sdk._runtime.budget.shared.script import Script
from binance_sdk._runtime.budget.shared.status import StoreStatus
from binance_sdk._runtime.market import Limit, PoolLimits

WEIGHT, GROUP = "weight/60", "group/300"
START = 1_000_000.0 * 60


class _Store:
    changes = 0
    status = StoreStatus("connected", 0.0, "", 1)


def linked(share: float = 1.0) -> tuple[Pool, PoolLink]:
    link = PoolLink(Script("key"), share, lambda: None, lambda link: False, _Store())
    limits = PoolLimits("spot", Limit(6000, 60), {"group": Limit(500, 300)}, "x-mbx-used-weight-{interval}")
    time = ServerTime(START, START)
    # The clocks agree, and it is known how well.
    time.observe(START, 0.001, START, START)
    pool = Pool("spot", limits, time, Ledger(), link=link)
    link.attach(pool)
    pool.observe_time(START, 0.001, START, START)
    return pool, link


def asked(pool: Pool, link: PoolLink, amount: int, now: float, *, wake: Callable[[], None] = lambda: None) -> Ticket:
    found = pool.ledger.reserve(Reservation((Need(pool.gate, 1), Need(pool.weight, amount))), now, wake)
    assert isinstance(found, Ticket)
    link.ask(found, 0)
    return found


def reply(granted: str = "", now: float = START, **more: Any) -> Reply:
    taken = {WEIGHT: (1_000_000, 0, 0, 0, True)} if "1" in granted else {}
    told: dict[str, Any] = {
        "granted": granted,
        "short": {},
        "taken": taken,
        "used": {WEIGHT: 0, GROUP: 0},
        "table": None,
        "version": "v",
        "settled": 0,
        "doubted": False,
        "live": 8,
        "shares": 8.0,
        "now": f"{now:.6f}",
        "closed": 0.0,
        "banned": 0.0,
        "reason": "",
        "in_a_row": (0, 0, 0),
    }
    return Reply(**{**told, **more})


def table(**kinds: list[tuple[int, int]]) -> dict[str, Any]:
    return {kind: ("fixed" if kind == "weight" else "sliding", pairs) for kind, pairs in kinds.items()}
