"""Fetch what the dashboards are checked with: Grafana's own published types, and TypeScript.

Called by the tests in `tests/observability/grafana`, never by `make setup`: who tests no dashboards
needs neither. Both are archives of npm, pinned by checksum, unpacked into the folder that is named;
nobody else's code is committed. Exit status 3, and the reason in a line, where nothing can be
fetched or what comes is not what is pinned.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from chart_library import RefusedError, address, fetched


@dataclass(frozen=True)
class Package:
    """An archive of npm: `scope` with its slash or nothing, and how many bytes it may have."""

    scope: str
    name: str
    version: str
    sha512: str
    bytes_max: int

    @property
    def path(self) -> str:
        """Where it is at a registry."""
        return f"{self.scope}{self.name}/-/{self.name}-{self.version}.tgz"


PACKAGES = (
    Package(
        "@grafana/",
        "schema",
        "13.2.3",
        "ae4f0510eef2b857d14cafc90f7f7be3b499150fa209341ba66e8c8763a39ea1"
        "b1fe0fee410171e7ab7ae1e08b5d6132a11ebcaeee1c8a07062ab5e4fa8ceb2e",
        2**20,
    ),
    Package(
        "",
        "typescript",
        "5.9.3",
        "8e5d6f6733c38a72ebf5e52ddc9feded5e8580d130f508ef04f772b33f4a7d00"
        "c3e357d0ac2d98e2f290762694a454f86d795bd511e12e9a7cc2d9ba3394e04b",
        8 * 2**20,
    ),
)


def ensure(package: Package, folder: Path) -> None:
    """Make `folder/NAME` hold the package; raise `RefusedError` or `OSError` when it cannot."""
    target, stamp = folder / package.name, folder / f"{package.name}.sha512"
    if target.is_dir() and stamp.is_file() and stamp.read_text("utf-8") == package.sha512:
        return
    what = f"{package.name} {package.version}"
    url = address(package.path, os.environ)
    archive = fetched(url, what, package.sha512, package.bytes_max)
    shutil.rmtree(target, ignore_errors=True)
    draft = folder / f".{package.name}"
    shutil.rmtree(draft, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as packed:
        # By hand: `extractall` has no filter before Python 3.11.4. No links, nothing outside.
        for member in packed:
            place = (draft / member.name).resolve()
            file = packed.extractfile(member) if member.isfile() else None
            if file is not None and place.is_relative_to(draft.resolve()):
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(file.read())
    (draft / "package").rename(target)
    shutil.rmtree(draft)
    stamp.write_text(package.sha512, "utf-8")


def main() -> int:
    """Fetch both into the folder of the first argument; return the exit status."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        try:
            ensure(package, folder)
        except (OSError, RefusedError) as error:
            print(error, file=sys.stderr)
            return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
