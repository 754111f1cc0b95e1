"""Where facts were read stands in docstrings and in ``sources.py``: that of a file, of a node, of a single field."""

from __future__ import annotations

from datetime import date

from tiny import TinySpec

from codegen.checks.lint import old_facts
from codegen.rendering.bundle import bundle
from codegen.rendering.methods import method_view
from codegen.rendering.provenance import source_tables
from codegen.rendering.streams import stream_views
from codegen.rendering.views import scope_view

OWN = "source: {document: A letter, date: 2026-03-04}"
TOLD = "Source: A letter; as of 2026-03-04."
READ = "Provenance('A letter', date(2026, 3, 4))"
SPOT = "spot/market.yaml"
CAP = "cap: {type: decimal, description: Most."


def one_line(text: str) -> str:
    return " ".join(text.split())


def provenance(tiny: TinySpec, table: str, key: str) -> str:
    return dict(source_tables(tiny.load())[table])[key]


def test_every_class_says_where_it_was_read(tiny: TinySpec) -> None:
    spec = tiny.load()
    view = scope_view(spec, "spot")
    docstrings = {one.name: one.docstring for one in (*view.rows, *view.literals, *view.unions)}
    for module in ("models", "members", "events"):
        docstrings |= bundle(spec, "spot", module).docstrings
    silent = [name for name, text in docstrings.items() if "Source: Tiny docs; as of 2026-01-02." not in one_line(text)]
    assert silent == ["UnknownRule"]  # Of our own making.
    assert len(docstrings) > 8


def test_a_field_has_a_source_of_its_own_and_says_what_is_not_settled(tiny: TinySpec) -> None:
    spec = tiny.change(SPOT, CAP, f"{CAP[:-1]}., uncertain: By what., {OWN}").load()
    fields = bundle(spec, "spot", "members").definitions["CapRule"]["properties"]
    assert fields["cap"]["description"] == f"Most. Uncertain: By what. {TOLD}"
    # It is told of every answer that it is part of, however deep.
    found = provenance(tiny, "OPERATIONS", "spot.price")
    assert "uncertain=('`CapRule.cap`: By what.',)" in found
    assert f"parts=(('CapRule.cap', {READ}),)" in found
    assert "CapRule" not in provenance(tiny, "OPERATIONS", "spot.bars")


def test_a_position_of_a_row(tiny: TinySpec) -> None:
    position = "description: Last price of the bar."
    spec = tiny.change(SPOT, position, f"{position}, uncertain: In which asset., {OWN}").load()
    described = [one.description for row in scope_view(spec, "spot").rows for one in row.positions]
    assert f"Last price of the bar. Uncertain: In which asset. {TOLD}" in described
    found = provenance(tiny, "OPERATIONS", "spot.bars")
    assert "uncertain=('`Bar.close`: In which asset.',)" in found
    assert f"parts=(('Bar.close', {READ}),)" in found


def test_a_parameter_and_its_values(tiny: TinySpec) -> None:
    tiny.change(SPOT, "description: How much to tell.", f"description: How much to tell., uncertain: To whom., {OWN}")
    spec = tiny.change(SPOT, "  Detail:\n", f"  Detail:\n    {OWN}\n    uncertain: What else.\n").load()
    view = next(method_view(spec, placed) for placed in spec.of_market("spot") if placed.name == "price")
    assert f"Uncertain: To whom. {TOLD}" in one_line(view.docstring)
    detail = next(one for one in scope_view(spec, "spot").literals if one.name == "Detail")
    assert f"Uncertain: What else. {TOLD}" in one_line(detail.docstring)
    found = provenance(tiny, "OPERATIONS", "spot.price")
    assert "uncertain=('`detail`: To whom.', '`Detail`: What else.')" in found
    assert f"parts=(('detail', {READ}), ('Detail', {READ}),)" in found


def test_a_parameter_of_a_stream(tiny: TinySpec) -> None:
    symbol = "symbol: {type: symbol, description: Symbols."
    path = tiny.folder / "streams/spot.yaml"
    text = path.read_text(encoding="utf-8")
    assert symbol in text
    path.write_text(text.replace(symbol, symbol.replace("{", f"{{uncertain: Case., {OWN}, "), 1), encoding="utf-8")
    spec = tiny.load()
    (told,) = [one_line(view.docstring) for view in stream_views(spec, "spot") if TOLD in one_line(view.docstring)]
    assert f"Uncertain: Case. {TOLD}" in told
    (found,) = [text for _, text in source_tables(spec)["STREAMS"] if "Case." in text]
    assert f"parts=(('symbol', {READ}),)" in found


def test_a_market_and_a_limit(tiny: TinySpec) -> None:
    limit = "weight: {limit: 100,"
    tiny.change("markets.yaml", limit, f"{limit} uncertain: Which clock., {OWN},")
    spot = "streams_a_connection: 1024\n      connections: {"
    tiny.change("markets.yaml", spot, f"{spot}uncertain: No figure., ")
    tiny.change(
        "environments.yaml", "description: Spot data only.\n", "description: Spot data only.\n    uncertain: Whose.\n"
    )
    assert "uncertain=('`connections`: No figure.', '`data_only`: Whose.')" in provenance(tiny, "MARKETS", "spot")
    assert "uncertain" not in provenance(tiny, "MARKETS", "futures")
    found = provenance(tiny, "POOLS", "spot")
    assert "uncertain=('`weight`: Which clock.',)" in found
    assert f"parts=(('weight', {READ}),)" in found


def test_the_source_of_a_field_grows_old_too(tiny: TinySpec) -> None:
    spec = tiny.change(SPOT, CAP, f"{CAP[:-1]}., {OWN.replace('2026-03-04', '2020-01-01')}").load()
    (old,) = [problem for problem in old_facts(spec, date(2026, 3, 5)) if "`A letter`" in str(problem)]
    assert str(old).startswith(f"{SPOT}:45: read on 2020-01-01")
