"""From what a query returned to the choices of a variable: its regular expression and its order.

As Grafana's `metricNamesToVariableValues` does it. Pure.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from verifier.pack.panels import Option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_NUMBER: Final = re.compile(r"\d+")
"""A number is whole for Grafana: `1.5` comes before `1.2` if the server returned it first."""
_FLAGS: Final = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}


def through_regex(values: Sequence[str], regex: str) -> list[Option]:
    """Return the choices that a regular expression leaves of `values`, each once.

    A group of the expression cuts its part out; the groups `text` and `value` name both. Only the
    first match in a value counts, unless the expression has the flag `g`.
    """
    compiled = _compiled(regex)
    unique: dict[str, Option] = {}
    for value in values:
        for option in _cut(*compiled, value) if compiled is not None else (Option(value, value),):
            unique.setdefault(option.value, option)
    return list(unique.values())


def ordered(options: Sequence[Option], sort: int) -> list[Option]:
    """Return choices in one of Grafana's orders: 1, 3, 5, 7 upwards, the next of each downwards.

    Downwards is upwards read from the end, so that equal ones change places too.
    """
    kind = (sort + 1) // 2
    if not 0 < kind <= len(_KEYS):
        return list(options)
    upwards = sorted(options, key=_KEYS[kind - 1])
    return upwards if sort % 2 else upwards[::-1]


def _compiled(regex: str) -> tuple[re.Pattern[str], int | None] | None:
    """Return a regular expression of JavaScript, `/.../i` or plain; None for a wrong one.

    Also how many of its matches count, None for all.
    """
    if not regex:
        return None
    pattern, flags = f"^{regex}$", 0
    most: int | None = 1
    if regex.startswith("/") and (end := regex.rfind("/")) > 0:
        pattern = regex[1:end].replace("\\/", "/")
        for letter in regex[end + 1 :]:
            flags |= _FLAGS.get(letter, 0)
        most = None if "g" in regex[end + 1 :] else 1
    try:
        return re.compile(re.sub(r"\(\?<(\w+)>", r"(?P<\1>", pattern), flags), most
    except re.error:
        return None


def _cut(pattern: re.Pattern[str], most: int | None, value: str) -> Iterator[Option]:
    matches = list(islice(pattern.finditer(value), most))
    if not matches:
        return
    named: dict[str, str] = {}
    for name, text in (item for match in matches for item in match.groupdict().items() if item[1]):
        named.setdefault(name, text)
    if "value" in named or "text" in named:
        part = named.get("value") or named["text"]
        yield Option(named.get("text") or part, part)
    elif pattern.groups and len(matches) > 1:
        yield from (Option(m[1], m[1]) for m in matches if m[1])
    elif pattern.groups:
        yield Option(matches[0][1] or "", matches[0][1] or "")
    else:
        yield Option(value, value)


def _number(option: Option) -> float:
    match = _NUMBER.search(option.text)
    return float(match.group()) if match else -1.0


def _natural(option: Option) -> list[tuple[int, float, str]]:
    parts = re.split(r"(\d+)", option.text.lower())
    return [(0, float(p), "") if p.isdecimal() else (1, 0.0, p) for p in parts if p]


# Any: keys of one order are compared with each other only.
_KEYS: Final[tuple[Callable[[Option], Any], ...]] = (
    lambda option: option.text,
    _number,
    lambda option: option.text.lower(),
    _natural,
)
