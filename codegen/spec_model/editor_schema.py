"""``spec/spec.schema.json``: the model of the spec as JSON Schema, so that editors complete and check the YAML.

A file of the spec names its part of it in its first line, which editors with a YAML language server read.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic.json_schema import models_json_schema
from pydantic_core import to_jsonable_python

from codegen.spec_model.base import ENVIRONMENT, Node
from codegen.spec_model.files import EDITOR_SCHEMA, MODELS, model_of
from codegen.spec_model.markets import EnvironmentsFile

_DIALECT = "http://json-schema.org/draft-07/schema#"
"""The newest that editors agree on."""


def modeline(file: str) -> str:
    """The first line of a file of the spec, by its path below ``spec/``."""
    up = "../" * file.count("/")
    return f"# yaml-language-server: $schema={up}{EDITOR_SCHEMA}#/definitions/{model_of(file).__name__}\n"


def render_schema(environments: Iterable[str]) -> bytes:
    """The text of ``spec.schema.json``, with the names of the environments that there are."""
    _, schema = models_json_schema(
        [(model, "validation") for model in MODELS], ref_template="#/definitions/{model}", title="A file of spec/"
    )
    definitions: dict[str, Any] = schema.pop("$defs")
    told = dict(_attribute_docstrings())
    names = list(environments)
    for name, definition in definitions.items():
        if name != EnvironmentsFile.__name__:  # That is where they get their names.
            _name_environments(definition, names)
        _close(definition)
        for key, entry in definition.get("properties", {}).items():
            entry.pop("title", None)  # `startTime` as "Starttime" tells nobody anything.
            if (name, key) in told:
                entry["description"] = told[name, key]
    files = [{"$ref": f"#/definitions/{model.__name__}"} for model in MODELS]
    whole = {"$schema": _DIALECT, **schema, "anyOf": files, "definitions": dict(sorted(definitions.items()))}
    return (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode()


def _name_environments(schema: Any, names: list[str]) -> None:
    """Environments are chosen among those there are."""
    if isinstance(schema, dict):
        if schema.get("pattern") == ENVIRONMENT:
            del schema["pattern"]
            schema["enum"] = names
        entry = schema.get("patternProperties", {}).pop(ENVIRONMENT, None)
        if entry is not None:
            del schema["patternProperties"]
            schema |= {"additionalProperties": entry, "propertyNames": {"enum": names}}
        for inner in schema.values():
            _name_environments(inner, names)
    elif isinstance(schema, list):
        for inner in schema:
            _name_environments(inner, names)


def _close(schema: Any) -> None:
    """Mappings with names as keys take no others: pydantic leaves those open that a pattern describes."""
    if isinstance(schema, dict):
        if "patternProperties" in schema:
            schema["additionalProperties"] = False
        for inner in schema.values():
            _close(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _close(inner)


def _attribute_docstrings() -> Iterator[tuple[tuple[str, str], str]]:
    """What the text below an attribute of the model says of it, by class and key of the YAML.

    Pydantic can read them too, but would do so whenever the generator starts.
    """
    classes = {cls.__name__: cls for cls in _classes(Node)}
    for module in sorted({cls.__module__ for cls in classes.values()}):
        tree = ast.parse(inspect.getsource(sys.modules[module]))
        for node in tree.body:
            if not isinstance(node, ast.ClassDef) or node.name not in classes:
                continue
            fields: Mapping[str, Any] = classes[node.name].model_fields
            for attribute, text in zip(node.body, node.body[1:], strict=False):
                if (
                    isinstance(attribute, ast.AnnAssign)
                    and isinstance(attribute.target, ast.Name)
                    and isinstance(text, ast.Expr)
                    and isinstance(text.value, ast.Constant)
                ):
                    key = fields[attribute.target.id].alias or attribute.target.id
                    yield (node.name, key), inspect.cleandoc(str(text.value.value))


def _classes(base: type[Node]) -> Iterator[type[Node]]:
    for cls in base.__subclasses__():
        yield cls
        yield from _classes(cls)


def plain(value: Any) -> Any:
    """A value of YAML as JSON has it: days are texts, and so are all keys."""
    return to_jsonable_python(value)
