"""YAML texts and examples in the place of a file of a spec: the first line names the file, the rest is its text."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from codegen.documents import SpecError
from codegen.load import load
from tests.fuzz.targets.naming import split

_SPEC = Path(__file__).parents[2] / "codegen" / "tiny_spec"
_FILES = {
    path.relative_to(_SPEC).as_posix(): path.relative_to(_SPEC)
    for path in sorted(_SPEC.rglob("*"))
    if path.suffix in (".yaml", ".json")
}


def seeds() -> list[bytes]:
    return [name.encode() + b"\n" + (_SPEC / file).read_bytes() for name, file in _FILES.items()]


@cache
def _copy() -> TemporaryDirectory[str]:
    folder = TemporaryDirectory(prefix="spec")
    shutil.copytree(_SPEC, folder.name, dirs_exist_ok=True)
    return folder


def target(data: bytes) -> bool:
    """The spec is loaded, or refused at a line that there is, in words of one line."""
    file, text = split(data, _FILES)
    folder = Path(_copy().name)
    (folder / file).write_bytes(text)
    try:
        load(folder)
    except SpecError as error:
        assert error.problems
        for problem in error.problems:
            place = folder / problem.file
            lines = place.read_bytes().count(b"\n") + 1 if place.is_file() else 1
            assert 1 <= problem.line <= lines, problem
            assert len(problem.message) > 8, problem
            assert "\n" not in problem.message, problem
        return False
    finally:
        shutil.copy(_SPEC / file, folder / file)
    return True
