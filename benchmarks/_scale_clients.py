"""Thousands of clients in one process: the real queue, windows and messages of each, without the HTTP between them.

Started as ``python -m benchmarks._scale_clients '<json>'``; it prints a line when it is ready, begins with the first
line on stdin, and prints its figures at the end. The exchange is another Valkey that counts what arrives.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import redis
from pydantic_core import to_json
from redis.exceptions import NoScriptError

from binance_sdk._runtime.budget.ledger import Grant, Ledger, Need, Reservation, Ticket
from binance_sdk._runtime.budget.pool import Cost, Pool
from binance_sdk._runtime.budget.server_time import ServerTime
from binance_sdk._runtime.budget.shared.messages import Reply, read_reply
from binance_sdk._runtime.budget.shared.pool_link import PoolLink
from binance_sdk._runtime.budget.shared.script import Script, pool_key
from binance_sdk._runtime.budget.shared.status import StoreStatus
from binance_sdk._runtime.market import Limit, PoolLimits

JUDGE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6 + tonumber(ARGV[2])
local key = KEYS[1] .. '/' .. math.floor(now / tonumber(ARGV[3]))
return {redis.call('INCRBY', key, ARGV[1]), string.format('%.6f', now)}
"""
"""The exchange: it counts the weight of one IP address in the window that runs by its own clock."""

_WEIGHTS = (1, 1, 2, 2, 4, 5, 10, 20, 20, 50)
_LATENCY = 0.02, 0.08
_AT_ONCE = 64


class _Unused:
    changes = 0
    status = StoreStatus("unused", 0.0, "", 0)


@dataclass
class _Client:
    """One consumer with one call after the other."""

    number: int
    ip: str
    pool: Pool
    link: PoolLink
    cost: Cost = field(default_factory=lambda: Cost(0, ()))
    message: bytes = b""
    spent: int = 0
    queued: bool = False
    looks_at: float = float("inf")


