"""One mistake in a good spec, one message: where it stands, what is wrong and what to write instead.

Most cases stand in ``mistakes/*.txt``: the lines taken out (``-``) and put in (``+``), and every line printed (``>``).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tiny import PACKAGE, REPOSITORY, TinySpec

from binance_sdk._runtime.answers.row import Row
from binance_sdk.catalogue import MARKETS
from codegen.__main__ import main
from codegen.documents import parse
from codegen.names import RESERVED_CLASSES, class_names, position_refusal

CASES = Path(__file__).parent / "mistakes"


@dataclass
class Case:
    name: str
    file: str = ""
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)


def read(name: str) -> list[Case]:
    cases = []
    for block in (CASES / f"{name}.txt").read_text(encoding="utf-8").split("\n\n"):
        title, place, *lines = block.splitlines()
        case = Case(title.removeprefix("## "), place.removeprefix("in "))
        for line in lines:
            {"-": case.old, "+": case.new, ">": case.printed}[line[0]].append(line[2:])
        cases.append(case)
    return cases


def check(case: Case, tiny: TinySpec) -> None:
    assert tiny.change(case.file, "\n".join(case.old), "\n".join(case.new)).mistakes() == case.printed


def test_the_tiny_spec_has_no_mistake(tiny: TinySpec) -> None:
    assert len(tiny.load().operations) == 4


@pytest.mark.parametrize("case", read("one_node"), ids=lambda case: case.name)
def test_a_node_that_is_wrong_by_itself(case: Case, tiny: TinySpec) -> None:
    check(case, tiny)


@pytest.mark.parametrize("case", read("facts"), ids=lambda case: case.name)
def test_a_fact_with_two_names(case: Case, tiny: TinySpec) -> None:
    check(case, tiny)


@pytest.mark.parametrize("case", read("streams"), ids=lambda case: case.name)
def test_a_stream_that_is_wrong(case: Case, tiny: TinySpec) -> None:
    check(case, tiny)


@pytest.mark.parametrize("case", read("archive"), ids=lambda case: case.name)
def test_an_archive_that_is_wrong(case: Case, tiny: TinySpec) -> None:
    check(case, tiny)


@pytest.mark.parametrize("case", read("between_nodes"), ids=lambda case: case.name)
def test_a_node_that_does_not_fit_the_others(case: Case, tiny: TinySpec) -> None:
    check(case, tiny)


# ---------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("content", "printed"),
    [
        pytest.param("", ":1: the file is empty; it begins with `description:` and `source:`", id="empty"),
        pytest.param("# later\n", ":1: the file is empty; it begins with `description:` and `source:`", id="comment"),
        pytest.param(b"a: 1\nb: \xff", ":2: byte 8 of the file is not UTF-8; save it as UTF-8", id="latin-1"),
        pytest.param("a: 1\nb: \x07", ":2: the character U+0007 is not allowed", id="control character"),
        pytest.param("- a\n- b\n", ':1: the file: must be a mapping of keys to values, not `["a", "b"]`', id="list"),
        pytest.param("a: &x {b: *x}\na: 1", ":2: the key `a` stands here and in line 1; drop one", id="recursive"),
        pytest.param("a: 1\n---\nb: 2\n", ":2: not YAML: but found another document", id="two documents"),
        pytest.param("? [a, b]\n: 1\n", ":1: not YAML: found unhashable key", id="a list as key"),
        pytest.param(
            'a: "\\d"\n',
            ":1: not YAML: found unknown escape character 'd'; inside of double quotes a backslash is written twice",
            id="escape",
        ),
    ],
)
def test_a_file_that_cannot_be_read(content: str | bytes, printed: str, tiny: TinySpec) -> None:
    assert tiny.write("spot/other.yaml", content).mistakes() == [f"spot/other.yaml{printed}"]


def bomb(levels: int) -> str:
    """A few lines that hold ten to the power of ``levels`` nodes."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("content", "printed"),
    [
        pytest.param("a: b\nb: a\x00b\n", ":2: the character U+0000 is not allowed", id="NUL"),
        pytest.param(
            'a: b\nb: "a\\0b"\n', ":2: the text holds the character U+0000, which is not allowed", id="escaped NUL"
        ),
        pytest.param(
            'a: b\n"b\\x07": 1\n', ":2: the text holds the character U+0007, which is not allowed", id="bell in a key"
        ),
        pytest.param(
            'a: b\nb: "\\ud800"\n', ":2: the text holds the character U+D800, which is not allowed", id="half a pair"
        ),
        pytest.param(
            "a:\n b: " + "[" * 3000 + "]" * 3000,
            ":2: more than 50 levels lie in each other; no spec needs so many",
            id="deep",
        ),
        pytest.param(
            "\n".join(" " * n + "a:" for n in range(3000)),
            ":51: more than 50 levels lie in each other; no spec needs so many",
            id="deep in lines",
        ),
        pytest.param(
            "a: 1\nb: " + "[" * 3000, ":2: more than 50 levels lie in each other; no spec needs so many", id="torn"
        ),
        pytest.param(bomb(9), ":5: its aliases make it more than 50000 nodes; write it out", id="aliases of aliases"),
        pytest.param("a: 1\nb: &b [1, *b]\n", ":2: the anchor holds itself", id="itself"),
        pytest.param("a: &a {b: {<<: *a}}\n", ":1: the anchor holds itself", id="itself merged"),
        pytest.param("a: 1\nb: " + "9" * 5000, ":2: the number has 5000 digits; it must fit into 64 bits", id="digits"),
        pytest.param(
            "a: 1\n-" + "9" * 20 + ": 1\n",
            ":2: the number has 21 digits; it must fit into 64 bits",
            id="digits of a key",
        ),
        pytest.param(
            "a: 1\nb: {c: 1, c: 2}\n", ":2: the key `c` stands here and in line 2; drop one", id="twice in a line"
        ),
        pytest.param(
            "a: 1\n<<: {b: 1}\n<<: {c: 1}", ":3: the key `<<` stands here and in line 2; drop one", id="two merges"
        ),
    ],
)
def test_a_file_that_nobody_could_finish_reading(content: str, printed: str, tiny: TinySpec) -> None:
    assert tiny.write("spot/other.yaml", content).mistakes() == [f"spot/other.yaml{printed}"]


