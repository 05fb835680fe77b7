"""Rules made at random, for comparing the judge with promtool by the thousand.

Every operator, aggregation and function of Prometheus 2.42 that does not read the clock is drawn,
with offsets both ways, fixed times, subqueries, `for`, `keep_firing_for`, chains of recording
rules, rules that read themselves, a later rule, or alert states. The same seed draws the same.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from documents.mistakes import Place
from exporter.history.samples import EPOCH_S
from tests.verifier.generated_histories import COUNTERS, GAUGES, Shape
from verifier.pack.rules import AlertRule, RecordingRule, RuleFiles, RuleGroup

if TYPE_CHECKING:
    from collections.abc import Callable


COMPARISONS: Final = (">", "<", ">=", "<=", "!=", "==")
ARITHMETIC: Final = ("+", "-", "*", "/", "%", "^", " atan2 ")
MATHS: Final = (
    *("abs", "ceil", "floor", "round", "sgn", "sqrt", "exp", "ln", "log2", "log10", "deg", "rad"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh"),
    *("atanh", "sort", "sort_desc"),
)
OVER_TIME: Final = (
    *("avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "count_over_time"),
    *("stddev_over_time", "stdvar_over_time", "last_over_time", "present_over_time", "changes"),
    *("resets", "deriv", "delta", "idelta"),
)
RATES: Final = ("rate", "increase", "irate")
AGGREGATIONS: Final = ("sum", "min", "max", "avg", "count", "group", "stddev", "stdvar")


def generated_rules(seed: int, count: int, shape: Shape) -> RuleFiles:
    """Return one group that holds `count` alerting rules, and recording rules between them."""
    draw = random.Random(seed)  # noqa: S311 - a seed that draws the same again is the point
    return RuleFiles((_RuleWriter(draw, shape).group(count),))


class _RuleWriter:
    """Draws rules; each may read what others of the group record."""

    def __init__(self, draw: random.Random, shape: Shape) -> None:
        self.draw, self.shape = draw, shape
        self.records: list[str] = []
        self.alerts: list[str] = []

    def group(self, count: int) -> RuleGroup:
        rules: list[AlertRule | RecordingRule] = []
        for number in range(count):
            if self.draw.random() < 0.2:
                rules.append(self.recording(len(rules)))
            rules.append(self.alert(number))
        # A later rule is read by some that stand before it.
        for number in range(0, len(rules), 25):
            rule = rules[number]
            later = [r.record for r in rules[number:] if isinstance(r, RecordingRule)]
            if isinstance(rule, AlertRule) and later:
                rules[number] = self.alert(count + number, expr=f"sum({later[0]}) > 3.3")
        return RuleGroup("generated", "generated.yaml", float(self.shape.interval_s), tuple(rules))

    def alert(self, number: int, expr: str | None = None) -> AlertRule:
        name = f"Alert{number:04}"
        texts = (None, self.self_reading(name)) if self.draw.random() < 0.05 else (None,)
        expr = expr or self.draw.choice(texts) or self.condition()
        self.alerts.append(name)
        interval_s = float(self.shape.interval_s)
        waits = (0.0, 0.0, interval_s, 2.5 * interval_s, 4 * interval_s, 10 * interval_s)
        labels = self.draw.choice(((), (("severity", "page"),), (("instance", "any"), ("q", "1"))))
        if ("instance", "any") in labels:
            expr = f"max({expr})" if not expr.startswith("scalar(") else f"vector({expr})"
        return AlertRule(
            alert=name,
            expr=expr,
            for_s=self.draw.choice(waits),
            keep_firing_for_s=self.draw.choice(waits),
            labels=labels,
            annotations=(),
            position=Place("generated.yaml", number + 1, 1),
        )

    def recording(self, number: int) -> RecordingRule:
        name = f"record:{number}"
        base = self.vector(2)
        expr = self.draw.choice(
            (
                base,
                base,
                f"sum({base}) or sum({name})",
                f"sum({name} + 1) or vector(0)",
                f"0.5 * sum({base}) + on() {name} or sum({base})",
                f"sum(avg_over_time({name}[{self.window()}])) * 0.9 or sum(level)",
            )
        )
        self.records.append(name)
        return RecordingRule(
            name, expr, (("kind", "r"),), Place("generated.yaml", 100_001 + number, 1)
        )

    def self_reading(self, alert: str) -> str:
        return f'sum(level) > 60.3 or sum(ALERTS{{alertname="{alert}"}}) and on() sum(level) > 40.1'

    def condition(self) -> str:  # noqa: PLR0911 - one return for each kind
        """Return an expression that holds now and then."""
        kind = self.draw.random()
        vector = self.vector(3)
        if kind < 0.6:
            return f"{vector} {self.draw.choice(COMPARISONS[:4])} {self.threshold()}"
        if kind < 0.66:
            return f"absent({self.selector()} > {self.threshold()})"
        if kind < 0.7:
            return f"absent_over_time({self.matrix()})"
        if kind < 0.76 and self.alerts:
            alert = self.draw.choice(self.alerts[-20:])
            states = ('{alertstate="firing"}', '{alertstate="pending"}', "")
            metric = self.draw.choice(("ALERTS", "ALERTS", "ALERTS_FOR_STATE"))
            state = self.draw.choice(states) if metric == "ALERTS" else ""
            inner = (state[1:-1] + "," if state else "") + f'alertname="{alert}"'
            return f"count({metric}{{{inner}}}) > 0"
        if kind < 0.8:
            return f"scalar(sum({vector})) > bool {self.threshold()}"  # a scalar always fires
        sides = (self.vector(2), self.vector(1))
        left, right = (f"{side} > {self.threshold()}" for side in sides)
        word = self.draw.choice(("and", "or", "unless"))
        if word == "or":
            return f"sum({left}) or sum({right})"
        return f"{left} {word}{self.draw.choice(('', ' on(instance)', ' on()'))} {right}"

    def vector(self, depth: int) -> str:
        """Return an expression whose series have their own labels each, `instance` or none."""
        writers: list[Callable[[int], str]] = [self.leaf, self.leaf, self.over_time]
        if depth > 0:
            writers += [self.maths, self.aggregation, self.binary, self.shaped, self.many_to_one]
            if not self.shape.offset_s:
                writers.append(self.subquery)
        return self.draw.choice(writers)(depth - 1)

    def leaf(self, _depth: int) -> str:
        if self.records and self.draw.random() < 0.25:
            return f"max by (instance) ({self.draw.choice(self.records[-12:])}{self.moved()})"
        return self.selector()

    def selector(self) -> str:
        return f"{self.draw.choice((*GAUGES, *COUNTERS))}{self.matchers()}{self.moved()}"

    def matchers(self) -> str:
        return self.draw.choice(
            ("", "", '{instance="a"}', '{instance=~"a|b"}', '{instance!="c"}', '{instance!~"a.*"}')
        )

    def moved(self) -> str:
        kind = self.draw.random()
        window = self.draw.choice(self.shape.windows[1:])
        if kind < 0.08:
            return f" offset {window}"
        if kind < 0.13:
            return f" offset -{window}"
        if kind < 0.16:
            return self.draw.choice((" @ end()", " @ start()"))
        if kind < 0.18:
            return f" @ {EPOCH_S + self.draw.randrange(0, self.shape.end_s, self.shape.scrape_s)}"
        if kind < 0.2:
            return f" @ end() offset {window}"
        return ""

    def window(self) -> str:
        return self.draw.choice(self.shape.windows)

    def matrix(self, names: tuple[str, ...] = (*GAUGES, *COUNTERS)) -> str:
        return f"{self.draw.choice(names)}{self.matchers()}[{self.window()}]{self.moved()}"

    def over_time(self, _depth: int) -> str:
        kind = self.draw.random()
        if kind < 0.35:
            return f"{self.draw.choice(RATES)}({self.matrix(COUNTERS)}) * 15"
        if kind < 0.42:
            return f"quantile_over_time({self.draw.choice((0.1, 0.5, 0.95))}, {self.matrix()})"
        if kind < 0.49:
            return f"predict_linear({self.matrix(GAUGES)}, {self.draw.choice((60, 600))})"
        if kind < 0.54:
            return f"holt_winters({self.matrix(GAUGES)}, 0.5, 0.3)"
        return f"{self.draw.choice(OVER_TIME)}({self.matrix()})"

    def maths(self, depth: int) -> str:
        inner = self.vector(depth)
        kind = self.draw.random()
        if kind < 0.2:
            return f"clamp({inner}, 2, 40)"
        if kind < 0.4:
            return f"clamp_{self.draw.choice(('min', 'max'))}({inner}, {self.threshold()})"
        if kind < 0.5:
            return f"-({inner})"
        if kind < 0.6:
            return f"round({inner}, 5)"
        return f"{self.draw.choice(MATHS)}({inner})"

    def aggregation(self, depth: int) -> str:
        inner = self.vector(depth)
        grouping = self.draw.choice(("", " by (instance)", " without (kind)"))
        kind = self.draw.random()
        if kind < 0.1:
            return f"quantile{grouping}(0.6, {inner})"
        if kind < 0.2:
            return f"sum(topk(2, {inner}))"
        if kind < 0.3:
            return f"sum(bottomk(1, {inner}))"
        if kind < 0.35:
            return f'count(count_values("value", {inner}))'
        return f"{self.draw.choice(AGGREGATIONS)}{grouping}({inner})"

    def binary(self, depth: int) -> str:
        left = self.vector(depth)
        kind = self.draw.random()
        if kind < 0.4:
            operands = [f"({left})", str(self.threshold())]
            self.draw.shuffle(operands)
            return f"({operands[0]} {self.draw.choice(ARITHMETIC[:6])} {operands[1]})"
        if kind < 0.5:
            return f"({left} {self.draw.choice(COMPARISONS)} bool {self.threshold()})"
        right = self.vector(depth)
        match = self.draw.choice(("on (instance)", "ignoring (kind)"))
        sides = (f"max by (instance) ({side})" for side in (left, right))
        return f"({f' {self.draw.choice(ARITHMETIC)} {match} '.join(sides)})"

    def many_to_one(self, depth: int) -> str:
        left = self.selector()
        right = f"max by (instance) ({self.vector(depth)})"
        if self.draw.random() < 0.5:
            return f"({left} * on (instance) group_left () {right})"
        return f"({right} + on (instance) group_right () {left})"

    def shaped(self, _depth: int) -> str:  # noqa: PLR0911 - one return for each kind
        kind = self.draw.random()
        window = self.window()
        if kind < 0.35:
            rate = f"sum by (le, instance) (rate(wait_bucket[{window}]))"
            return f"histogram_quantile({self.draw.choice((0.5, 0.9, 0.99))}, {rate}) * 10"
        if kind < 0.5:
            return f'label_replace({self.selector()}, "first", "$1", "instance", "(.).*")'
        if kind < 0.6:
            return f'label_join({self.selector()}, "joined", "-", "instance", "job")'
        if kind < 0.7:
            return f"vector(scalar({self.selector()}))"
        if kind < 0.8:
            return f"(timestamp({self.selector()}) - on(instance) timestamp(level))"
        if kind < 0.9:
            return f"({self.selector()} * pi())"
        return f"sum({self.selector()}) + on() vector({self.threshold()})"

    def subquery(self, depth: int) -> str:
        function = self.draw.choice((*OVER_TIME[:9], "rate", "delta"))
        step = self.draw.choice(("15s", "30s", "1m"))
        if self.shape.interval_s == 60:
            step = self.draw.choice((step, ""))
        if self.shape.scrape_s == 60:
            step = self.draw.choice(("1m", "5m"))
        window = self.draw.choice(self.shape.windows[2:5])
        return f"{function}(({self.vector(min(depth, 1))})[{window}:{step}]{self.moved()})"

    def threshold(self) -> float:
        return self.draw.choice((0.3, 0.7, 1.3, 2.6, 4.7, 9.1, 14.3, 19.7, 26.1, 33.3, 60.3, 140.7))
