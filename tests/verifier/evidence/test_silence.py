"""What the silence of a rule is worth, on small histories: every reason by its own words."""

from __future__ import annotations

import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row, rules
from verifier.evaluation.engine import evaluate
from verifier.evaluation.timeline import Episode, Timeline
from verifier.evidence.silence import Silence, WatchedRun, rule_findings, silences, static_labels
from verifier.pack.spread import WHOLE
from verifier.servers.prometheus import Prometheus

END_S = 600.0
STORED = history(
    {
        labels("queue_depth", priority="high", job="j"): row("3*50"),
        labels("queue_depth", priority="low", job="j"): row("4*50"),
        labels("agents", tier="micro", job="j"): row("9*50"),
        labels("requests_total", status="200", job="j"): list(range(50)),
        labels("short_lived", job="j"): row(". . . 1*4 x .*42"),
        labels("nothing_over_nothing", job="j"): row("0*50"),
        labels("seconds_bucket", le="0.5", job="j"): list(range(50)),
        labels("seconds_bucket", le="+Inf", job="j"): list(range(50)),
    },
    start_s=-60.0,
)


@pytest.fixture(scope="module")
def server():
    """Start a Prometheus that holds the small history."""
    with Prometheus() as started:
        started.push(STORED)
        yield started


def silence_of(server, tmp_path, *written):
    """Return what the silence of the last of some rules is worth."""
    files = rules(tmp_path, *written)
    evaluation = evaluate(server, files, start_s=0.0, end_s=END_S)
    run = WatchedRun(server, files, EPOCH_S, END_S, WHOLE)
    return silences(run, evaluation.timelines)[-1]


def vacuous(server, tmp_path, expr, **keys):
    """Return why one alert could not have fired."""
    return silence_of(server, tmp_path, {"alert": "A", "expr": expr, **keys}).vacuous


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        ("queu_depth > 5", "no metric queu_depth exists, did you mean queue_depth?"),
        ("agentaskit_task_queue_dept > 5", "did you mean agentaskit_task_queue_depth?"),
        ("nothing_like_any_name_at_all > 5", "no metric nothing_like_any_name_at_all exists"),
        ('queue_depth{prioriti="high"} > 5', "has no label prioriti, did you mean 'priority'?"),
        ('requests_total{code=~"2.."} > 1e9', "has no label code, did you mean 'status'?"),
        ('agents{zone="a"} > 50', "has no label zone: beside job and instance it has tier"),
        ('queue_depth{priority="hihg"} > 5', "did you mean 'high'? priority is high, low"),
        ('queue_depth{priority=~"x|y"} > 5', 'has priority=~"x|y": priority is high, low'),
        (
            'queue_depth{priority="high",priority!="high"} > 5',
            'no series of queue_depth has priority="high", priority!="high" together',
        ),
        ('{__name__=~"nothing.like.+"} > 5', '__name__=~"nothing.like.+"'),
        (
            "queue_depth / agents > 5",
            (
                'never match: {job="j", priority="high"} against {job="j", tier="micro"};'
                " match them with on(job) group_left()"
            ),
        ),
        ("queue_depth > 9 and agents > 1", "the sides of `and` in"),
        ("queue_depth > agents", "the sides of `>` in"),
        ("sum by (priority) (queue_depth) * on(tier) agents > 9", "the sides of `*` in"),
        ("rate(requests_total[14s]) > 9", "its window of 14s holds one scrape at most"),
        ("histogram_quantile(0.9, sum(rate(seconds_bucket[1m]))) > 9", "has no label le"),
        ("queue_depth > 5 or queu_depth > 5", "no metric queu_depth exists"),
        ("sum(queue_depth) > scalar(queu_depth)", "no metric queu_depth exists"),
        ("(sum(queu_depth) or vector(0)) > 5", "no metric queu_depth exists"),
        ("queue_depth > 5 unless on() queue_depth{priority='x'} > 9 or queu > 1", "queu"),
        ("avg_over_time((queu_depth > bool 5)[5m:1m]) > 2", "no metric queu_depth exists"),
        ("queue_depth offset 1w > 5", "queue_depth offset 1w reaches back to where nothing is"),
        ("agentaskit_sim_build_info == 2", "only a world that is served shows"),
    ],
)
def test_an_alert_that_nothing_could_make_fire_is_vacuous(server, tmp_path, expr, reason):
    """The reason names the nearest right word."""
    assert reason in (vacuous(server, tmp_path, expr) or "")


