"""The list of what a release brings along: complete, each with its licence, and the same each time."""

from __future__ import annotations

import json
import re
import runpy
import sys
from importlib.metadata import distribution, requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PACKAGE = "binance-market-sdk"
PERMISSIVE = re.compile(
    r"MIT|0?BSD|Apache|PSF|Python Software Foundation|ISC|MPL|Mozilla|Zlib|CC0|Unlicense|HPND", re.IGNORECASE
)


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "deploy" / "release" / "contents.py"))


def installed(extra: str) -> list[str]:
    found = [Requirement(text) for text in requires(PACKAGE) or ()]
    return [one.name for one in found if one.marker is None or one.marker.evaluate({"extra": extra})]


def test_all_that_the_package_asks_for_is_listed(script: dict[str, Any]) -> None:
    parts = {canonicalize_name(part.name): part for part in script["parts"](PACKAGE, "all")}
    base = {canonicalize_name(name) for name in installed("")}
    assert base <= {name for name, part in parts.items() if part.base}
    extras = {canonicalize_name(one) for extra in ("cli", "history", "metrics", "shared") for one in installed(extra)}
    assert extras <= parts.keys()
    # What others bring along, too.
    assert {"httpcore", "pydantic-core", "numpy"} <= parts.keys()
    # Nothing that only whoever works on the package needs.
    assert not {"pytest", "mypy", "ruff", "jinja2", canonicalize_name(PACKAGE)} & parts.keys()


def test_every_part_has_a_licence_that_allows_to_pass_it_on(script: dict[str, Any]) -> None:
    for part in script["parts"](PACKAGE, "all"):
        assert PERMISSIVE.search(part.licence), f"{part.name}: {part.licence or 'names no licence'}"
        assert not re.search(r"\b[AL]?GPL", part.licence), f"{part.name}: {part.licence}"


def test_the_command_writes_the_same_each_time(
    script: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        assert script["main"](tmp_path / name) == 0
    assert "distributions" in capsys.readouterr().out
    for file in ("sbom.cdx.json", "licences.md"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    bom = json.loads((tmp_path / "one" / "sbom.cdx.json").read_text("utf-8"))
    assert bom["bomFormat"] == "CycloneDX"
    assert bom["metadata"]["component"]["version"] == distribution(PACKAGE).version
    httpx = next(one for one in bom["components"] if one["name"] == "httpx")
    assert httpx["purl"] == f"pkg:pypi/httpx@{distribution('httpx').version}"
    assert "| httpx | " in (tmp_path / "one" / "licences.md").read_text("utf-8")


def test_what_is_not_installed_is_named(script: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    script["main"].__globals__["PACKAGE"] = "a-package-that-nobody-has"
    try:
        assert script["main"](Path("never")) == 1
    finally:
        script["main"].__globals__["PACKAGE"] = PACKAGE
    assert "a-package-that-nobody-has is not installed here" in capsys.readouterr().err
    assert not Path("never").exists()


def test_the_base_install_is_small() -> None:
    """Without bytecode, under 16 MiB."""
    script = runpy.run_path(str(ROOT / "deploy" / "release" / "contents.py"))
    names = [part.name for part in script["parts"](PACKAGE, "") if part.base]
    sizes = {
        name: sum(
            path.stat().st_size
            for file in distribution(name).files or ()
            if (path := Path(str(file.locate()))).is_file() and path.suffix != ".pyc"
        )
        for name in names
    }
    own = sum(
        path.stat().st_size
        for folder in ("binance_sdk", "adapters/virtuoso_binance")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    )
    assert all(sizes.values()), sizes
    total = sum(sizes.values()) + own
    assert total < 16 * 2**20, {**sizes, "own": own}
    assert sys.version_info >= (3, 11)
