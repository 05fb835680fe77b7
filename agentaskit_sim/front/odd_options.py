"""Options of `up` that have no meaning beside others, refused before anything is read."""

from __future__ import annotations

from documents.mistakes import InputError


def refuse_options_of_ours(**options: object) -> None:
    """Raise `InputError` for an option that is about a server of ours where the user's stands."""
    for theirs, ours in (
        ("prometheus", ("compress", "rules", "routing")),
        ("alertmanager", ("compress", "routing")),
    ):
        for name in ours:
            if options[theirs] is not None and options[name] is not None:
                raise InputError(
                    f"--{name} cannot be used with --{theirs}: your server has its own"
                )


def refuse_unjudged_overlay(overlay: object, *, is_judged: bool) -> None:
    """Raise `InputError` for expectations that nothing would ever be held against."""
    if overlay and not is_judged:
        raise InputError(
            "--overlay needs --exit-at-end and servers of ours: nothing else ends with a verdict"
        )
