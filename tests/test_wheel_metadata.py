"""What an index page shows: addresses, classifiers, and a picture that is there."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from packaging.licenses import canonicalize_license_expression

RELATIVE = re.compile(r"\]\((?!https://|#)")
SOURCE = "https://github.com/agentaskit/agentaskit-sim"


@pytest.fixture(scope="module")
def metadata(repository):
    """Return what goes into the wheel's METADATA."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "metadata"],
        cwd=repository, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_an_index_page_has_addresses_and_is_found(metadata):
    """Under its topics, with its licence and its versions of Python."""
    assert {"Homepage", "Documentation", "Changelog", "Issues", "Source"} <= set(metadata["urls"])
    assert all(url.startswith(SOURCE) for url in metadata["urls"].values())
    assert canonicalize_license_expression(metadata["license"]) == "MIT"
    # A licence is stated once: index sites refuse a classifier beside the expression.
    assert not [name for name in metadata["classifiers"] if name.startswith("License ::")]
    assert "Topic :: System :: Monitoring" in metadata["classifiers"]
    for minor in range(11, 15):
        assert f"Programming Language :: Python :: 3.{minor}" in metadata["classifiers"]
    assert "prometheus" in metadata["keywords"]


def test_the_picture_and_every_link_of_the_page_are_whole_addresses(metadata, repository):
    """The picture itself, not the page about it; the rest of the page is README.md."""
    page = metadata["readme"]["text"]
    assert f"]({SOURCE}/raw/main/docs/architecture.svg)" in page
    assert f"]({SOURCE}/blob/main/ARCHITECTURE.md)" in page
    assert RELATIVE.findall(page) == []
    readme = (repository / "README.md").read_text(encoding="utf-8")
    assert RELATIVE.findall(readme)
    for kind in ("raw", "tree", "blob"):
        page = page.replace(f"]({SOURCE}/{kind}/main/", "](")
    assert page == readme
