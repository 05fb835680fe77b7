/**
 * Names and values of the series of a row, above its plot.
 */

import { LINES, element } from "./elements.js";
import { clockText, valueText, withLabels } from "./texts.js";

/** @typedef {import("./axis.js").Row} Row */
/** @typedef {import("./axis.js").Series} Series */

/**
 * The labels by which the series of a row differ.
 * @param {Series} series
 * @param {Row} row
 * @returns {Record<string, string>}
 */
function ownLabels(series, row) {
  return Object.fromEntries(Object.entries(series.labels).filter(([name, text]) =>
    row.series.some((other) => other.labels[name] !== text)));
}

/**
 * Names and values of a row's series at an instant; without one the last. Which of both is said.
 * @param {any} plot
 * @param {number|null} at_s
 */
export function readout(plot, at_s) {
  const row = /** @type {Row} */ (plot.row);
  if (!row || row.kind === "heatmap") return;
  let index = row.times_s.length - 1;
  if (at_s !== null) {
    index = row.times_s.findIndex((time) => time > at_s);
    index = index === -1 ? row.times_s.length - 1 : Math.max(0, index - 1);
  }
  const when = element("span", "when", at_s === null ? "last" : `at ${clockText(at_s)}`);
  plot.legend.replaceChildren(...(row.series.length ? [when] : []), ...row.series.slice(0, 12).map((series, number) => {
    const name = series.name || withLabels("", ownLabels(series, row)) || "value";
    const item = element("span", `key key-${number % LINES}`, name === row.title ? "" : name);
    item.append(element("b", "", valueText(series.values[index], row.unit)));
    return item;
  }));
  if (!row.series.length) plot.legend.append(element("span", "none", "no series"));
  if (row.series.length > 12) plot.legend.append(element("span", "more", `and ${row.series.length - 12} more`));
}
