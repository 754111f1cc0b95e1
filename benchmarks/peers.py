"""Streams and books beside another library's, where the peers' benchmark lies next to the checkout."""

from __future__ import annotations

import sys
from statistics import median
from typing import Any

from benchmarks import _peer_bench as bench
from benchmarks._figures import Figure, Target
from benchmarks._peer_bench import Peer
from benchmarks._peer_bench import version_of_the_peers as python_version

__all__ = ["python_version", "run"]

_PEERS = {
    "cryptofeed": Peer("cryptofeed", "cryptofeed_", ("cryptofeed>=3",)),
    "python-binance": Peer("python-binance", "python_binance", ("python-binance>=1.0.37",)),
}
_ROUNDS = 5
_SCALE = 4
"""80 000 messages; what is built at the first one is a part of it."""
_KINDS = {
    "aggTrade": ("aggTrade, typed", 1.3, ("cryptofeed",)),
    "bookTicker": ("bookTicker, typed", 1.3, ("cryptofeed",)),
    "book": ("order book", 3.0, ("cryptofeed", "python-binance")),
}
"""What each is called, how many times as fast ours shall be, and as which peers."""
_OURS = {"ours": "httpx", "ours_speed": "aiohttp"}


def run(options: Any) -> list[Figure]:
    python = bench.python_of_the_peers(options.peer_python)
    if why := bench.why_not(options):
        print(f"\npeers: left out, {why}", file=sys.stderr)
        return []
    assert python is not None
    made = bench.environments(python, list(_PEERS.values()))
    there = [peer.module for peer in _PEERS.values() if peer.name not in made.missing]
    ours = {name: bench.our_module(name, transport) for name, transport in _OURS.items()}
    rounds = bench.measured(made, ours, [*there, "floor_aiohttp"], rounds=_ROUNDS, scale=_SCALE, skip="import,rest")
    figures = [
        _figure(rounds, kind, name, peer)
        for kind, (_, _, peers) in _KINDS.items()
        for peer in peers
        if peer not in made.missing
        for name in _OURS
    ]
    return [*figures, bench.missing("peers", made)]


def _figure(rounds: list[dict[str, Any]], kind: str, name: str, peer: str) -> Figure:
    def rates(client: str) -> list[float]:
        return [round_[client]["ws"]["kinds"][kind]["msg_per_cpu_s"] for round_ in rounds]

    ours, theirs = rates(name), rates(_PEERS[peer].module)
    ratio = median(mine / other for mine, other in zip(ours, theirs, strict=True))
    what, bound, _ = _KINDS[kind]
    shown = f"{what}, over {'websockets' if _OURS[name] == 'httpx' else 'aiohttp'}, beside {peer}"
    note = f"{20_000 * _SCALE} messages of a server in a process of its own, {_ROUNDS} rounds; floor: {peer}"
    return Figure("peers", shown, median(ours), "/s", median(theirs), ratio, Target("≥", bound, "ratio"), note)
