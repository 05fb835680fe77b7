"""What two machines have in common, and what tells them apart."""

from __future__ import annotations

from verifier.cluster import machine


def test_the_checksum_is_of_the_code_wherever_it_is_installed(tmp_path, monkeypatch):
    """The same files in two folders are the same code; one other byte is other code."""
    sums = []
    for folder, text in (("a", "x = 1"), ("b/c", "x = 1"), ("d", "x = 2")):
        room = tmp_path / folder / "verifier"
        room.mkdir(parents=True)
        (room / "module.py").write_text(text)
        monkeypatch.setattr(machine, "PROJECT", tmp_path / folder)
        sums.append(machine.code_checksum())
    assert sums[0] == sums[1] != sums[2]
