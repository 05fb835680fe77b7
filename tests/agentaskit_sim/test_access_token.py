"""The token of the fault API: from a file, else from the environment, never an unusable one."""

import pytest

from agentaskit_sim.access_token import TOKEN_BYTES_MAX, VARIABLE, read_token
from documents.mistakes import InputError


def test_the_file_comes_before_the_environment(tmp_path, monkeypatch):
    """White space around it is no part of the token; without either there is none."""
    path = tmp_path / "token"
    path.write_text(" from-file\n")
    monkeypatch.setenv(VARIABLE, "from-environment")
    assert read_token(path) == "from-file"
    assert read_token(None) == "from-environment"
    monkeypatch.delenv(VARIABLE)
    assert read_token(None) is None


@pytest.mark.parametrize("text", ["", " \n", "two\nlines", "clé", "x" * (TOKEN_BYTES_MAX + 1)])
def test_an_unusable_token_is_refused_without_being_shown(tmp_path, text):
    """Empty, of several lines, beyond ASCII, or longer than any token."""
    path = tmp_path / "token"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="must be 1 to 4096 printable characters") as caught:
        read_token(path)
    assert str(caught.value).startswith(f"the token in {path} must be ")
    assert not text.strip() or text.strip()[:40] not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    """A missing file is the user's mistake."""
    with pytest.raises(InputError, match="no such file"):
        read_token(tmp_path / "none")