@pytest.mark.parametrize(
    ("old", "new", "printed"),
    [
        ("ttl: 1s", f"ttl: {'9' * 5000}s", "must be a number followed by s, m, h or d, such as `5m`"),
        (
            "type: decimal, empty: true",
            f"type: {'list<' * 3000}int{'>' * 3000}",
            "more than 10 lists and maps lie in each other",
        ),
    ],
)
def test_a_value_that_is_too_long(old: str, new: str, printed: str, tiny: TinySpec) -> None:
    text = (tiny.folder / "spot/market.yaml").read_text(encoding="utf-8")
    (tiny.folder / "spot/market.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    (mistake,) = tiny.mistakes()
    assert mistake.startswith("spot/market.yaml:")
    assert printed in mistake


def test_a_missing_file(tiny: TinySpec) -> None:
    assert tiny.remove("markets.yaml").mistakes() == ["markets.yaml:1: there is no such file"]


def test_a_missing_folder(tiny: TinySpec) -> None:
    tiny.folder = tiny.folder / "elsewhere"
    assert tiny.mistakes() == ["elsewhere:1: there is no such folder"]


def test_a_folder_in_the_place_of_a_file(tiny: TinySpec) -> None:
    tiny.remove("markets.yaml")
    (tiny.folder / "markets.yaml").mkdir()
    assert tiny.mistakes() == ["markets.yaml:1: cannot be read: Is a directory"]


def test_files_that_would_silently_not_be_read(tiny: TinySpec) -> None:
    tiny.write("spot/more.yml", "x: 1").write("extra.yaml", "x: 1")
    assert tiny.mistakes() == [
        "extra.yaml:1: is not read; endpoints go below spot/ or futures/, schemas of several markets below schemas/",
        "spot/more.yml:1: is not read; call it .yaml",
    ]


@pytest.mark.parametrize(
    ("file", "remedy"),
    [
        (
            "Spot/more.yaml",
            "no folder is called `Spot`; did you mean `spot`? A market of that name needs an entry in markets.yaml",
        ),
        (
            "margin/more.yaml",
            "no folder is called `margin`; there are schemas, spot, futures, streams and fixtures. "
            "A market of that name needs an entry in markets.yaml",
        ),
        ("spot/more.YAML", "call it .yaml"),
        ("spot/klines/more.yaml", "move it up: files of spot lie side by side in spot/"),
        ("schemas/deep/er/more.yaml", "move it up: files of schemas lie side by side in schemas/"),
        ("Markets.yaml", "did you mean `markets.yaml` or `names.yaml`?"),
        ("streams/Spot.yaml", "streams stand in streams/spot.yaml and streams/futures.yaml"),
        ("streams/spot/more.yaml", "streams stand in streams/spot.yaml and streams/futures.yaml"),
        ("fixtures/spot/bars.yaml", "an example answer is a .json file"),
        ("fixtures/spot/more.Json", "call it .json"),
        ("spot/bars.json", "example answers go below fixtures/"),
        ("bars.json", "example answers go below fixtures/"),
    ],
)
def test_a_file_where_nobody_reads_it(file: str, remedy: str, tiny: TinySpec) -> None:
    assert tiny.write(file, "{}").mistakes() == [f"{file}:1: is not read; {remedy}"]


def test_notes_beside_the_spec_are_no_mistake(tiny: TinySpec) -> None:
    assert tiny.write("spot/README.md", "notes").write("spot/market.yaml~", "x").load()


HEAD = "description: More.\nsource: {document: Tiny docs, date: 2026-01-02}\nhosts: [mainnet]\n"
TIME = (
    "operations:\n  {}:\n    summary: x\n    path: /x\n    weight: 1\n    returns: [{{type: Clock, example: {{}}}}]\n"
)


def test_one_name_in_two_files(tiny: TinySpec) -> None:
    tiny.write("spot/more.yaml", HEAD + TIME.format("time") + "    cache: {ttl: 1s}\n")
    assert tiny.mistakes() == [
        "spot/more.yaml:5: time: already defined at spot/market.yaml:108; give one of the two another name"
    ]


def test_an_operation_of_both_markets(tiny: TinySpec) -> None:
    tiny.write("schemas/more.yaml", HEAD + TIME.format("now") + "    cache: {ttl: 1s}\n")
    assert tiny.mistakes() == [
        "schemas/more.yaml:5: now: an operation belongs to one market; move it below spot/ or futures/"
    ]


# ---------------------------------------------------------------------------------- the command


def test_a_file_of_streams_that_is_not_read(tiny: TinySpec) -> None:
    assert tiny.write("streams/margin.yaml", "x: 1").mistakes() == [
        "streams/margin.yaml:1: is not read; streams stand in streams/spot.yaml and streams/futures.yaml"
    ]


@pytest.mark.parametrize(
    ("route", "told"),
    [
        ("", "a stream of futures needs a `route`: public for the order book and market for the rest"),
        (
            "    route: private\n",
            "markets.yaml has no route `private` for futures; it has public for the order book and market for the rest",
        ),
    ],
)
def test_a_stream_has_a_route_of_its_market(route: str, told: str, tiny: TinySpec) -> None:
    text = (
        HEAD.replace("hosts: [mainnet]\n", "")
        + "schemas:\n  TickEvent:\n    description: x\n    fields: {}\n"
        + "streams:\n  tick:\n    summary: x\n    pattern: tick\n    event: TickEvent\n    speed: x\n"
        + f"    quiet: {{kind: never}}\n{route}"
    )
    tiny.write("streams/futures.yaml", text).write("fixtures/futures/streams/tick.json", "{}")
    line = 14 if route else 8
    assert tiny.mistakes() == [f"streams/futures.yaml:{line}: tick: {told}"]


def test_live_only_is_for_events(tiny: TinySpec) -> None:
    old = "{type: decimal, empty: true, description: Bonus.}"
    assert tiny.change("spot/market.yaml", old, old.replace("empty", "live_only")).mistakes() == [
        "spot/market.yaml:28: Price: `bonus`: `live_only` is about events of streams; drop it"
    ]


def test_every_mistake_is_printed_in_order_and_nothing_is_written(
    tiny: TinySpec, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.change("markets.yaml", "limit: 100,", "limit: 0,").change("spot/market.yaml", "values: [1m, 1h]", "values: []")
    assert main(["--spec", str(tiny.folder), "--out", str(tmp_path / "out"), "generate"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "markets.yaml:6: pools.spot.weight.limit: must be above 0, not `0`",
        "spot/market.yaml:8: enums.Step.values: needs at least 1 entry",
        "2 mistakes in spec/; nothing was written",
    ]
    assert not (tmp_path / "out").exists()


def test_lint_counts_what_it_found(tiny: TinySpec, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--spec", str(tiny.folder), "lint"]) == 0
    # How old its sources are by now is another matter.
    assert capsys.readouterr().out.startswith("4 endpoints, 3 streams, 12 schemas, 9 fixtures: no mistake")


# --------------------------------------------------------------------- YAML without its surprises


def test_words_and_numbers_are_what_they_look_like() -> None:
    text = "{a: yes, b: off, c: 0x1F, d: 1_000, e: 12:30:45, f: 010, g: 1e3, h: 1.10, i: -5, j: true, k: null}"
    assert parse("x.yaml", text).value == {
        "a": "yes",
        "b": "off",
        "c": "0x1F",
        "d": "1_000",
        "e": "12:30:45",
        "f": "010",
        "g": "1e3",
        "h": "1.10",
        "i": -5,
        "j": True,
        "k": None,
    }


def test_a_file_that_begins_with_a_byte_order_mark(tiny: TinySpec) -> None:
    text = (tiny.folder / "markets.yaml").read_bytes()
    assert tiny.write("markets.yaml", b"\xef\xbb\xbf" + text).load()


# ------------------------------------------------------------- tables that must follow other code


def test_no_position_can_hide_a_method_of_rows() -> None:
    methods = {name for name in (*dir(Row), *dir(tuple)) if not name.startswith("_")}
    assert {name for name in methods if position_refusal(name) is None} == set()


def test_no_schema_can_take_a_name_that_generated_modules_import() -> None:
    imported = set()
    # Modules of a scope hold its schemas; those at the top, and those of operations, name them through their package.
    for path in (PACKAGE / "_generated").glob("*/*.py"):
        if path.name in ("operations.py", "stream_operations.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and not str(node.module).startswith("binance_sdk._generated."):
                imported |= {alias.asname or alias.name for alias in node.names}
            if path.name in ("api.py", "streams.py") and isinstance(node, ast.ClassDef):
                imported.add(node.name)
    markets = {name for market in MARKETS for name in class_names(market)}
    assert {name for name in imported if name[0].isupper()} <= RESERVED_CLASSES | markets


def test_the_spec_of_this_repository_is_without_mistake() -> None:
    assert main(["--spec", str(REPOSITORY / "spec"), "lint"]) == 0
