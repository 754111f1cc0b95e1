"""One request: pick a host, wait for the budget, send, settle the cost, decode the answer or raise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from binance_sdk._runtime.answers.api_errors import api_error, called_with, deadline_text, holds_data, transport_error
from binance_sdk._runtime.answers.decode import decode, decode_good_rows, looks_whole
from binance_sdk._runtime.answers.shape_drift import ShapeWatch
from binance_sdk._runtime.budget.client_budget import ClientBudget
from binance_sdk._runtime.budget.ledger import Grant
from binance_sdk._runtime.budget.pool import Cost, Pool, WindowSnapshot
from binance_sdk._runtime.calls.gatekeeper import Gatekeeper, close_gate
from binance_sdk._runtime.calls.hosts import Host, MarketHosts
from binance_sdk._runtime.calls.notify import Notifier
from binance_sdk._runtime.calls.received_answer import ReceivedAnswer
from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.locks import cached_property
from binance_sdk._runtime.market import Market
from binance_sdk._runtime.operation import Catalogue, Operation, Variant
from binance_sdk._runtime.options import RequestOptions
from binance_sdk._runtime.response import Headers, Response
from binance_sdk._runtime.transport.decompression import ACCEPTED
from binance_sdk._runtime.transport.protocol import (
    FailureKind,
    PreparedRequest,
    RawResponse,
    Transport,
    TransportFailure,
)
from binance_sdk._runtime.weight import Arguments
from binance_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    BinanceError,
    ServerError,
)
from binance_sdk.events import BreakerChanged, RequestSent, ResponseReceived, RowSkipped

API_KEY = "X-MBX-APIKEY"
_DEFAULT_TIMEOUT = 10.0
_LATEST_MS = 10**13
"""Year 2286: a larger number is not a time in milliseconds, and may not fit into a float."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call that has passed every check, with its cost; nothing is sent yet."""

    operation: Operation[Any]
    given: Arguments
    variant: Variant[Any]
    cost: Cost
    target: str
    """Path and query."""
    late: bool = False
    """Whether the answer is decoded only when it is read."""


@dataclass(slots=True)
class _Sent:
    """A request that was sent, with what is needed to account for it."""

    prepared: Prepared
    market: MarketHosts
    host: Host
    grant: Grant | None
    before: WindowSnapshot | None
    at: float
    number: int

    @property
    def pool(self) -> Pool:
        return self.market.pool