@pytest.mark.parametrize(
    "expr",
    [
        "queue_depth > 1e9",
        "short_lived > 5",
        "absent(queue_depth)",
        "absent(agents{tier='micro'}) and on(tier) agents > 1e9",
        "queue_depth > 1e9 or absent(agents)",
        "(sum(queue_depth) or vector(0)) > 1e9",
        "queue_depth > 1e9 unless agents > 5",
        "queue_depth > on() group_left sum(agents)",
        "queue_depth != on(job) group_left sum by (job) (queue_depth) == 99",
        "count(queue_depth > 8) > 1",
        "queue_depth > 1e9 and on() hour() > 7",
        "requests_total offset 1m > 1e9",
        "max_over_time((queue_depth > 5)[5m:30s]) > 1e9",
        'queue_depth{priority=~"high|none"} > 1e9',
        'queue_depth{zone=""} > 1e9',
        "histogram_quantile(0.9, sum by (le) (rate(seconds_bucket[1m]))) > 9",
        "vector(1) != 2 < 1e9 > 0 and on() queue_depth > 1e9",
    ],
)
def test_an_alert_that_could_have_fired_is_not_vacuous(server, tmp_path, expr):
    """However far its threshold lies, and whatever its filters let through."""
    assert vacuous(server, tmp_path, expr) is None


def test_a_recording_that_never_had_a_value_makes_its_readers_vacuous(server, tmp_path):
    """Through another recording too, with the recording's own reason."""
    first = {"record": "a:first", "expr": "sum(queu_depth)"}
    second = {"record": "a:second", "expr": "a:first * 2"}
    alert = {"alert": "A", "expr": "a:second > 1"}
    reason = silence_of(server, tmp_path, first, second, alert).vacuous
    assert reason == (
        "recording a:second never has a value: recording a:first never has a value: no metric"
        " queu_depth exists, did you mean queue_depth?"
    )


def test_a_recording_that_filters_could_have_had_a_value(server, tmp_path):
    """Its labels count: those that it sets, and those that it keeps."""
    high = {"record": "a:high", "expr": "queue_depth > 1e9", "labels": {"team": "x"}}
    assert silence_of(server, tmp_path, high, {"alert": "A", "expr": "a:high"}).vacuous is None
    other = {"alert": "A", "expr": 'a:high{team="y"}'}
    reason = silence_of(server, tmp_path, high, other).vacuous
    assert reason == 'no series of a:high has team="y": team is x'


def test_what_unless_takes_away_may_be_missing_and_is_a_finding(server, tmp_path):
    """It changes no verdict."""
    silence = silence_of(
        server, tmp_path, {"alert": "A", "expr": "queue_depth > 9 unless on() queu_depth > 1"}
    )
    assert silence.vacuous is None
    assert silence.findings == (
        (
            "alert A: what `unless` takes away is never there: no metric queu_depth exists, did you"
            " mean queue_depth?"
        ),
    )


@pytest.mark.parametrize(
    "expr",
    [
        "queue_depth < 1 unless on() vector(1)",
        "queue_depth < 1 unless on() (vector(1) + vector(2))",
        "sum(queue_depth < 1 unless on() vector(0)) > 3",
    ],
)
def test_an_unless_whose_right_side_is_constant_makes_its_alert_vacuous(server, tmp_path, expr):
    """It takes everything away, whatever happens."""
    reason = silence_of(server, tmp_path, {"alert": "A", "expr": expr}).vacuous
    assert reason is not None
    assert reason.startswith("its `unless` always takes everything away: ")


def test_an_unless_that_left_nothing_all_along_is_a_finding(server, tmp_path):
    """What is taken away may go missing, and that may be what the alert is for."""
    expr = "queue_depth < 1 unless on() (queue_depth)"
    silence = silence_of(server, tmp_path, {"alert": "A", "expr": expr})
    assert silence.vacuous is None
    (finding,) = silence.findings
    assert "its `unless` left nothing at any evaluation: (queue_depth) was there" in finding


