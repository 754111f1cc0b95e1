"""The comparison as a whole: every market that is there, its endpoints and its streams at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from pydantic import JsonValue

from binance_sdk._arguments import Arguments
from binance_sdk._core import AsyncCore
from binance_sdk._generated.environments import ENVIRONMENTS
from binance_sdk._generated.markets import MARKETS
from binance_sdk._runtime.market import Market
from binance_sdk._runtime.options import RequestOptions
from binance_sdk._settings import read_settings
from binance_sdk.errors import ConfigError, plain_number
from binance_sdk.verify.asking import Asker
from binance_sdk.verify.host_check import check_host
from binance_sdk.verify.listening import listen
from binance_sdk.verify.market_check import MarketCheck
from binance_sdk.verify.market_spec import MarketSpec, installed_spec
from binance_sdk.verify.plan import Call, LiveSymbols, example_symbols, plan
from binance_sdk.verify.promises import announced
from binance_sdk.verify.report import Collector, Report, Subject
from binance_sdk.verify.stream_promises import Chosen, choose, message_differences, own, strange_difference

LISTEN_SECONDS = 60.0
_OPTIONS = RequestOptions(max_retries=1, deadline=180.0)
"""A call may have to wait for the next minute, and not for ever."""
_MESSAGES = "the messages"
_SECONDS_A_REQUEST = 0.1

Progress = Callable[[str], None]
"""Called with what is about to be done."""


@dataclass(frozen=True, kw_only=True)
class VerifySettings:
    """Whom to ask, and for what.

    Attributes:
        environment: Name of an environment; by default what a client uses.
        base_urls: Another REST host by market. Where any is given, only those markets are compared.
        stream_urls: Another stream host by market.
        only: Pattern of the operations and streams to compare, with ``*``, e.g. ``spot.*`` or ``*.klines``.
        listen_seconds: How long streams are listened to at most; 0 leaves them out.
        api_key: For the few endpoints that want one; by default ``BINANCE_API_KEY``.
        specs: What to compare with, by market; by default what this version was generated from.
    """

    environment: str | None = None
    base_urls: Mapping[Market, str] = field(default_factory=dict[Market, str])
    stream_urls: Mapping[Market, str] = field(default_factory=dict[Market, str])
    only: str = "*"
    listen_seconds: float = LISTEN_SECONDS
    api_key: str | None = None
    specs: Mapping[Market, MarketSpec] | None = None

    def spec(self, market: Market) -> MarketSpec:
        """What a market is compared with."""
        return installed_spec(market) if self.specs is None else self.specs[market]

    def chosen(self, market: Market, names: Mapping[str, object]) -> list[str]:
        """Those names of a market that are asked for."""
        return [name for name in names if fnmatchcase(f"{market}.{name}", self.only)]


@dataclass(frozen=True)
class DryRun:
    """What a comparison would do.

    Attributes:
        calls: How many requests, by market.
        weight: What they cost, by pool.
        streams: How many streams, by market.
        seconds: About how long it takes, where an answer takes a tenth of a second.
    """

    calls: Mapping[Market, int]
    weight: Mapping[str, int]
    streams: Mapping[Market, int]
    seconds: float


def dry_run(settings: VerifySettings) -> DryRun:
    """What ``verify`` would do; nothing is sent.

    Raises:
        ConfigError: a setting is wrong, or the pattern fits nothing.
    """
    core = _core(settings)
    calls: dict[Market, int] = {}
    weight: dict[str, int] = {}
    streams: dict[Market, int] = {}
    requests: dict[str, int] = {}
    for market in _markets(settings, core):
        spec = settings.spec(market)
        names = settings.chosen(market, spec.operations)
        planned = list(plan(spec, example_symbols(spec), names))
        measured = sum(call.purpose != "mistake" for call in planned)
        paged = [call for call in planned if call.pages]
        hosts = len(core.settings.urls[market].base_urls) - 1
        calls[market] = len(planned) + measured + len(paged) + 1 + (hosts if names else 0)
        pool = spec.pool
        cost = sum(call.weight for call in (*planned, *paged)) + measured
        weight[pool.name] = weight.get(pool.name, 0) + cost
        requests[pool.name] = requests.get(pool.name, 0) + calls[market]
        streams[market] = len(settings.chosen(market, spec.streams)) if settings.listen_seconds else 0
    listening = settings.listen_seconds if any(streams.values()) else 0.0
    asking = _SECONDS_A_REQUEST * max(requests.values(), default=0)
    return DryRun(calls, weight, streams, max(listening, asking))


async def verify(settings: VerifySettings, progress: Progress = lambda text: None) -> Report:
    """Compare an exchange with the spec.

    What cannot be compared is in ``Report.not_judged`` with its reason: no network, a location that is refused, a
    symbol that is gone, a market without trades. It is never a finding, and never raised.

    Raises:
        ConfigError: a setting is wrong, or the pattern fits nothing.
    """
    core = _core(settings)
    try:
        return await _Run(core, settings, progress).run()
    finally:
        await core.close()


def _core(settings: VerifySettings) -> AsyncCore:
    given: dict[str, Any] = {"environment": settings.environment, "api_key": settings.api_key}
    given |= {f"{market}_base_url": url for market, url in settings.base_urls.items()}
    given |= {f"{market}_stream_url": url for market, url in settings.stream_urls.items()}
    return AsyncCore(read_settings(Arguments(**given)), None)


def _markets(settings: VerifySettings, core: AsyncCore) -> list[Market]:
    """Those that have a host and something that is asked for.

    Raises:
        ConfigError: there is none.
    """
    given = [market for market in MARKETS if market in settings.base_urls or market in settings.stream_urls]
    found = [
        market
        for market in given or core.settings.urls
        if market in core.settings.urls
        and (settings.specs is None or market in settings.specs)
        and (
            settings.chosen(market, settings.spec(market).operations)
            or settings.chosen(market, settings.spec(market).streams)
        )
    ]
    if not found:
        raise ConfigError(
            f"only={settings.only!r} fits no operation and no stream of the markets asked; write it like 'spot.*' or "
            "'*.klines'"
        )
    return found


class _Run:
    """One comparison."""

    def __init__(self, core: AsyncCore, settings: VerifySettings, progress: Progress) -> None:
        self._core = core
        self._settings = settings
        self._progress = progress
        self._collector = Collector()
        self._heard: set[str] = set()

    async def run(self) -> Report:
        clock = self._core.clock
        began = clock.monotonic()
        markets = _markets(self._settings, self._core)
        checks = {market: self._check(market) for market in markets}
        pools: dict[str, list[MarketCheck]] = {}
        for check in checks.values():
            pools.setdefault(check.spec.pool.name, []).append(check)
        # Markets of one pool follow each other, as what one spends would be taken for what a call of the other costs.
        async with asyncio.TaskGroup() as group:
            for together in pools.values():
                group.create_task(self._one_after_the_other(together))
        for check in checks.values():
            check.finish()
        return Report(
            findings=self._collector.findings(),
            not_judged=self._collector.not_judged(),
            requests=sum(check.requests for check in checks.values()),
            weight={market: check.weight for market, check in checks.items()},
            operations=sum(len(check.answered) for check in checks.values()),
            streams=len(self._heard),
            seconds=clock.monotonic() - began,
        )

    def _check(self, market: Market) -> MarketCheck:
        attempts = self._core.engine.attempts
        first = next(iter(ENVIRONMENTS.values()))
        environment = ENVIRONMENTS.get(attempts.markets[market].environment)
        return MarketCheck(
            spec=self._settings.spec(market),
            asker=Asker(self._core.engine, market, _OPTIONS),
            collector=self._collector,
            own_limits=environment is None or environment.pool == first.pool,
            has_key=attempts.api_key is not None,
        )

    async def _one_after_the_other(self, checks: Sequence[MarketCheck]) -> None:
        async with asyncio.TaskGroup() as group:
            for check in checks:
                market = check.spec.market
                reason = await check.learn_symbols()
                self._learn_limits(market, check.limits)
                if reason:
                    self._skip_all(check, reason)
                    continue
                if self._settings.listen_seconds:
                    group.create_task(self._listen(check.spec, check.live, await self._listed(check)))
                names = self._settings.chosen(market, check.spec.operations)
                for url in self._core.settings.urls[market].base_urls[1:]:
                    check.requests += await check_host(check.spec, url, self._collector) if names else 0
                for call in plan(check.spec, check.live, names):
                    if self._serves(call):
                        self._progress(f"{market}.{call.name}")
                        await check.check(call)

    def _serves(self, call: Call) -> bool:
        """Whether the environment has the operation at all; a host that was given may have any."""
        environment = self._core.settings.environment
        return bool(self._settings.base_urls) or not environment or environment in call.operation.hosts

    def _skip_all(self, check: MarketCheck, reason: str) -> None:
        market, spec = check.spec.market, check.spec
        for name in self._settings.chosen(market, spec.operations):
            self._collector.skip(Subject(about="operation", market=market, name=name), "the answer", reason)
        for name in self._settings.chosen(market, spec.streams):
            self._collector.skip(Subject(about="stream", market=market, name=name), _MESSAGES, reason)

    def _learn_limits(self, market: Market, rows: Sequence[JsonValue]) -> None:
        """Keep to the limits in force, as every client does: those of the spec may be too high."""
        told = [limit for row in rows if (limit := announced(row)) is not None]
        if told:
            pool = self._core.engine.attempts.markets[market].pool
            pool.learn_limits(told, self._core.clock.monotonic(), market=market)

    # -------------------------------------------------------------------------------- streams

    async def _listed(self, check: MarketCheck) -> dict[str, str]:
        """What the streams take that are of something else than what is traded, by the operation that lists it."""
        streams = [check.spec.streams[name] for name in self._settings.chosen(check.spec.market, check.spec.streams)]
        names = {parameter.listed_by for stream in streams for parameter in stream.parameters.values()}
        found = {name: await check.first_listed(name) for name in names if name}
        return {name: symbol for name, symbol in found.items() if symbol is not None}

    async def _listen(self, spec: MarketSpec, live: LiveSymbols, listed: Mapping[str, str]) -> None:
        routes: dict[str, list[str]] = {}
        for name in self._settings.chosen(spec.market, spec.streams):
            routes.setdefault(spec.streams[name].route, []).append(name)
        async with asyncio.TaskGroup() as group:
            for route, names in routes.items():
                chosen = {name: choose(spec.streams[name], live, listed) for name in names}
                group.create_task(self._listen_to(spec, route, chosen))

    async def _listen_to(self, spec: MarketSpec, route: str, chosen: Mapping[str, Chosen]) -> None:
        market = spec.market
        wanted = {one.name: one.wanted for one in chosen.values()}
        self._progress(f"{market}: {len(wanted)} streams")
        context = self._core.stream_context()
        try:
            heard = await listen(context, market, route, wanted, self._settings.listen_seconds)
        finally:
            await context.connector.aclose()
        for name, one in chosen.items():
            subject = Subject(about="stream", market=market, name=name, arguments=one.parameters)
            messages = own(spec.streams[name], heard.messages.get(one.name, []))
            if one.name in heard.refused:
                said = strange_difference(heard.refused[one.name])
                refused = type(said)("stream_refused", "", "", one.name, said.seen, spec.streams[name].uncertain)
                self._collector.add(subject.finding(refused, "connection"))
            elif messages:
                self._heard.add(subject.id)
                for difference in message_differences(spec, spec.streams[name], one, messages):
                    self._collector.add(subject.finding(difference, "message"))
            else:
                because = heard.failed or f"it said nothing in {plain_number(round(heard.seconds, 1))} s"
                self._collector.skip(subject, _MESSAGES, because)
        if heard.strange and chosen:
            subject = Subject(about="stream", market=market, name=next(iter(chosen)))
            self._collector.add(subject.finding(strange_difference(heard.strange[0]), "message"))
