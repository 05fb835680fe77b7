"""The labels of series after what a rule or an aggregation makes of them."""

from __future__ import annotations

from verifier.promql.parsing import parse
from verifier.slo.conditions.reader import Reader
from verifier.slo.conditions.series import ALL_LABELS, SeriesLabels


def test_a_label_that_a_rule_sets_replaces_that_of_its_series() -> None:
    """It is fixed then, and no longer varies, whatever it was before."""
    series = SeriesLabels(frozenset({"job", "tier"}), (("severity", "page"), ("team", "a")))
    labelled = series.with_fixed((("tier", "all"), ("severity", "ticket")))
    assert labelled.varying == {"job"}
    assert labelled.fixed == (("severity", "ticket"), ("team", "a"), ("tier", "all"))
    assert not labelled.may_vary("tier")


def test_of_unknown_labels_those_that_are_set_are_known() -> None:
    """Also of those that had been dropped before; all others may still be there."""
    labelled = ALL_LABELS.without(frozenset({"tier", "job"})).with_fixed((("tier", "all"),))
    assert (labelled.varying, labelled.fixed) == (None, (("tier", "all"),))
    assert labelled.dropped == {"job"}
    assert labelled.may_vary("host")


def test_labels_that_were_dropped_one_after_the_other_stay_dropped() -> None:
    """Also when the series are grouped by them afterwards."""
    left = ALL_LABELS.without(frozenset({"job"})).without(frozenset({"host"}))
    assert left == SeriesLabels(None, (), frozenset({"job", "host"}))
    assert [left.may_vary(name) for name in ("job", "host", "path")] == [False, False, True]
    both = parse("sum by (job, host, path) (sum without (host) (sum without (job) (x)))")
    assert Reader().read(both).labels == SeriesLabels(frozenset({"path"}))
