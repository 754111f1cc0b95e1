"""A spec of four endpoints, small enough to break in one place at a time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from codegen.documents import SpecError
from codegen.load import load
from codegen.spec_model.spec import Spec

FOLDER = Path(__file__).parent / "tiny_spec"
REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "binance_sdk"


class TinySpec:
    """A copy of the tiny spec that a test may change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "spec"
        shutil.copytree(FOLDER, self.folder)

    def change(self, file: str, old: str, new: str) -> TinySpec:
        """Replace a text that stands exactly once in ``file``."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")
        return self

    def write(self, file: str, content: str | bytes) -> TinySpec:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    def remove(self, file: str) -> TinySpec:
        (self.folder / file).unlink()
        return self

    def load(self) -> Spec:
        return load(self.folder)

    def mistakes(self) -> list[str]:
        """Every problem as the command prints it."""
        with pytest.raises(SpecError) as caught:
            load(self.folder)
        return str(caught.value).splitlines()
