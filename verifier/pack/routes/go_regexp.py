r"""Go's regular expressions, which Alertmanager's matchers are written in, read by RE2.

Go's `regexp` has the syntax of RE2 and promises the same answers; Python's `re` reads `[[:alpha:]]`
or `(?i)` in the middle otherwise and knows no `\pL`. A pattern must match the whole value.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import re2

from documents.mistake_kinds import InvalidSyntax
from documents.mistakes import InputError, Mistake

_PATTERNS_MAX: Final = 1024
"""Patterns that stay compiled: more than any configuration has matchers."""


def check_pattern(pattern: str) -> None:
    """Raise `InputError` for a text that is no regular expression of Go."""
    _compile(pattern)


def matches_whole(pattern: str, value: str) -> bool:
    """Return whether `pattern` matches the whole of `value`; the pattern must be valid."""
    return _compile(pattern).fullmatch(value) is not None


@lru_cache(maxsize=_PATTERNS_MAX)
def _compile(pattern: str) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False  # to standard error, beside the mistake that we raise
    options.never_capture = True
    try:
        # As Alertmanager does it: a pattern such as `a|b)(c` must not pass for being wrapped.
        re2.compile(pattern, options)
        return re2.compile(f"^(?:{pattern})$", options)
    except re2.error as error:
        detail = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        problem = InvalidSyntax(f"regular expression {pattern!r}", "valid", detail)
        raise InputError(Mistake(problem)) from error
