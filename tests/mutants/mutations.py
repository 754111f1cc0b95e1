"""Every small mistake that can be made in a module: a line left out, a bound off by one, a check dropped.

Pure: source in, mutants out, always in the same order. Messages, docstrings, annotations and assertions stay as they
are: what they say is no behaviour, or is checked by the type checkers.
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "//"),
}
_OTHER_END = {"min": "max", "max": "min"}


@dataclass(frozen=True)
class Mutant:
    """One mistake.

    Attributes:
        file: The module, from the root of the project.
        function: Class and function it is in; empty for the module's own lines.
        line: Its line, from 1 on.
        column: Where in the line it begins, in bytes.
        before: That line as it is, without indentation.
        after: The same with the mistake.
        lines: All lines of the statement, or of its head where it has a body: who runs one of them may notice.
        original: The whole module as it is; ``text`` takes the place of its bytes from ``start`` to ``end``.
    """

    file: str
    function: str
    line: int
    column: int
    before: str
    after: str
    lines: range
    original: bytes
    start: int
    end: int
    text: bytes

    @property
    def source(self) -> bytes:
        """The whole module with the mistake."""
        return self.original[: self.start] + self.text + self.original[self.end :]

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What says the same mistake again when other lines have moved."""
        return self.file, self.function, self.before, self.after


