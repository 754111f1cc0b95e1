"""That the weight of every call can be told before it is made."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.checks.references import parameter_exists
from codegen.documents import Problem
from codegen.names import english_list
from codegen.spec_model.operations import Operation
from codegen.spec_model.parameters import ExactlyOneOf, Parameter
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.weights import Band, BandWeight, CaseWeight, CountWeight, ItemWeight, ValueWeight, WeightRule

_Path = tuple[str | int, ...]


def check_weight(spec: Spec, placed: Placed[Operation]) -> Iterator[Problem]:
    yield from _rule(spec, placed, placed.value.weight, ("weight",), frozenset())


def _rule(
    spec: Spec, placed: Placed[Operation], rule: WeightRule, path: _Path, given: frozenset[str]
) -> Iterator[Problem]:
    """``given`` are the parameters that the cases around this rule know to be there."""
    if isinstance(rule, (BandWeight, ValueWeight)):
        yield from _by_value(spec, placed, rule, path, given)
    elif isinstance(rule, (CountWeight, ItemWeight)):
        yield from _by_count(placed, rule, path, given)
    elif isinstance(rule, CaseWeight):
        yield from _cases(spec, placed, rule, path, given)


def _by_value(
    spec: Spec, placed: Placed[Operation], rule: BandWeight | ValueWeight, path: _Path, given: frozenset[str]
) -> Iterator[Problem]:
    parameter = placed.value.parameters.get(rule.by)
    yield from parameter_exists(placed, rule.by, *path, "by")
    if parameter is None:
        return
    if parameter.default is None and not parameter.required and rule.by not in given:
        text = (
            f"the weight is by `{rule.by}`, which may be left out and has no `default`: "
            "nobody could tell the cost of a call without it; add the server's default to the parameter"
        )
        yield placed.problem(text, *path, "by")
    if isinstance(rule, BandWeight):
        if parameter.type != "int" or parameter.is_list:
            yield placed.problem(f"bands are for one int, and `{rule.by}` is none", *path, "by")
            return
        low, high = _range(parameter)
        yield from _bands(placed, rule.bands, path, low, high, f"`{rule.by}`")
        return
    enum = spec.enum(placed.scope, parameter.enum) if parameter.enum else None
    wanted: list[int | str] = [*(enum.value.values if enum else parameter.values or ())]
    if not wanted:
        text = f"a price for each value needs a list of them: give `{rule.by}` an `enum` or `values`"
        yield placed.problem(text, *path, "values")
    elif set(wanted) != set(rule.values):
        missing = english_list([str(value) for value in wanted if value not in rule.values])
        stray = english_list([str(value) for value in rule.values if value not in wanted])
        parts = [f"add {missing}"] if missing else []
        parts += [f"drop {stray}"] if stray else []
        text = f"`values` must price exactly what `{rule.by}` takes: {' and '.join(parts)}"
        yield placed.problem(text, *path, "values")


def _range(parameter: Parameter) -> tuple[int | None, int | None]:
    if parameter.values is not None:
        return min(parameter.values), max(parameter.values)
    # A higher value is refused, or charged as the maximum: no band above it is needed.
    return parameter.min, parameter.max


def _by_count(
    placed: Placed[Operation], rule: CountWeight | ItemWeight, path: _Path, given: frozenset[str]
) -> Iterator[Problem]:
    word = "count_of" if isinstance(rule, CountWeight) else "per_item_of"
    name = rule.count_of if isinstance(rule, CountWeight) else rule.per_item_of
    parameter = placed.value.parameters.get(name)
    yield from parameter_exists(placed, name, *path, word)
    if parameter is None:
        return
    if not parameter.is_list:
        text = f"the weight counts `{name}`, which takes one value only; is `list: true` missing there?"
        yield placed.problem(text, *path, word)
    else:
        if not parameter.required and name not in given:
            text = f"the weight counts `{name}`, which may be left out; put this below `cases` with `given: {name}`"
            yield placed.problem(text, *path, word)
        if isinstance(rule, CountWeight):
            yield from _bands(placed, rule.bands, path, 1, parameter.max_items, f"the number of `{name}`")


def _cases(
    spec: Spec, placed: Placed[Operation], rule: CaseWeight, path: _Path, given: frozenset[str]
) -> Iterator[Problem]:
    parameters = placed.value.parameters
    for index, case in enumerate(rule.cases):
        at = (*path, "cases", index)
        if case.given is not None and case.given not in parameters:
            yield from parameter_exists(placed, case.given, *at, "given")
            continue
        known = given | ({case.given} if case.given else set())
        yield from _rule(spec, placed, case.weight, (*at, "weight"), known)
    if rule.cases[-1].given is None:
        return
    covered = {case.given for case in rule.cases if case.given}
    always = any(parameters[name].required for name in covered if name in parameters) or any(
        isinstance(constraint, ExactlyOneOf) and covered.issuperset(constraint.exactly_one_of)
        for constraint in placed.value.rules
    )
    if not always:
        names = english_list(sorted(covered), "or")
        yield placed.problem(f"nothing prices a call without {names}; add a last case without `given`", *path)


def _bands(
    placed: Placed[Operation], bands: list[Band], path: _Path, low: int | None, high: int | None, what: str
) -> Iterator[Problem]:
    first, last = bands[0], bands[-1]
    if low is not None and first.min > low:
        text = f"hole in the weight: {what} may be {low}, but the first band starts at {first.min}"
        yield placed.problem(text, *path, "bands", 0)
    if last.max is not None and (high is None or last.max < high):
        allowed = "of any size" if high is None else str(high)
        text = f"hole in the weight: {what} may be {allowed}, but the last band ends at {last.max}; leave out its `max`"
        yield placed.problem(text, *path, "bands", len(bands) - 1)
