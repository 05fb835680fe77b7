"""The text of a catalogue's series, in both formats, from prefixes that are made once.

A page of 10,000 series is made many times a second, and only some numbers differ: name, labels and
header of each series are laid out here beforehand, and a number that has not changed stays as it
was written. The text is byte for byte what prometheus_client would have written; a test compares
them. It knows no world and no HTTP.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, Generic

import numpy as np
from prometheus_client import Metric as Family
from prometheus_client import generate_latest as generate_text
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE_OPENMETRICS
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.utils import floatToGoString

from exporter.metrics.series import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from exporter.metrics.series import Catalogue, LabelSet, Metric, MetricLayout, Values

TEXT: Final = CONTENT_TYPE_PLAIN_0_0_4
OPENMETRICS: Final = CONTENT_TYPE_OPENMETRICS
END: Final = {TEXT: b"", OPENMETRICS: b"# EOF\n"}
"""What ends a page."""
SUFFIXES: Final = {"counter": "_total", "info": "_info"}
DEFLATE_LEVEL: Final = 1
"""Labels repeat so much that the fastest level is small enough."""
_GO_EXPONENT_FROM: Final = 1e6
"""From here on Go writes an exponent where Python does not; the library knows how."""
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class Families:
    """Metric families of prometheus_client beside a catalogue, written by the library itself."""

    def __init__(self, families: Iterable[Family]) -> None:
        """Keep `families`, which must not change after."""
        self._families = tuple(families)

    def collect(self) -> Iterable[Family]:
        """Return the families: a `Collector` in prometheus_client's sense."""
        return self._families

    def text(self, content_type: str) -> bytes:
        """Return the families as `TEXT` or `OPENMETRICS`, without what ends a page."""
        generate = generate_openmetrics if content_type == OPENMETRICS else generate_text
        return bytes(generate(self)).removesuffix(END[content_type])

    def deflated(self, content_type: str) -> bytes:
        """Return the text as a stretch of a deflate stream."""
        return deflate(self.text(content_type))


class SeriesText(Generic[Source]):
    """Writes vectors of one catalogue; what it wrote last is kept, for a vector that is the same.

    `present` says which series to write, by default all; a family without any is left out.
    """

    def __init__(self, catalogue: Catalogue[Source]) -> None:
        """Write the series of `catalogue`."""
        self._catalogue = catalogue
        self._written: dict[str, _Written] = {}

    def text(self, values: Values, present: NDArray[np.bool_] | None, content_type: str) -> bytes:
        """Return `values` as `TEXT` or `OPENMETRICS`, without what ends a page."""
        return self._write(values, present, content_type).text

    def deflated(
        self, values: Values, present: NDArray[np.bool_] | None, content_type: str
    ) -> bytes:
        """Return the same text as a stretch of a deflate stream."""
        written = self._write(values, present, content_type)
        if written.deflated is None:
            written.deflated = deflate(written.text)
        return written.deflated

    def _write(
        self, values: Values, present: NDArray[np.bool_] | None, content_type: str
    ) -> _Written:
        mask = None if present is None or bool(present.all()) else present.tobytes()
        written = self._written.get(content_type)
        if written is None or written.mask != mask:
            prefixes, places = self._lay_out(present if mask else None, content_type)
            written = self._written[content_type] = _Written(mask, prefixes, places)
        written.write(values)
        return written

    def _lay_out(
        self, present: NDArray[np.bool_] | None, content_type: str
    ) -> tuple[list[str], list[int] | None]:
        """Return what stands before each number that is written, and the places of those."""
        keep = [True] * len(self._catalogue.series) if present is None else present.tolist()
        prefixes: list[str] = []
        for group in self._catalogue.groups:
            header = _header(group.metric, content_type)
            for prefix in _prefixes(group, keep):
                prefixes.append(header + prefix)
                header = ""
        places = None if present is None else present.nonzero()[0].tolist()
        return prefixes, places


