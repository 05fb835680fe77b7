"""What every page of ours is inside of: one file with its style, a policy, and scripts by checksum.

Used for the report of a verdict and for the pages of other results. The policy allows our own
scripts alone, so that markup in a text is shown and never run even where it was not escaped.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING

from charts import assets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def html_document(
    title: str,
    body: Iterable[str],
    *,
    style: str = "",
    in_head: str = "",
    scripts: Sequence[str] = (),
) -> str:
    """Return a whole page; `title` is text, `body` and `in_head` are HTML, the scripts come last.

    `style` is a style sheet that comes before ours.
    """
    return "".join(
        (
            "<!doctype html>\n",
            '<html lang="en"><head><meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f"<title>{escape(title)}</title>\n",
            f"<style>{style}\n{assets.style()}</style>{in_head}</head>\n<body>\n",
            *body,
            *(f"<script>{text}</script>\n" for text in scripts),
            "</body></html>\n",
        )
    )


def closed(script: str) -> str:
    """Return a script as it may stand in a page: nothing in it ends the element."""
    return "\n" + script.replace("</script", "<\\/script").replace("<!--", "<\\!--") + "\n"


def _policy(scripts: Sequence[str]) -> str:
    """Return what the page may do: run these scripts, be styled, and nothing else."""
    sums = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    allowed = " ".join(f"'sha256-{each}'" for each in sums) or "'none'"
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; base-uri 'none'"
