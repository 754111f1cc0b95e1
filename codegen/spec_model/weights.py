"""The part of the spec model that prices a request."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Self, TypeAlias

from pydantic import BeforeValidator, Field, Tag, model_validator

from codegen.spec_model.base import Node, WireName, told_apart_by, wrong

Weight = Annotated[int, Field(ge=0)]


class Band(Node):
    """One step of a weight table. ``max`` is inclusive; only the last band may leave it out."""

    min: int
    max: int | None = None
    weight: Weight


class BandWeight(Node):
    """Weight by the value in force of one integer parameter."""

    by: WireName
    bands: list[Band] = Field(min_length=1)

    @model_validator(mode="after")
    def _without_holes(self) -> Self:
        _check_bands(self.bands)
        return self


def _value(key: object) -> object:
    if isinstance(key, bool) or not isinstance(key, (int, str)):
        raise wrong("prices a whole number or a text")
    return key


class ValueWeight(Node):
    """Weight by the value in force of one parameter that takes few values."""

    by: WireName
    values: dict[Annotated[int | str, BeforeValidator(_value)], Weight] = Field(min_length=1)


class CountWeight(Node):
    """Weight by the number of items in a list parameter."""

    count_of: WireName
    bands: list[Band] = Field(min_length=1)

    @model_validator(mode="after")
    def _without_holes(self) -> Self:
        _check_bands(self.bands)
        return self


class ItemWeight(Node):
    """So much for each item of a list parameter, up to a cap."""

    per_item_of: WireName
    each: Weight
    cap: Weight | None = None


class WeightCase(Node):
    """Taken when ``given`` was passed; a case without it is the rest and stands last."""

    given: WireName | None = None
    weight: WeightRule


class CaseWeight(Node):
    """The first case whose parameter was given decides."""

    cases: list[WeightCase] = Field(min_length=2)

    @model_validator(mode="after")
    def _rest_stands_last(self) -> Self:
        for index, case in enumerate(self.cases[:-1]):
            if case.given is None:
                raise wrong(
                    "a case without `given` catches everything: write it once, as the last case", "cases", index
                )
        return self


WeightRule: TypeAlias = Annotated[
    Annotated[Weight, Tag("<number>")]
    | Annotated[BandWeight, Tag("<bands>")]
    | Annotated[ValueWeight, Tag("<values>")]
    | Annotated[CountWeight, Tag("<count>")]
    | Annotated[ItemWeight, Tag("<items>")]
    | Annotated[CaseWeight, Tag("<cases>")],
    told_apart_by(
        {
            "": "<number>",
            "count_of": "<count>",
            "per_item_of": "<items>",
            "cases": "<cases>",
            "values": "<values>",
            "bands": "<bands>",
        },
        "a weight is a whole number, `by` with `bands` or `values`, `count_of` with `bands`, "
        "`per_item_of` with `each`, or `cases`",
    ),
]
WeightCase.model_rebuild()


def _check_bands(bands: list[Band]) -> None:
    for index, band in enumerate(bands):
        if band.max is not None and band.max < band.min:
            text = f"the band {band.min}..{band.max} is empty: `max` must not be below `min`"
            raise wrong(text, "bands", index)
    for index, (band, following) in enumerate(pairwise(bands)):
        if band.max is None:
            raise wrong(f"the band from {band.min} has no `max` but is not the last; give it one", "bands", index)
        if following.min != band.max + 1:
            kind = "hole" if following.min > band.max + 1 else "overlap"
            last = "" if following.max is None else following.max
            raise wrong(
                f"{kind} between the bands {band.min}..{band.max} and {following.min}..{last}: "
                f"the second must start at {band.max + 1}",
                "bands",
                index + 1,
            )
