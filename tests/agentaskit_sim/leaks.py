"""Looks for planted secrets wherever a program could leave them."""

from __future__ import annotations

from pathlib import Path

SECRETS = {
    "token": "token-7c1f0a9e",
    "webhook": "hook-53ab88d2",
    "password": "password-e04d6b17",
    "cloud": "cloud-1d9a2c44",
    "proxy": "proxy-b8f3e650",
}
"""What is secret, and a text that occurs nowhere else."""


def find_leaks(texts):
    """Return `place: kind of secret` for each secret in the texts, given by place."""
    return sorted(
        f"{place}: {kind}"
        for place, text in texts.items()
        for kind, secret in SECRETS.items()
        if secret in text
    )


def files_below(folder):
    """Return the text of each file below a folder, by its path."""
    return {str(p): p.read_text(errors="replace") for p in folder.rglob("*") if p.is_file()}


def seen_of_processes(pids, what=("cmdline", "environ")):
    """Return what any process of this user can read of these processes. Linux."""
    seen = {}
    for pid in pids:
        for name in what:
            try:
                raw = Path(f"/proc/{pid}/{name}").read_bytes()
            except OSError:  # ended meanwhile
                continue
            seen[f"/proc/{pid}/{name}"] = raw.replace(b"\0", b"\n").decode(errors="replace")
    return seen
