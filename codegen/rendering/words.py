"""Facts of the spec as sentences, for docstrings."""

from __future__ import annotations

import re

from codegen.names import english_list, snake
from codegen.spec_model.base import Deprecation, Source
from codegen.spec_model.operations import Operation
from codegen.spec_model.parameters import (
    AtMostOneOf,
    ExactlyOneOf,
    Lookback,
    MaxSpan,
    Ordered,
    Parameter,
    ParameterRule,
)
from codegen.spec_model.weights import Band, BandWeight, CountWeight, ItemWeight, ValueWeight, WeightRule

_UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day"}


def duration(text: str) -> str:
    """``"5m"`` as ``5 minutes``."""
    count = int(text[:-1])
    return f"{count} {_UNITS[text[-1]]}{'' if count == 1 else 's'}"


def sentence(text: str) -> str:
    """With a capital in front and a full stop behind."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def python(wire: str, operation: Operation) -> str:
    """The argument that carries a parameter."""
    return operation.parameters[wire].name or snake(wire)


def in_python(text: str, operation: Operation) -> str:
    """``text`` with ``startTime`` written as the argument it is here: `start_time`.

    A wire name without a capital inside may be a plain word (``symbols``) and is left alone.
    """

    def replace(match: re.Match[str]) -> str:
        wire = match[0]
        if wire not in operation.parameters or wire == wire.lower():
            return wire
        return f"`{python(wire, operation)}`"

    return re.sub(r"(?<![`\w.])[a-z]+[A-Z]\w*(?![`\w])", replace, text)


def deprecation(name: str, one: Deprecation) -> str:
    """What a call of something deprecated is told."""
    instead = f"use `{one.use}`" if one.use else "nothing takes its place"
    text = f"`{name}` is deprecated by Binance since {one.since.isoformat()}: {instead}."
    return f"{text} {sentence(one.note)}" if one.note else text


# --------------------------------------------------------------------------------------- weight


def weight(rule: WeightRule, operation: Operation, *, left_out: bool = True) -> str:
    """``5 for `limit` up to 100, 25 up to 500, 250 above (5 when `limit` is left out)``.

    Args:
        rule: The rule.
        operation: The operation whose parameters it is about.
        left_out: Whether to say what a call without the deciding parameter costs.
    """
    if isinstance(rule, int):
        return str(rule)
    if isinstance(rule, BandWeight):
        text = _bands(rule.bands, f"`{python(rule.by, operation)}` up to")
        return text + (_left_out(rule, operation) if left_out else "")
    if isinstance(rule, ValueWeight):
        return _values(rule, operation) + (_left_out(rule, operation) if left_out else "")
    if isinstance(rule, CountWeight):
        return _bands(rule.bands, "up to", f" `{python(rule.count_of, operation)}`")
    if isinstance(rule, ItemWeight):
        cap = "" if rule.cap is None else f", at most {rule.cap}"
        return f"{rule.each} for each of `{python(rule.per_item_of, operation)}`{cap}"
    parts = []
    for case in rule.cases:
        inner = weight(case.weight, operation, left_out=left_out)
        if case.given is None:
            parts.append(f"otherwise {inner}")
        else:
            name = f"`{python(case.given, operation)}`"
            # Counted are nearly always the items of the very list that the case is about.
            inner = inner.replace(f"each of {name}", "each of them").replace(f" {name}", " of them")
            parts.append(f"with {name} {inner}")
    return "; ".join(parts)


def _values(rule: ValueWeight, operation: Operation) -> str:
    by_weight: dict[int, list[str]] = {}
    for value, price in rule.values.items():
        by_weight.setdefault(price, []).append(str(value))
    if len(by_weight) == 1:
        return str(next(iter(by_weight)))
    first = f"`{python(rule.by, operation)}` "
    parts = []
    for price, values in by_weight.items():
        parts.append(f"{price} for {first}{english_list(values, 'or')}")
        first = ""
    return "; ".join(parts)


def _bands(bands: list[Band], up_to: str, what: str = "") -> str:
    """``5 for <up_to> 100<what>, 25 up to 500, 250 above``."""
    if len(bands) == 1:
        return str(bands[0].weight)
    first, *rest = bands
    parts = [f"{first.weight} for {up_to} {first.max}{what}"]
    parts += [f"{band.weight} above" if band.max is None else f"{band.weight} up to {band.max}" for band in rest]
    return ", ".join(parts)


def _left_out(rule: BandWeight | ValueWeight, operation: Operation) -> str:
    default = operation.parameters[rule.by].default
    weights = {band.weight for band in rule.bands} if isinstance(rule, BandWeight) else set(rule.values.values())
    if default is None or len(weights) == 1:
        return ""
    if isinstance(rule, ValueWeight):
        price = rule.values[default]
    else:
        price = next(b.weight for b in rule.bands if b.max is None or int(default) <= b.max)
    return f" ({price} when `{python(rule.by, operation)}` is left out)"


# --------------------------------------------------------------------------------------- sources


def origin(source: Source) -> str:
    """Where and when something was read."""
    return f"Source: {source.document}; as of {source.date.isoformat()}."


def trust(uncertain: str | None, source: Source | None) -> list[str]:
    """What a single fact has of its own: what is not settled of it, and where it was read."""
    unsure = [] if uncertain is None else [f"Uncertain: {sentence(uncertain)}"]
    return [*unsure, *([] if source is None else [origin(source)])]


# ----------------------------------------------------------------------------------- parameters


def parameter(wire: str, operation: Operation) -> str:
    """What an argument means, its bounds and what the server assumes without it."""
    described = operation.parameters[wire]
    parts = [sentence(in_python(described.description, operation))]
    if described.type == "time":
        parts.append("Epoch milliseconds or an aware datetime.")
    facts = [fact for fact in (_bounds(described), _default(described)) if fact]
    if facts:
        parts.append(sentence(", ".join(facts)))
    unsure = None if described.uncertain is None else in_python(described.uncertain, operation)
    return " ".join([*parts, *trust(unsure, described.source)])


def _bounds(one: Parameter) -> str:
    if one.values:
        values = english_list([str(value) for value in one.values], "or")
        text = f"one of {values}" if len(one.values) > 1 else f"only {values}"
    elif one.min is not None and one.max is not None:
        text = f"{one.min} to {one.max}"
    elif one.max is not None:
        text = f"at most {one.max}"
    elif one.min is not None:
        text = f"at least {one.min}"
    else:
        text = one.pattern_note or ""
    if one.above == "clamp":
        text += f" (more is served as {one.max})"
    if one.max_items is not None:
        text += f"{', ' if text else ''}at most {one.max_items} of them"
    return text


def _default(one: Parameter) -> str:
    if one.default_note:
        return f"by default {one.default_note.rstrip('.')}"
    only = one.values is not None and len(one.values) == 1
    return "" if one.default is None or only else f"by default {one.default}"


def rule(one: ParameterRule, operation: Operation) -> str:
    """A rule between parameters as a sentence."""

    def names(wires: list[str], conjunction: str = "and") -> str:
        return english_list([f"`{python(wire, operation)}`" for wire in wires], conjunction)

    if isinstance(one, AtMostOneOf):
        return f"At most one of {names(one.at_most_one_of)} in one call."
    if isinstance(one, ExactlyOneOf):
        return f"Exactly one of {names(one.exactly_one_of)} in every call."
    if isinstance(one, Ordered):
        return f"{names(one.ordered[:1])} must not be later than {names(one.ordered[1:])}."
    if isinstance(one, MaxSpan):
        bound = "at most" if one.inclusive else "less than"
        return f"{names([one.start])} and {names([one.end])} must be {bound} {duration(one.span)} apart."
    if isinstance(one, Lookback):
        return f"{names(one.parameters)} must not lie more than {duration(one.lookback)} back."
    raise TypeError(type(one).__name__)
