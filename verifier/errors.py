"""The judge's one error: nothing could be judged.

Raised anywhere in this room, turned into exit status 3 by the front door. A mistake in a user's
file is `scenarios.errors.InputError` instead; a failed expectation is no error at all.
"""

from __future__ import annotations


class JudgeError(RuntimeError):
    """No verdict is possible. The message says what happened and the way out."""