class _Clients:
    def __init__(self, store: int, judge: int, ips: list[str], clients: int, limit: int, seconds: int, skew: float):
        self._store, self._judge = redis.Redis(port=store), redis.Redis(port=judge)
        self._limit, self._seconds, self._skew = limit, seconds, skew
        self._counting = self._judge.script_load(JUDGE)
        self._ready: deque[_Client] = deque()
        self._timers: list[tuple[float, int, _Client]] = []
        self._under_way: list[tuple[float, int, _Client, Grant, Any]] = []
        self._numbers = itertools.count()
        self._draw = random.Random(store)
        self.messages = self.calls = self.refused = 0
        self.clients = [self._client(number, ips[number % len(ips)]) for number in range(clients)]

    def _client(self, number: int, ip: str) -> _Client:
        limits = PoolLimits("spot", Limit(self._limit, self._seconds), {}, "x-mbx-used-weight-{interval}")
        link = PoolLink(Script(pool_key(ip, "spot")), 1.0, lambda: self._wake(client), lambda link: False, _Unused())
        pool = Pool("spot", limits, ServerTime(time.time(), time.monotonic()), Ledger(), link=link)
        link.attach(pool)
        client = _Client(number, ip, pool, link)
        return client

    def _wake(self, client: _Client) -> None:
        if not client.queued:
            client.queued = True
            self._ready.append(client)

    # -------------------------------------------------------------------------- a call

    def _call(self, client: _Client, now: float) -> None:
        client.cost = Cost(self._draw.choice(_WEIGHTS), ())
        needs = [Need(client.pool.gate, 1)]
        needs += [Need(window, amount) for window, amount in client.pool.charges(client.cost)]
        found = client.pool.ledger.reserve(Reservation(tuple(needs), operation="call"), now, lambda: None)
        assert isinstance(found, Ticket)
        found.wake = lambda: self._granted(client, found)
        client.link.ask(found, 0)

    def _granted(self, client: _Client, ticket: Ticket) -> None:
        if ticket.grant is not None:
            arrives = time.monotonic() + self._draw.uniform(*_LATENCY)
            before = client.pool.begin(ticket.grant)
            heapq.heappush(self._under_way, (arrives, next(self._numbers), client, ticket.grant, before))

    def _arrive(self, now: float) -> bool:
        """Requests reach the exchange, and are answered."""
        found: list[tuple[_Client, Grant, Any]] = []
        while self._under_way and self._under_way[0][0] <= now and len(found) < _AT_ONCE:
            found.append(heapq.heappop(self._under_way)[2:])
        if not found:
            return False
        with self._judge.pipeline(transaction=False) as pipe:
            for client, _, _ in found:
                pipe.evalsha(self._counting, 1, client.ip, client.cost.weight, self._skew, self._seconds)
            sent = time.monotonic()
            answers: list[Any] = pipe.execute()
        received = time.monotonic()
        for (client, grant, before), (count, told) in zip(found, answers, strict=True):
            self.calls += 1
            self.refused += count > self._limit
            client.spent += client.cost.weight
            client.pool.observe_time(float(told), 0.001, sent, received)
            client.pool.finish(grant, before, count, received)
            self._call(client, received)
            self._plan(client, received)
        return True

    # ------------------------------------------------------------------------- messages

    def _plan(self, client: _Client, now: float) -> None:
        """Look at the client again when it has something to say."""
        due = client.link.due(now)
        if due <= now:
            self._wake(client)
        elif due < client.looks_at:
            client.looks_at = due
            heapq.heappush(self._timers, (due, next(self._numbers), client))

    def _speak(self, now: float) -> bool:
        while self._timers and self._timers[0][0] <= now:
            client = heapq.heappop(self._timers)[2]
            client.looks_at = float("inf")
            self._wake(client)
        told: list[_Client] = []
        with self._store.pipeline(transaction=False) as pipe:
            while self._ready and len(told) < _AT_ONCE:
                client = self._ready.popleft()
                client.queued = False
                message = client.link.message(now)
                if message is None:
                    self._plan(client, now)
                    continue
                told.append(client)
                client.message = to_json(message)
                pipe.evalsha(client.link.script.sha, 1, client.link.script.key, client.message)
            if not told:
                return False
            sent = time.monotonic()
            answers: list[Any] = pipe.execute(raise_on_error=False)
        for client, answer in zip(told, answers, strict=True):
            self._take(client, answer, sent)
        self.messages += len(told)
        return True

    def _take(self, client: _Client, answer: Any, sent: float) -> None:
        script = client.link.script
        if isinstance(answer, NoScriptError):
            answer = self._store.eval(script.text, 1, script.key, client.message, "loaded")
        if isinstance(answer, Exception):
            raise answer
        reply = read_reply(answer)
        now = time.monotonic()
        if isinstance(reply, Reply):
            client.link.apply(reply, sent, now)
            self._plan(client, now)
        else:
            client.link.forgotten()
            self._wake(client)

    def run(self, seconds: float) -> None:
        begun = now = time.monotonic()
        for client in self.clients:
            self._call(client, now)
        while now < begun + seconds:
            busy = self._speak(now)
            busy = self._arrive(time.monotonic()) or busy
            now = time.monotonic()
            if not busy and not self._ready:
                nexts = [queue[0][0] for queue in (self._timers, self._under_way) if queue]
                time.sleep(max(0.0, min([now + 0.05, *nexts]) - now))
                now = time.monotonic()


def main() -> None:
    settings: dict[str, Any] = json.loads(sys.argv[1])
    seconds = settings.pop("run_for")
    clients = _Clients(**settings)
    print("ready", flush=True)
    sys.stdin.readline()
    begun = time.process_time()
    clients.run(seconds)
    report = {
        "messages": clients.messages,
        "calls": clients.calls,
        "refused": clients.refused,
        "cpu": time.process_time() - begun,
        "spent": [client.spent for client in clients.clients],
    }
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
