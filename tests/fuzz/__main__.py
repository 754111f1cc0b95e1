"""``python -m tests.fuzz FILE ...``: runs inputs of the corpus again, each with the target of its folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.running import failure_of
from tests.fuzz.targets import TARGETS


def main(paths: Sequence[str]) -> int:
    failed = 0
    for path in map(Path, paths):
        target = TARGETS.get(path.resolve().parent.name)
        if target is None:
            print(f"{path} stands in no folder of a target: {', '.join(TARGETS)}")
            return 2
        found = failure_of(target, path.read_bytes())
        failed += found is not None
        print(f"{path}: {'read or refused as documented' if found is None else found[1]}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
