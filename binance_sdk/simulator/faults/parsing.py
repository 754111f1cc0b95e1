"""A fault in one line, as ``binance-sdk simulate --fault`` and ``Simulator.add_fault`` take it.

``NAME:KEY=VALUE,...``, e.g. ``server_error:status=502,probability=0.1,where=spot.*``. A name is that of a class method
of ``Fault``, ``StreamFault`` or ``FileFault``, whose arguments are keys; ``where``, ``probability``, ``count`` and
``seed`` are those of ``Faults.add``, several patterns of ``where`` being separated by ``|``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeAlias, get_type_hints

from pydantic import TypeAdapter, ValidationError

from binance_sdk.simulator.errors import SimulatorError
from binance_sdk.simulator.faults.files import FileFault
from binance_sdk.simulator.faults.requests import Fault, FaultKind
from binance_sdk.simulator.faults.streams import StreamFault

AnyFault: TypeAlias = Fault | StreamFault | FileFault
_RULE: Mapping[str, Any] = {"where": str, "probability": float, "count": int, "seed": int}


@dataclass(frozen=True, slots=True)
class ParsedFault:
    """A fault, and how often and where it is to be injected."""

    fault: AnyFault
    where: tuple[str, ...] = ("*",)
    probability: float = 1.0
    count: int | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class FaultDescription:
    """A fault that can be named.

    Attributes:
        name: Its name.
        about: ``requests``, ``streams`` or ``files``.
        arguments: What it takes besides, with its defaults: ``status=503``.
        meaning: What happens.
    """

    name: str
    about: str
    arguments: tuple[str, ...]
    meaning: str


def describe_faults() -> list[FaultDescription]:
    """Every fault there is, in the order in which they are written down."""
    return [
        FaultDescription(
            name,
            next(about for about, kind in _KINDS.items() if name in _made_by(kind)),
            tuple(
                key if argument.default is argument.empty else f"{key}={_shown(argument.default)}"
                for key, argument in inspect.signature(make).parameters.items()
            ),
            (inspect.getdoc(make) or "").partition("\n")[0],
        )
        for name, make in _KNOWN.items()
    ]


def parse_fault(text: str) -> ParsedFault:
    """What a line says.

    Raises:
        SimulatorError: It says nothing that is known; the message names the word, and what there is instead.
    """
    name, _, rest = text.strip().partition(":")
    make = _KNOWN.get(name)
    if make is None:
        near = get_close_matches(name, _KNOWN, n=1)
        hint = f"did you mean {near[0]}?; " if near else ""
        raise SimulatorError(f"there is no fault {name!r}; {hint}there are {', '.join(_KNOWN)}")
    signature, types = inspect.signature(make).parameters, get_type_hints(make)
    own: dict[str, Any] = {}
    rule: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        key, sign, value = part.strip().partition("=")
        if not sign or (key not in signature and key not in _RULE):
            takes = ", ".join([*signature, *_RULE])
            raise SimulatorError(f"{name}: {part!r} must be KEY=VALUE, the key one of {takes}")
        kind = types[key] if key in signature else _RULE[key]
        (own if key in signature else rule)[key] = _read(name, key, kind, value)
    for missing in _required(make):
        if missing not in own:
            raise SimulatorError(f"{name} needs {missing}: write {name}:{missing}=...")
    if "where" in rule:
        rule["where"] = tuple(rule["where"].split("|"))
    try:
        return ParsedFault(make(**own), **rule)
    except ValueError as error:
        raise SimulatorError(str(error)) from error


@cache
def usual_faults() -> Mapping[FaultKind, Fault]:
    """Of each kind the fault that its class method makes by default."""
    defaults = (make() for make in _made_by(Fault).values() if not _required(make))
    faults = (Fault.latency(0.1), *defaults, Fault.reset(in_body=True))
    return {fault.kind: fault for fault in faults if isinstance(fault, Fault)}


def _required(make: Callable[..., object]) -> list[str]:
    """Arguments without a default."""
    return [name for name, argument in inspect.signature(make).parameters.items() if argument.default is argument.empty]


def _read(name: str, key: str, kind: Any, value: str) -> Any:
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise SimulatorError(f"{name}: {key}={value}: {error.errors(include_url=False)[0]['msg']}") from error


def _made_by(kind: type[AnyFault]) -> dict[str, Callable[..., Any]]:
    """The class methods of which each makes one fault."""
    made: dict[str, Callable[..., Any]] = {}
    for name, member in vars(kind).items():
        if isinstance(member, classmethod):
            method: Callable[..., Any] = getattr(kind, name)
            if get_type_hints(method).get("return") is kind:
                made[name] = method
    return made


def _shown(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) or default is None else str(default)


_KINDS: Mapping[str, type[AnyFault]] = {"requests": Fault, "streams": StreamFault, "files": FileFault}
_KNOWN: Mapping[str, Callable[..., AnyFault]] = {
    name: make for kind in _KINDS.values() for name, make in _made_by(kind).items()
}
