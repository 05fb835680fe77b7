"""Mutations of documents: keys, types, numbers, texts, structure; of trees and of bare text."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Final

from tests.fuzz.expressions import expression
from tests.fuzz.trees import Items, Pairs, Scalar, at, places, put

if TYPE_CHECKING:
    from random import Random

    from tests.fuzz.trees import Tree

NUMBERS: Final = (
    "0", "-1", "1", "1e400", "-1e400", "1e308", "1e-320", "1e-300", "4e9", "1e18",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "9" * 5000,
    "1" + "0" * 400, "0.1", "1.0", "0x10", "0o17", "1_0", ".inf", "-.inf", ".nan", "NaN",
    "Infinity", "1e1000000", "-0.0", "00", "+1", "1e", "12345678901234567890.5", "1:30",
)  # fmt: skip
WORDS: Final = (
    "null", "true", "false", "~", "yes", '""', '" "', '"\\ud800"', '"\\u0000"', '"a\\nb"', "*",
    "&a 1", '"\\u202e"', "!!python/object:os.system x", "!!binary aGk=", "!!float x", "!!int 1x",
    "2026-03-02", '"2026-03-02T09:00"', '"9999-12-31T23:59"', "*a", "!!set {a}", "<<",
    '"$__interval"', '"[[x]]"', '"{{ $labels.x }}"', '"{{"', '"../../../etc/passwd"',
    '"/dev/zero"', '"/"', '"."', '"\\u0000/x"', "''",
)  # fmt: skip
DURATIONS: Final = (
    "0s", "1m", "5m", "1h30m", "10000000h", "9" * 400 + "s", "1us", "0.0000001s", "-5m", "1d1d",
    "1w", "100y", "1", "1.5.5s", "\u0661s", "99999999999999999999d", "1e3s", "31d", "5m ", "1ms",
)  # fmt: skip
BYTES: Final = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"\r", b"\t", b"\x85", b"\xe2\x80\xa8",
    b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x1b[31m", b"\x07", b"{", b"}", b"[", b"]", b":",
    b"- ", b"&a ", b"*a", b"|", b">", b"<<: *a\n", b"---\n", b"...\n", b"%YAML 9.9\n", b"? ", b"'",
    b'"', b"#", b"!!", b"@", b"`", b",",
)  # fmt: skip


def scalar(random: Random) -> str:
    """Return a value that is written oddly."""
    match random.randrange(7):
        case 0 | 1:
            return random.choice(NUMBERS)
        case 2:
            return random.choice(WORDS)
        case 3:
            return json.dumps(random.choice(DURATIONS))
        case 4:
            return json.dumps(random.choice(NUMBERS))
        case 5:
            letter = random.choice(("x", "\\", "{{", "\u00e9", "\U0001f525", "(", "a b ", "$"))
            return json.dumps(letter * int(10 ** random.uniform(0, 4)), ensure_ascii=False)
    return json.dumps(expression(random, 3))


def mutate_tree(random: Random, tree: Tree) -> Tree:
    """Return `tree` with a few places changed."""
    tree = deepcopy(tree)
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        spots = list(places(tree))
        if not spots:
            return _odd_tree(random)
        _change(random, *random.choice(spots), spots)
    return tree


def _change(
    random: Random, holder: Items | Pairs, number: int, spots: list[tuple[Items | Pairs, int]]
) -> None:
    match random.randrange(12):
        case 0 | 1 | 2 | 3:
            put(holder, number, Scalar(scalar(random)))
        case 4:
            del holder.children[number]
        case 5:
            holder.children.insert(number, deepcopy(holder.children[number]))
        case 6:
            other = random.choice(spots)
            put(holder, number, deepcopy(at(*other)))
        case 7:
            _rename(random, holder, number)
        case 8:
            wrapped = at(holder, number)
            pair = Pairs([(json.dumps(random.choice(("a", "fault", "name"))), wrapped)])
            put(holder, number, random.choice((Items([wrapped]), pair)))
        case 9:
            put(holder, number, _odd_tree(random))
        case 10 if isinstance(holder, Pairs):
            key = random.choice(("<<", '"expr"', '"labels"', "1", "null", "[a]", '"\\ud800"', "*a"))
            holder.children.append((key, deepcopy(at(holder, number))))
        case _:
            put(holder, number, Scalar(json.dumps(expression(random))))


def _rename(random: Random, holder: Items | Pairs, number: int) -> None:
    if isinstance(holder, Items):
        random.shuffle(holder.children)
        return
    key, value = holder.children[number]
    letters = list(key)
    spot = random.randrange(1, len(letters)) if len(letters) > 1 else 0
    letters[spot] = random.choice("xyz_-0\u00e9")
    others = [other for other, _ in holder.children]
    holder.children[number] = (random.choice(("".join(letters), random.choice(others))), value)


def _odd_tree(random: Random) -> Tree:
    """Return a structure that no file needs: empty, deep, or wide."""
    match random.randrange(6):
        case 0:
            return Pairs()
        case 1:
            return Items()
        case 2 | 3:
            marks = random.choices(
                (("[", "]"), ('{"a": ', "}")), k=random.choice((3, 60, 130, 1500))
            )
            ends = "".join(mark[1] for mark in reversed(marks))
            return Scalar("".join(mark[0] for mark in marks) + "1" + ends)
        case 4:
            return Items([Scalar(scalar(random)) for _ in range(random.randrange(5))])
    return Items([Scalar("{}")] * random.choice((5, 50, 2000)))


def mutate_text(random: Random, text: bytes) -> bytes:
    """Return bytes with a few lines, words or single bytes changed."""
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        lines = text.split(b"\n")
        number = random.randrange(len(lines))
        match random.randrange(8):
            case 0:
                del lines[number]
            case 1:
                lines.insert(random.randrange(len(lines)), lines[number])
            case 2:
                lines[number] = b" " * random.randrange(5) + lines[number].lstrip()
            case 3:
                key, mark, _ = lines[number].partition(b":")
                lines[number] = key + mark + b" " + scalar(random).encode("utf-8", "surrogatepass")
            case 4 | 5:
                spot = random.randrange(len(lines[number]) + 1)
                odd = random.choice(BYTES)
                lines[number] = lines[number][:spot] + odd + lines[number][spot:]
            case 6:
                return b"\n".join(lines[: number + 1])[: random.randrange(len(text) + 1) or 1]
            case _:
                lines[number] = lines[number] * random.choice((2, 50))
        text = b"\n".join(lines)
    return random.choice((text,) * 12 + (text.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + text))


def bomb(random: Random) -> bytes:
    """Return a short text that is long once its aliases, merges or brackets are followed."""
    count = random.choice((3, 9, 30))
    lines = [b"a0: &a0 {x: 1}"]
    for n in range(1, count):
        before = b"*a%d" % (n - 1)
        lines.append(
            random.choice(
                (
                    b"a%d: &a%d {<<: [%s]}" % (n, n, b", ".join([before] * 9)),
                    b"a%d: &a%d [%s]" % (n, n, b", ".join([before] * 9)),
                    b"a%d: &a%d {<<: %s, y%d: %s}" % (n, n, before, n, before),
                    b"a%d: &a%d {b: &c [*c], <<: *a%d}" % (n, n, n),
                )
            )
        )
    brackets = random.choice((b"[", b"{a: ", b"- ", b"? ", b"[a, ", b'{"a":', b"!!x ", b"&x "))
    return random.choice((b"\n".join(lines), brackets * random.choice((50, 500, 20000))))
