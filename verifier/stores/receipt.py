"""What came of writing a history to a store: what was sent, and whether all of it is found there.

Pure, but for the schema that stands beside this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from documents.amounts import amount
from verifier.backtest.instants import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exporter.history.samples import LabelSet

VERSION: Final = 1
SCHEMA: Final = Path(__file__).parent / "sent.schema.json"
SHOWN_MAX: Final = 10
"""So many differences are printed; all are counted."""


@dataclass(frozen=True, slots=True)
class HeldDifference:
    """A series that a store holds otherwise than it was sent, between two instants."""

    labels: LabelSet
    first_ms: int
    last_ms: int
    sent: int
    held: int

    def __str__(self) -> str:
        """Write it in a line."""
        pairs = dict(self.labels)
        name = pairs.pop("__name__", "")
        series = name + "{" + ", ".join(f'{k}="{v}"' for k, v in pairs.items()) + "}"
        what = f"{self.held:,} of {amount(self.sent, 'samples')}"
        if self.held == self.sent:
            what = f"{amount(self.sent, 'samples')}, not those that were sent"
        since, until = instant_text(self.first_ms / 1000), instant_text(self.last_ms / 1000)
        return f"{series}: {what}, from {since} to {until}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was sent, in how many requests, and what is held: `missing` and `doubled` samples.

    `lost` were taken, were gone later, and were sent again. `differences` says where what is held
    differs, the first of them; `changed` counts series whose samples are not those that were sent.
    """

    samples: int
    series: int
    first_ms: int
    last_ms: int
    requests: int
    retries: int
    bytes: int
    lost: int
    missing: int
    doubled: int
    changed: int
    seconds: float
    differences: tuple[HeldDifference, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every sample is there, once."""
        return not (self.missing or self.doubled or self.changed)

    @property
    def samples_per_s(self) -> float:
        """How many samples a second, until the last was taken."""
        return self.samples / self.seconds if self.seconds > 0 else 0.0


def receipt_lines(receipt: Receipt, url: str) -> Iterator[str]:
    """Yield what a person reads."""
    since, until = instant_text(receipt.first_ms / 1000), instant_text(receipt.last_ms / 1000)
    yield (
        f"Sent {amount(receipt.samples, 'samples')} of {amount(receipt.series, 'series')} to {url},"
        f" {since} to {until}: {receipt.samples_per_s:,.0f} a second"
    )
    again = amount(receipt.retries, "attempts")
    lost = f"; {amount(receipt.lost, 'samples')} were lost there and sent again"
    yield (
        f"{amount(receipt.requests, 'requests')}, {receipt.bytes / 1e6:,.1f} MB"
        f"{f', {again} more' if receipt.retries else ''}{lost if receipt.lost else ''}"
    )
    yield from map(str, receipt.differences[:SHOWN_MAX])
    if receipt.whole:
        yield "Found again: every sample, none twice"
        return
    yield (
        f"NOT FOUND AGAIN: {receipt.missing:,} missing, {receipt.doubled:,} too many,"
        f" {amount(receipt.changed, 'series')} changed"
    )


def receipt_document(
    receipt: Receipt, *, scenario: str, seed: int, url: str
) -> dict[str, Any]:  # Any: a JSON document
    """Return the receipt as `sent.schema.json` describes it."""
    return {
        "version": VERSION,
        "scenario": scenario,
        "seed": seed,
        "url": url,
        "from": instant_text(receipt.first_ms / 1000),
        "to": instant_text(receipt.last_ms / 1000),
        "samples": receipt.samples,
        "series": receipt.series,
        "requests": receipt.requests,
        "retries": receipt.retries,
        "bytes": receipt.bytes,
        "lost": receipt.lost,
        "missing": receipt.missing,
        "doubled": receipt.doubled,
        "changed": receipt.changed,
        "seconds": round(receipt.seconds, 3),
        "samples_per_s": round(receipt.samples_per_s, 1),
        "differences": [
            {
                "labels": dict(each.labels),
                "from": instant_text(each.first_ms / 1000),
                "to": instant_text(each.last_ms / 1000),
                "sent": each.sent,
                "held": each.held,
            }
            for each in receipt.differences
        ],
    }
