/**
 * Panels of a dashboard that are no curves, as their last values have it; and those without any.
 */

import { element } from "./elements.js";
import { barList, entryTable } from "./panel_entries.js";
import { markStatus, panelNotes } from "./panel_notes.js";
import { valueText } from "./texts.js";

/** @typedef {import("./axis.js").Row} Row */
/** @typedef {import("./axis.js").Series} Series */

const SVG = "http://www.w3.org/2000/svg";
const NAMED = new Set(["green", "yellow", "orange", "red", "blue", "purple"]);

/**
 * @param {string} tag
 * @param {Record<string, string|number>} attributes
 * @returns {SVGElement}
 */
function shape(tag, attributes) {
  const made = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

/**
 * @param {Series} series
 * @returns {number|null} the last value that is one
 */
function lastValue(series) {
  for (let index = series.values.length - 1; index >= 0; index -= 1) {
    if (series.values[index] !== null) return series.values[index];
  }
  return null;
}

/**
 * The colour that a panel's thresholds give a value: of the last step that it reaches.
 * @param {Row} row
 * @param {number|null} value
 * @returns {string}
 */
function stepColour(row, value) {
  let name = "calm";
  for (const step of row.thresholds) {
    const reached = step.value === null || (value !== null && value >= step.value);
    if (reached && step.colour) name = NAMED.has(step.colour) ? step.colour : "calm";
  }
  return name;
}

/**
 * A panel that is no curve.
 * @param {Row} row
 * @returns {HTMLElement}
 */
export function panelTile(row) {
  const frame = element("section", `row tile tile-${row.kind}`);
  frame.dataset.row = row.id;
  frame.append(element("h4", "", row.title));
  markStatus(frame, row);
  const body = element("div", "tile-body");
  if (row.series.length) body.append(...tileParts(row));
  else if (row.status !== "not-judged") body.append(element("p", "empty", "No data"));
  frame.append(...(body.firstChild ? [body] : []), ...panelNotes(row));
  return frame;
}

/**
 * @param {Row} row
 * @returns {HTMLElement[]}
 */
function tileParts(row) {
  if (row.kind === "pie") return [pie(row)];
  if (row.kind === "table") return [entryTable(row)];
  if (row.kind === "bars") return [barList(row, stepColour)];
  return row.series.map((series) => (row.kind === "gauge" ? gauge(row, series) : stat(row, series)));
}

/**
 * @param {Row} row
 * @param {Series} series
 * @returns {HTMLElement}
 */
function stat(row, series) {
  const value = lastValue(series);
  const card = element("div", `stat back-${stepColour(row, value)}`);
  if (row.series.length > 1) card.append(element("span", "name", series.name));
  card.append(element("b", "", series.shown ?? valueText(value, row.unit)));
  card.append(sparkline(row, series));
  return card;
}

/**
 * @param {Row} row
 * @param {Series} series
 * @returns {SVGElement}
 */
function sparkline(row, series) {
  const drawn = series.values.flatMap((value, index) => (value === null ? [] : [[row.times_s[index], value]]));
  const line = shape("svg", { viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" });
  if (drawn.length < 2) return line;
  const [first, last] = [drawn[0][0], drawn[drawn.length - 1][0]];
  const low = Math.min(...drawn.map(([, value]) => value));
  const high = Math.max(...drawn.map(([, value]) => value));
  let points = /** @type {string[]} */ ([]);
  const end = () => { // of a stretch that has values: nothing is drawn across a gap
    if (points.length) line.append(shape("polyline", { points: points.join(" "), fill: "none", "vector-effect": "non-scaling-stroke" }));
    points = [];
  };
  series.values.forEach((value, index) => {
    if (value === null) return end();
    const x = ((row.times_s[index] - first) / (last - first)) * 100;
    points.push(`${x},${high === low ? 15 : 28 - ((value - low) / (high - low)) * 26}`);
  });
  end();
  return line;
}

/**
 * A part of a ring; angles count from the top, clockwise, a whole turn is 1.
 * @param {number} from
 * @param {number} to
 * @param {number} radius
 * @returns {string}
 */
function arc(from, to, radius) {
  const at = (/** @type {number} */ turn) =>
    `${(60 + radius * Math.sin(2 * Math.PI * turn)).toFixed(2)} ${(60 - radius * Math.cos(2 * Math.PI * turn)).toFixed(2)}`;
  return `M ${at(from)} A ${radius} ${radius} 0 ${to - from > 0.5 ? 1 : 0} 1 ${at(to)}`;
}

/**
 * @param {Row} row
 * @param {Series} series
 * @returns {HTMLElement}
 */
function gauge(row, series) {
  const value = lastValue(series);
  const least = row.limits[0] ?? 0;
  const most = row.limits[1] ?? Math.max(1, ...series.values.map((each) => each ?? 0));
  const turn = (/** @type {number} */ at) => -0.35 + 0.7 * Math.min(Math.max((at - least) / (most - least), 0), 1);
  const drawing = shape("svg", { viewBox: "0 0 120 96", "aria-hidden": "true" });
  drawing.append(shape("path", { d: arc(-0.35, 0.35, 48), class: "ring" }));
  row.thresholds.forEach((step, index) => {
    const next = row.thresholds[index + 1]?.value ?? most;
    const from = turn(step.value ?? least);
    const to = turn(next);
    const name = NAMED.has(step.colour ?? "") ? step.colour : "calm";
    if (to > from) drawing.append(shape("path", { d: arc(from, to, 56), class: `mark stroke-${name}` }));
  });
  if (value !== null && turn(value) > -0.35) {
    drawing.append(shape("path", { d: arc(-0.35, turn(value), 48), class: `ring stroke-${stepColour(row, value)}` }));
  }
  const card = element("div", "gauge");
  card.append(drawing, element("b", "", series.shown ?? valueText(value, row.unit)));
  if (row.series.length > 1) card.append(element("span", "name", series.name));
  return card;
}

/**
 * @param {Row} row
 * @returns {HTMLElement}
 */
function pie(row) {
  const card = element("div", "pie");
  const values = row.series.map((series) => Math.max(lastValue(series) ?? 0, 0));
  const whole = values.reduce((sum, value) => sum + value, 0);
  const drawing = shape("svg", { viewBox: "0 0 120 120", "aria-hidden": "true" });
  const list = element("ul", "");
  let turn = 0;
  row.series.forEach((series, index) => {
    const share = whole ? values[index] / whole : 0;
    const end = turn + Math.min(share, 0.9999);
    if (share > 0) drawing.append(shape("path", { d: arc(turn, end, 44), class: `slice stroke-line-${index % 8}` }));
    turn += share;
    const item = element("li", `key key-${index % 8}`, series.name);
    item.append(element("b", "", `${valueText(values[index], row.unit)} (${valueText(share, "ratio")})`));
    list.append(item);
  });
  card.append(drawing, list);
  return card;
}
