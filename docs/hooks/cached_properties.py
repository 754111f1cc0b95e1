"""Shows our own ``cached_property`` in the reference as what it is: an attribute, and not a method to be called."""

from __future__ import annotations

from typing import Any

from griffe import Attribute, Class, Extension, Function

OURS = "binance_sdk._runtime.locks.cached_property"


class CachedProperties(Extension):
    """Does for ours what griffe does for that of ``functools``."""

    def on_class_members(self, *, cls: Class, **_: Any) -> None:
        for name, member in list(cls.members.items()):
            if isinstance(member, Function) and OURS in {decorator.callable_path for decorator in member.decorators}:
                attribute = Attribute(
                    name, lineno=member.lineno, endlineno=member.endlineno, annotation=member.returns,
                    docstring=member.docstring, runtime=member.runtime, parent=cls,
                )  # fmt: skip
                attribute.labels |= {"property", "cached"}
                cls.set_member(name, attribute)
