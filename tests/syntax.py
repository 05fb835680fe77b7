"""Syntax trees of modules, parsed once for all rules that read them."""

import ast
from functools import cache


@cache
def parse(text: str) -> ast.Module:
    """Return the syntax tree of a module's text; nobody may change it."""
    return ast.parse(text)


@cache
def nodes(text: str) -> tuple[ast.AST, ...]:
    """Return every node of a module's syntax tree."""
    return tuple(ast.walk(parse(text)))