@dataclass(frozen=True)
class Attempts:
    """Makes single attempts."""

    catalogue: Catalogue = field(repr=False)
    """Not in the repr: its hundreds of kilobytes would show in tracebacks with variables."""
    environment: str
    markets: Mapping[Market, MarketHosts]
    transport: Callable[[str], Transport]
    clock: Clock
    budget: ClientBudget | None
    notifier: Notifier
    api_key: str | None = field(repr=False)
    user_agent: str
    max_concurrency: int = 16

    @cached_property
    def shapes(self) -> ShapeWatch:
        """Where answers and messages were not what the spec says."""
        return ShapeWatch(self.notifier.tell_drift, lambda: self.notifier.in_callback)

    def gatekeepers(self) -> Mapping[Market, Gatekeeper]:
        """The gate of each market, for those who open connections of other kinds."""
        return {
            market: Gatekeeper(hosts.pool, self.catalogue, hosts.environment, self.notifier.notify)
            for market, hosts in self.markets.items()
        }

    async def once(
        self, prepared: Prepared, options: RequestOptions, number: int, deadline: float, failed: list[Host]
    ) -> Response[Any]:
        """One attempt; a host that failed is added to ``failed``.

        Raises:
            BinanceError: of any kind.
        """
        operation = prepared.operation
        market = self.markets[operation.market]
        host, allowed = market.pick(operation, failed, self.clock.monotonic())
        while allowed == "probe" and not await self._is_back(prepared, market, host, options, deadline):
            failed[:] = [*(other for other in failed if other is not host), host]
            host, allowed = market.pick(operation, failed, self.clock.monotonic())
        try:
            return await self._send(prepared, market, host, options, number, deadline)
        except (APIConnectionError, ServerError):
            if host not in failed:
                failed.append(host)
            raise

    async def _is_back(
        self, prepared: Prepared, market: MarketHosts, host: Host, options: RequestOptions, deadline: float
    ) -> bool:
        """Ask a host that was down whether it is back, with the cheapest request of the market."""
        catalogue = self.catalogue[prepared.operation.market]
        if catalogue.facts.probe is None:
            return True
        ping = catalogue.operations[catalogue.facts.probe]
        probe = Prepared(ping, {}, ping.variants[0], Cost(ping.price({}), ping.groups), ping.path)
        probe_options = RequestOptions(priority="high", wait=options.wait, timeout=options.timeout)
        try:
            await self._send(probe, market, host, probe_options, 1, deadline)
        except (APIConnectionError, ServerError):
            return False
        except BinanceError:
            # It answered with a refusal, or was not asked; the call itself will meet the same error.
            return True
        return True

    async def _send(
        self,
        prepared: Prepared,
        market: MarketHosts,
        host: Host,
        options: RequestOptions,
        number: int,
        deadline: float,
    ) -> Response[Any]:
        operation, pool = prepared.operation, market.pool
        self.transport(operation.id)
        grant = await self._permission(prepared, pool, options, deadline)
        # No call before ``try``: Ctrl-C is raised at calls, and whoever has the grant has to give it back.
        now, sent = 0.0, None
        try:
            now = self.clock.monotonic()
            url = host.base_url + prepared.target
            # Again, as the client may have been closed while this call waited.
            transport = self.transport(operation.id)
            timeout = min(options.timeout or _DEFAULT_TIMEOUT, deadline - now)
            if timeout <= 0:
                text = f"{operation.id}: its {deadline_text(options.deadline)} passed before it was sent"
                raise APITimeoutError(text, operation=operation.id)
            if self.notifier.has_listeners:
                self.notifier.notify(RequestSent(operation.id, url, prepared.cost.weight, number))
            request = PreparedRequest(url, self._headers(operation, options), timeout)
            sent = _Sent(prepared, market, host, grant, pool.begin(grant) if grant is not None else None, now, number)
            try:
                raw = await transport.send(request)
            except TransportFailure as failure:
                cut = timeout < (options.timeout or _DEFAULT_TIMEOUT)
                error = transport_error(operation, failure, url, options.deadline if cut else None)
                self._lost(sent, error, failure.kind)
                raise error from (failure.__cause__ or failure)
            return self._answered(sent, raw, url, skip=options.bad_rows == "skip")
        except BaseException:
            # Also for what is over already: Ctrl-C may have come meanwhile.
            if grant is not None:
                if sent is None:
                    pool.ledger.refund(grant, now or self.clock.monotonic())
                else:
                    # Cancelled after sending began: the server may have charged it.
                    self._lost_count(sent)
            raise

    async def _permission(
        self, prepared: Prepared, pool: Pool, options: RequestOptions, deadline: float
    ) -> Grant | None:
        if self.budget is None:
            return None
        return await self.budget.acquire(
            prepared.operation.id,
            pool,
            prepared.cost,
            priority=options.priority or "normal",
            wait=options.wait is not False,
            deadline=deadline,
            # A call that waits for its hook keeps its slot, and no other slot may become free before the hook ends.
            beyond_concurrency=self.notifier.in_callback,
        )

    @cached_property
    def _own_headers(self) -> Mapping[str, str]:
        return {"Accept": "application/json", "Accept-Encoding": ACCEPTED, "User-Agent": self.user_agent}

    def _headers(self, operation: Operation[Any], options: RequestOptions) -> Mapping[str, str]:
        headers = {**self._own_headers, **options.headers} if options.headers else self._own_headers
        if self.api_key and operation.security != "none":
            return {**headers, API_KEY: self.api_key}
        return headers

    # ------------------------------------------------------------------------- afterwards

    def _lost(self, sent: _Sent, error: BinanceError, kind: FailureKind) -> None:
        now = self.clock.monotonic()
        unsent = kind in ("connect", "local", "setup")
        if sent.grant is not None:
            if unsent:
                sent.pool.ledger.refund(sent.grant, now)
            else:
                self._lost_count(sent)
        if isinstance(error, APIConnectionError) and kind != "local":
            self._judge_host(sent.host, ok=False, now=now)
        self._notify_ended(sent, None, error, None, now, unsent=unsent)

    def _lost_count(self, sent: _Sent) -> None:
        """Settle without an answer: the server may have counted the request, or may count it later."""
        if sent.grant is not None:
            sent.pool.finish(sent.grant, sent.before, None, self.clock.monotonic(), answered=False)

    def _settle(self, sent: _Sent, reported: int | None, headers: Headers) -> int | None:
        if sent.grant is None:
            return None
        pool = sent.pool
        others = pool.reported_others(headers) if pool.other_weights and reported is not None else None
        return pool.finish(sent.grant, sent.before, reported, self.clock.monotonic(), others=others)

    def _answered(self, sent: _Sent, raw: RawResponse, url: str, *, skip: bool) -> Response[Any]:
        operation, pool = sent.prepared.operation, sent.pool
        now = self.clock.monotonic()
        reported = pool.reported(raw.headers)
        pool.observe_date(raw.headers, sent.at, now)
        trusted = reported if operation.used_weight_header == "trusted" else None
        error = None
        if not holds_data(raw):
            now_ms = round(pool.time.now(now) * 1000)
            given = called_with(operation, sent.prepared.given)
            error = api_error(operation.id, raw, self.catalogue, sent.market.environment, now_ms, given)
        if error is not None:
            # Before the request is settled, as that lets the next one go.
            close_gate(pool, error, sent.at, now, self.notifier.notify)
        taken = self._settle(sent, trusted, raw.headers)
        self._judge_host(sent.host, ok=not isinstance(error, ServerError), now=now)
        try:
            if error is not None:
                raise error
            answer, skipped = self.answer(sent.prepared, raw, skip=skip)
        except BinanceError as failure:
            self._notify_ended(sent, raw.status_code, failure, reported, now)
            raise
        pool.gate.passed(sent.at)
        if taken is not None:
            self._watch_drift(sent, taken)
        if operation.teaches is not None:
            self._learn_time(sent, answer.data, now)
            self.learn_limits(sent.prepared, answer.data)
        self._notify_ended(sent, raw.status_code, None, reported, now)
        return Response(
            answer=answer,
            status_code=raw.status_code,
            headers=raw.headers,
            content=raw.content,
            weight=sent.prepared.cost.weight,
            used_weight=reported,
            url=url,
            elapsed=now - sent.at,
            retries=sent.number - 1,
            skipped=skipped,
        )

    def answer(self, prepared: Prepared, raw: RawResponse, *, skip: bool) -> tuple[ReceivedAnswer[Any], int]:
        """The answer, and how many of its rows were skipped.

        Raises:
            DecodeError: it is not what the spec says.
        """
        operation, variant = prepared.operation, prepared.variant
        if skip:
            data, bad = decode_good_rows(operation, variant, raw, self.shapes)
            for skipped in bad:
                self.notifier.notify(RowSkipped(operation.id, skipped.row, skipped.problem))
            return ReceivedAnswer(operation.id, variant.type, raw.content, data=data), len(bad)
        # A body that is torn is told at once, as another attempt may bring a whole one.
        if prepared.late and operation.teaches is None and looks_whole(raw.content):
            decoding = partial(decode, operation, variant, raw, self.shapes)
            return ReceivedAnswer(operation.id, variant.type, raw.content, decoding), 0
        data = decode(operation, variant, raw, self.shapes)
        return ReceivedAnswer(operation.id, variant.type, raw.content, data=data), 0

    def _judge_host(self, host: Host, *, ok: bool, now: float) -> None:
        if host.breaker.record(ok, now):
            self.notifier.notify(BreakerChanged(host.breaker.host, host.breaker.state))

    def _watch_drift(self, sent: _Sent, taken: int) -> None:
        drift = sent.pool.drift.observe(sent.prepared.operation.id, sent.prepared.cost.weight, taken)
        if drift is not None:
            self.notifier.tell_drift(drift)

    def _learn_time(self, sent: _Sent, data: object, now: float) -> None:
        """Take the server time from an answer that holds it."""
        teaches = sent.prepared.operation.teaches
        if teaches is not None and teaches.time is not None:
            told: int = getattr(data, teaches.time)
            if told < _LATEST_MS:
                sent.pool.observe_time(told / 1000, 0.001, sent.at, now)

    def learn_limits(self, prepared: Prepared, data: object) -> None:
        """Take the limits in force from an answer that holds them."""
        teaches, market = prepared.operation.teaches, prepared.operation.market
        if teaches is not None and teaches.limits is not None:
            rows = [
                (row.rate_limit_type, row.interval, row.interval_num, row.limit)
                for row in getattr(data, teaches.limits)
            ]
            now = self.clock.monotonic()
            self.markets[market].pool.learn_limits(rows, now, market=market, least=prepared.cost.weight)

    def _notify_ended(
        self,
        sent: _Sent,
        status: int | None,
        error: BinanceError | None,
        reported: int | None,
        now: float,
        *,
        unsent: bool = False,
    ) -> None:
        notifier = self.notifier
        if not notifier.watchers and not notifier.has_listeners:
            return
        outcome = "ok" if error is None else type(error).__name__
        name, elapsed = sent.prepared.operation.id, now - sent.at
        weight = 0 if unsent else sent.prepared.cost.weight
        for watcher in notifier.watchers:
            watcher.ended(name, outcome, elapsed, weight)
        if notifier.has_listeners:
            notifier.notify(ResponseReceived(name, status, outcome, reported, elapsed, sent.number, weight))
