"""What ``spec/errors.yaml`` may say: statuses, codes, and what to do about them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from codegen.spec_model.base import Node, Source, Text


class ErrorCode(Node):
    """What a code in the body of an error means."""

    name: Text
    meaning: Text
    means: int | None = None
    """The status whose meaning and remedy hold where it comes under 200."""


class ErrorStatus(Node):
    """What an HTTP status means and what to do about it."""

    meaning: Text
    remedy: Text


class StatusOverride(Node):
    """Words in the body of an error under which its status means another one."""

    status: int
    says: Text
    """Part of the body's text; upper and lower case and white space do not matter."""
    means: int
    """The status whose meaning and remedy hold instead."""


class Mistake(Node):
    """What a wrong request is refused with."""

    description: Text
    codes: list[int] = Field(min_length=1)
    """One of these; which one differs between endpoints."""
    uncertain: Text | None = None


class ErrorsFile(Node):
    """``spec/errors.yaml``."""

    description: Text
    source: Source
    statuses: dict[int, ErrorStatus]
    bodies: list[StatusOverride] = Field(default_factory=list)
    mistakes: dict[Literal["missing", "unknown_symbol", "unknown_choice", "out_of_bounds"], Mistake] = Field(
        default_factory=dict
    )
    codes: dict[int, ErrorCode]
