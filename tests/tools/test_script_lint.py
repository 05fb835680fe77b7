"""The linter of the pages' scripts: what `.oxlintrc.json` asks of them, each rule shown a fault."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = """/**
 * Return the sum.
 * @param {number} left one number
 * @param {number} right another
 * @returns {number} their sum
 */
export function add(left, right) {
  return left + right;
}
"""


@pytest.fixture
def complaints(repository, tmp_path):
    """Return what lints a script and returns the rules that it breaks."""

    def lint(script: str) -> set[str]:
        (tmp_path / "script.js").write_text(script)
        done = subprocess.run(
            [Path(sys.executable).with_name("oxlint"), "--config", repository / ".oxlintrc.json",
             "--format", "json", tmp_path],
            cwd=repository, capture_output=True, text=True, check=False,
        )  # fmt: skip
        problems = json.loads(done.stdout)["diagnostics"]
        assert done.returncode == bool(problems)
        return {problem["code"] for problem in problems}

    return lint


def test_a_good_script_passes(complaints):
    """Typed by its comment, without a build step."""
    assert complaints(GOOD) == set()


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("left + right", "left + wrong", "eslint(no-undef)"),
        ("return left", "const unused = 1; return left", "eslint(no-unused-vars)"),
        ("return left", "var sum = left; return sum", "eslint(no-var)"),
        ("left + right", "left == right", "eslint(eqeqeq)"),
        (
            "return left",
            "document.body.innerHTML = left; return left",
            "eslint(no-restricted-properties)",
        ),
        ("return left", "document.write(left); return left", "eslint(no-restricted-properties)"),
        ("return left", "eval(left); return left", "eslint(no-eval)"),
        (" * @param {number} right another\n", "", "jsdoc(require-param)"),
        ("@param {number} right", "@param right", "jsdoc(require-param-type)"),
        (" * @returns {number} their sum\n", "", "jsdoc(require-returns)"),
        ("  return", "  left += 1;\n" * 50 + "  return", "eslint(max-lines-per-function)"),
        ("/**", "//\n" * 350 + "/**", "eslint(max-lines)"),
    ],
)
def test_a_planted_fault_is_reported(complaints, old, new, rule):
    """What is undefined, loose, untyped, too long, or would run markup."""
    assert old in GOOD
    assert rule in complaints(GOOD.replace(old, new, 1))


def test_make_check_lints_every_script(repository):
    """Without a list of folders that a new one would have to join."""
    makefile = (repository / "Makefile").read_text()
    assert "\t@$(VENV)/oxlint --quiet --no-error-on-unmatched-pattern\n" in makefile


def test_no_script_is_exempt_from_a_rule(repository):
    """What is too long is divided."""
    assert "overrides" not in json.loads((repository / ".oxlintrc.json").read_text())
    scripts = sorted((repository / "charts" / "static").glob("*.js"))
    assert "axis.js" in {script.name for script in scripts}
    assert [file.name for file in scripts if "oxlint-disable" in file.read_text()] == []
    assert [file.name for file in scripts if "eslint-disable" in file.read_text()] == []
