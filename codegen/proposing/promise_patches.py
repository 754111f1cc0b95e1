"""Changes of what endpoints, streams and pools promise beside the shape of what they send."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from binance_sdk.verify.finding import Finding, Kind
from codegen.proposing.places import FIXTURES, ByHandError, file_of, own_fixtures, subject_of
from codegen.proposing.workspace import Workspace
from codegen.proposing.yaml_text import Path, scalar
from codegen.spec_model.operations import Operation
from codegen.spec_model.spec import Placed
from codegen.spec_model.streams import StreamNode
from codegen.spec_model.weights import BandWeight, CaseWeight, CountWeight, ItemWeight, ValueWeight

Patch = Callable[[], None]

_MARKETS, _ERRORS = "markets.yaml", "errors.yaml"
_MINUTE = re.compile(r"^(?P<begin>.*-)(1m|60s)$", re.IGNORECASE)
_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_OPERATIONS_OF_A_CODE = 2
"""So many endpoints that refuse with a code make it one of the kind of mistake, and not one of theirs."""


@dataclass
class PromisePatches:
    """Makes the changes of one run.

    Attributes:
        workspace: What is changed.
        findings: All of the run: what several say together decides some changes.
        seen_by: Who saw it, where and when, for texts.
        source: The same as the YAML writes a source.
        day: When, as an ``observed`` begins.
    """

    workspace: Workspace
    findings: Sequence[Finding]
    seen_by: str
    source: str
    day: str

    def __post_init__(self) -> None:
        self._makers: Mapping[Kind, Callable[[Finding], list[Patch]]] = {
            "weight_changed": self._weight_changed,
            "limit_changed": self._limit_changed,
            "limit_missing": self._limit_missing,
            "error_code_changed": self._error_code_changed,
            "page_size_changed": self._page_size_changed,
            "header_missing": self._header_missing,
            "event_type_changed": self._event_type_changed,
            "interval_changed": self._interval_changed,
        }

    def of(self, finding: Finding) -> list[Patch] | None:
        """As of ``ShapePatches``."""
        make = self._makers.get(finding.kind)
        return None if make is None else make(finding)

    # ------------------------------------------------------------------------------------ weights

    def _weight_changed(self, finding: Finding) -> list[Patch]:
        operation: Placed[Operation] = subject_of(self.workspace.spec, finding)
        path, weight = self._priced(operation, finding)
        for other in self.findings:
            if other.kind == "weight_changed" and other.subject == finding.subject:
                there, told = self._priced(operation, other)
                if there == path and told != weight:
                    text = (
                        f"calls that it prices alike cost {weight} and {told}: "
                        f"{json.dumps(dict(finding.arguments))} and {json.dumps(dict(other.arguments))}"
                    )
                    raise ByHandError(operation.document.file, text, path)
        self._check_both_ends(operation, finding, path)

        def change() -> None:
            text = self.workspace.text(operation.document.file)
            there = text.at(path)
            if there is None or there.value != str(weight):
                text.replace(path, str(weight))
                self._observe(operation, f"{_call(finding)} cost {weight}")

        return [change]

    def _priced(self, operation: Placed[Operation], finding: Finding) -> tuple[Path, int]:
        """Where the weight of a call stands, and the number that has to stand there."""
        if not isinstance(finding.seen, int) or finding.seen < 0:
            raise ByHandError(operation.document.file, f"{finding.seen} is no weight", operation.path)
        return self._price(operation, operation.value.weight, (*operation.path, "weight"), finding, finding.seen)

    def _price(
        self, operation: Placed[Operation], rule: object, path: Path, finding: Finding, seen: int
    ) -> tuple[Path, int]:
        given = finding.arguments
        parameters = operation.value.parameters
        if isinstance(rule, int):
            return path, seen
        if isinstance(rule, (BandWeight, CountWeight)):
            by = rule.by if isinstance(rule, BandWeight) else rule.count_of
            value = given.get(by, parameters[by].default)
            number = len(value) if isinstance(value, list) else value
            for index, band in enumerate(rule.bands):
                if isinstance(number, int) and band.min <= number and (band.max is None or number <= band.max):
                    return (*path, "bands", index, "weight"), seen
        if isinstance(rule, ValueWeight):
            value = given.get(rule.by, parameters[rule.by].default)
            if isinstance(value, (int, str)) and value in rule.values:
                return (*path, "values", str(value)), seen
        if isinstance(rule, ItemWeight):
            items = given.get(rule.per_item_of)
            count = len(items) if isinstance(items, list) else 1
            at_cap = rule.cap is not None and rule.each * count >= rule.cap
            if not at_cap and seen % count == 0:
                return (*path, "each"), seen // count
        if isinstance(rule, CaseWeight):
            for index, case in enumerate(rule.cases):
                if case.given is None or case.given in given:
                    return self._price(operation, case.weight, (*path, "cases", index, "weight"), finding, seen)
        text = f"{_call(finding)} cost {seen}, which its rule has no place for"
        raise ByHandError(operation.document.file, text, path)

    def _check_both_ends(self, operation: Placed[Operation], finding: Finding, path: Path) -> None:
        """A band that has changed at one end only begins or ends elsewhere now, and where is not known."""
        if len(path) < 3 or path[-3] != "bands":
            return
        rule = self._rule_at(operation, path[:-3])
        if not isinstance(rule, BandWeight):
            return
        index = path[-2]
        assert isinstance(index, int)
        band, parameter = rule.bands[index], operation.value.parameters[rule.by]
        both = (max(band.min, parameter.min or band.min), band.max or parameter.max)
        ends = {end for end in both if end is not None and (parameter.max is None or end <= parameter.max)}
        told = {
            other.arguments.get(rule.by)
            for other in self.findings
            if other.kind == "weight_changed" and other.subject == finding.subject
        }
        met = ends & told
        if met and met != ends:
            left = ", ".join(str(end) for end in sorted(ends - met))
            text = f"{_call(finding)} cost {finding.seen}, and {rule.by}={left} what it did: the band ends in between"
            raise ByHandError(operation.document.file, text, path[:-2])

    def _rule_at(self, operation: Placed[Operation], path: Path) -> object:
        rule: Any = operation.value.weight
        for step in path[len(operation.path) + 1 :]:
            rule = rule[step] if isinstance(step, int) else getattr(rule, step)
        return rule

    # --------------------------------------------------------------------------- limits and headers

    def _limit_changed(self, finding: Finding) -> list[Patch]:
        name = finding.path
        path: Path = ("pools", finding.owner, *([name] if name == "weight" else ["groups", name]))

        def change() -> None:
            text = self.workspace.text(_MARKETS)
            text.replace((*path, "limit"), str(finding.seen))
            if text.at((*path, "uncertain")) is None:
                told = f"Stated by the exchange in {finding.subject}, and no document was read."
                text.set_word(path, "uncertain", json.dumps(told, ensure_ascii=False), before="")
            if text.at((*path, "source")) is None:
                text.set_word(path, "source", self.source, before="")

        return [change]

    def _limit_missing(self, finding: Finding) -> list[Patch]:
        """A limit that is stated for another interval now."""
        name = finding.path
        path: Path = ("pools", finding.owner, *([name] if name == "weight" else ["groups", name]))
        if name == "weight":
            text = "the header with the used weight is of this interval too; correct the two together"
            raise ByHandError(_MARKETS, text, path)
        stated = finding.seen if isinstance(finding.seen, list) else []
        like = [row for row in stated if isinstance(row, dict) and row.get("type") == name.upper()]
        limit, seconds = (like[0].get("limit"), like[0].get("seconds")) if len(like) == 1 else (None, None)
        if not isinstance(limit, int) or not isinstance(seconds, int):
            raise ByHandError(_MARKETS, "the exchange states none, or several, of this type", path)
        unit, letter = next((size, one) for size, one in _UNITS if seconds % size == 0)

        def change() -> None:
            text = self.workspace.text(_MARKETS)
            text.replace((*path, "limit"), str(limit))
            text.replace((*path, "interval"), f"{seconds // unit}{letter}")

        return [change]

    def _header_missing(self, finding: Finding) -> list[Patch]:
        names = finding.seen if isinstance(finding.seen, list) else []
        found = [match["begin"] for name in names if (match := _MINUTE.match(str(name))) is not None]
        path: Path = ("pools", finding.owner, "used_weight_header")
        if len(found) != 1:
            raise ByHandError(_MARKETS, "no other header of the answer tells the used weight of a minute", path)
        return [lambda: self.workspace.text(_MARKETS).replace(path, f"{found[0].upper()}{{interval}}")]

    # ------------------------------------------------------------------------------------- errors

    def _error_code_changed(self, finding: Finding) -> list[Patch]:
        operation: Placed[Operation] = subject_of(self.workspace.spec, finding)
        if not isinstance(finding.seen, int):
            raise ByHandError(_ERRORS, f"`{finding.seen}` is no code")
        code = finding.seen
        like = {
            other.subject
            for other in self.findings
            if other.kind == "error_code_changed" and other.seen == code and other.owner == finding.owner
        }

        def know() -> None:
            text = self.workspace.text(_ERRORS)
            if text.at(("codes", str(code))) is None:
                name = f"UNDOCUMENTED_{abs(code)}"
                meaning = json.dumps(f"Not documented; seen by {self.seen_by}.", ensure_ascii=False)
                text.add_entry(("codes",), str(code), f"{{name: {name}, meaning: {meaning}}}")

        def of_mistake() -> None:
            know()
            text = self.workspace.text(_ERRORS)
            codes = text.at(("mistakes", finding.owner, "codes"))
            if codes is None:
                raise KeyError(finding.owner)
            if str(code) not in [one.value for _, one in codes.children]:
                text.add_item(("mistakes", finding.owner, "codes"), str(code))

        def of_operation() -> None:
            know()
            text = self.workspace.text(operation.document.file)
            if text.at((*operation.path, "errors", str(code))) is not None:
                return
            told = json.dumps(f"A wrong `{finding.path}`, as seen by {self.seen_by}.", ensure_ascii=False)
            if text.at((*operation.path, "errors")) is None:
                text.set_word(operation.path, "errors", f"{{{code}: {told}}}", before="notes")
            else:
                text.add_entry((*operation.path, "errors"), str(code), told)

        return [of_mistake, of_operation] if len(like) >= _OPERATIONS_OF_A_CODE else [of_operation, of_mistake]

    # -------------------------------------------------------------------------------------- pages

    def _page_size_changed(self, finding: Finding) -> list[Patch]:
        operation: Placed[Operation] = subject_of(self.workspace.spec, finding)
        path: Path = (*operation.path, "parameters", finding.path)
        parameter = operation.value.parameters.get(finding.path)
        asked, came = finding.spec, finding.seen
        if parameter is None or not isinstance(came, int) or not isinstance(asked, int):
            raise ByHandError(operation.document.file, "the parameter that sizes a page is not known", operation.path)
        if came > asked or parameter.max != asked:
            raise ByHandError(operation.document.file, f"asked for {asked} rows, {came} came", path)

        def change() -> None:
            text = self.workspace.text(operation.document.file)
            text.replace((*path, "max"), str(came))
            if parameter.above != "clamp":
                # More is still answered, with as many rows as there are now.
                text.set_word(path, "above", "clamp")
            self._observe(operation, f"{_call(finding)} brought {came} rows")

        return [change]

    # ------------------------------------------------------------------------------------ streams

    def _event_type_changed(self, finding: Finding) -> list[Patch]:
        stream: Placed[StreamNode] = subject_of(self.workspace.spec, finding)

        def change() -> None:
            self.workspace.text(stream.document.file).replace((*stream.path, "event_type"), scalar(finding.seen))
            for name in own_fixtures(self.workspace.spec, finding):
                text = self.workspace.text(f"{FIXTURES}/{name}")
                for path in _kinds(json.loads(text.text)):
                    text.replace(path, json.dumps(finding.seen))
            self._observe(stream, f"its events call themselves {finding.seen}")

        return [change]

    def _interval_changed(self, finding: Finding) -> list[Patch]:
        stream: Placed[StreamNode] = subject_of(self.workspace.spec, finding)
        quiet = stream.value.quiet
        if not isinstance(finding.seen, int) or finding.seen <= 0:
            raise ByHandError(stream.document.file, f"{finding.seen} ms is no distance", stream.path)
        # A measured one: two figures of it mean something.
        period = max(1, int(float(f"{finding.seen:.1e}")))
        path: Path = (*stream.path, "quiet", "period_ms")
        if quiet.periods is not None:
            choice = str(finding.arguments.get(quiet.periods.by, ""))
            path = (*stream.path, "quiet", "periods", "values_ms", choice)

        def change() -> None:
            self.workspace.text(stream.document.file).replace(path, str(period))
            self._observe(stream, f"a message every {period} ms; `speed` tells it in words")

        return [change]

    # ---------------------------------------------------------------------------------------- all

    def _observe(self, placed: Placed[Any], what: str) -> None:
        """Say beside an endpoint or stream what was seen, and on which day."""
        text = self.workspace.text(placed.document.file)
        path = (*placed.path, "observed")
        there = text.at(path)
        if there is None:
            words = f"{self.day}: {what} ({self.seen_by.partition(' on ')[0]})."
            text.set_word(placed.path, "observed", json.dumps(words, ensure_ascii=False), before="notes")


def remedy_by_hand(workspace: Workspace, finding: Finding) -> ByHandError:
    """Where to make a change that no program can, and what it is."""
    file = _MARKETS
    path: Path = ()
    if finding.kind not in ("host_moved", "symbol_form_changed"):
        subject = subject_of(workspace.spec, finding)
        file, path = file_of(workspace.spec, finding), subject.path
    return ByHandError(file, finding.remedy, path)


def _call(finding: Finding) -> str:
    given = ", ".join(f"{name}={json.dumps(value)}" for name, value in finding.arguments.items())
    return f"a call with {given}" if given else "a call"


def _kinds(value: Any) -> Iterator[Path]:
    """Where the messages of an example say what they are."""
    if isinstance(value, list):
        yield from ((index, "e") for index, item in enumerate(value) if isinstance(item, dict) and "e" in item)
    elif isinstance(value, dict) and "e" in value:
        yield ("e",)