@pytest.mark.parametrize(
    "expr",
    ["queue_depth < 1 unless on() (queue_depth > 1e9)", 'queue_depth < 1 unless {job="other"}'],
)
def test_an_unless_that_leaves_something_is_no_finding_of_what_is_left(server, tmp_path, expr):
    """Its right side filters, or matches nothing."""
    silence = silence_of(server, tmp_path, {"alert": "A", "expr": expr})
    assert silence.vacuous is None
    assert not any("left nothing" in finding for finding in silence.findings)


def test_a_value_that_is_never_a_number_is_a_finding(server, tmp_path):
    """0 / 0 is no reason to call an alert vacuous."""
    expr = "rate(nothing_over_nothing[1m]) / rate(nothing_over_nothing[1m]) > 0.5"
    silence = silence_of(server, tmp_path, {"alert": "A", "expr": expr})
    assert silence.vacuous is None
    assert silence.findings == (
        "alert A: it never has a value but NaN, with which no comparison holds",
    )


ZERO = "rate(nothing_over_nothing[1m])"
NAN = f"{ZERO} / {ZERO} > 0.5"


@pytest.mark.parametrize(
    ("expr", "subject"),
    [
        (f"0 < ({ZERO} / {ZERO}) < 5", "it"),
        (f"queue_depth < 1e9 and on() {NAN}", f"`{NAN}`"),
        (f"{NAN} or {NAN}", f"`{NAN}`"),
        (f"{NAN} unless on() queue_depth > 9", f"`{NAN}`"),
        # As written it has no value: a filter takes away what would be divided by 0.
        (f"{ZERO} / on(job) group_left() sum by (job) ({ZERO} > 100) > 0.9", None),
        (f"{ZERO} / ({ZERO} > 0) > 0.9", None),
        (f"queue_depth > 9 or on() {NAN}", None),
        # Two infinite values have a difference that is no number.
        ("queue_depth * Inf > queue_depth * Inf", None),
    ],
)
def test_a_value_that_is_no_number_is_looked_for_in_the_condition_as_written(
    server, tmp_path, expr, subject
):
    """Only the comparisons that decide are opened, and one that need not hold is no finding."""
    findings = silence_of(server, tmp_path, {"alert": "A", "expr": expr}).findings
    said = [each for each in findings if "never has a value but NaN" in each]
    sentence = "never has a value but NaN, with which no comparison holds"
    assert said == ([] if subject is None else [f"alert A: {subject} {sentence}"])


@pytest.mark.parametrize(("wait", "too_slow_s"), [("9m45s", None), ("10m", None), ("10m1s", 601.0)])
def test_a_wait_that_does_not_fit_into_the_scenario_is_too_slow(server, tmp_path, wait, too_slow_s):
    """What begins at the first evaluation may last until the last one."""
    rule = {"alert": "A", "expr": "queue_depth > 1e9", "for": wait}
    assert silence_of(server, tmp_path, rule).too_slow_s == too_slow_s


def test_an_alert_that_fired_is_no_silence(server, tmp_path):
    """Of two rules of one name only the one that fired is left out."""
    files = rules(
        tmp_path,
        {"alert": "A", "expr": "queue_depth > 1", "labels": {"severity": "low"}},
        {"alert": "A", "expr": "queu_depth > 1", "labels": {"severity": "high"}},
    )
    evaluation = evaluate(server, files, start_s=0.0, end_s=END_S)
    run = WatchedRun(server, files, EPOCH_S, END_S, WHOLE)
    (silence,) = silences(run, evaluation.timelines)
    assert silence.labels == (("severity", "high"),)


def test_a_dead_rule_is_returned_behind_one_of_its_name_and_labels_that_fired(server, tmp_path):
    """Its timeline would be the same; one that could have fired may be whose it is."""
    files = rules(
        tmp_path,
        {"alert": "A", "expr": "queu_depth > 1"},
        {"alert": "A", "expr": "queue_depth > 1"},
        {"alert": "A", "expr": "queue_depth > 1e9"},
    )
    evaluation = evaluate(server, files, start_s=0.0, end_s=END_S)
    run = WatchedRun(server, files, EPOCH_S, END_S, WHOLE)
    (silence,) = silences(run, evaluation.timelines)
    assert silence.shadowed
    assert "no metric queu_depth exists" in silence.vacuous


