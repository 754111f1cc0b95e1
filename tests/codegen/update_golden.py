"""Writes ``tests/codegen/golden`` from the tiny spec: ``python -m tests.codegen.update_golden``.

Run it after a wanted change of the generator, and read the diff before committing it.
"""

from __future__ import annotations

from pathlib import Path

from codegen.load import load
from codegen.rendering.render import render

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
SUFFIX = ".golden"
"""Added to every name, so that no linter, type checker or test runner takes the files for source."""


def main() -> None:
    files = render(load(HERE / "tiny_spec"))
    for name, content in files.items():
        path = GOLDEN / f"{name}{SUFFIX}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for path in GOLDEN.rglob(f"*{SUFFIX}"):
        if path.relative_to(GOLDEN).as_posix().removesuffix(SUFFIX) not in files:
            path.unlink()


if __name__ == "__main__":
    main()
