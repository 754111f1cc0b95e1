"""The commands of a simulator that runs elsewhere, whatever carries them there."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from binance_sdk.simulator.control.commands import SimulatorCommands
from binance_sdk.simulator.control.registry import Command
from binance_sdk.simulator.faults.requests import Fault
from binance_sdk.simulator.faults.rules import RuleBook


@dataclass(frozen=True, slots=True)
class RemoteRule:
    """Faults that were added to a simulator in another process."""

    number: int
    _control: RemoteCommands

    def remove(self) -> None:
        """Stop injecting. Twice does no harm."""
        self._control._remove_faults(self.number)


class RemoteFaults(RuleBook[Fault, RemoteRule]):
    """``Simulator.faults`` of another process."""

    def __init__(self, control: RemoteCommands) -> None:
        self._control = control

    def _insert(
        self, faults: tuple[Fault, ...], where: tuple[str, ...], probability: float, count: int | None, seed: int | None
    ) -> RemoteRule:
        given = [asdict(fault) for fault in faults]
        return RemoteRule(self._control._add_faults(given, list(where), probability, count, seed), self._control)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._control._clear_faults()

    @property
    def injected(self) -> Mapping[str, int]:
        """How many faults were injected, by kind."""
        return self._control._injected()


class RemoteCommands(SimulatorCommands):
    """Each method is that of ``Simulator``, and is run by the simulator at the other end."""

    @abstractmethod
    def ask(self, name: str, **arguments: object) -> object:
        """Send one command by its name; the result as JSON has it.

        Raises:
            SimulatorError: The simulator does not take the arguments, or cannot be reached.
        """

    def _run(self, command: Command, *args: object, **kwargs: object) -> object:
        return command.result.validate_python(self.ask(command.name, **command.arguments(self, *args, **kwargs)))

    @property
    def faults(self) -> RemoteFaults:
        """What goes wrong with requests on demand."""
        return RemoteFaults(self)

    def add_fault(self, text: str) -> RemoteRule:
        """Inject a fault that is written in a line, also one of streams; see ``Simulator.add_fault``."""
        return RemoteRule(self._add_fault(text), self)
