"""The strict model of the word ``book`` in ``spec/markets.yaml``: how live order books are kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from codegen.spec_model.base import Node, PythonName, Source, Text
from codegen.spec_model.parameters import Parameter


class Book(Node):
    """From what a live order book is made. How its updates follow each other is said by the stream's ``sequence``."""

    description: Text
    snapshot: PythonName
    """The operation that answers a snapshot."""
    stream: PythonName
    """The stream whose events update the book."""
    limit: Annotated[int, Field(gt=0)]
    """Levels a side of a snapshot, where the caller names none."""
    speed: Text
    """Speed of the stream, where the caller names none."""
    joins_after: Annotated[int, Field(ge=0, le=1)]
    """How far above a snapshot's id the id lies that the first event must cover."""
    source: Source


def snapshot_limits(parameter: Parameter) -> range | tuple[int, ...]:
    """Levels a side that a snapshot can be asked for; more than the largest are never sent."""
    if parameter.values is not None:
        return tuple(sorted(parameter.values))
    assert parameter.max is not None
    return range(parameter.min or 1, parameter.max + 1)
