"""Facts of the spec as sentences, for docstrings."""

from __future__ import annotations

from codegen.names import english_list, snake
from codegen.spec_model import (
    AtMostOneOf,
    Band,
    BandWeight,
    CaseWeight,
    CountWeight,
    ExactlyOneOf,
    ItemWeight,
    Lookback,
    MaxSpan,
    Operation,
    Ordered,
    Parameter,
    ParameterRule,
    ValueWeight,
    WeightRule,
)

_UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day"}


def duration(text: str) -> str:
    """``"5m"`` as ``5 minutes``."""
    count = int(text[:-1])
    return f"{count} {_UNITS[text[-1]]}{'' if count == 1 else 's'}"


def weight(rule: WeightRule, operation: Operation) -> str:
    """``5 for `limit` up to 100, 25 up to 500, 250 above (100 when left out)``."""
    if isinstance(rule, int):
        return str(rule)
    if isinstance(rule, BandWeight):
        return f"{_bands(rule.bands, f'`{python(rule.by, operation)}`')}{_left_out(rule.by, operation)}"
    if isinstance(rule, ValueWeight):
        by_weight: dict[int, list[str]] = {}
        for value, price in rule.values.items():
            by_weight.setdefault(price, []).append(str(value))
        parts = [f"{price} for {english_list(values, 'or')}" for price, values in by_weight.items()]
        return f"by `{python(rule.by, operation)}`: {', '.join(parts)}{_left_out(rule.by, operation)}"
    if isinstance(rule, CountWeight):
        return _bands(rule.bands, f"{python(rule.count_of, operation)}")
    if isinstance(rule, ItemWeight):
        cap = "" if rule.cap is None else f", at most {rule.cap}"
        return f"{rule.each} for each of `{python(rule.per_item_of, operation)}`{cap}"
    return _cases(rule, operation)


def _cases(rule: CaseWeight, operation: Operation) -> str:
    parts = []
    for case in rule.cases:
        inner = weight(case.weight, operation)
        parts.append(f"otherwise {inner}" if case.given is None else f"with `{python(case.given, operation)}` {inner}")
    return "; ".join(parts)


def _bands(bands: list[Band], what: str) -> str:
    parts = []
    for index, band in enumerate(bands):
        if band.max is None:
            parts.append(f"{band.weight} above" if index else f"{band.weight} for any {what}")
        else:
            parts.append(
                f"{band.weight} for {what} up to {band.max}" if index == 0 else f"{band.weight} up to {band.max}"
            )
    return ", ".join(parts)


def _left_out(by: str, operation: Operation) -> str:
    default = operation.parameters[by].default
    return "" if default is None else f" ({default} when left out)"


def python(wire: str, operation: Operation) -> str:
    return operation.parameters[wire].name or snake(wire)


def parameter(wire: str, one: Parameter) -> str:
    """Description with default and bounds."""
    facts = []
    if one.default is not None:
        default = str(one.default).lower() if isinstance(one.default, bool) else str(one.default)
        facts.append(f"the server takes {default} when left out")
    elif one.default_note:
        facts.append(one.default_note)
    if one.values:
        facts.append(f"one of {english_list([str(v) for v in one.values], 'or')}")
    elif one.min is not None and one.max is not None:
        facts.append(f"{one.min} to {one.max}" + (f", more is served as {one.max}" if one.above == "clamp" else ""))
    elif one.min is not None:
        facts.append(f"at least {one.min}")
    if one.max_items is not None:
        facts.append(f"at most {one.max_items} items")
    if one.type == "time":
        facts.append("epoch milliseconds or an aware datetime")
    text = one.description.rstrip()
    if facts:
        sentence = "; ".join(facts)
        text = f"{text} {sentence[0].upper()}{sentence[1:]}."
    return f"{text} Uncertain: {one.uncertain}" if one.uncertain else text


def rule(one: ParameterRule, operation: Operation) -> str:
    def names(wires: list[str], conjunction: str = "and") -> str:
        return english_list([f"`{python(wire, operation)}`" for wire in wires], conjunction)

    if isinstance(one, AtMostOneOf):
        return f"At most one of {names(one.at_most_one_of)}."
    if isinstance(one, ExactlyOneOf):
        return f"Exactly one of {names(one.exactly_one_of)}."
    if isinstance(one, Ordered):
        return f"{names(one.ordered[:1])} is not later than {names(one.ordered[1:])}."
    if isinstance(one, MaxSpan):
        return f"From {names([one.start])} to {names([one.end])} less than {duration(one.span)}."
    if isinstance(one, Lookback):
        return f"{names(one.parameters)} at most {duration(one.lookback)} back."
    raise TypeError(type(one).__name__)
