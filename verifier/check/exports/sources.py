"""From where a /metrics page comes: a file, or an exporter that is asked once.

What an exporter answers is kept nowhere. A file that is no page is bad input; an exporter that does
not answer cannot be judged.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final

from documents.files import read_text
from verifier.check.exports.catalogue_exports import catalogue_exports, mapped_exports
from verifier.check.exports.families import TARGET_LABELS, joined
from verifier.check.exports.page_reader import read_page
from verifier.errors import JudgeError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from exporter.mapping.metric_mapping import MetricMapping
    from verifier.check.exports.families import Exports

PAGE_BYTES_MAX: Final = 64 << 20
TIMEOUT_S: Final = 20.0
"""Twice what a server waits for a scrape by default."""
ACCEPT: Final = "text/plain;version=0.0.4;q=1,*/*;q=0.1"
SCHEMES: Final = ("http://", "https://")


def read_exports(
    sources: Sequence[str],
    target_labels: Collection[str] = (),
    mapped: tuple[MetricMapping, str] | None = None,
) -> Exports:
    """Return what files and addresses export together; our own catalogue without any.

    `mapped` is a mapping and its file, whose metrics stand in the place of our own. Raises
    InputError for what is no page, JudgeError for an address that gives none.
    """
    names = TARGET_LABELS | frozenset(target_labels)
    pages = [read_page(_text(source), source, names) for source in sources]
    if mapped is not None:
        mapping, path = mapped
        return joined([mapped_exports(mapping, f"what {path} makes", names), *pages])
    return joined(pages) if pages else catalogue_exports(names)


def _text(source: str) -> str:
    if not source.startswith(SCHEMES):
        return read_text(source, bytes_max=PAGE_BYTES_MAX)
    try:
        request = urllib.request.Request(source, headers={"Accept": ACCEPT})  # noqa: S310 - http(s) alone, as just asked
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - http(s) alone, as just asked
            raw = answer.read(PAGE_BYTES_MAX + 1)
    except urllib.error.HTTPError as error:
        raise JudgeError(
            f"{source}: answers with status {error.code}: is it a /metrics page?"
        ) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise JudgeError(
            f"{source}: no page: {reason}. Is the exporter running, or save its page to a file?"
        ) from None
    if len(raw) > PAGE_BYTES_MAX:
        raise JudgeError(f"{source}: the page is longer than {PAGE_BYTES_MAX:,} bytes")
    return bytes(raw).decode("utf-8", "replace")
