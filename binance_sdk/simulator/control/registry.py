"""How a method becomes a command: by one decorator it is typed, known by name, and can be sent to another process."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from types import MethodType
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, get_type_hints

from pydantic import TypeAdapter, ValidationError, validate_call

from binance_sdk.simulator.errors import SimulatorError

P = ParamSpec("P")
T = TypeVar("T")
RunnerT = TypeVar("RunnerT", bound="RunsCommands")


class RunsCommands(Protocol):
    """An object whose commands run here, or are sent elsewhere."""

    def _run(self, command: Command, *args: object, **kwargs: object) -> object: ...


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name: Its name on the way between two processes.
        body: What a simulator does: a function of the simulator and the arguments.
        read_only: Whether it changes nothing.
    """

    name: str
    body: Callable[..., Any]
    read_only: bool

    def arguments(self, *args: object, **kwargs: object) -> dict[str, object]:
        """The arguments of a call, by name; the first one of ``args`` stands for the simulator and is left out."""
        bound = inspect.signature(self.body).bind(*args, **kwargs)
        return dict(list(bound.arguments.items())[1:])

    @cached_property
    def result(self) -> TypeAdapter[Any]:
        """Reads the result from its JSON."""
        return TypeAdapter(get_type_hints(self.body)["return"])


COMMANDS: dict[str, Command] = {}
"""Every command, by name."""


def command(
    *, read_only: bool = False
) -> Callable[[Callable[Concatenate[RunnerT, P], T]], Callable[Concatenate[RunnerT, P], T]]:
    """Make a command of a method: it runs here or elsewhere, as ``_run`` of its object decides."""

    def declare(body: Callable[Concatenate[RunnerT, P], T]) -> Callable[Concatenate[RunnerT, P], T]:
        name = body.__name__.lstrip("_")
        declared = COMMANDS[name] = Command(name, body, read_only)

        @wraps(body)
        def run(self: RunnerT, /, *args: P.args, **kwargs: P.kwargs) -> T:
            return cast("T", self._run(declared, *args, **kwargs))

        return run

    return declare


class CommandRunner:
    """Runs the commands that come from another process."""

    def __init__(self, simulator: object) -> None:
        self._calls = {name: validate_call(MethodType(command.body, simulator)) for name, command in COMMANDS.items()}

    def run(self, name: str, arguments: Mapping[str, Any]) -> object:
        """Run a command and return its result.

        Raises:
            SimulatorError: It does not take these arguments, or cannot do it.
            KeyError: There is no such command.
        """
        call = self._calls[name]
        try:
            return call(**arguments)
        except ValidationError as error:
            raise SimulatorError(_message(error)) from error
        except ValueError as error:
            raise SimulatorError(str(error)) from error


def _message(error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    found = [(".".join(map(str, problem["loc"])), problem["msg"]) for problem in problems]
    return "; ".join(f"{place}: {message}" if place else message for place, message in found)
