"""Random PromQL: most of it follows the grammar, some of it leaves it, some is deep or long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

_METRICS: Final = (
    "up", "agentaskit_tasks_total", "agentaskit_task_duration_seconds_bucket", "ALERTS", "a:b:c",
    "scrape_duration_seconds", "nosuch",
)  # fmt: skip
_FUNCTIONS: Final = (
    "rate", "increase", "irate", "delta", "sum_over_time", "absent", "abs", "time", "vector",
    "scalar", "histogram_quantile", "holt_winters", "label_replace", "clamp_max", "day_of_week",
    "predict_linear", "changes", "nosuchfunction", "absent_over_time", "quantile_over_time",
)  # fmt: skip
_AGGREGATES: Final = ("sum", "avg", "max", "topk", "quantile", "count_values", "group", "stddev")
_OPERATORS: Final = (
    "+", "-", "*", "/", "%", "^", "==", "!=", "<", ">", "<=", ">=", "and", "or", "unless", "atan2",
    "== bool", "/ on(instance)", "* ignoring(le) group_left", "and on()", "=~", "=",
)  # fmt: skip
_DURATIONS: Final = (
    "5m", "1h", "30d", "0s", "1ms", "99999999999999999999y", "1y2w3d", "-5m", "5", "1e3", "",
    "9" * 400 + "s",
)  # fmt: skip
_NUMBERS: Final = (
    "0", "1", "-1", "0.95", "1e308", "1e999", "NaN", "Inf", "-Inf", "0x1F", "1_000", "1e-400",
    "9" * 400, ".5", "5.",
)  # fmt: skip
_VALUES: Final = (
    "a", "", ".*", "micro|macro", "(", "[", "a{1000}{1000}", "\\\\d+", "\\\\Q.\\\\E", "(?i)x",
    "\\x00", "\U0001f525", "$var", "{{ x }}", "(((((a+)+)+)+)+)$", "x" * 3000, "\\p{Greek}",
)  # fmt: skip
_BUILDING: Final = ("sum(", "(", "-", "+", "up + ", "up - ", "up and ", "{", "[", "abs(", '"', "`")
"""What is repeated until a text is deep or long."""


def expression(random: Random, depth: int = 4) -> str:  # noqa: PLR0911 - one for each form
    """Return an expression, by the grammar down to `depth`, or a text that is hostile."""
    if random.random() < 0.04:
        return _hostile(random)
    if depth <= 0 or random.random() < 0.25:
        return _selector(random)
    inner = [expression(random, depth - 1) for _ in range(2)]
    match random.randrange(8):
        case 0 | 1:
            return f"{inner[0]} {random.choice(_OPERATORS)} {inner[1]}"
        case 2:
            return f"({inner[0]})"
        case 3:
            by = random.choice(("", " by (tier)", " without(instance)", " by ()", " by (le"))
            parameter = random.choice(("", "2, ", "0.9, ", '"x", '))
            return f"{random.choice(_AGGREGATES)}{by} ({parameter}{inner[0]})"
        case 4:
            more = random.choice(("", f", {random.choice(_NUMBERS)}", ', "a", "b", "c", "d"'))
            return f"{random.choice(_FUNCTIONS)}({inner[0]}{more})"
        case 5:
            window, step = random.choice(_DURATIONS), random.choice(_DURATIONS)
            return f"max_over_time(({inner[0]})[{window}:{step}])"
        case 6:
            return f"-{inner[0]}"
    return random.choice(_NUMBERS)


def _selector(random: Random) -> str:
    text = random.choice((*_METRICS, ""))
    if random.random() < 0.5 or not text:
        pairs = [
            f"{random.choice(('tier', 'le', '__name__', 'instance', '9', ''))}"
            f"{random.choice(('=', '=~', '!=', '!~', '=='))}"
            f"{_quoted(random)}"
            for _ in range(random.randrange(3))
        ]
        text += "{" + ", ".join(pairs) + "}"
    if random.random() < 0.4:
        text = f"{random.choice(_FUNCTIONS)}({text}[{random.choice(_DURATIONS)}])"
    elif random.random() < 0.2:
        text += f" offset {random.choice(_DURATIONS)}"
    elif random.random() < 0.1:
        text += random.choice((" @ end()", " @ 1e400", " @ start()", " @ -1", " @ NaN"))
    return text


def _quoted(random: Random) -> str:
    mark = random.choice(('"', '"', "'", "`"))
    return f"{mark}{random.choice(_VALUES)}{mark}"


def _hostile(random: Random) -> str:
    """Return parts again and again, closed or not: deep, long, or both."""
    count = int(10 ** random.uniform(1, 4.3))
    parts = [random.choice(_BUILDING) for _ in range(random.randrange(1, 4))]
    text = "".join(parts) * count + random.choice(_METRICS)
    return text + ")" * (count if random.random() < 0.5 else 0)
