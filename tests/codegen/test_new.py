"""``codegen new``: what it writes asks for exactly what is missing, and goes green once that is filled in."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from project import Project
from tiny import REPOSITORY

from binance_sdk.simulator.rest import weights
from binance_sdk.simulator.streams import names
from codegen.__main__ import main
from codegen.load import load
from codegen.names import singular
from codegen.scaffold.hand_tables import (
    ENDPOINTS,
    SIMULATOR_NAMES,
    SIMULATOR_WEIGHTS,
    STREAMS,
    Line,
    TableError,
    lines_of_endpoint,
    lines_of_stream,
    simulated_price,
    unfilled,
    weights_table,
    with_line,
)
from tests.contract.endpoint_table import WEIGHTS
from tests.contract.stream_table import TABLE, expanded

SPEC = load(REPOSITORY / "spec")
TABLES = (SIMULATOR_WEIGHTS, SIMULATOR_NAMES, ENDPOINTS, STREAMS)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    for file in (ENDPOINTS, STREAMS):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / file, tmp_path / file)
    return project


def new(project: Project, *arguments: str) -> int:
    return main(["--spec", str(project.root / "spec"), "new", "--root", str(project.root), *arguments])


def lint(project: Project, capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    assert main(["--spec", str(project.root / "spec"), "lint"]) in (0, 2)
    return capsys.readouterr().err.splitlines()


def fill(project: Project, file: str, *texts: str) -> None:
    """Replace the marks of a file, one after the other."""
    path = project.root / file
    text = path.read_text(encoding="utf-8")
    for value in texts:
        text, count = re.subn(
            r"\bFILL\b(?: in [^\"\n]*(?=\")| in .*|)", lambda match, value=value: value, text, count=1
        )
        assert count == 1, value
    path.write_text(text, encoding="utf-8")


# ------------------------------------------------------------------------------------- what it writes


def test_an_endpoint(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert new(project, "endpoint", "spot", "spread", "/api/v3/spread") == 0
    file, fixture = "spec/spot/spread.yaml", "spec/fixtures/spot/spread.json"
    assert capsys.readouterr().out.splitlines() == [
        "written:",
        f"  {file}",
        f"  {fixture}",
        f"  {SIMULATOR_WEIGHTS}, _SPOT",
        f"  {ENDPOINTS}, WEIGHTS",
        "Fill in every FILL from Binance's page, then `python -m codegen generate` and `make test`.",
    ]
    marks = lint(project, capsys)
    assert marks[0] == "spot/spread.yaml:2: fill in a sentence what this family of endpoints tells"
    assert all(": fill in " in mark for mark in marks[:-1])
    assert [place.split(":")[0] for place in unfilled(project.root)] == [SIMULATOR_WEIGHTS, ENDPOINTS]
    fill(project, file, "Spreads.", "A page", "A spread.", "mid", "decimal", "Middle.", "Spreads of a symbol.", "3")
    assert lint(project, capsys) == [
        "fixtures/spot/spread.json:3: fill in an example answer, two rows if it is a list",
        "1 mistake in spec/; nothing was written",
    ]
    (project.root / fixture).write_text('[{"mid": "1.5"}]', encoding="utf-8")
    assert lint(project, capsys) == []
    for table, line in ((SIMULATOR_WEIGHTS, '"/api/v3/spread": _flat(3),'), (ENDPOINTS, '"spot.spread": [({}, 3)],')):
        text = (project.root / table).read_text(encoding="utf-8")
        text = re.sub(r"^    .*FILL.*$", f"    {line}", text, flags=re.MULTILINE)
        (project.root / table).write_text(text, encoding="utf-8")
    assert unfilled(project.root) == []
    project.generate()
    project.run(
        "-W",
        "error",
        "-c",
        "from binance_sdk.simulator import Simulator\n"
        "with Simulator() as simulator, simulator.sync_client() as client:\n"
        "    assert [str(row.mid) for row in client.spot.spread('BTCUSDT')] == ['1.5']\n"
        "    assert simulator.used_weight('spot') == client.spot.plan.spread('BTCUSDT').weight == 3\n"
        "    assert simulator.from_spec.weights == ()\n",
    )


def test_a_stream(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert new(project, "stream", "futures", "spread", "{symbol}@spread{depth}", "--route", "market") == 0
    file, fixture = "spec/streams/futures.yaml", "spec/fixtures/futures/streams/spread.json"
    assert capsys.readouterr().out.splitlines()[1:-1] == [
        f"  {file}, at the end of `schemas` and of `streams`",
        f"  {fixture}",
        f"  {SIMULATOR_NAMES}, _FUTURES_MARKET",
        f"  {STREAMS}, _LINES",
    ]
    event = ("Best prices.", "b", "bid", "decimal", "Bid.")
    stream = ("Best prices.", "spread", "every second", "5, 10", "Levels.", "periodic, period_ms: 1000", "A page")
    fill(project, file, *event, *stream)
    assert lint(project, capsys) == [
        "fixtures/futures/streams/spread.json:1: fill in an example message, without the wrapper of combined streams",
        "1 mistake in spec/; nothing was written",
    ]
    message = '{"e": "spread", "E": 1764028800000, "s": "BTCUSDT", "b": "1.5"}'
    (project.root / fixture).write_text(message, encoding="utf-8")
    assert lint(project, capsys) == []
    fill(project, SIMULATOR_NAMES, "5|10")
    fill(project, STREAMS, "5,10")
    assert unfilled(project.root) == []
    project.generate()
    project.run(
        "-W",
        "error",
        "-c",
        "from binance_sdk.simulator import Simulator\n"
        "with Simulator() as simulator, simulator.sync_client() as client:\n"
        "    with client.futures.streams.spread('ETHUSDT', depth=5) as events:\n"
        "        event = next(iter(events))\n"
        "    assert (event.symbol, str(event.bid)) == ('ETHUSDT', '1.5')\n"
        "    assert simulator.from_spec.stream_names == ()\n",
    )


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("block_trades", "block_trade"),
        ("indexes", "index"),
        ("statuses", "status"),
        ("batches", "batch"),
        ("policies", "policy"),
        ("basis", "basis"),
        ("status", "status"),
        ("depth", "depth"),
    ],
)
def test_a_row_is_called_after_one_of_them(many: str, one: str) -> None:
    assert singular(many) == one


def test_the_schema_of_a_list_has_the_name_of_one(project: Project) -> None:
    assert new(project, "endpoint", "spot", "spreads", "/api/v3/spreads") == 0
    text = (project.root / "spec/spot/spreads.yaml").read_text(encoding="utf-8")
    assert "\n  Spread:\n" in text
    assert "type: list<Spread>" in text


@pytest.mark.parametrize(
    ("market", "path", "parameter", "example"),
    [
        ("spot", "/api/v3/spread", 'symbol: {type: symbol, required: true, description: "Symbol, e.g. BTCUSDT."}', ""),
        (
            "coin_futures",
            "/dapi/v1/spread",
            'symbol: {type: symbol, required: true, description: "Symbol, e.g. BTCUSD_PERP."}',
            "example: {symbol: BTCUSD_PERP}",
        ),
        (
            # Its neighbours take pairs, all of them.
            "coin_futures",
            "/futures/data/spread",
            'pair: {type: symbol, pair: true, required: true, description: "Pair, e.g. BTCUSD."}',
            "example: {pair: BTCUSD}",
        ),
    ],
)
def test_an_endpoint_takes_what_its_market_and_its_neighbours_take(
    market: str, path: str, parameter: str, example: str, project: Project
) -> None:
    assert new(project, "endpoint", market, "spread", path) == 0
    text = (project.root / f"spec/{market}/spread.yaml").read_text(encoding="utf-8")
    assert f"      {parameter}\n" in text
    assert example in text


@pytest.mark.parametrize(
    ("parameter", "declared", "example"),
    [
        ("pair", 'type: symbol, pair: true, description: "Pairs, e.g. BTCUSD; one stream each."', "btcusd"),
        ("symbol", 'type: symbol, description: "Symbols, e.g. BTCUSD_PERP; one stream each."', "btcusd_perp"),
    ],
)
def test_a_stream_takes_symbols_or_pairs_of_its_market(
    parameter: str, declared: str, example: str, project: Project
) -> None:
    assert new(project, "stream", "coin_futures", "spread", f"{{{parameter}}}@spread") == 0
    text = (project.root / "spec/streams/coin_futures.yaml").read_text(encoding="utf-8")
    assert f"      {parameter}: {{{declared}}}\n" in text.partition("@spread")[2]
    table = (project.root / STREAMS).read_text(encoding="utf-8")
    assert re.search(rf"^coin_futures.spread +- +{example}@spread$", table, re.MULTILINE)


# ------------------------------------------------------------------------------------ what it refuses


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("endpoint spot depth /api/v3/depths", "there is an endpoint spot.depth already, in spec/spot/"),
        (
            "endpoint spot book /api/v3/depth",
            "there is an endpoint spot.depth with the path /api/v3/depth already, in spec/spot/",
        ),
        ("endpoint spot Spread /api/v3/spread", "`Spread` is no lower-case name with underscores"),
        ("endpoint spot class /api/v3/spread", "`class` is a Python keyword; choose another name"),
        ("endpoint spot spread api/v3/spread", "`api/v3/spread` is no path; write one such as /api/v3/depth"),
        (
            "endpoint spot spread /fapi/v1/spread",
            "paths of spot begin with /api/, and `/fapi/v1/spread` does not",
        ),
        (
            "endpoint spot market /api/v3/market",
            "spec/spot/market.yaml is there already; move it away or choose another name",
        ),
        (
            "stream spot trade {symbol}@spread",
            "there is a stream trade with the pattern {symbol}@trade already, in spec/streams/spot.yaml",
        ),
        (
            "stream spot spread {symbol}@trade",
            "there is a stream trade with the pattern {symbol}@trade already, in spec/streams/spot.yaml",
        ),
        ("stream spot spread {symbol@spread", "`{symbol@spread` is no pattern; write one such as '{symbol}@aggTrade'"),
        ("stream spot spread spread --route market", "streams of spot have no routes; drop --route market"),
        (
            "stream futures spread spread",
            "streams of futures have a route: add --route market or --route public",
        ),
    ],
)
def test_what_cannot_be_begun(arguments: str, said: str, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree(project.root)
    assert new(project, *arguments.split()) == 2
    told = capsys.readouterr().err
    assert told.startswith(said)
    assert told.endswith("; nothing was written\n")
    assert tree(project.root) == before


def test_a_line_that_is_there_already_is_not_written_twice(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project.root / ENDPOINTS
    text = path.read_text(encoding="utf-8")
    path.write_text(with_line(text, Line(ENDPOINTS, "WEIGHTS", '"spot.spread": [({}, 1)],')), encoding="utf-8")
    before = tree(project.root)
    assert new(project, "endpoint", "spot", "spread", "/api/v3/spread") == 2
    assert (
        capsys.readouterr().err == f'{ENDPOINTS}, WEIGHTS has a line for "spot.spread" already; nothing was written\n'
    )
    assert tree(project.root) == before


def test_a_table_that_is_not_there() -> None:
    with pytest.raises(TableError, match=r"a\.py has no table WEIGHTS"):
        with_line("WEIGHTS = {1: 2}\n", Line("a.py", "WEIGHTS", '"x": 1,'))


# ------------------------------------------------------------------- the lines that failing tests print


def test_no_mark_is_left_in_a_table() -> None:
    assert unfilled(REPOSITORY) == []


@pytest.mark.parametrize("placed", SPEC.operations.values(), ids=lambda placed: f"{placed.scope}.{placed.name}")
def test_the_lines_for_an_endpoint_say_what_the_tables_say(placed: object) -> None:
    lines = {(line.file, line.table): line.text for line in lines_of_endpoint(SPEC, placed)}  # type: ignore[arg-type]
    ((id_, rows),) = eval(f"{{{lines[ENDPOINTS, 'WEIGHTS']}}}").items()
    market = placed.scope  # type: ignore[attr-defined]
    assert {given["symbol"] for given, _ in rows if "symbol" in given} <= {SPEC.example_symbol(market), 1}
    written = {repr(given): weight for given, weight in WEIGHTS[id_]}
    assert rows
    assert all(written.get(repr(given), weight) == weight for given, weight in rows)
    price = simulated_price(placed.value)  # type: ignore[attr-defined]
    if price == "_your_own":
        assert id_ == "spot.ticker_24hr"  # Written as a function of its own.
        return
    ((path, ours),) = eval(f"{{{lines[SIMULATOR_WEIGHTS, weights_table(market)]}}}", vars(weights)).items()
    for given, _ in rows:
        query = {
            name: '["A"' + ',"A"' * (value - 1) + "]" if name == "symbols" else str(value)
            for name, value in given.items()
        }
        assert ours(query) == weights.WEIGHTS[market][path](query), query


@pytest.mark.parametrize("placed", SPEC.streams.values(), ids=lambda placed: f"{placed.scope}.{placed.name}")
def test_the_lines_for_a_stream_say_what_the_tables_say(placed: object) -> None:
    lines = lines_of_stream(SPEC, placed)  # type: ignore[arg-type]
    name, table = lines[0], lines[1]
    assert re.search(rf"^{name.table} = ", (REPOSITORY / name.file).read_text(encoding="utf-8"), re.MULTILINE)
    id_, route, names_ = eval(f'f"{table.text}"').split()
    assert route == (TABLE[id_].route or "-")
    assert sorted(expanded(names_)) == sorted(TABLE[id_].names)
    assert expanded(names_)[0] == TABLE[id_].names[0]
    ((_, pattern),) = eval(f"{{{name.text}}}", vars(names)).items()
    assert [text for text in TABLE[id_].names if not re.fullmatch(pattern, text)] == []
    text = (REPOSITORY / STREAMS).read_text(encoding="utf-8")
    for line in lines[2:]:
        assert line.text in text