class SeriesReading(Generic[Source]):
    """One vector of a catalogue, to be written when a format of it is asked for."""

    def __init__(
        self,
        writer: SeriesText[Source],
        values: Values,
        present: NDArray[np.bool_] | None = None,
    ) -> None:
        """Keep `values` and `present`, which must not change after."""
        self._writer, self._values, self._present = writer, values, present

    @property
    def count(self) -> int:
        """How many series it writes."""
        return len(self._values) if self._present is None else int(self._present.sum())

    def text(self, content_type: str) -> bytes:
        """Return the series as `TEXT` or `OPENMETRICS`, without what ends a page."""
        return self._writer.text(self._values, self._present, content_type)

    def deflated(self, content_type: str) -> bytes:
        """Return the text as a stretch of a deflate stream."""
        return self._writer.deflated(self._values, self._present, content_type)


class _Written:
    """What was written last of one layout: a number that is the same is not written again."""

    __slots__ = ("_bits", "_pieces", "_places", "deflated", "mask", "text")

    def __init__(self, mask: bytes | None, prefixes: list[str], places: list[int] | None) -> None:
        self.mask, self._places = mask, places
        # Each number of a vector stands behind its prefix; none is written yet.
        self._pieces = [""] * (2 * len(prefixes))
        self._pieces[::2] = prefixes
        self._bits: NDArray[np.int64] | None = None
        self.text = b""
        self.deflated: bytes | None = None

    def write(self, values: Values) -> None:
        chosen = values if self._places is None else values[self._places]
        # The bits, for NaN is no number that equals itself, and 0 and -0 are written differently.
        bits = np.ascontiguousarray(chosen).view(np.int64)
        changed = np.arange(len(bits)) if self._bits is None else np.flatnonzero(bits != self._bits)
        if self._bits is not None and len(changed) == 0:
            return
        # The CPUs of a host, empty buckets: most numbers of a long page stand on it many times.
        texts: dict[int, str] = {}
        numbers = zip(bits[changed].tolist(), chosen[changed].tolist(), strict=True)
        for place, (key, number) in zip(changed.tolist(), numbers, strict=True):
            text = texts.get(key)
            if text is None:
                text = texts[key] = f"{number_text(number)}\n"
            self._pieces[2 * place + 1] = text
        self._bits = bits.copy()
        self.text, self.deflated = "".join(self._pieces).encode(), None


def number_text(number: float) -> str:
    """Return a number as prometheus_client and Go write it."""
    if -_GO_EXPONENT_FROM < number < _GO_EXPONENT_FROM:
        return repr(number)
    return str(floatToGoString(number))  # type: ignore[no-untyped-call]  # not annotated there


def deflate(text: bytes) -> bytes:
    """Return `text` as a stretch of a raw deflate stream that any other stretch can follow."""
    compressor = zlib.compressobj(DEFLATE_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(text) + compressor.flush(zlib.Z_FULL_FLUSH)


def make_family(metric: Metric[Source]) -> Family:
    """Return a metric as a family of prometheus_client, without its samples.

    OpenMetrics names a family without the suffix that its type adds. Only counters and infos
    have one, so a gauge may be called `_total` and a counter of unknown type may lack it.
    """
    name = metric.name.removesuffix(SUFFIXES.get(metric.kind, ""))
    return Family(name, metric.help, metric.kind, metric.unit)


def _header(metric: Metric[Source], content_type: str) -> str:
    return Families([make_family(metric)]).text(content_type).decode()


def _prefixes(group: MetricLayout[Source], keep: list[bool]) -> Iterator[str]:
    marks = keep[group.start : group.stop]
    for name, labels, kept in zip(group.names, group.label_sets, marks, strict=True):
        if kept:
            yield f"{name}{{{_label_text(labels)}}} " if labels else f"{name} "


def _label_text(labels: LabelSet) -> str:
    return ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in sorted(labels))
