"""What ``make check`` says of public symbols: each whose type is missing or unclear is named."""

from __future__ import annotations

from pathlib import Path

from tests.public_types import faults


def test_what_has_no_clear_type_is_named(tmp_path: Path) -> None:
    package = tmp_path / "a_small_package"
    package.mkdir()
    (package / "py.typed").touch()
    (package / "__init__.py").write_text(
        "import threading\n\n"
        "clear: int = 1\n"
        "unclear = threading.Event()\n\n\n"
        "def untyped(value):\n    return value\n\n\n"
        "def typed(value: int) -> int:\n    return value\n",
        encoding="utf-8",
    )
    found = faults([package])
    assert sorted(line.partition(":")[0] for line in found) == ["a_small_package.unclear", "a_small_package.untyped"]


def test_a_package_without_the_mark_is_named(tmp_path: Path) -> None:
    package = tmp_path / "unmarked_package"
    package.mkdir()
    (package / "__init__.py").write_text("clear: int = 1\n", encoding="utf-8")
    assert faults([package]) == ["unmarked_package: no py.typed, so nobody reads its types"]
