"""Which class of the model a file of the spec is written in."""

from __future__ import annotations

from collections.abc import Mapping

from codegen.spec_model.archive import ArchiveFile
from codegen.spec_model.base import Node
from codegen.spec_model.dictionary import NamesFile
from codegen.spec_model.errors import ErrorsFile
from codegen.spec_model.markets import EnvironmentsFile, MarketsFile
from codegen.spec_model.operations import SpecFile
from codegen.spec_model.streams import StreamsFile

TOP_FILES: Mapping[str, type[Node]] = {
    "environments.yaml": EnvironmentsFile,
    "markets.yaml": MarketsFile,
    "errors.yaml": ErrorsFile,
    "names.yaml": NamesFile,
    "archive.yaml": ArchiveFile,
}
"""Files that lie in the folder itself, all of them needed."""
EDITOR_SCHEMA = "spec.schema.json"
RELEASED = "released.json"
WRITTEN = (EDITOR_SCHEMA, RELEASED)
"""Files of the folder that the generator writes: no part of what the spec says."""
MODELS: tuple[type[Node], ...] = (*TOP_FILES.values(), SpecFile, StreamsFile)


def model_of(file: str) -> type[Node]:
    """The class of a file, by its path below ``spec/``."""
    if file in TOP_FILES:
        return TOP_FILES[file]
    return StreamsFile if file.startswith("streams/") else SpecFile
