"""CPU of REST calls and of imports beside other libraries, where the peers' benchmark lies next to the checkout.

Every library asks the same server for the same bytes; the number of rows and a price of each answer are compared with
them. Ours asks with ``budget=False``, as the server counts the calls of all of them as those of one address.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks import _peer_bench as bench
from benchmarks._figures import Figure, Target
from benchmarks._peer_bench import Peer
from benchmarks._peer_bench import version_of_the_peers as python_version

__all__ = ["python_version", "run"]

_OFFICIAL = Peer(
    "the official SDK", "binance_sdk", ("binance-sdk-spot>=13", "binance-sdk-derivatives-trading-usds-futures>=18")
)
_PEERS = (
    Peer("ccxt", "ccxt_unified", ("ccxt>=4.5.90",)),
    _OFFICIAL,
    Peer("nautilus_trader", "nautilus", ("nautilus-trader>=1.231",)),
    Peer("openxapi", "openxapi_", ("openxapi-binance>=0.3",), alone=True),
)
_UNTYPED = {("klines", _OFFICIAL.name), ("fapi_klines", _OFFICIAL.name)}
"""Lists of lists, as ``json`` gives them."""
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class _Cell:
    """One operation.

    Args:
        name: What figures call it.
        calls: Measured in a round.
        most: How many times what msgspec takes ours may take over aiohttp.
    """

    name: str
    calls: int
    most: float


_ROWS, _OBJECTS = 1.2, 2.7
_CELLS: Mapping[str, _Cell] = {
    "klines": _Cell("1000 klines", 40, _ROWS),
    "depth": _Cell("depth of 2 × 1000 levels", 40, _ROWS),
    "depth100": _Cell("depth of 2 × 100 levels", 100, _ROWS),
    "trades": _Cell("1000 trades", 40, _OBJECTS),
    "tickers": _Cell("3500 tickers of 24 hours", 8, _OBJECTS),
    "exchange_info": _Cell("exchangeInfo of 1600 symbols", 5, _OBJECTS),
    "fapi_klines": _Cell("1000 klines of futures", 40, _ROWS),
    "premium_index": _Cell("620 premium indexes", 40, _OBJECTS),
}
_OURS = {"httpx": "ours", "aiohttp": "ours_speed"}
_MSGSPEC = {"httpx": "ref_httpx_msgspec", "aiohttp": "ref_aiohttp_msgspec"}
_OVER_AIOHTTP = """
import aiohttp

from clients.ref_httpx_msgspec import Bench as OverHttpx


class Bench(OverHttpx):
    label = "ref: aiohttp+msgspec typed"
    group = "reference"
    result_kind = "msgspec Struct, Decimal"
    imports = "import aiohttp, msgspec"
    dists = ("aiohttp", "msgspec")

    async def open(self):
        await super().open()
        await self.c.aclose()
        self.session = aiohttp.ClientSession()

    async def close(self):
        await self.session.close()

    async def _get(self, decoder, path, **params):
        async with self.session.get(self.http + path, params=params) as response:
            return decoder.decode(await response.read())
"""


def run(options: Any) -> list[Figure]:
    python = bench.python_of_the_peers(options.peer_python)
    if why := bench.why_not(options):
        print(f"\npeers-rest: left out, {why}", file=sys.stderr)
        return []
    assert python is not None
    made = bench.environments(python, _PEERS, ("msgspec",))
    ours = {name: bench.our_module(name, transport, budget=False) for transport, name in _OURS.items()}
    there = [peer for peer in _PEERS if peer.name not in made.missing]
    rounds = bench.measured(
        made,
        {**ours, _MSGSPEC["aiohttp"]: _OVER_AIOHTTP},
        [_MSGSPEC["httpx"], *(peer.module for peer in there)],
        rounds=_ROUNDS,
        skip="ws",
        calls={operation: (cell.calls, 0) for operation, cell in _CELLS.items()},
    )
    return [*figures(rounds, there), bench.missing("peers-rest", made)]


def figures(rounds: list[dict[str, Any]], peers: list[Peer]) -> list[Figure]:
    """Each cell over both transports beside each library that offers it, and the import."""
    found: list[Figure] = []
    for transport in _OURS:
        for peer in peers:
            for operation, cell in _CELLS.items():
                judged = transport == "httpx" and (operation, peer.name) not in _UNTYPED
                less = Target("<", 1.0, "ratio") if judged else None
                name = f"{cell.name}, over {transport}, beside {peer.name}"
                found += _cell(rounds, operation, name, _OURS[transport], peer.module, less)
        for operation, cell in _CELLS.items():
            within = Target("≤", cell.most, "ratio") if transport == "aiohttp" else None
            name = f"{cell.name}, over {transport}, beside msgspec"
            found += _cell(rounds, operation, name, _OURS[transport], _MSGSPEC[transport], within)
    if _OFFICIAL in peers:
        found.append(_import(rounds))
    return found


def _cell(
    rounds: list[dict[str, Any]], operation: str, name: str, ours: str, theirs: str, target: Target | None
) -> list[Figure]:
    """The figure, or nothing where the other one has no such call."""

    def cpu(client: str) -> list[float]:
        cells = [round_[client]["rest"]["ops"].get(operation) for round_ in rounds]
        return [cell["cpu_ms"] for cell in cells if cell is not None]

    mine, other = cpu(ours), cpu(theirs)
    if not other:
        return []
    ratio = median(one / another for one, another in zip(mine, other, strict=True))
    note = f"CPU of the client, one call after the other, budget off, {_ROUNDS} rounds"
    return [Figure("peers-rest", name, median(mine), "ms CPU", median(other), ratio, target, note)]


def _import(rounds: list[dict[str, Any]]) -> Figure:
    def cpu(client: str) -> list[float]:
        return [median(one["cpu_ms"] for one in round_[client]["import"]) for round_ in rounds]

    mine, other = cpu("ours"), cpu(_OFFICIAL.module)
    ratio = median(one / another for one, another in zip(mine, other, strict=True))
    note = "import binance_sdk; theirs: the modules of spot and of futures"
    quarter = Target("<", 0.25, "ratio")
    return Figure(
        "peers-rest", "import beside the official SDK", median(mine), "ms CPU", median(other), ratio, quarter, note
    )
