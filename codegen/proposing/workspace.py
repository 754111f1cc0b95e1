"""A spec that is being changed: single texts are, and whether all of it still loads is tried in a copy."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from codegen.checks.lint import broken_rules
from codegen.documents import Problem, SpecError
from codegen.load import load
from codegen.proposing.yaml_text import YamlText
from codegen.spec_model.spec import Spec


@dataclass
class Workspace:
    """The files of a spec as they are to be.

    Attributes:
        spec: As it was.
        today: The day.
    """

    spec: Spec
    today: date
    _texts: dict[str, YamlText] = field(default_factory=dict[str, YamlText])
    _before: dict[str, str] = field(default_factory=dict[str, str])
    _loaded: tuple[dict[str, str], Spec] | None = None

    def text(self, file: str) -> YamlText:
        """A file by its name below the spec, to look at and to change."""
        if file not in self._texts:
            self._before[file] = (self.spec.folder / file).read_bytes().decode()
            self._texts[file] = YamlText(file, self._before[file])
        return self._texts[file]

    def snapshot(self) -> Mapping[str, str]:
        """The texts as they are now, for ``restore``."""
        return {file: text.text for file, text in self._texts.items()}

    def restore(self, snapshot: Mapping[str, str]) -> None:
        """Take back what was changed since."""
        for file, text in self._texts.items():
            kept = snapshot.get(file, self._before[file])
            if text.text != kept:
                self._texts[file] = YamlText(file, kept)

    def changed(self) -> dict[str, tuple[str, str]]:
        """Every file that is another now: before and after."""
        return {
            file: (self._before[file], text.text)
            for file, text in sorted(self._texts.items())
            if text.text != self._before[file]
        }

    def loaded(self) -> Spec:
        """The changed spec.

        Raises:
            SpecError: it has mistakes.
        """
        changed = {file: text for file, (_, text) in self.changed().items()}
        if not changed:
            return self.spec
        if self._loaded is None or self._loaded[0] != changed:
            self._loaded = changed, self._load(changed)
        return self._loaded[1]

    def problems(self) -> list[Problem]:
        """Why the changed spec cannot be used; nothing where it can."""
        try:
            return broken_rules(self.loaded(), self.today)
        except SpecError as error:
            return list(error.problems)

    def _load(self, changed: Mapping[str, str]) -> Spec:
        with tempfile.TemporaryDirectory(prefix="spec-") as folder:
            copy = Path(folder) / self.spec.folder.name
            shutil.copytree(self.spec.folder, copy)
            for file, text in changed.items():
                (copy / file).write_bytes(text.encode())
            return load(copy)
