"""An OpenAPI file as the endpoints of public market data that it describes, each with the line it stands in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codegen.documents import Document, Problem, SpecError, parse

_LARGEST = 2_000_000
"""Nodes of one file; Binance's own of 2024 has some 100 000."""
_SIGNED = frozenset({"signature", "timestamp"})
"""Parameters of endpoints that are about an account."""
_MOST_STEPS = 20
"""References that lead from one to the next."""

Step = str | int
Place = tuple[Step, ...]


@dataclass(frozen=True)
class Value:
    """A JSON schema with the place where it stands, its references followed."""

    content: Mapping[str, Any]
    place: Place

    @property
    def kind(self) -> str:
        """``integer``, ``array``, ...; an empty text where the file does not say."""
        kind = self.content.get("type")
        if isinstance(kind, list):  # 3.1: a list, with "null" among them.
            kind = next((word for word in kind if word != "null"), "")
        if isinstance(kind, str):
            return kind
        return "object" if "properties" in self.content else ""


@dataclass(frozen=True)
class ApiParameter:
    """A query parameter."""

    name: str
    required: bool
    description: str
    value: Value


@dataclass(frozen=True)
class ApiEndpoint:
    """One GET of the file."""

    path: str
    summary: str
    description: str
    place: Place
    parameters: tuple[ApiParameter, ...] = ()
    answer: Value | None = None
    example: Any = None


@dataclass
class OpenApi:
    """A file that was read."""

    document: Document
    endpoints: dict[str, ApiEndpoint] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        return self.document.line(*place)

    def problem(self, place: Place, message: str) -> SpecError:
        where = ".".join(map(str, place)) or "the file"
        return SpecError([Problem(self.document.file, self.line(place), f"{where}: {message}")])

    # ------------------------------------------------------------------------------------- values

    def value(self, content: Any, place: Place) -> Value:
        """A JSON schema, or what a reference to one leads to.

        Raises:
            SpecError: The reference leads nowhere, in a circle or out of the file.
        """
        begun = place
        for _ in range(_MOST_STEPS):
            content = self.mapping(content, place)
            target = content.get("$ref")
            if target is None:
                return Value(content, place)
            content, place = self._target(target, (*place, "$ref"))
        raise self.problem(begun, "its references lead in a circle")

    def _target(self, target: Any, place: Place) -> tuple[Any, Place]:
        if not isinstance(target, str) or not target.startswith("#/"):
            raise self.problem(place, f"`{target}` leads out of the file; put what it means into it")
        steps: list[Step] = []
        found: Any = self.document.value
        for text in target.removeprefix("#/").split("/"):
            step: Step = text.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and text.isdecimal() and int(text) < len(found):
                step = int(text)
            elif not isinstance(found, dict) or step not in found:
                raise self.problem(place, f"`{target}` leads nowhere: there is no `{text}`")
            found = found[step]
            steps.append(step)
        return found, tuple(steps)

    def mapping(self, content: Any, place: Place) -> Mapping[str, Any]:
        """``content``, which has to be a mapping.

        Raises:
            SpecError: It is none.
        """
        if not isinstance(content, dict):
            raise self.problem(place, "must be a mapping of keys to values")
        return content

    def part(self, owner: Value, key: Step, *more: Step) -> Value:
        """A schema below another one."""
        content: Any = owner.content
        for step in (key, *more):
            content = content[step]
        return self.value(content, (*owner.place, key, *more))

    def alternatives(self, value: Value) -> Iterator[Value]:
        """A schema, or each of those that it may be, whatever word says so."""
        yield from self._alternatives(value, frozenset())

    def _alternatives(self, value: Value, above: frozenset[Place]) -> Iterator[Value]:
        if value.place in above:
            raise self.problem(value.place, "its references lead in a circle")
        words = [word for word in ("oneOf", "anyOf", "allOf") if isinstance(value.content.get(word), list)]
        if not words:
            yield value
        for word in words:
            for index in range(len(value.content[word])):
                yield from self._alternatives(self.part(value, word, index), above | {value.place})

    def fields(self, value: Value) -> dict[str, Value]:
        """The properties of an object, or of each that it may be."""
        found: dict[str, Value] = {}
        for alternative in self.alternatives(value):
            properties = self.mapping(alternative.content.get("properties", {}), (*alternative.place, "properties"))
            for name in properties:
                found.setdefault(str(name), self.part(alternative, "properties", name))
        return found


