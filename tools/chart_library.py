"""Fetch uPlot, which draws the charts, into charts/static/vendor: nobody else's code is committed.

Called by `make setup`, and by `tools/wheel_charts.py` for a wheel, which ships the files.
The archive is npm's own, from the registry that `npm_config_registry` names or npm's; whatever is
not exactly the pinned archive is refused. The standard library alone: neither Node nor a package is
needed. Files that are there as pinned are left alone, without a network.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import tarfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "1.6.32"
ARCHIVE_SHA512 = (
    "2883159c6ebccefbb95d751b0b82d010f9e1c0ec41b8bc96d401eda66e882935"
    "c89a46cb824332fa369b8cb8122cc6ac36e186cd09bf7a9ded3a4c93c6989023"
)
PATH = f"uplot/-/uplot-{VERSION}.tgz"
ARCHIVE_MAX = 2**20
"""Bytes; the archive has 164,279."""
FILES = {
    "package/dist/uPlot.iife.min.js": "uPlot.iife.min.js",
    "package/dist/uPlot.min.css": "uPlot.min.css",
    "package/LICENSE": "LICENSE",
}
"""What is kept of the archive, each under its own name."""
REGISTRY = "https://registry.npmjs.org"
"""npm's own, named here alone: the archive is pinned wherever it comes from."""
STAMP = "fetched"
"""The file that says which archive the others are of."""


class RefusedError(Exception):
    """Nothing could be fetched, or not what is pinned; the text says which."""


def address(path: str, environment: Mapping[str, str]) -> str:
    """Return where an archive is, by its path, at the registry that the environment names."""
    registry = environment.get("npm_config_registry", "").strip() or REGISTRY
    return f"{registry.rstrip('/')}/{path}"


def ensure(vendor: Path, environment: Mapping[str, str] | None = None) -> bool:
    """Make `vendor` hold the pinned files; return whether they had to be fetched.

    Raises `RefusedError`, and then leaves the folder as it was.
    """
    stamp = vendor / STAMP
    if all((vendor / name).is_file() for name in (*FILES.values(), STAMP)) and (
        stamp.read_text(encoding="utf-8").strip() == ARCHIVE_SHA512
    ):
        return False
    url = address(PATH, os.environ if environment is None else environment)
    files = unpacked(fetched(url, f"uPlot {VERSION}", ARCHIVE_SHA512, ARCHIVE_MAX))
    vendor.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)  # the last file that is written: half a folder has no stamp
    for name, content in files.items():
        (vendor / name).write_bytes(content)
    stamp.write_text(f"{ARCHIVE_SHA512}\n", encoding="utf-8")
    return True


def fetched(url: str, what: str, sha512: str, bytes_max: int) -> bytes:
    """Return the archive at `url`, at most so long; raise `RefusedError` unless it is as pinned.

    `what` names it in the error. Used for Grafana's types as well (`tools/grafana_schema.py`).
    """
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - pinned by checksum
            archive: bytes = answer.read(bytes_max + 1)
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise RefusedError(f"{what} cannot be fetched from {url}: {reason}") from None
    if (digest := hashlib.sha512(archive).hexdigest()) != sha512:
        raise RefusedError(f"{url} is not the pinned {what}: its sha512 is {digest}")
    return archive


def unpacked(archive: bytes) -> dict[str, bytes]:
    """Return the files that are kept, by name."""
    files = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as packed:
        for member, name in FILES.items():
            file = packed.extractfile(member)
            if file is None:
                raise RefusedError(f"the archive of uPlot has no file {member}")
            files[name] = file.read()
    return files


def main() -> None:
    """Fetch what is missing. Without it everything works, and charts are tables: a note, no error.

    With `--strict` it is an error, as in the build of a wheel.
    """
    vendor = Path(__file__).resolve().parent.parent / "charts" / "static" / "vendor"
    try:
        if ensure(vendor):
            print(f"setup: uPlot {VERSION} for the charts, into {vendor.relative_to(Path.cwd())}")
    except RefusedError as refused:
        print(f"setup: {refused}", file=sys.stderr)
        print(
            "setup: reports and the page will have their tables, but draw no charts; online,"
            " run `make setup` again",
            file=sys.stderr,
        )
        if "--strict" in sys.argv[1:]:
            raise SystemExit(3) from None


if __name__ == "__main__":
    main()
