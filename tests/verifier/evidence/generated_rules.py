"""Rules in numbers: dead ones, which nothing could ever make fire, and sound ones that are silent.

Written over the metrics of the catalogue, each kind over many of them, so that no shape stands
alone. Every rule is a mapping as a rule file holds it, recordings among them.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Any

from tests.verifier.simulations import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

Rule = dict[str, Any]


def _shapes() -> dict[str, dict[str, list[str]]]:
    """Return each metric of the world with its labels and their values."""
    shapes: dict[str, dict[str, list[str]]] = {}
    for series in catalogue().series:
        labels = dict(series)
        name = labels.pop("__name__")
        if name.startswith("agentaskit_sim_") or "le" in labels:
            continue
        for label, value in labels.items():
            shapes.setdefault(name, {}).setdefault(label, []).append(value)
        shapes.setdefault(name, {})
    return shapes


def _alerts(kind: str, expressions: Iterator[str], **keys: Any) -> list[Rule]:
    return [
        {"alert": f"{kind}{number}", "expr": expr, "for": "1m", **keys}
        for number, expr in enumerate(expressions)
    ]


def _misspelt(name: str) -> Iterator[str]:
    half = len(name) // 2
    yield name[:half] + name[half + 1 :]
    yield name.replace("_", "", 1)
    yield name + "s"


def _read(name: str) -> str:
    """Return how a metric is usually read."""
    return f"rate({name}[5m])" if name.endswith("_total") else name


def dead_names() -> Iterator[str]:
    """Yield conditions on metrics that do not exist."""
    for number, name in enumerate(_shapes()):
        wrong = [*_misspelt(name)][number % 3]
        yield f"{_read(wrong)} > 0"
        yield f"sum({_read(wrong)}) / sum({_read(name)}) > 0.5"
        if number % 2:
            yield f"{_read(name)} > 1e15 or {_read(wrong)} > 0"
        else:
            yield f"{_read(name)} > 0 and {wrong} > 0"


def dead_labels() -> Iterator[str]:
    """Yield conditions on labels, and values of labels, that do not exist."""
    for name, labels in _shapes().items():
        for label, values in labels.items():
            yield f'sum({_read(name)}{{{label}x="{values[0]}"}}) > 0'.replace(
                f"{_read(name)}{{", f"{name}{{"
            )
            yield f'{name}{{{label}="{values[0]}ly"}} > 0'
            yield f'sum by ({label}) (increase({name}{{{label}=~"zz.*|{values[0]}.+"}}[5m])) > 0'
            yield f'max({name}{{{label}="{values[0]}",{label}!="{values[0]}"}}) > 0'


def dead_matches() -> Iterator[str]:
    """Yield conditions whose sides never match."""
    labelled = [(name, next(iter(labels))) for name, labels in _shapes().items() if labels]
    for (left, a), (right, b) in zip(labelled, labelled[3:] + labelled[:3], strict=True):
        if a == b:
            continue
        yield f"sum by ({a}) ({left}) / sum by ({b}) ({right}) > 0"
        yield f"{left} > 0 and sum by ({b}) ({right}) > 0"
        yield f"max by ({a}) ({left}) > min by ({b}) ({right})"
        yield f"sum by ({a}) ({left}) * on({b}) group_left sum by ({b}) ({right}) > 0"
        yield f"sum({left}) / sum by ({b}) ({right}) > 0"
        yield f"avg_over_time((sum by ({a}) ({left}) > bool sum({right}))[5m:1m]) > 0"


def dead_histograms() -> Iterator[str]:
    """Yield quantiles without their buckets."""
    for name in ("http_request_duration_seconds", "agentaskit_task_duration_seconds"):
        yield f"histogram_quantile(0.9, sum(rate({name}_bucket[5m]))) > 0"
        yield f"histogram_quantile(0.9, sum by (job) (rate({name}_bucket[5m]))) > 0.1"
        yield f"histogram_quantile(0.9, rate({name}_count[5m])) > 0"


def dead_waits() -> list[Rule]:
    """Return conditions that would have to last longer than the scenario does."""
    waits = ("30m", "1h", "6h", "1d")
    return [
        {"alert": f"Wait{number}", "expr": f"sum({_read(name)}) < 0", "for": waits[number % 4]}
        for number, name in enumerate(_shapes())
    ]


def dead_constants() -> list[Rule]:
    """Return conditions that always hold: they fire, which nobody expects."""
    return _alerts("Always", (f"sum({_read(name)}) > -1" for name in _shapes()), **{"for": "0s"})


def dead_recordings() -> list[Rule]:
    """Return alerts on recordings that never have a value, through one more or none."""
    rules: list[Rule] = []
    for number, name in enumerate(list(_shapes())[:12]):
        wrong = [*_misspelt(name)][number % 3]
        first, second = f"dead:{number}:first", f"dead:{number}:second"
        rules.append({"record": first, "expr": f"sum(rate({wrong}[5m]))"})
        rules.append({"record": second, "expr": f"{first} * 2"})
        rules.append(
            {"alert": f"Recorded{number}", "expr": f"{second if number % 2 else first} > 0"}
        )
        rules.append({"record": f"live:{number}", "expr": f"sum({name})", "labels": {"team": "a"}})
        rules.append({"alert": f"Labelled{number}", "expr": f'live:{number}{{team="b"}} > 0'})
    return rules


def dead_filters() -> Iterator[str]:
    """Yield conditions with a filter inside that nothing can pass, or counts of too many series."""
    for name, labels in _shapes().items():
        series = max(map(len, labels.values()), default=1)
        yield f"count({_read(name)} < 0) >= 1"
        yield f"sum(max_over_time(({name} > 5 < 4)[5m:1m])) > 0"
        yield f"count({name} > 1e15) > {series}"


def dead_thresholds() -> Iterator[str]:
    """Yield thresholds where no value can be, and pairs that leave no value between them."""
    for name, labels in _shapes().items():
        yield f"sum({_read(name)}) < -1"
        yield f"{_read(name)} > 1e12 and {_read(name)} < 1e11"
        for label, values in labels.items():
            yield f'{name}{{{label}=~"{values[0]}|nothing-like-it"}} < -5'
            yield f"sum by ({label}) ({name}) > 1e12 unless sum by ({label}) ({name}) > 1e11"


def dead_rules() -> list[Rule]:
    """Return all dead rules."""
    return [
        *_alerts("Name", dead_names()),
        *_alerts("Label", dead_labels()),
        *_alerts("Match", dead_matches()),
        *_alerts("Histogram", dead_histograms()),
        *_alerts("Filter", dead_filters()),
        *_alerts("Beyond", dead_thresholds()),
        *dead_waits(),
        *dead_constants(),
        *dead_recordings(),
    ]


def sound_thresholds() -> Iterator[str]:
    """Yield thresholds far above and below, and never reached, for every metric."""
    for name, labels in _shapes().items():
        yield f"{_read(name)} > 1e12"
        yield f"sum({_read(name)}) == 0.12345"
        yield f"max_over_time({name}[5m]) > 1e18"
        for label, values in labels.items():
            yield f"sum by ({label}) ({_read(name)}) > 1e13"
            yield f'{name}{{{label}="{values[-1]}"}} > 1e18'
            yield f'{name}{{{label}=~"{values[0]}|nothing-like-it"}} == 0.54321'


FORMS = r"""
absent(QUEUE)
absent(QUEUE{priority="high"})
absent_over_time(REQUESTS[5m])
up == 0 or absent(up)
absent(sum(rate(REQUESTS{status="200"}[5m])) > 0)
QUEUE > 1e6 unless on() (sum(AGENTS) > 1)
QUEUE > 1e6 unless QUEUE > 2e6
QUEUE > 1e6 or AGENTS > 1e6
(sum(rate(ERRORS[5m])) or vector(0)) > 1e6
histogram_quantile(0.99, sum by (le) (rate(BUCKETS[5m]))) > 29
histogram_quantile(0.5, rate(BUCKETS[5m])) > 29
max_over_time(sum(QUEUE)[10m:1m]) > 1e7
avg_over_time((sum(rate(REQUESTS[2m])) > bool 1e9)[10m:30s]) > 0.5
sum(AGENTS offset 5m) - sum(AGENTS) > 900
sum(AGENTS offset 1h) > 1e6
rate(REQUESTS[5m] offset 10m) > 1e9
sum(rate(ERRORS[5m])) / sum(rate(REQUESTS[5m])) > 0.5
100 * (1 - sum(rate(ERRORS[5m])) / sum(rate(REQUESTS[5m]))) < 50
QUEUE > on() group_left sum(AGENTS)
QUEUE > 1e6 and on() sum(AGENTS) > 1e6
sum by (priority) (QUEUE) / on() group_left sum(AGENTS) > 1e6
sum(QUEUE) > scalar(sum(AGENTS)) * 1e3
topk(2, QUEUE) > 1e6
count(QUEUE > 1e6) > 3
label_replace(QUEUE, "p", "$1", "priority", "(.*)") > 1e6
predict_linear(sum(QUEUE)[10m:1m], 600) > 1e8
deriv(AGENTS[10m]) > 1e6
changes(AGENTS[10m]) > 1e6
resets(REQUESTS[10m]) > 5
agentaskit_sandbox_pool_available / agentaskit_sandbox_pool_total < 0.01
QUEUE > 1e6 and on() hour() > 22
time() - timestamp(sum(QUEUE)) > 600
time() - max(timestamp(QUEUE)) > 600
-sum(AGENTS) > -1
stddev_over_time(QUEUE[10m]) > 1e6
quantile(0.9, QUEUE) > 1e6
abs(delta(AGENTS[5m])) > 1e6
QUEUE == 1234567
(QUEUE > 1e6) * 2 > 1
sum without (priority) (QUEUE) > 1e6
count_values("v", QUEUE) > 1e6
{__name__="QUEUE"} > 1e6
{__name__=~"agentaskit_task_queue_.*"} > 1e6
clamp_min(QUEUE, 0) > 1e6
QUEUE ^ 2 > 1e18
sum(QUEUE) > sum(AGENTS) ^ 3
group(QUEUE > 1e6) == 1
last_over_time(QUEUE[5m]) > 1e6
count_over_time(QUEUE[5m]) > 1e6
irate(REQUESTS[1m]) > 1e9
idelta(AGENTS[1m]) > 1e6
"""
WORDS = {
    "QUEUE": "agentaskit_task_queue_depth",
    "AGENTS": "agentaskit_active_agents",
    "BUCKETS": "http_request_duration_seconds_bucket",
    "ERRORS": 'http_requests_total{status=~"5.."}',
    "REQUESTS": "http_requests_total",
}


def sound_filters() -> Iterator[str]:
    """Yield filters inside a condition that let nothing through here, and might."""
    for name, labels in _shapes().items():
        series = max(map(len, labels.values()), default=1)
        yield f"count({name} > 1e15) >= 1"
        yield f"sum({_read(name)} > 1e15) > 0"
        yield f"(count({_read(name)} > 1e15) or vector(0)) > 0"
        yield f"count({name} > 1e15) >= {series}"


def sound_forms() -> Iterator[str]:
    """Yield conditions of many forms."""
    for form in FORMS.strip().splitlines():
        yield re.sub("|".join(WORDS), lambda match: WORDS[match.group()], form)


def sound_recordings() -> list[Rule]:
    """Return alerts on recordings: of values, of a filter that lets nothing through, of chains."""
    rules: list[Rule] = []
    for number, name in enumerate(list(_shapes())[:10]):
        rules.append({"record": f"sound:{number}:sum", "expr": f"sum({_read(name)})"})
        rules.append({"record": f"sound:{number}:high", "expr": f"sum({_read(name)}) > 1e15"})
        rules.append(
            {
                "record": f"sound:{number}:labelled",
                "expr": f"sound:{number}:high * 2",
                "labels": {"team": "a"},
            }
        )
        rules.append({"alert": f"Sum{number}", "expr": f"sound:{number}:sum > 1e15"})
        rules.append({"alert": f"High{number}", "expr": f"sound:{number}:high"})
        team = f'sound:{number}:labelled{{team="a"}} > 0'
        rules.append({"alert": f"Team{number}", "expr": team})
    return rules


def sound_rules() -> list[Rule]:
    """Return all sound rules."""
    return [
        *_alerts("Threshold", sound_thresholds()),
        *_alerts("Filter", sound_filters()),
        *_alerts("Form", sound_forms()),
        *sound_recordings(),
    ]


def sample(rules: list[Rule], every: int) -> list[Rule]:
    """Return every n-th alert of `rules`, and all recordings."""
    alerts = [rule for rule in rules if "alert" in rule][::every]
    return [*chain((rule for rule in rules if "record" in rule), alerts)]
