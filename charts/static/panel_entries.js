/**
 * Panels that list their last values: bars, and tables.
 */

import { element } from "./elements.js";
import { clockText, valueText, withLabels } from "./texts.js";

/** @typedef {import("./axis.js").Row} Row */
/** @typedef {import("./axis.js").Series} Series */

/**
 * The last value of a series that is one, and when it was.
 * @param {Row} row
 * @param {Series} series
 * @returns {{value: number|null, at_s: number|null}}
 */
function lastEntry(row, series) {
  for (let index = series.values.length - 1; index >= 0; index -= 1) {
    const value = series.values[index];
    if (value !== null) return { value, at_s: row.times_s[index] };
  }
  return { value: null, at_s: null };
}

/**
 * A bar for each series, as long as its last value is large between the limits of the row.
 * @param {Row} row
 * @param {(row: Row, value: number|null) => string} colourOf what the thresholds say of a value
 * @returns {HTMLElement}
 */
export function barList(row, colourOf) {
  const entries = row.series.map((series) => ({ series, ...lastEntry(row, series) }));
  const least = row.limits[0] ?? Math.min(0, ...entries.map(({ value }) => value ?? 0));
  const most = row.limits[1] ?? Math.max(...entries.map(({ value }) => value ?? 0));
  const list = element("ul", "bars");
  for (const { series, value } of entries) {
    const item = element("li", "");
    const share = most > least ? ((value ?? least) - least) / (most - least) : 0;
    const bar = element("span", `bar back-${colourOf(row, value)}`);
    bar.style.width = `${Math.min(Math.max(share, 0), 1) * 100}%`;
    const track = element("span", "bar-track");
    track.append(bar);
    item.append(element("span", "name", seriesName(series)), track, element("b", "", series.shown ?? valueText(value, row.unit)));
    list.append(item);
  }
  return list;
}

/**
 * @param {Series} series
 * @returns {string}
 */
function seriesName(series) {
  return series.name || withLabels("", series.labels) || "value";
}

/**
 * A line for each series: the labels by which they differ, and the last value; of a value that is
 * not of the end, its time.
 * @param {Row} row
 * @returns {HTMLElement}
 */
export function entryTable(row) {
  const names = [...new Set(row.series.flatMap(({ labels }) => Object.keys(labels)))].toSorted();
  const differing = names.filter((name) => new Set(row.series.map(({ labels }) => labels[name])).size > 1);
  const shown = row.series.length > 1 ? differing : names;
  const place = element("div", "scroll");
  place.tabIndex = 0;
  place.setAttribute("role", "region");
  place.setAttribute("aria-label", `Values of ${row.title}`);
  const table = element("table", "entries");
  table.append(headLine([...(shown.length ? shown : ["Series"]), "Value"]));
  const end_s = row.times_s.at(-1);
  for (const series of row.series) {
    const { value, at_s } = lastEntry(row, series);
    const line = element("tr", "");
    const cells = shown.length ? shown.map((name) => series.labels[name] ?? "") : [seriesName(series)];
    const when = at_s === null || at_s === end_s ? "" : ` at ${clockText(at_s)}`;
    line.append(...cells.map((text) => element("td", "", text)), element("td", "value", (series.shown ?? valueText(value, row.unit)) + when));
    table.append(line);
  }
  place.append(table);
  return place;
}

/**
 * @param {string[]} names
 * @returns {HTMLElement}
 */
function headLine(names) {
  const line = element("tr", "");
  for (const name of names) {
    const cell = element("th", "", name);
    cell.setAttribute("scope", "col");
    line.append(cell);
  }
  return line;
}
