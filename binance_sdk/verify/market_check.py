"""Compares one market: asks its endpoints one after the other, and judges each answer and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from binance_sdk._runtime.weight import ArgumentValue
from binance_sdk.verify.asking import Asker, NoReply, Reply
from binance_sdk.verify.compare import Comparison, Difference
from binance_sdk.verify.finding import Where
from binance_sdk.verify.market_spec import MarketSpec, OperationSpec, PagingSpec
from binance_sdk.verify.metering import Meter
from binance_sdk.verify.plan import Call, LiveSymbols, example_symbols, live_symbols
from binance_sdk.verify.promises import (
    header_difference,
    key_of,
    limit_differences,
    not_json,
    order_differences,
    page_differences,
    refusal_differences,
    rows_of,
    symbol_differences,
    used_weight,
)
from binance_sdk.verify.report import Collector, Subject

_KEY_CODES = (-2014, -2015)
_GONE = 404
_ANSWER, _WEIGHT, _PAGE = "the answer", "the weight", "the size of a page"


@dataclass
class MarketCheck:
    """One market while it is compared.

    Attributes:
        spec: What it should be.
        asker: Asks it.
        collector: Gets what is found.
        own_limits: Whether the limits in force have to be those of the spec; test exchanges have some of their own.
        has_key: Whether there is an API key.
        live: What trades, after ``learn_symbols``.
        answered: Names of the operations that answered.
        requests: How many were made.
        weight: What they cost by the spec.
    """

    spec: MarketSpec
    asker: Asker
    collector: Collector
    own_limits: bool
    has_key: bool
    live: LiveSymbols = field(init=False)
    answered: set[str] = field(default_factory=set[str])
    requests: int = 0
    weight: int = 0
    limits: list[JsonValue] = field(default_factory=list[JsonValue])
    _meter: Meter = field(init=False)
    _shapes: dict[tuple[str, int], tuple[Comparison, Subject]] = field(
        default_factory=dict[tuple[str, int], tuple[Comparison, Subject]]
    )
    _names: dict[tuple[str, str], list[str]] = field(default_factory=dict[tuple[str, str], list[str]])
    _gone: dict[str, tuple[Subject, Difference]] = field(default_factory=dict[str, tuple[Subject, Difference]])
    _refused: set[tuple[str, int, int | None]] = field(default_factory=set[tuple[str, int, int | None]])
    """Names of operations with the errors that their plainest calls got: what is wrong there shows in no other."""
    _served: bool = False
    _headers_told: bool = False

    def __post_init__(self) -> None:
        self._meter = Meter(self.spec, self._ask)

    async def learn_symbols(self) -> str:
        """Find out what trades; returns why nothing can be asked there, or nothing.

        Where only that is not told, the symbols of the spec's examples are asked for.
        """
        self.live = example_symbols(self.spec)
        symbols = self.spec.symbols
        operation = self.spec.operations.get(symbols.described_by) if symbols is not None else None
        if symbols is None or operation is None:
            return ""
        reply = await self._ask_besides(symbols.described_by, operation, {}, operation.price({}))
        if isinstance(reply, NoReply):
            return reply.because if reply.for_all or not await self._meter.answers() else ""
        try:
            body = reply.json()
        except ValueError:
            return ""
        rows = [row for row in rows_of(body, "symbols") if isinstance(row, dict)]
        self.limits = rows_of(body, operation.limits)
        self.live = live_symbols(symbols, rows) or self.live
        return ""

    async def first_listed(self, name: str) -> str | None:
        """The first symbol that the rows of an operation name; None where it names none."""
        operation = self.spec.operations[name]
        reply = await self._ask_besides(name, operation, {}, operation.price({}))
        if isinstance(reply, NoReply) or reply.refused:
            return None
        try:
            rows = rows_of(reply.json(), None)
        except ValueError:
            return None
        names = (row.get("symbol") for row in rows if isinstance(row, dict))
        return next((one for one in names if isinstance(one, str)), None)

    async def check(self, call: Call) -> None:
        """Make one call and judge it."""
        call = self._with_known_name(call)
        subject = self._subject(call)
        if call.operation.security == "api_key" and not self.has_key:
            self.collector.skip(subject, _ANSWER, "it wants an API key: pass one, or set BINANCE_API_KEY")
            return
        if call.purpose == "mistake":
            reply = await self._ask_besides(call.name, call.operation, call.arguments, call.weight)
            self._judge_mistake(call, subject, reply)
            return
        reply, taken = await self._meter.ask(call)
        value = self._judge(call, subject, reply)
        if value is None:
            return
        self._judge_weight(call, subject, taken)
        if isinstance(value.json, list):
            await self._judge_page(call, subject, value.json)

    def finish(self) -> None:
        """Judge what only all answers together tell."""
        for comparison, subject in self._shapes.values():
            for difference in comparison.differences():
                self._tell(subject, difference, "answer")
        for subject, difference in self._gone.values():
            if self._served:
                self._tell(subject, difference, "request")
            else:
                self.collector.skip(subject, _ANSWER, "no path of this market is served there")

    # ---------------------------------------------------------------------------------- asking

    async def _ask(
        self, name: str, operation: OperationSpec, arguments: Mapping[str, ArgumentValue], weight: int
    ) -> Reply | NoReply:
        self.requests += 1
        self.weight += weight
        reply = await self.asker.ask(name, operation, arguments, weight)
        self._served |= isinstance(reply, Reply) and not reply.refused
        return reply

    async def _ask_besides(
        self, name: str, operation: OperationSpec, arguments: Mapping[str, ArgumentValue], weight: int
    ) -> Reply | NoReply:
        """Ask without measuring what it costs."""
        self._meter.forget()
        return await self._ask(name, operation, arguments, weight)

    def _with_known_name(self, call: Call) -> Call:
        """The call with a name that a list of the same operation has shown, where it asks for another."""
        changed = {
            wire: known[0]
            for wire, value in call.arguments.items()
            if call.purpose != "mistake"
            and isinstance(value, str)
            and (known := self._names.get((call.name, wire)))
            and value not in known
        }
        if not changed:
            return call
        return Call(
            name=call.name,
            operation=call.operation,
            purpose=call.purpose,
            variant=call.variant,
            arguments={**call.arguments, **changed},
            weight=call.weight,
            parameter=call.parameter,
        )

    def _subject(self, call: Call) -> Subject:
        arguments: dict[str, JsonValue] = {
            name: value if isinstance(value, (int, str)) else [*value] for name, value in call.arguments.items()
        }
        variant = call.operation.returns[call.variant].variant
        return Subject(about="operation", market=self.spec.market, name=call.name, variant=variant, arguments=arguments)

    def _tell(self, subject: Subject, difference: Difference, where: Where) -> None:
        self.collector.add(subject.finding(difference, where))

    # --------------------------------------------------------------------------------- judging

    def _judge(self, call: Call, subject: Subject, reply: Reply | NoReply) -> _Value | None:
        """The JSON of an answer that is one, judged; None where there is none."""
        if isinstance(reply, NoReply):
            self.collector.skip(subject, _ANSWER, reply.because)
            return None
        if reply.refused:
            self._judge_refusal(call, subject, reply)
            return None
        self.answered.add(call.name)
        try:
            value = reply.json()
        except ValueError:
            self._tell(subject, not_json(reply.body), "answer")
            return None
        self._judge_header(call, subject, reply)
        self._shape(call, subject, value)
        for difference in order_differences(call.operation, value):
            self._tell(subject, difference, "answer")
        if call.operation.limits is not None:
            self._judge_limits(call, subject, value)
        return _Value(value)

    def _shape(self, call: Call, subject: Subject, value: JsonValue) -> None:
        comparison, _ = self._shapes.setdefault((call.name, call.variant), (Comparison(self.spec), subject))
        comparison.add(call.operation.returns[call.variant].type, value)
        if value == [] and call.purpose == "variant":
            self.collector.skip(subject, "the rows", "there are none, as in a market without them")
        for row in rows_of(value, None):
            if isinstance(row, dict):
                for wire, parameter in call.operation.parameters.items():
                    name = row.get(wire)
                    if parameter.type == "symbol" and isinstance(name, str) and wire not in call.arguments:
                        self._names.setdefault((call.name, wire), []).append(name)

    def _judge_refusal(self, call: Call, subject: Subject, reply: Reply) -> None:
        said: JsonValue = {"status": reply.status, "code": reply.code, "msg": reply.message}
        if 300 <= reply.status < 400:
            place = reply.headers.get("location", "")
            self._tell(subject, Difference("host_moved", "", "", call.operation.path, place), "host")
        elif reply.status == _GONE:
            gone = Difference("endpoint_gone", "", "", call.operation.path, reply.status)
            self._gone.setdefault(call.name, (subject, gone))
        elif reply.code in _KEY_CODES and call.operation.security != "none":
            self.collector.skip(subject, _ANSWER, f"the API key is not taken: {reply.message or reply.code}")
        elif reply.code in self._codes("unknown_symbol"):
            self.collector.skip(subject, _ANSWER, f"the symbol is not known there: {reply.message or reply.code}")
        elif reply.code in call.operation.errors or call.purpose == "empty":
            self.collector.skip(subject, _ANSWER, f"it is refused, as may be: {reply.message or reply.code}")
        elif (call.name, reply.status, reply.code) in self._refused:
            return
        elif call.purpose == "choice" and reply.code not in self._codes("unknown_choice"):
            self.collector.skip(subject, _ANSWER, f"there may be no such thing there: {reply.message or reply.code}")
        elif call.purpose == "edge" and call.parameter:
            bound = subject.arguments.get(call.parameter)
            uncertain = call.operation.parameters[call.parameter].uncertain
            self._tell(subject, Difference("bound_changed", call.parameter, "", bound, said, uncertain), "request")
        else:
            spec = subject.arguments.get(call.parameter)
            if call.purpose == "variant":
                self._refused.add((call.name, reply.status, reply.code))
            self._tell(
                subject, Difference("refused", call.parameter, "", spec, said, call.operation.uncertain), "request"
            )

    def _codes(self, mistake: str) -> tuple[int, ...]:
        known = self.spec.mistakes.get(mistake)
        return () if known is None else known.codes

    def _judge_mistake(self, call: Call, subject: Subject, reply: Reply | NoReply) -> None:
        what = f"the error for a mistake ({call.mistake})"
        if isinstance(reply, NoReply):
            self.collector.skip(subject, what, reply.because)
        elif reply.status == _GONE or 300 <= reply.status < 400:
            self._judge_refusal(call, subject, reply)
        elif reply.code in _KEY_CODES:
            self.collector.skip(subject, what, f"the API key is not taken: {reply.message or reply.code}")
        elif reply.refused and (call.name, reply.status, reply.code) in self._refused:
            self.collector.skip(subject, what, "calls without a mistake get the same error")
        else:
            for difference in refusal_differences(self.spec, call, reply):
                self._tell(subject, difference, "error")

    # ------------------------------------------------------------------------ limits and weight

    def _judge_limits(self, call: Call, subject: Subject, value: JsonValue) -> None:
        if not self.own_limits:
            self.collector.skip(subject, "the limits in force", "a test exchange has limits of its own")
        else:
            for difference in limit_differences(self.spec.pool, rows_of(value, call.operation.limits)):
                self._tell(subject, difference, "answer")
        symbols = self.spec.symbols
        if symbols is not None and call.name == symbols.described_by:
            rows = [row for row in rows_of(value, "symbols") if isinstance(row, dict)]
            for difference in symbol_differences(symbols, rows):
                self._tell(subject, difference, "answer")

    def _judge_header(self, call: Call, subject: Subject, reply: Reply) -> None:
        if call.operation.used_weight_header != "trusted" or self._headers_told:
            return
        if used_weight(self.spec.pool, reply.headers) is None:
            self._headers_told = True
            self._tell(subject, header_difference(self.spec.pool, reply.headers), "headers")

    def _judge_weight(self, call: Call, subject: Subject, taken: int | str) -> None:
        if isinstance(taken, str):
            self.collector.skip(subject, _WEIGHT, taken)
        elif taken != call.weight:
            difference = Difference("weight_changed", "", "", call.weight, taken, call.operation.uncertain)
            self._tell(subject, difference, "headers")

    # ---------------------------------------------------------------------------------- paging

    async def _judge_page(self, call: Call, subject: Subject, rows: list[JsonValue]) -> None:
        paging = call.operation.paging
        keys = [key_of(row, paging.key) for row in rows] if paging is not None else []
        if call.purpose == "edge":
            short = call.rows is not None and len(rows) < call.rows
            more = short and paging is not None and bool(keys) and await self._has_older(call, paging, keys[0])
            for difference in page_differences(call, len(rows), more=more):
                self._tell(subject, difference, "answer")
            if short and not more:
                self.collector.skip(subject, _PAGE, "there may be no more rows than came")
        elif call.pages and paging is not None and len(keys) >= 2 and keys[-2] is not None and keys[-1] is not None:
            await self._judge_start(call, paging, subject, keys[-2], keys[-1])

    async def _has_older(self, call: Call, paging: PagingSpec, first: object) -> bool:
        """Whether there are rows before the first one of a page that is too short."""
        number = int(str(first))
        cursor = call.operation.parameters[paging.cursor]
        if cursor.type == "id" and paging.first is not None:
            return number > paging.first
        if paging.end is None:
            return False
        arguments = {**call.arguments, paging.end: number - 1, paging.size: 2}
        reply = await self._ask_besides(call.name, call.operation, arguments, call.weight)
        if isinstance(reply, NoReply) or reply.refused:
            return False
        try:
            return rows_of(reply.json(), None) != []
        except ValueError:
            return False

    async def _judge_start(
        self, call: Call, paging: PagingSpec, subject: Subject, wanted: object, last: object
    ) -> None:
        """Ask for a page from a row on that is known: it must begin there."""
        begin, end = int(str(wanted)), int(str(last))
        arguments: dict[str, ArgumentValue] = {**call.arguments, paging.cursor: begin, paging.size: 2}
        if paging.window and paging.end is not None:
            arguments[paging.end] = end
        weight = call.operation.price(arguments)
        reply = await self._ask_besides(call.name, call.operation, arguments, weight)
        if isinstance(reply, NoReply) or reply.refused:
            because = reply.because if isinstance(reply, NoReply) else f"it is refused: {reply.message or reply.code}"
            self.collector.skip(subject, "the start of a page", because)
            return
        try:
            rows = rows_of(reply.json(), None)
        except ValueError:
            return
        # Whatever their order is: that is judged by itself.
        first = min((key for row in rows if (key := key_of(row, paging.key)) is not None), default=None)
        if first is not None and first != begin:
            uncertain = call.operation.uncertain
            difference = Difference("page_start_changed", paging.cursor, "", begin, int(first), uncertain)
            self._tell(subject, difference, "answer")


@dataclass(frozen=True, slots=True)
class _Value:
    """The JSON of an answer, which may be null."""

    json: JsonValue