def test_every_alert_that_reads_a_dead_recording_is_told_so(server, tmp_path):
    """The first and those after it; through another recording, and from both sides of one rule."""
    files = rules(
        tmp_path,
        {"record": "dead", "expr": "nowhere"},
        {"record": "deader", "expr": "dead * 2"},
        {"alert": "First", "expr": "dead > 5"},
        {"alert": "Second", "expr": "dead > 6"},
        {"alert": "Both", "expr": "dead + dead > 7"},
        {"alert": "Through", "expr": "deader > 8"},
        {"alert": "Again", "expr": "sum(deader) > 9"},
    )
    evaluation = evaluate(server, files, start_s=0.0, end_s=END_S)
    run = WatchedRun(server, files, EPOCH_S, END_S, WHOLE)
    reasons = [each.vacuous for each in silences(run, evaluation.timelines)]
    assert len(reasons) == 5
    assert all("recording dead never has a value: no metric nowhere" in each for each in reasons)


PAGE, TICKET = {"severity": "page"}, {"severity": "ticket"}
FIRED = Timeline("A", (("severity", "page"),), (Episode(60.0, 60.0, 90.0),))


def silences_beside(server, tmp_path, timelines, *written, factor=1.0):
    """Return the silences of rules whose alerts had these timelines."""
    files = rules(tmp_path, *written)
    return silences(WatchedRun(server, files, EPOCH_S, END_S, WHOLE, factor=factor), timelines)


def test_a_rule_is_silent_beside_one_of_its_name_that_sets_other_labels(server, tmp_path):
    """The one that fired is not; a dead one of the same labels is shadowed, however slow."""
    page, ticket = (
        {"alert": "A", "expr": expr, "labels": severity}
        for expr, severity in (("queue_depth > 1", PAGE), ("queue_depth > 1e9", TICKET))
    )
    (silent,) = silences_beside(server, tmp_path, [FIRED], page, ticket)
    assert (silent.labels, silent.vacuous, silent.shadowed) == (tuple(TICKET.items()), None, False)
    dead = {"alert": "A", "expr": "queu_depth > 1", "labels": PAGE, "for": "20m"}
    (shadowed,) = silences_beside(server, tmp_path, [FIRED], page, dead)
    assert (shadowed.shadowed, shadowed.too_slow_s) == (True, None)


def test_a_wait_is_told_in_seconds_of_the_scenario(server, tmp_path):
    """Compressed thirty times, twenty minutes are ten hours of it."""
    slow = {"alert": "A", "expr": "queue_depth > 1e9", "for": "20m"}
    (silent,) = silences_beside(server, tmp_path, [], slow, factor=30.0)
    assert silent.too_slow_s == 36_000.0


def test_what_is_no_number_differs_from_any(server, tmp_path):
    """So such a condition holds, and is no finding."""
    nan = "nothing_over_nothing / nothing_over_nothing"
    for operator, count in ((">", 1), ("!=", 0)):
        rule = {"alert": "A", "expr": f"{nan} {operator} 0.5"}
        (silent,) = silences_beside(server, tmp_path, [], rule)
        assert len(silent.findings) == count


def test_what_nothing_reaches_is_a_finding_unless_it_makes_the_alert_vacuous(server, tmp_path):
    """Then it is told already; and a label that is a template is none that a rule sets."""
    labels_of = {"severity": "page", "value": "{{ $value }}"}
    files = rules(
        tmp_path, {"alert": "A", "expr": "up == 2 or queue_depth > 9", "labels": labels_of}
    )
    run = WatchedRun(server, files, EPOCH_S, END_S, WHOLE)
    ((_, rule),) = files.alerts
    assert static_labels(rule) == (("severity", "page"),)
    for vacuous_for, count in ((None, 1), ("no metric", 0)):
        silent = Silence("A", (), str(rule.position), vacuous_for)
        assert len(rule_findings(run, [silent])) == count
