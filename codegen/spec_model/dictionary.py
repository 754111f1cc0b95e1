"""The strict model of ``spec/names.yaml``, the dictionary of facts; ``codegen.checks.facts`` holds schemas to it."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from codegen.spec_model.base import Node, PythonName, Text, wrong

_KEY = r"[A-Za-z][A-Za-z0-9_]*"
_BESIDE = re.compile(rf"^(?P<key>{_KEY})(?: beside (?P<others>{_KEY}(?: and {_KEY})*))?$")


def _beside(text: str) -> str:
    if not _BESIDE.match(text):
        raise wrong("must be a key, or a key and those that stand beside it, such as `T beside m and s`")
    return text


KeyText = Annotated[str, AfterValidator(_beside)]
"""``count``, ``n beside h`` or ``c beside E and h``: a key of an object that has the others as well."""


def split(text: str) -> tuple[str, frozenset[str]]:
    """``c beside E and h`` as ``c`` and the two others."""
    key, _, others = text.partition(" beside ")
    return key, frozenset(others.split(" and ")) if others else frozenset()


class Fact(Node):
    """One thing that Binance tells in several places."""

    means: Text
    type: Literal["time", "decimal", "int", "id", "bool", "string", "symbol", "enum", "list"]
    wire: list[KeyText] = Field(min_length=1)
    """Keys that carry it."""
    never: list[KeyText] = Field(default_factory=list)
    """Python names that it might be given, and must not; here ``beside`` is about Python names too."""


class NamesFile(Node):
    """``spec/names.yaml``."""

    description: Text
    names: dict[PythonName, Fact]

    @model_validator(mode="after")
    def _one_fact_a_key(self) -> Self:
        known: dict[tuple[str, frozenset[str]], str] = {}
        for name, fact in self.names.items():
            for index, text in enumerate(fact.wire):
                other = known.setdefault(split(text), name)
                if other != name:
                    raise wrong(
                        f"`{text}` is a key of `{other}` already; say what stands beside it",
                        "names",
                        name,
                        "wire",
                        index,
                    )
            for index, text in enumerate(fact.never):
                if text in self.names:
                    raise wrong(f"`{text}` is a fact itself; drop one of the two", "names", name, "never", index)
        return self


__all__ = ["Fact", "NamesFile", "split"]
