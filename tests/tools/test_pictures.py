"""README.md's pictures: there, small enough to clone, and left alone where no browser is."""

import re
import subprocess
import sys

import pytest

from tests.browser.chromium import VARIABLE
from tools.pictures import BYTES_MAX, PICTURES, ROOT, WIDTH_PX, too_large

PNG = b"\x89PNG\r\n\x1a\n"


def missing(text, root):
    """Return the pictures that a page of Markdown shows from the folder and that are not there."""
    shown = re.findall(r"!\[[^\]]+\]\((docs/pictures/[^)]+)\)", text)
    return [name for name in shown if not (root / name).is_file()]


def test_the_readme_shows_both_pictures_and_they_are_there():
    """Each with a text for who cannot see it, and before anything else is said."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert missing(readme, ROOT) == []
    opening = readme.partition("\n## ")[0]
    for file in PICTURES.iterdir():
        assert re.search(rf"!\[[^\]]{{40,}}\]\(docs/pictures/{file.name}\)", opening)
    assert len(list(PICTURES.iterdir())) == 2


def test_a_planted_picture_that_is_not_there_is_noticed(tmp_path):
    """As after a renamed file."""
    assert missing("![A page](docs/pictures/gone.png)", tmp_path) == ["docs/pictures/gone.png"]


def test_they_are_pngs_of_one_width_and_not_too_large():
    """So that the page is quick to open, and a clone stays small."""
    assert too_large(PICTURES) == []
    for file in PICTURES.iterdir():
        head = file.read_bytes()[:24]
        assert head.startswith(PNG)
        assert int.from_bytes(head[16:20]) == WIDTH_PX


@pytest.mark.parametrize(("size", "named"), [(BYTES_MAX, []), (BYTES_MAX + 1, ["large.png"])])
def test_a_planted_picture_that_is_too_large_is_named(tmp_path, size, named):
    """One byte above the bound is enough."""
    (tmp_path / "large.png").write_bytes(bytes(size))
    assert [file.name for file in too_large(tmp_path)] == named


def test_without_a_browser_it_says_what_to_do_and_changes_nothing(monkeypatch):
    """Exit status 3, and the old pictures are as they were."""
    before = {file: file.read_bytes() for file in PICTURES.iterdir()}
    monkeypatch.setenv(VARIABLE, "absent")
    done = subprocess.run(
        [sys.executable, "tools/pictures.py"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "make browser" in done.stderr
    assert VARIABLE in done.stderr
    assert {file: file.read_bytes() for file in PICTURES.iterdir()} == before
