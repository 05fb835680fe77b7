"""Texts as HTML, and the places in the page that links lead to.

Used by every part of the page. Whatever a user's file says is escaped here.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verifier.judge.verdict import AlertVerdict

_NO_ANCHOR = re.compile(r"[^A-Za-z0-9_-]")
_CODE = re.compile(r"`([^`]+)`")


def anchor(scenario: str) -> str:
    """Return the name of a scenario's place in the page: letters, digits, `-` and `_` alone."""
    return f"scenario-{_plain(scenario)}"


def alert_anchor(scenario: str, alert: AlertVerdict) -> str:
    """Return the name of the place of an alert's row, its own by series and cause."""
    labels = ",".join(f"{name}={text}" for name, text in alert.labels)
    parts = (scenario, alert.alert, labels, alert.cause or "")
    return f"alert-{'-'.join(map(_plain, parts))}"


def written(text: str) -> str:
    """Return a text as HTML; what it has in backticks is code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def sentences(reason: str) -> str:
    """Return a reason as HTML, each of its sentences on a line of its own."""
    return "<br>".join(written(part) for part in reason.split("; "))


def _plain(text: str) -> str:
    return _NO_ANCHOR.sub(lambda match: f"_{ord(match[0]):x}_", text)
