"""The engine's words about a rule file stand at the place that they mean."""

from __future__ import annotations

import pytest

from documents.mistakes import InputError
from verifier.rule_files.loading import load_checked_rules

GOOD = """\
groups:
- name: first
  rules:
  - record: job:up:sum
    expr: sum by (job) (up)
  -
  - alert: Gone
    expr: |
      job:up:sum == 0
    labels:
      severity: '{{ $labels.job }}'
    annotations:
      summary: '{{ $value }} are up'
- name: second
  rules: []
"""
REFUSED = [
    ("{{ $value }} are", "{{ $valu }} are", "13:16", 'annotation "summary": .*undefined variable'),
    ("{{ $labels.job }}", "{{ if }}", "11:17", 'label "severity": .*missing value for if'),
    ("job:up:sum == 0", "job:up:sum ==", "8:11", "could not parse expression: .*unexpected end"),
    ("sum by (job) (up)", "rate(up)", "5:11", "could not parse expression: .*expected type range"),
    ("sum by (job) (up)", "up{a=~`(`}", "5:11", "could not parse expression: .*parsing regexp"),
]


@pytest.mark.parametrize(("good", "bad", "place", "words"), REFUSED)
def test_what_the_engine_says_of_a_rule_stands_at_its_field(tmp_path, good, bad, place, words):
    """Though an entry before it is nothing, which the engine does not count."""
    path = tmp_path / "any.name"
    path.write_text(GOOD)
    assert len(load_checked_rules([path]).alerts) == 1
    path.write_text(GOOD.replace(good, bad))
    with pytest.raises(
        InputError, match=rf"any\.name:{place}: Prometheus \S+ refuses this: {words}"
    ):
        load_checked_rules([path])


def test_mistakes_of_our_own_words_are_not_said_twice(tmp_path):
    """Where we know the nearest right word, the engine's line is left out; others are kept."""
    path = tmp_path / "rules.yml"
    path.write_text(
        GOOD.replace("    labels:", "    lables:").replace("name: second", "nme: second")
    )
    with pytest.raises(InputError) as caught:
        load_checked_rules([path])
    assert str(caught.value).splitlines() == [
        f"{path}:10:5: unknown key 'lables', did you mean 'labels'?",
        f"{path}:14:3: name must be text that is not empty, got nothing",
        f"{path}:14:3: unknown key 'nme', did you mean 'name'?",
    ]


def test_all_mistakes_of_all_files_are_reported_at_once(tmp_path):
    """Two templates in a file, one in another, a file that is no YAML, one that is not there."""
    first, second, third = (tmp_path / name for name in ("a.yml", "b.rules", "c.yml"))
    first.write_text(GOOD.replace("$labels", "$lables").replace("$value", "$valu"))
    second.write_text(GOOD.replace("$value", "$valu"))
    third.write_text("groups: [\n")
    with pytest.raises(InputError) as caught:
        load_checked_rules([first, second, third, tmp_path / "d.yml"])
    places = [str(mistake.place).removeprefix(f"{tmp_path}/") for mistake in caught.value.mistakes]
    assert places == ["a.yml:11:17", "a.yml:13:16", "b.rules:13:16", "c.yml:2:1", "d.yml"]


@pytest.mark.parametrize(
    ("key", "owner"),
    [("source_tenants: [a]", "Mimir"), ("partial_response_strategy: warn", "Thanos")],
)
def test_a_key_of_another_system_is_named_as_such(tmp_path, key, owner):
    """No Prometheus loads it."""
    path = tmp_path / "rules.yml"
    path.write_text(GOOD.replace("- name: second", f"- name: second\n  {key}"))
    name = key.partition(":")[0]
    with pytest.raises(InputError, match=rf":15:3: the key '{name}' is {owner}'s, no Prometheus"):
        load_checked_rules([path])