def mutants(file: str, source: bytes) -> list[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    return _Mutator(file, source).found


class _Mutator:
    def __init__(self, file: str, source: bytes) -> None:
        self._file = file
        self._source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._function: list[str] = []
        self._lines = range(0)
        self.found: list[Mutant] = []
        self._block(ast.parse(source).body)
        self.found.sort(key=lambda mutant: mutant.line)

    # ------------------------------------------------------------------------------ places in the text

    def _at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset)

    def _text(self, node: ast.expr) -> bytes:
        start, end = self._span(node)
        return self._source[start:end]

    def _add(self, start: int, end: int, text: bytes) -> None:
        line = bisect_right(self._starts, start)
        begin = self._starts[line - 1]
        rest = self._source[end : self._starts[min(bisect_right(self._starts, end), len(self._starts) - 1)]]
        before = self._source[begin : self._starts[line]].decode().strip()
        after = (self._source[begin:start] + text + rest).splitlines()[0].decode().strip()
        function = ".".join(self._function)
        place = (self._file, function, line, start - begin)
        self.found.append(Mutant(*place, before, after, self._lines, self._source, start, end, text))

    def _replace(self, node: ast.expr | ast.stmt, text: bytes) -> None:
        self._add(*self._span(node), text)

    def _swap(self, between: tuple[ast.expr, ast.expr], old: str, new: str) -> None:
        """The operator between two expressions, which may stand in parentheses."""
        start, end = self._span(between[0])[1], self._span(between[1])[0]
        at = self._source.index(old.encode(), start, end)
        self._add(at, at + len(old), new.encode())

    # ------------------------------------------------------------------------------------- statements

    def _block(self, body: list[ast.stmt]) -> None:
        for number, statement in enumerate(body):
            docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not docstring and not isinstance(statement, ast.Assert | ast.Import | ast.ImportFrom):
                self._statement(statement, alone=number == 0 and len(body) == 1)

    def _statement(self, node: ast.stmt, *, alone: bool) -> None:
        assert node.end_lineno is not None
        body: list[ast.stmt] = getattr(node, "body", [])
        self._lines = range(node.lineno, max(node.lineno, body[0].lineno - 1 if body else node.end_lineno) + 1)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self._definition(node)
            return
        if self._can_be_left_out(node):
            self._replace(node, b"pass")
        if isinstance(node, ast.With | ast.AsyncWith):
            self._unguarded(node)
        if isinstance(node, ast.AugAssign) and type(node.op) in _ARITHMETIC:
            old, new = _ARITHMETIC[type(node.op)]
            self._swap((node.target, node.value), f"{old}=", f"{new}=")
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "exc", "cause", "targets") and isinstance(value, ast.expr):
                self._expression(value)
        for item in getattr(node, "items", []):
            self._expression(item.context_expr)
        for field in ("body", "orelse", "finalbody"):
            self._block(getattr(node, field, []))
        for handler in getattr(node, "handlers", []):
            self._block(handler.body)
        for case in getattr(node, "cases", []):
            self._block(case.body)

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        if not isinstance(node, ast.ClassDef):
            for default in (*node.args.defaults, *node.args.kw_defaults):
                if default is not None:
                    self._expression(default)
        self._function.append(node.name)
        self._block(node.body)
        self._function.pop()

    @staticmethod
    def _can_be_left_out(node: ast.stmt) -> bool:
        """Whether the module still makes sense to Python: a local name that is gone would be noticed by anything."""
        if isinstance(node, ast.Assign):
            named = [item for target in node.targets for item in getattr(target, "elts", [target])]
            return all(isinstance(item, ast.Attribute | ast.Subscript) for item in named)
        if isinstance(node, ast.Return):
            return node.value is None
        return isinstance(node, ast.Expr | ast.AugAssign | ast.Delete | ast.Raise | ast.Break | ast.Continue)

    def _unguarded(self, node: ast.With | ast.AsyncWith) -> None:
        """Without the lock that is held."""
        if all(item.optional_vars is None for item in node.items):
            end = self._span(node.items[-1].context_expr)[1]
            self._add(self._span(node)[0], end, b"if True")

    # ------------------------------------------------------------------------------------ expressions

    def _expression(self, node: ast.expr) -> None:
        for start, end, text in self._mistakes(node):
            self._add(start, end, text)
        if isinstance(node, ast.Compare):
            left = node.left
            for operator, right in zip(node.ops, node.comparators, strict=True):
                self._swap((left, right), *_COMPARISONS[type(operator)])
                left = right
        if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            self._swap((node.left, node.right), *_ARITHMETIC[type(node.op)])
        if isinstance(node, ast.BoolOp):
            old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            for pair in zip(node.values, node.values[1:], strict=False):
                self._swap(pair, old, new)
        if isinstance(node, ast.JoinedStr):
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._expression(child)
            elif isinstance(child, ast.keyword) and child.arg != "repr":
                self._expression(child.value)
            elif isinstance(child, ast.comprehension):
                self._expression(child.iter)
                for condition in child.ifs:
                    self._replace(condition, b"True")
                    self._expression(condition)

    def _mistakes(self, node: ast.expr) -> Iterator[tuple[int, int, bytes]]:
        """Where another text takes the place of an expression."""
        start, end = self._span(node)
        match node:
            case ast.Constant(value=bool(value)):
                yield start, end, str(not value).encode()
            case ast.Constant(value=int(value) | float(value)) if not self._function:
                # A figure that was chosen: nobody needs to notice a little more of it.
                yield start, end, repr(value * 10 or 1).encode()
            case ast.Constant(value=int(value)):
                yield start, end, repr(value + 1).encode()
            case ast.Constant(value=float(value)):
                yield start, end, repr(value * 2 or 1.0).encode()
            case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
                yield start, end, b"(" + self._text(operand) + b")"
            case ast.BoolOp(values=operands):
                for left_out in range(len(operands)):
                    kept = [self._text(operand) for number, operand in enumerate(operands) if number != left_out]
                    word = b" and " if isinstance(node.op, ast.And) else b" or "
                    yield start, end, b"(" + word.join(b"(" + text + b")" for text in kept) + b")"
            case ast.IfExp(body=body, orelse=orelse):
                yield start, end, b"(" + self._text(body) + b")"
                yield start, end, b"(" + self._text(orelse) + b")"
            case ast.Call(func=ast.Name(id="min" | "max" as name) as called, args=arguments):
                yield *self._span(called), _OTHER_END[name].encode()
                if len(arguments) == 2 and not any(isinstance(argument, ast.Starred) for argument in arguments):
                    for argument in arguments:
                        yield start, end, b"(" + self._text(argument) + b")"
            case _:
                return
