"""Part of `make check`: no package that requirements.lock pins has a known vulnerability.

Asks PyPI's list by pip-audit. Exit status 1 when it names a vulnerability. A list that cannot be
reached, or does not answer in time, is said in one line and is no failure: a build without the
internet stays a build.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUEST_LIMIT_S = 3
LIMIT_S = 10.0
"""For all packages together: 80 small requests over one connection."""
OPTIONS = (
    *("--disable-pip", "--require-hashes", "-r", str(ROOT / "requirements.lock")),
    *("--timeout", str(REQUEST_LIMIT_S), "--format", "json", "--progress-spinner", "off"),
)


def audit(program: str, limit_s: float = LIMIT_S) -> tuple[int, list[str]]:
    """Return the exit status and what to print."""
    try:
        run = subprocess.run(
            [program, *OPTIONS], capture_output=True, text=True, check=False, timeout=limit_s
        )
        packages = json.loads(run.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return 0, [not_reached(f"no answer within {limit_s:g} s")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        said = run.stderr.strip().splitlines() if isinstance(error, ValueError) else [str(error)]
        return 0, [not_reached((said or ["no answer"])[-1][:120])]
    known = [package for package in packages if "vulns" in package]
    if not known:
        return 0, [not_reached(f"it knows none of {len(packages)} packages")]
    lines = [
        f"audit: {p['name']} {p['version']}: {v['id']},"
        f" fixed in {' or '.join(v['fix_versions']) or 'no version'}"
        for p in known
        for v in p["vulns"]
    ]
    verdict = f"{len(lines)} known vulnerabilities" if lines else "no known vulnerability"
    summary = f"audit: {verdict} in {len(known)} of {len(packages)} packages looked up"
    return int(bool(lines)), [*lines, summary]


def not_reached(reason: str) -> str:
    """Return the one line that says that nothing was audited."""
    return f"audit: the list of known vulnerabilities was not reached ({reason}); nothing audited"


def main() -> int:
    """Audit, print, return the exit status."""
    status, lines = audit(str(Path(sys.executable).with_name("pip-audit")))
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
