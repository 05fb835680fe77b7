"""What prometheus_client writes for a catalogue: the page that ours must equal byte for byte."""

from __future__ import annotations

from prometheus_client import generate_latest as generate_text
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.samples import Sample

from exporter.metrics.series_text import OPENMETRICS, Families, make_family


def collect(catalogue, values, present=None):
    """Yield one family per metric with its series in `present`; one without any is left out."""
    for group in catalogue.groups:
        family = make_family(group.metric)
        family.samples = [
            Sample(name, dict(labels), float(values[place]))
            for place, name, labels in zip(
                range(group.start, group.stop), group.names, group.label_sets, strict=True
            )
            if present is None or present[place]
        ]
        if family.samples:
            yield family


def render(content_type, *families):
    """Return the page of `families` as the library writes it."""
    generate = generate_openmetrics if content_type == OPENMETRICS else generate_text
    return generate(Families(families))
