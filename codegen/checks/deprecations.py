"""What is deprecated names something that is there to be used instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from codegen.documents import Problem
from codegen.spec_model.explain import did_you_mean
from codegen.spec_model.operations import Operation
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.streams import StreamNode


def check_deprecations(spec: Spec) -> Iterator[Problem]:
    yield from _table(spec.operations, "endpoint")
    yield from _table(spec.streams, "stream")


def _table(
    table: Mapping[tuple[str, str], Placed[Operation]] | Mapping[tuple[str, str], Placed[StreamNode]], kind: str
) -> Iterator[Problem]:
    for (market, name), placed in table.items():
        told = placed.value.deprecated
        if told is None or told.use is None:
            continue
        other = table.get((market, told.use))
        if other is None:
            hint = did_you_mean(told.use, [known for scope, known in table if scope == market and known != name])
            text = f"no {kind} of {market} is called `{told.use}`{hint or '; drop `use` where nothing takes its place'}"
            yield placed.problem(text, "deprecated", "use")
        elif other.value.deprecated is not None:
            text = f"`{told.use}` is deprecated itself; name what is not"
            yield placed.problem(text, "deprecated", "use")
