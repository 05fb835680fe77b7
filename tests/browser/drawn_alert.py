"""What a report drew of an alert: read from its plot, its pixels and its lane, and judged.

Nothing here reads the document of the chart: a value counts as drawn when the plot has it at its
place on the axis, a level when a line of its colour is at its height in the canvas, an episode
when its bar begins and ends at its instants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from playwright.sync_api import Page

DASHED_MIN: Final = 0.4
"""Of a dashed line six pixels of ten are drawn; less is a letter or a curve that crosses."""
COLUMNS_MIN: Final = 3
"""Of thirteen around a point; the curve ends, bends or is crossed there."""
MEASURE: Final = """([alert, label, text, level, instant]) => {
  const view = [...views.values()][0][0];
  const plot = [...view.plots.values()].find(each => each.row.alert === alert);
  const number = plot.row.series.findIndex(series => series.labels[label] === text);
  const [times, values] = [plot.data[0], plot.data[number + 1]];
  const {left, top, width, height} = plot.bbox;
  const {data} = plot.ctx.getImageData(left, top, width, height);
  const style = getComputedStyle(document.documentElement);
  // How many columns of a part of the plot have a pixel of a colour, or of nearly that colour.
  const columns = (name, most, [fromX, toX], [fromY, toY]) => {
    const wanted = style.getPropertyValue('--' + name).trim().match(/[0-9a-f]{2}/g)
      .map(part => parseInt(part, 16));
    let counted = 0;
    for (let x = Math.max(fromX, 0); x < Math.min(toX, width); x += 1) {
      let seen = false;
      for (let y = Math.max(fromY, 0); y < Math.min(toY, height); y += 1) {
        const at = (y * width + x) * 4;
        seen ||= wanted.every((part, index) => Math.abs(data[at + index] - part) <= most);
      }
      counted += seen;
    }
    return counted;
  };
  const y = Math.round(plot.valToPos(level, 'y', true) - top);
  const index = times.findIndex(time => time >= instant - 1e-3);
  const place = [plot.valToPos(times[index], 'x', true) - left,
                 plot.valToPos(values[index], 'y', true) - top].map(Math.round);
  const dashed = from => columns('threshold', 2, [0, width], [from, from + 3]) / width;
  const others = Array.from({length: Math.floor(height / 3)}, (_, band) => 3 * band)
    .filter(from => Math.abs(from - y) > 6);
  const track = document.querySelector(`.lane[data-alert="${alert}"] .track`);
  const whole = track.getBoundingClientRect();
  const ends = kind => {
    const box = track.querySelector('.piece.' + kind).getBoundingClientRect();
    return [box.left, box.right].map(x => (x - whole.left) / whole.width * view.chart.end_s);
  };
  return {
    times, values, second_px: width / view.chart.end_s,
    bars: {pending: ends('pending'), firing: ends('firing')},
    level_share: dashed(y - 1), elsewhere_share: Math.max(...others.map(dashed)),
    curve_columns: columns('line-' + number, 20, ...place.map(at => [at - 6, at + 7])),
  };
}"""


@dataclass(frozen=True)
class Expected:
    """An alert as its rule and its verdict have it; times are seconds from the scenario's start.

    It is pending while its value, that of the series with the label, is below `level`.
    """

    alert: str
    label: tuple[str, str]
    level: float
    pending_s: float
    firing_s: float
    resolved_s: float


def disagreements(page: Page, expected: Expected) -> list[str]:
    """Return in what the drawing of the first scenario of a report contradicts what is expected."""
    question = [expected.alert, *expected.label, expected.level, expected.pending_s]
    drawn = page.evaluate(MEASURE, question)
    return [*_wrong_curve(drawn, expected), *_wrong_line(drawn), *_wrong_bars(drawn, expected)]


def _wrong_curve(drawn: dict[str, Any], expected: Expected) -> list[str]:
    """The curve is below the level from the pending instant until the resolved one, and no more."""
    below = [
        time
        for time, value in zip(drawn["times"], drawn["values"], strict=True)
        if value is not None and value < expected.level
    ]
    after = [time for time in drawn["times"] if time > max(below, default=0.0)]
    wrong = []
    if not below or abs(below[0] - expected.pending_s) > 0.01:
        wrong.append(f"the curve is first below the level at {below[:1]}")
    if not after or abs(after[0] - expected.resolved_s) > 0.01:
        wrong.append(f"the curve is above the level again at {after[:1]}")
    if drawn["curve_columns"] < COLUMNS_MIN:
        wrong.append("no pixel of the curve at the pending instant")
    return wrong


def _wrong_line(drawn: dict[str, Any]) -> list[str]:
    wrong = []
    if drawn["level_share"] < DASHED_MIN:
        wrong.append("no line at the threshold")
    if drawn["elsewhere_share"] >= DASHED_MIN:
        wrong.append("a line of a threshold where none is")
    return wrong


def _wrong_bars(drawn: dict[str, Any], expected: Expected) -> list[str]:
    bars = {
        "pending": (expected.pending_s, expected.firing_s),
        "firing": (expected.firing_s, expected.resolved_s),
    }
    pixel_s = 1.5 / drawn["second_px"]
    return [
        f"the bar {kind} is from {drawn['bars'][kind][0]:.0f} s to {drawn['bars'][kind][1]:.0f} s"
        for kind, ends in bars.items()
        if any(abs(end - drawn["bars"][kind][side]) > pixel_s for side, end in enumerate(ends))
    ]
