"""Who may import whom, read from the source: spec -> codegen -> _generated -> _runtime, and public names above."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "binance_sdk"
LONGEST = 400
LONGEST_TEST = 450


@dataclass(frozen=True)
class Import:
    """One imported module, or name of a module."""

    name: str
    line: int
    for_types: bool
    """Under ``if TYPE_CHECKING:``, so never at run time."""

    def within(self, *packages: str) -> bool:
        return any(self.name == package or self.name.startswith(f"{package}.") for package in packages)


def module_of(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(path: Path, root: Path = ROOT) -> tuple[Import, ...]:
    tree = ast.parse(path.read_text("utf-8"))
    return tuple(_walk(tree, module_of(path, root), path.name == "__init__.py", for_types=False))


def _walk(node: ast.AST, module: str, package: bool, *, for_types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for inner in child.body:
                yield from _walk(ast.Module([inner], []), module, package, for_types=True)
            for inner in child.orelse:
                yield from _walk(ast.Module([inner], []), module, package, for_types=for_types)
        elif isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, for_types)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            if child.level:
                above = module.split(".")[: len(module.split(".")) - child.level + (1 if package else 0)]
                base = ".".join([*above, *([base] if base else [])])
            for alias in child.names:
                # ``from a import b`` may name the module a.b: look at both.
                yield Import(f"{base}.{alias.name}", child.lineno, for_types)
        else:
            yield from _walk(child, module, package, for_types=for_types)


def sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def strays(paths: list[Path], *allowed: str) -> list[str]:
    """Imports of our own packages that are none of the allowed ones."""
    return [
        f"{path.relative_to(ROOT)}:{found.line} imports {found.name}"
        for path in paths
        for found in imports(path)
        if found.within("binance_sdk", "codegen", "spec", "tests", "simulator") and not found.within(*allowed)
    ]


def test_the_reader_of_imports_reads_imports(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "import x.y\nfrom . import d\nfrom ..e import f\nif TYPE_CHECKING:\n    import g\nelse:\n    import h\n"
        "def late():\n    from i import j\n",
        "utf-8",
    )
    found = [(item.name, item.for_types) for item in imports(path, tmp_path)]
    assert found == [("x.y", False), ("a.b.d", False), ("a.e.f", False), ("g", True), ("h", False), ("i.j", False)]


# --------------------------------------------------------------------------------------- layers


def test_the_runtime_knows_nothing_above_it() -> None:
    allowed = ("binance_sdk._runtime", "binance_sdk.errors", "binance_sdk.events", "binance_sdk.arithmetic")
    assert strays(sources(PACKAGE / "_runtime"), *allowed) == []


ROOMS = {
    "transport": (),
    "store": (),
    "answers": ("transport",),
    "columns": ("transport", "answers"),
    "budget": ("store",),
    "calls": ("transport", "store", "answers", "columns", "budget"),
    "stream": ("transport", "answers", "calls"),
    "book": (),
    "live_book": ("transport", "answers", "budget", "calls", "stream", "book"),
}


def test_the_rooms_of_the_runtime_stand_on_each_other_in_one_direction() -> None:
    runtime = PACKAGE / "_runtime"
    assert {path.parent.name for path in runtime.glob("*/__init__.py")} == set(ROOMS)
    shared = [f"binance_sdk._runtime.{path.stem}" for path in runtime.glob("*.py") if path.stem != "__init__"]
    for room, below in ROOMS.items():
        allowed = [f"binance_sdk._runtime.{name}" for name in (room, *below)]
        leaves = ("binance_sdk.errors", "binance_sdk.events", "binance_sdk.arithmetic", "binance_sdk._version")
        assert strays(sources(runtime / room), *allowed, *shared, *leaves) == []
    assert strays(sorted(runtime.glob("*.py")), *shared, "binance_sdk.errors") == []


def test_the_core_of_the_order_book_has_no_io_and_no_clock() -> None:
    room = PACKAGE / "_runtime" / "book"
    outside = {"asyncio", "threading", "time", "datetime", "socket", "ssl", "os", "pydantic", "websockets", "random"}
    found = [(path.name, item.name) for path in sources(room) for item in imports(path)]
    assert len(found) > 10
    assert [pair for pair in found if pair[1].split(".")[0] in outside] == []
    assert [pair for pair in found if pair[1].startswith("binance_sdk._runtime.clock")] == []


STREAM_WORDS = ("frames", "names", "notices", "operation", "options", "stats", "stream_event")
"""The modules of ``stream`` that both of its rooms use."""


def test_streams_read_below_and_connect_above() -> None:
    """What a consumer holds stands on ``connection``, that on ``reading``, and both on the words they share."""
    stream, package = PACKAGE / "_runtime" / "stream", "binance_sdk._runtime.stream"
    assert {path.parent.name for path in stream.glob("*/__init__.py")} == {"reading", "connection"}
    words = tuple(f"{package}.{name}" for name in STREAM_WORDS)
    allowed = {
        **dict.fromkeys([stream / f"{name}.py" for name in STREAM_WORDS], words),
        **dict.fromkeys(sources(stream / "reading"), (*words, f"{package}.reading")),
        stream / "context.py": (
            *(f"{package}.connection.{name}" for name in ("pacing", "websocket")),
            f"{package}.reading.fill",
        ),
        **dict.fromkeys(
            sources(stream / "connection"),
            (*words, f"{package}.reading", f"{package}.context", f"{package}.connection"),
        ),
    }
    found = [
        f"{path.relative_to(ROOT)}:{item.line} imports {item.name}"
        for path, below in allowed.items()
        for item in imports(path)
        if item.within(package) and not item.within(*below)
    ]
    assert found == []


def test_no_modules_of_the_package_import_each_other_in_a_circle() -> None:
    paths = {module_of(path, ROOT): path for path in sources(PACKAGE) if "_generated" not in path.parts}
    graph = {
        module: {
            target
            for found in imports(path)
            if not found.for_types
            for target in (found.name, found.name.rpartition(".")[0])
            if target in paths and target != module and paths[target].name != "__init__.py"
        }
        for module, path in paths.items()
    }
    assert any(len(below) > 5 for below in graph.values())
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


SIMULATOR_ROOMS = {
    "market": (),
    "faults": (),
    "rest": ("market", "faults"),
    "streams": ("market", "faults", "rest"),
    "archive": ("market", "faults", "rest"),
    "control": ("market", "faults", "rest", "streams", "archive"),
}
SIMULATOR_LEAVES = ("errors", "clock", "asgi", "json_text", "sockets", "clients")


def test_the_rooms_of_the_simulator_stand_on_each_other_in_one_direction() -> None:
    house = PACKAGE / "simulator"
    assert {path.parent.name for path in house.glob("*/__init__.py")} == set(SIMULATOR_ROOMS)
    leaves = [f"binance_sdk.simulator.{name}" for name in SIMULATOR_LEAVES]

    def own_strays(paths: list[Path], rooms: Iterable[str]) -> list[str]:
        allowed = (*(f"binance_sdk.simulator.{room}" for room in rooms), *leaves)
        return [stray for stray in strays(paths, *allowed) if " imports binance_sdk.simulator." in stray]

    for room, below in SIMULATOR_ROOMS.items():
        # A control starts the simulator in the process that it makes.
        files = [path for path in sources(house / room) if path.name != "process.py"]
        assert own_strays(files, (room, *below)) == []
    assert own_strays([house / f"{name}.py" for name in SIMULATOR_LEAVES], ()) == []


def test_errors_events_and_arithmetic_are_leaves() -> None:
    assert strays([PACKAGE / "errors.py"]) == []
    assert strays(sources(PACKAGE / "events"), "binance_sdk.errors", "binance_sdk.events") == []
    assert strays([PACKAGE / "arithmetic.py"], "binance_sdk.errors") == []


def test_generated_code_stands_on_the_runtime_alone() -> None:
    allowed = ("binance_sdk._generated", "binance_sdk._runtime", "binance_sdk.errors")
    assert strays(sources(PACKAGE / "_generated"), *allowed) == []


def test_nothing_people_install_imports_the_generator() -> None:
    for path in sources(PACKAGE):
        for found in imports(path):
            assert not found.within("codegen", "spec", "tests", "yaml", "jinja2", "datamodel_code_generator"), path


def test_the_generator_needs_no_generated_code() -> None:
    found = [stray for stray in strays(sources(ROOT / "codegen"), "codegen") if "_generated" in stray]
    assert found == []


CODEGEN_ROOMS = {
    "spec_model": (),
    "checks": ("spec_model",),
    "rendering": ("spec_model",),
    "scaffold": ("spec_model",),
    "importer": ("spec_model", "checks", "scaffold"),
    "diff": ("spec_model", "rendering"),
    "releasing": ("spec_model", "diff"),
    "proposing": ("spec_model", "checks", "importer", "releasing"),
    "verify": ("spec_model", "rendering", "proposing", "releasing"),
}
CODEGEN_LEAVES = ("documents", "names")


def test_the_rooms_of_the_generator_stand_on_each_other_in_one_direction() -> None:
    house = ROOT / "codegen"
    assert {path.parent.name for path in house.glob("*/__init__.py")} == set(CODEGEN_ROOMS)
    # Who adds a file to the house finds a room for it.
    assert {path.stem for path in house.glob("*.py")} == {"__init__", "__main__", "load", *CODEGEN_LEAVES}
    leaves = [f"codegen.{name}" for name in CODEGEN_LEAVES]
    for room, below in CODEGEN_ROOMS.items():
        # It compares by what people install, with the YAML in the place of what was generated.
        engine = {
            "verify": ("binance_sdk.verify", "binance_sdk.cli", "binance_sdk.errors"),
            # What it proposes is tried by loading it.
            "proposing": ("binance_sdk.verify", "codegen.load"),
        }.get(room, ())
        allowed = (*(f"codegen.{name}" for name in (room, *below)), *leaves, *engine)
        assert strays(sources(house / room), *allowed) == []
    assert strays([house / f"{name}.py" for name in CODEGEN_LEAVES]) == []
    assert strays([house / "load.py"], "codegen.checks", "codegen.spec_model", *leaves) == []


def test_httpx_is_imported_in_one_module() -> None:
    users: dict[str, set[bool]] = {}
    for path in sources(PACKAGE):
        for found in imports(path):
            if found.within("httpx", "httpcore"):
                users.setdefault(path.relative_to(PACKAGE).as_posix(), set()).add(found.for_types)
    # Its network layer has a door of its own.
    below = "_runtime/transport/httpcore_backends.py"
    assert [name for name, kinds in users.items() if False in kinds] == [below, "_runtime/transport/over_httpx.py"]
    assert set(users) <= {below, "_runtime/transport/over_httpx.py", "client.py"}
    assert [found.name for found in imports(PACKAGE / below) if found.within("httpx")] == []


@pytest.mark.parametrize("folder", ["simulator", "cli"])
def test_capabilities_stand_on_public_names(folder: str) -> None:
    """The types of operations and markets are public through ``catalogue``; everything else inside is out of bounds."""
    allowed = ("binance_sdk._runtime.operation", "binance_sdk._runtime.market", "binance_sdk._version")
    found = [
        f"{path.relative_to(ROOT)}:{item.line} imports {item.name}"
        for path in sources(PACKAGE / folder)
        for item in imports(path)
        if item.within("binance_sdk")
        and any(part.startswith("_") and not part.startswith("__") for part in item.name.split("."))
        and not item.within(*allowed)
    ]
    assert found == []


def test_verify_composes_like_a_client_and_is_imported_by_the_command_line_alone() -> None:
    inside = ("_runtime", "_core", "_settings", "_arguments", "_generated.environments", "_generated.markets")
    allowed = ("binance_sdk.verify", "binance_sdk.errors", *(f"binance_sdk.{name}" for name in inside))
    assert strays(sources(PACKAGE / "verify"), *allowed) == []
    users = {
        path.relative_to(PACKAGE).parts[0]
        for path in sources(PACKAGE)
        for found in imports(path)
        if found.within("binance_sdk.verify")
    }
    assert users == {"verify", "cli"}


HISTORY_ROOMS = {
    "archive": (),
    "rest": (),
    "dataset": (),
    "planning": ("archive", "rest", "dataset"),
    "running": ("archive", "rest", "dataset", "planning"),
}
HISTORY_WORDS = ("piece", "columns", "moments")


def test_the_rooms_of_history_stand_on_each_other_in_one_direction() -> None:
    """Sources know nothing of the dataset, nor it of them: pieces and what was fetched for them is all they share."""
    house = PACKAGE / "history"
    package = "binance_sdk.history"
    words = tuple(f"{package}.{name}" for name in HISTORY_WORDS)
    for room, below in HISTORY_ROOMS.items():
        found = strays(sources(house / room), *(f"{package}.{name}" for name in (room, *below)), *words)
        assert [stray for stray in found if f" imports {package}" in stray] == []
    found = strays([house / f"{name}.py" for name in HISTORY_WORDS], *words)
    assert [stray for stray in found if f" imports {package}" in stray] == []


# ---------------------------------------------------------------------------------------- habits


def test_the_runtime_knows_no_path_of_an_endpoint() -> None:
    """Each is in the spec alone, so that a new endpoint needs no line of the runtime."""
    paths = re.compile(rf"/(?:{'|'.join(sorted(_first_parts_of_paths()))})/")
    known = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for path in sources(PACKAGE / "_runtime")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and paths.match(node.value)
    ]
    assert known == []


def _first_parts_of_paths() -> set[str]:
    files = (ROOT / "spec").rglob("*.yaml")
    found = {part for file in files for part in re.findall(r"^ +path: /(\w+)/", file.read_text("utf-8"), re.MULTILINE)}
    assert found >= {"api", "fapi", "dapi", "futures"}
    return found


def test_no_module_is_called_utils() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "misc"}
    named = [path for folder in ("binance_sdk", "codegen", "adapters", "tests") for path in sources(ROOT / folder)]
    assert [path for path in named if {path.stem, *path.relative_to(ROOT).parts[:-1]} & empty] == []


def test_no_message_has_a_power_of_ten() -> None:
    """``:g`` writes a million as 1e+06; ``errors.plain_number`` does not."""
    folders = (PACKAGE, ROOT / "adapters")
    found = [path for folder in folders for path in sources(folder) if re.search(r":g\}", path.read_text("utf-8"))]
    assert found == []


def test_files_written_by_hand_are_short() -> None:
    long = []
    folders = {"binance_sdk": LONGEST, "codegen": LONGEST, "adapters": LONGEST, "tests": LONGEST_TEST}
    for folder, most in folders.items():
        for path in sources(ROOT / folder):
            text = path.read_text("utf-8")
            if "_generated" not in path.parts and not text.startswith("# Generated by"):
                lines = len(text.splitlines())
                if lines > most:
                    long.append(f"{path.relative_to(ROOT)}: {lines} lines, at most {most}")
    assert long == []


def test_generated_files_say_so() -> None:
    paths = sources(PACKAGE / "_generated")
    assert len(paths) > 10
    for path in paths:
        assert path.read_text("utf-8").startswith("# Generated by `python -m codegen generate`"), path
