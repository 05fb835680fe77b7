"""Syntax trees of modules, parsed once for all rules that read them."""

import ast
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@contextmanager
def no_search_for_garbage() -> Iterator[None]:
    """Make many objects that stay: to look for garbage among them takes as long as to make them."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@cache
def parse(text: str) -> ast.Module:
    """Return the syntax tree of a module's text; nobody may change it."""
    with no_search_for_garbage():
        return ast.parse(text)


@cache
def nodes(text: str) -> tuple[ast.AST, ...]:
    """Return every node of a module's syntax tree."""
    tree = parse(text)
    with no_search_for_garbage():
        return tuple(ast.walk(tree))
