"""What ``markets.yaml`` says about symbols, against the rest of the spec."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.documents import Problem
from codegen.names import snake
from codegen.spec_model.operations import Operation
from codegen.spec_model.schemas import ObjectSchema
from codegen.spec_model.spec import Placed, Spec
from codegen.spec_model.streams import StreamNode
from codegen.spec_model.types import parse_type


def check_symbols(spec: Spec) -> Iterator[Problem]:
    """What ``markets.yaml`` says about symbols must be found in the market's own answers."""
    document = next(document for document, node in spec.documents if node is spec.markets)
    for market, entry in spec.markets.markets.items():
        if entry.symbols is None:
            continue

        def problem(text: str, *path: str, market: str = market) -> Problem:
            return Problem(document.file, document.line("markets", market, "symbols", *path), f"{market}: {text}")

        for other, its in spec.markets.markets.items():
            if other < market and its.symbols and its.symbols.pattern == entry.symbols.pattern:
                yield problem(f"`{other}` has the same pattern, so no symbol can tell the two apart", "pattern")
        listing = spec.operations.get((market, entry.symbols.listed_by))
        if listing is None or any(parameter.required for parameter in listing.value.parameters.values()):
            yield problem(f"there is no operation `{entry.symbols.listed_by}` that lists all symbols", "listed_by")
        if (market, "exchange_info") not in spec.operations:
            yield problem("the rules of symbols come from `exchange_info`, and there is no such operation")
        size = entry.symbols.contract_size
        if size is not None and size not in _fields_of_symbols(spec, market):
            yield problem(f"exchange information tells no `{size}` of a symbol", "contract_size")

    nodes: list[Placed[Operation] | Placed[StreamNode]] = [*spec.operations.values(), *spec.streams.values()]
    for placed in nodes:
        for name, parameter in placed.value.parameters.items():
            if parameter.pair and spec.symbol_names(placed.scope, pair=True) is None:
                text = f"markets.yaml does not say what the pairs of {placed.scope} look like"
                yield placed.problem(text, "parameters", name, "pair")


def _fields_of_symbols(spec: Spec, market: str) -> set[str]:
    """Python names of the fields of the rows in ``symbols`` of exchange information."""
    found: object = None
    info = spec.operations.get((market, "exchange_info"))
    schema = info and spec.schema(market, parse_type(info.value.returns[0].type).name)
    if schema and isinstance(schema.value, ObjectSchema) and "symbols" in schema.value.fields:
        item = parse_type(schema.value.fields["symbols"].type).item
        found = item and spec.schema(market, item.name)
    value = getattr(found, "value", None)
    if not isinstance(value, ObjectSchema):
        return set()
    return {field.name or snake(wire) for wire, field in value.fields.items()}
