/**
 * The chart of the live page: the last minutes, to which each moment adds a reading.
 */

import { ChartView } from "./axis.js";
import { element } from "./elements.js";

/** @typedef {import("./axis.js").Chart} Chart */
/** @typedef {import("./axis.js").Lane} Lane */
/**
 * @typedef {{version: number, run: string, reading: number, at_s: number,
 *   rows: Record<string, (number|null)[]>, facts: [string, string][],
 *   bands: import("./axis.js").Band[], lanes: Lane[], severities: Record<string, string>,
 *   unreachable: string[], faults: any[], planned: any[], running: string[], load: any}} Moment
 */

/** @typedef {Chart & {leftOut?: number}} LiveChart */

export const KEPT_S = 600;
const GAP_S = 5;
export const LANES_MAX = 16;

/**
 * Add the reading of a moment to a chart, and forget what is older than `KEPT_S`.
 * @param {Chart} chart changed in place
 * @param {Moment} moment
 */
export function addMoment(chart, moment) {
  chart.end_s = Math.max(chart.end_s, moment.at_s);
  chart.bands = moment.bands;
  chart.lanes = moment.lanes;
  for (const row of chart.rows) {
    const values = moment.rows[row.id];
    if (!values) continue;
    const last = row.times_s.at(-1);
    if (last !== undefined && moment.at_s <= last) continue;
    // What was not seen is not drawn: a hole, and no line across it.
    if (last !== undefined && moment.at_s - last > GAP_S) append(row, last + 1, []);
    append(row, moment.at_s, values);
    while (row.times_s[0] < moment.at_s - KEPT_S) {
      row.times_s.shift();
      for (const series of row.series) series.values.shift();
    }
  }
}

/**
 * @param {import("./axis.js").Row} row
 * @param {number} at_s
 * @param {(number|null)[]} values
 */
function append(row, at_s, values) {
  row.times_s.push(at_s);
  for (const [index, series] of row.series.entries()) series.values.push(values[index] ?? null);
}

/**
 * Return a chart whose lanes are those of alerts that were active in the last minutes, as many as
 * leave the rows below them in sight: of more those that fire, or else are pending, or began last.
 * @param {Chart} chart
 * @returns {LiveChart}
 */
export function withActiveLanes(chart) {
  const since_s = chart.end_s - KEPT_S;
  const shown = (/** @type {Lane} */ lane) =>
    lane.episodes.some(({ resolved_s }) => resolved_s === null || resolved_s >= since_s);
  const active = chart.lanes.filter(shown);
  const kept = new Set(active.toSorted((a, b) => urgency(b) - urgency(a)).slice(0, LANES_MAX));
  return { ...chart, lanes: active.filter((lane) => kept.has(lane)), leftOut: active.length - kept.size };
}

/**
 * @param {Lane} lane
 * @returns {number} more for what fires than for what is pending, and for that than for what is over
 */
function urgency(lane) {
  const last = lane.episodes.at(-1);
  if (!last) return 0;
  const began_s = last.firing_s ?? last.pending_s ?? 0;
  if (last.resolved_s !== null) return began_s;
  return began_s + (last.firing_s === null ? 1e9 : 2e9);
}

/** A chart that moves: it shows no more than the minutes that are kept. */
export class LiveView extends ChartView {
  /**
   * The oldest instant that is kept.
   * @returns {number}
   */
  get oldest() {
    return Math.max(0, this.chart.end_s - KEPT_S);
  }

  /**
   * Show the seconds between two, as far as they are kept.
   * @param {number} from_s
   * @param {number} to_s
   */
  setWindow(from_s, to_s) {
    const from = Math.max(from_s, this.oldest);
    super.setWindow(from, Math.max(to_s, from + 1));
  }

  /** Show all that is kept. */
  reset() {
    this.setWindow(this.oldest, this.chart.end_s);
  }

  /** Draw the lanes anew; whoever stands on one with the keyboard stays there. */
  drawLanes() {
    const before = [...this.lanes.children].indexOf(/** @type {Element} */ (document.activeElement));
    super.drawLanes();
    const { leftOut } = /** @type {LiveChart} */ (this.chart);
    if (leftOut) this.lanes.append(element("p", "hint left-out", `and ${leftOut} more, which are in the list of alerts`));
    if (before >= 0) /** @type {HTMLElement|undefined} */ (this.lanes.children[before])?.focus();
  }
}
