/**
 * What the marks of a chart mean, beside the chart: those alone that are in it.
 */

import { element } from "./elements.js";

/** @typedef {import("./axis.js").Chart} Chart */
/** @typedef {import("./axis.js").Lane} Lane */

/** @type {[string, string, (chart: Chart) => boolean][]} class of the mark, what it means, whether it is there */
const MARKS = [
  ["pending", "pending", ({ lanes }) => anyEpisode(lanes, "pending_s")],
  ["firing", "firing", ({ lanes }) => anyEpisode(lanes, "firing_s")],
  ["resolved", "resolved", ({ lanes }) => anyEpisode(lanes, "resolved_s")],
  ["must-fire", "has to fire in this window", ({ lanes }) => lanes.some((lane) => lane.must_fire)],
  ["must-resolve", "has to resolve in this window", ({ lanes }) => lanes.some((lane) => lane.must_resolve)],
  ["notified", "a receiver was notified", ({ lanes }) => lanes.some((lane) => lane.notifications.length)],
  ["failure", "an expectation failed here", ({ lanes }) => lanes.some((lane) => lane.failure)],
  ["threshold", "threshold", ({ rows }) => rows.some((row) => row.thresholds.length)],
  ["fault", "fault", (chart) => anyBand(chart, "fault")],
  ["load", "load changed by hand", (chart) => anyBand(chart, "load")],
  ["incident", "incident", (chart) => anyBand(chart, "incident")],
  ["resampled", "resampled from a steady state; all else is simulated event by event", (chart) => anyBand(chart, "resampled")],
];
/** @type {Record<string, string>} */
const SIGNS = { notified: "✉", failure: "✗" };

/**
 * @param {Lane[]} lanes
 * @param {"pending_s"|"firing_s"|"resolved_s"} state
 * @returns {boolean} whether any alert ever was in it
 */
function anyEpisode(lanes, state) {
  return lanes.some(({ episodes }) => episodes.some((episode) => episode[state] !== null));
}

/**
 * @param {Chart} chart
 * @param {string} kind
 * @returns {boolean}
 */
function anyBand({ bands }, kind) {
  return bands.some((band) => band.kind === kind);
}

/**
 * Write what the marks of a chart mean; a line that says so already stays as it is.
 * @param {HTMLElement} line
 * @param {Chart} chart
 */
export function showMarks(line, chart) {
  const there = MARKS.filter(([, , isThere]) => isThere(chart));
  const names = there.map(([name]) => name).join(" ");
  if (line.dataset.names === names) return;
  line.dataset.names = names;
  line.replaceChildren(...there.map(([name, meaning]) => {
    const item = element("span", "");
    const mark = element("i", name, SIGNS[name] ?? "");
    mark.setAttribute("aria-hidden", "true");
    item.append(mark, meaning);
    return item;
  }));
}