def read_openapi(path: Path) -> OpenApi:
    """Read a file and every public GET in it.

    Raises:
        SpecError: It is no YAML or JSON, no OpenAPI 3, or it describes an endpoint in a way that cannot be followed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SpecError([Problem(str(path), line, f"byte {error.start} of the file is not UTF-8")]) from None
    except OSError as error:
        raise SpecError([Problem(str(path), 1, f"cannot be read: {error.strerror}")]) from None
    api = OpenApi(parse(str(path), text, largest=_LARGEST, ours=False))
    whole = api.mapping(api.document.value, ())
    version = whole.get("openapi")
    if "swagger" in whole:
        raise api.problem(("swagger",), f"this is Swagger {whole['swagger']}; convert it to OpenAPI 3 first")
    if not re.fullmatch(r"3\.[01](\.\d+)?", str(version)):
        found = "has no key `openapi`" if version is None else f"is of version {version}"
        raise api.problem(("openapi",), f"the file {found}; versions 3.0 and 3.1 can be read")
    problems: list[Problem] = []
    for name, entry in api.mapping(whole.get("paths", {}), ("paths",)).items():
        try:
            found_endpoint = _endpoint(api, str(name), entry)
        except SpecError as error:
            problems += error.problems
            continue
        if found_endpoint is not None:
            api.endpoints[str(name)] = found_endpoint
    if problems:
        raise SpecError(problems)
    return api


def _endpoint(api: OpenApi, path: str, entry: Any) -> ApiEndpoint | None:
    place: Place = ("paths", path)
    entry = api.mapping(entry, place)
    if "get" not in entry:
        return None
    place = (*place, "get")
    get = api.mapping(entry["get"], place)
    listed = [
        (entry.get("parameters", []), ("paths", path, "parameters")),
        (get.get("parameters", []), (*place, "parameters")),
    ]
    parameters: dict[str, ApiParameter] = {}
    for values, at in listed:
        if not isinstance(values, list):
            raise api.problem(at, "must be a list")
        for index, content in enumerate(values):
            parameter = _parameter(api, content, (*at, index))
            if parameter is not None:
                parameters[parameter.name] = parameter
    if get.get("security") or _SIGNED & parameters.keys():
        return None  # About somebody's account.
    answer, example = _answer(api, get, place)
    texts = {word: str(get.get(word) or "").strip() for word in ("summary", "description")}
    return ApiEndpoint(
        path, **texts, place=place, parameters=tuple(parameters.values()), answer=answer, example=example
    )


def _parameter(api: OpenApi, content: Any, place: Place) -> ApiParameter | None:
    found = api.value(content, place)
    name = found.content.get("name")
    if not isinstance(name, str):
        raise api.problem(found.place, "a parameter needs a `name`")
    if found.content.get("in") != "query":
        return None
    schema = api.value(found.content.get("schema", {}), (*found.place, "schema"))
    text = str(found.content.get("description") or "").strip()
    return ApiParameter(name, found.content.get("required") is True, text, schema)


def _answer(api: OpenApi, get: Mapping[str, Any], place: Place) -> tuple[Value | None, Any]:
    at: Place = (*place, "responses")
    responses = api.mapping(get.get("responses", {}), at)
    code = next((status for status in responses if str(status) in ("200", "2XX", "default")), None)
    if code is None:
        return None, None
    response = api.value(responses[code], (*at, code))
    contents = api.mapping(response.content.get("content", {}), (*response.place, "content"))
    kind = next((media_type for media_type in contents if "json" in str(media_type)), None)
    if kind is None:
        return None, None
    body = api.value(contents[kind], (*response.place, "content", kind))
    if "schema" not in body.content:
        return None, body.content.get("example")
    schema = api.part(body, "schema")
    return schema, body.content.get("example", schema.content.get("example"))
