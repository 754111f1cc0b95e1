"""Every answer there is an example of, and frames of answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from binance_sdk._runtime.columns.frames import frame_of_answer
from binance_sdk._runtime.columns.layout import Layout, layout_of
from binance_sdk._runtime.columns.options import FrameOptions
from binance_sdk._runtime.operation import Operation, Variant
from binance_sdk.catalogue import CATALOGUE, fixture

LIBRARIES = ("numpy", "pandas", "polars", "arrow")


@dataclass(frozen=True)
class Example:
    """An answer with its type."""

    operation: Operation[Any]
    variant: Variant[Any]
    content: bytes
    name: str

    @property
    def many(self) -> bool:
        return get_origin(self.variant.type) is list

    @property
    def layout(self) -> Layout | None:
        return layout_of(get_args(self.variant.type)[0] if self.many else self.variant.type)

    @property
    def rows(self) -> list[Any]:
        """The decoded rows."""
        found = self.variant.reader.read(self.content)
        return found if self.many else [found]

    def frame(self, library: Any, data: Callable[[], object] | None = None, **options: Any) -> Any:
        read = data or (lambda: self.variant.reader.read(self.content))
        return frame_of_answer(
            library, self.operation.id, self.variant.type, self.content, read, FrameOptions(**options)
        )


def examples() -> Iterator[Example]:
    for operation in CATALOGUE.operations:
        for variant in operation.variants:
            for suffix in variant.fixtures:
                body = fixture(operation.market, operation.name, suffix)
                yield Example(operation, variant, body, f"{operation.id}{f'.{suffix}' if suffix else ''}")


ALL = tuple(examples())
FLAT = tuple(one for one in ALL if one.layout is not None and one.layout.flat and one.layout.columns)
