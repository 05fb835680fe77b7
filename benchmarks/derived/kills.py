"""How many edits of rules their derived tests notice: `python -m benchmarks.derived.kills FILE...`.

Every alert that `derive` solves is edited in one place at a time, as `mutate` edits it. The edited
rule, its namesakes and the recording rules are written beside the alert's derived tests, and
promtool runs them: an edit is killed when promtool fails. An edit of a group's interval is not
made, since promtool does not read intervals; nor one that is proved to be the same rule.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from verifier.derive.solving import evaluation_s, recorded, solve_alerts
from verifier.derive.suite import SuiteFile, confirm
from verifier.mutation.equivalence import proof_of
from verifier.mutation.mutants import mutants_of
from verifier.pack.rule_writer import as_yaml, rule_document
from verifier.pack.rules import AlertRule
from verifier.rule_files.loading import load_checked_rules
from verifier.servers.binaries import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.derive.solving import Solution
    from verifier.mutation.mutants import Mutant
    from verifier.pack.rules import RuleFiles

BATCH = 60
RESULT = re.compile(r"^Unit Testing:  test-(\d+)\.yaml$", re.MULTILINE)

JUDGED = re.compile(r"exp:|rule: .*, err:")
"""An expectation that failed, or a rule that fails at an evaluation."""


def main(paths: list[str]) -> None:
    """Print how many alerts are solved, and how many mutants of theirs are killed, by kind."""
    killed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    solved = alerts = proved = 0
    for path in paths:
        rules = load_checked_rules([path])
        step_s = evaluation_s(rules)
        chosen = [rule for _, rule in rules.alerts]
        solutions = solve_alerts(rules, chosen, lambda _: None)
        solutions = confirm(solutions, SuiteFile((str(Path(path).resolve()),), step_s))
        alerts += len(solutions) + len(rules.not_judged)
        solved += sum(each.solved for each in solutions)
        tested = {id(each.rule): each for each in solutions if each.tests}
        edits = [
            (mutant, tested[original])
            for mutant in mutants_of(rules)
            if mutant.alert is not None
            for original in [_original(mutant, chosen)]
            if original in tested
        ]
        proved += sum(proof_of(mutant) is not None for mutant, _ in edits)
        edits = [edit for edit in edits if proof_of(edit[0]) is None]
        for first in range(0, len(edits), BATCH):
            batch = edits[first : first + BATCH]
            noticed = _noticed(batch, rules, step_s)
            for number, (mutant, _) in enumerate(batch):
                total[mutant.kind] += 1
                killed[mutant.kind] += number in noticed
                if number not in noticed:
                    print(f"  survives: {mutant.alert}: {mutant.kind}: {mutant.change}")
        print(f"{path}: {sum(each.solved for each in solutions)} of {len(solutions)} alerts solved")
        print(
            f"  so far {sum(killed.values())} of {sum(total.values())} mutants killed", flush=True
        )
    for kind in sorted(total):
        print(f"{kind:12} {killed[kind]:5} of {total[kind]:5} {killed[kind] / total[kind]:7.1%}")
    every, dead = sum(total.values()), sum(killed.values())
    print(
        f"solved {solved} of {alerts} alerts, {solved / alerts:.1%}; {proved} mutants proved equal"
    )
    print(f"killed {dead} of {every} mutants, {dead / every:.1%}")


def _original(mutant: Mutant, alerts: Sequence[AlertRule]) -> int:
    """Return the identity of the rule that a mutant is of."""
    place = mutant.rule.position
    return next(id(rule) for rule in alerts if rule.position == place)


def _noticed(batch: Sequence[tuple[Mutant, Solution]], rules: RuleFiles, step_s: float) -> set[int]:
    """Return the numbers of the mutants with which promtool fails."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        for number, (mutant, solution) in enumerate(batch):
            edited = [
                mutant.rule if rule is solution.rule else rule
                for _, rule in rules.alerts
                if rule.alert == solution.rule.alert
            ]
            groups = [
                *recorded(rules).get("groups", []),
                {
                    "name": "edited",
                    "rules": [_document(r) for r in edited if isinstance(r, AlertRule)],
                },
            ]
            (folder / f"rules-{number}.yaml").write_text(as_yaml({"groups": groups}))
            suite = SuiteFile((f"rules-{number}.yaml",), step_s).text([solution])
            (folder / f"test-{number}.yaml").write_text(suite)
        run = subprocess.run(
            [require("promtool"), "test", "rules", *(f"test-{n}.yaml" for n in range(len(batch)))],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    return _failed(run.stdout, len(batch))


def _document(rule: AlertRule) -> dict[str, object]:
    """Return a rule without annotations, which no test here reads."""
    return {key: value for key, value in rule_document(rule).items() if key != "annotations"}


def _failed(output: str, count: int) -> set[int]:
    """Return which files failed an expectation; raise ValueError where that is not said of each."""
    parts = RESULT.split(output)
    results = dict(zip(map(int, parts[1::2]), parts[2::2], strict=True))
    unclear = [
        number
        for number in range(count)
        if not re.match(r"\s+(SUCCESS|FAILED:)", results.get(number, ""))
        or ("FAILED:" in results[number]) != bool(JUDGED.search(results[number]))
    ]
    if unclear:
        raise ValueError(f"promtool did not judge file {unclear[0]}: {results.get(unclear[0])}")
    return {number for number, text in results.items() if "FAILED:" in text}


if __name__ == "__main__":
    main(sys.argv[1:])
