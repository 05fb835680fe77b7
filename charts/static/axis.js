/**
 * One axis of time shared by rows of values, bands and lanes of alerts: zoom and hover are linked.
 *
 * Draws a chart document (`chart.schema.json`) with uPlot, a global of a script that is loaded
 * before. Used by the report and by the live page. Texts of a document are shown as text, never as
 * markup. Times are seconds from the chart's start.
 */

/* global uPlot */

import { element } from "./elements.js";
import { laneElement, placePieces } from "./lanes.js";
import { readout } from "./legend.js";
import { showMarks } from "./marks.js";
import { markStatus, panelNotes } from "./panel_notes.js";
import { CURVES, GUTTER_PX, RIGHT_PX, ROW_PX, plotData, plotOptions } from "./plots.js";
import { bandStrip, roundInstants, timeStrip } from "./ruler.js";
import { clockText } from "./texts.js";
import { windowTools } from "./window_tools.js";

/**
 * @typedef {{value: number|null, label: string, fires: "above"|"below"|null, colour: string|null}} Threshold
 * @typedef {{name: string, labels: Record<string, string>, values: (number|null)[], shown?: string}} Series
 * @typedef {{id: string, title: string, unit: string, kind: string, group: string, times_s: number[],
 *   series: Series[], thresholds: Threshold[], limits: (number|null)[], alert: string|null,
 *   dashboard: string|null, text: string, status: string|null, notes: string[], queries: string[]}} Row
 * @typedef {{kind: string, name: string, from_s: number, to_s: number|null, text: string}} Band
 * @typedef {{pending_s: number|null, firing_s: number|null, resolved_s: number|null}} Episode
 * @typedef {{alert: string, labels: Record<string, string>, expected: string|null, episodes: Episode[],
 *   must_fire: number[]|null, must_resolve: number[]|null,
 *   notifications: {receiver: string, status: string, at_s: number}[],
 *   failure: {at_s: number, reason: string}|null}} Lane
 * @typedef {{bare?: boolean, part?: boolean, tile?: (row: Row) => HTMLElement}} Options `bare`: rows
 *   alone, in a grid; `part`: marks are explained elsewhere; `tile` makes what stands for a row that
 *   is no curve: without it such rows are left out
 * @typedef {{version: number, title: string, starts_unix_s: number, end_s: number, rows: Row[],
 *   bands: Band[], lanes: Lane[]}} Chart
 */

/** A chart in an element of the page, with one window of time over all its rows. */
export class ChartView {
  /**
   * @param {HTMLElement} host where it is drawn; what was there is removed
   * @param {Chart} chart
   * @param {Options} [options]
   */
  constructor(host, chart, options = {}) {
    this.host = host;
    this.chart = chart;
    this.settings = options;
    /** @type {ChartView[]} */
    this.linked = [];
    /** @type {Map<string, HTMLElement>} */
    this.tiles = new Map();
    /** @type {Map<string, any>} */
    this.plots = new Map();
    /** @type {[number, number]} */
    this.window = [0, Math.max(chart.end_s, 1)];
    this.linking = false;
    /** @type {number|null} */
    this.cursor_s = null;
    host.replaceChildren();
    host.classList.add("chart");
    this.ruler = element("div", "ruler");
    this.rows = element("div", "rows");
    this.lanes = element("div", "lanes");
    this.clock = element("output", "clock");
    this.marks = element("p", "marks");
    const tools = windowTools(this, this.clock);
    host.append(...(options.bare ? [this.rows] : [tools, this.marks, this.ruler, this.lanes, this.rows]));
    if (options.bare) this.rows.classList.add("grid");
    this.redrawn = () => this.repaint();
    this.sized = new ResizeObserver(() => this.resize());
    this.sized.observe(host);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.scheme.addEventListener("change", this.redrawn);
    this.rows.addEventListener("pointerleave", () => this.setCursor(null));
    this.lanes.addEventListener("pointermove", (event) => this.hover(event, this.lanes));
    this.ruler.addEventListener("pointermove", (event) => this.hover(event, this.ruler));
    this.update(chart);
  }

  /** Take the chart from the page and stop listening. */
  destroy() {
    this.sized.disconnect();
    this.scheme.removeEventListener("change", this.redrawn);
    for (const plot of this.plots.values()) plot.destroy();
    this.plots.clear();
    this.host.replaceChildren();
  }

  /**
   * Show the same window and cursor as another view, from now on and both ways.
   * @param {ChartView} other
   */
  link(other) {
    this.linked.push(other);
    other.linked.push(this);
    other.setWindow(...this.window);
  }

  /**
   * Make the views that are linked do what this one did; they do not do it back.
   * @param {(view: ChartView) => void} action
   */
  follow(action) {
    if (this.following) return;
    for (const other of this.linked) {
      other.following = true;
      action(other);
      other.following = false;
    }
  }

  /**
   * Width of the drawn rows in pixels.
   * @returns {number}
   */
  get width() {
    return Math.max(200, this.host.clientWidth);
  }

  /**
   * Show a chart in place of the one shown: rows of the same id and series keep their plots. A
   * window that reached to the end goes on reaching to the end.
   * @param {Chart} chart
   */
  update(chart) {
    const whole = this.window[1] >= this.chart.end_s;
    const shift = chart.end_s - this.chart.end_s;
    this.chart = chart;
    if (whole) {
      const from = this.window[0] > 0 ? this.window[0] + shift : 0;
      this.window = [from, Math.max(chart.end_s, 1)];
    }
    const kept = new Set();
    for (const row of chart.rows) {
      if (!CURVES.has(row.kind) || (row.status && !row.series.length)) {
        this.showTile(row);
        continue;
      }
      kept.add(row.id);
      const shape = row.series.map((series) => series.name).join("\n") + row.kind;
      let plot = this.plots.get(row.id);
      if (plot && plot.shape !== shape) {
        plot.destroy();
        plot.frame.remove();
        plot = undefined;
      }
      if (plot) {
        plot.row = row;
        plot.setData(plotData(row), false);
      } else {
        this.addRow(row, shape);
      }
    }
    for (const [id, plot] of this.plots) {
      if (kept.has(id)) continue;
      plot.destroy();
      plot.frame.remove();
      this.plots.delete(id);
    }
    this.drawLanes();
    this.setWindow(...this.window);
  }

  /**
   * Show the seconds between two, in every row.
   * @param {number} from_s
   * @param {number} to_s
   */
  setWindow(from_s, to_s) {
    if (this.linking) return;
    const end = Math.max(this.chart.end_s, 1);
    const span = Math.min(Math.max(to_s - from_s, 1), end);
    const from = Math.min(Math.max(from_s, 0), end - span);
    this.window = [from, from + span];
    this.linking = true;
    for (const plot of this.plots.values()) plot.setScale("x", { min: from, max: from + span });
    this.linking = false;
    this.drawRuler();
    this.placeLanes();
    this.setCursor(this.cursor_s);
    this.follow((other) => other.setWindow(...this.window));
  }

  /** Show the whole chart. */
  reset() {
    this.setWindow(0, this.chart.end_s);
  }

  /**
   * Zoom by a factor around the cursor, or around the middle.
   * @param {number} factor below 1 shows less
   */
  zoom(factor) {
    const [from, to] = this.window;
    const centre = this.cursor_s ?? (from + to) / 2;
    this.setWindow(centre - (centre - from) * factor, centre + (to - centre) * factor);
  }

  /**
   * Move the window by a share of its width.
   * @param {number} share
   */
  pan(share) {
    const span = (this.window[1] - this.window[0]) * share;
    this.setWindow(this.window[0] + span, this.window[1] + span);
  }

  /**
   * Put the cursor of all rows at an instant, or take it away.
   * @param {number|null} at_s
   */
  setCursor(at_s) {
    this.cursor_s = at_s;
    const [from, to] = this.window;
    const shown = at_s !== null && at_s >= from && at_s <= to;
    const share = shown ? (at_s - from) / (to - from) : -1;
    this.linking = true;
    for (const plot of this.plots.values()) {
      const left = shown ? share * plot.over.clientWidth : -10;
      plot.setCursor({ left, top: shown ? 0 : -10 }, false);
      readout(plot, at_s);
    }
    this.linking = false;
    this.host.style.setProperty("--cursor-share", String(share));
    this.clock.textContent = at_s === null ? "" : clockText(at_s);
    this.follow((other) => other.setCursor(at_s));
  }

  /**
   * Show a row that is no curve, if anybody makes something of it.
   * @param {Row} row
   */
  showTile(row) {
    const made = this.settings.tile?.(row);
    if (!made) return;
    const shown = this.tiles.get(row.id);
    if (shown) shown.replaceWith(made);
    else this.rows.append(made);
    this.tiles.set(row.id, made);
  }

  /**
   * @param {PointerEvent} event
   * @param {HTMLElement} over
   */
  hover(event, over) {
    const box = over.getBoundingClientRect();
    const share = (event.clientX - box.left - GUTTER_PX) / (box.width - GUTTER_PX - RIGHT_PX);
    const [from, to] = this.window;
    this.setCursor(share < 0 || share > 1 ? null : from + share * (to - from));
  }

  /**
   * @param {Row} row
   * @param {string} shape
   */
  addRow(row, shape) {
    const frame = element("section", `row group-${row.group}`);
    frame.dataset.row = row.id;
    const head = element("div", "head");
    const title = element("h4", "", row.alert ?? row.title);
    head.append(title);
    if (row.alert) head.append(element("code", "", row.title));
    const legend = element("div", "legend");
    head.append(legend);
    const body = element("div", "plot");
    body.setAttribute("role", "img");
    body.setAttribute("aria-label", row.text || row.title);
    markStatus(frame, row);
    frame.append(head, body, ...panelNotes(row));
    this.rows.append(frame);
    const plot = new uPlot(plotOptions(this, row, Math.max(200, frame.clientWidth)), plotData(row), body);
    Object.assign(plot, { row, frame, legend, shape });
    this.plots.set(row.id, plot);
    readout(plot, null);
  }

  /**
   * @param {any} plot
   */
  followCursor(plot) {
    if (this.linking) return;
    const left = plot.cursor.left;
    this.setCursor(left === undefined || left < 0 ? null : plot.posToVal(left, "x"));
  }

  /**
   * @param {any} plot
   */
  followSelection(plot) {
    if (plot.select.width < 4) return;
    const from = plot.posToVal(plot.select.left, "x");
    const to = plot.posToVal(plot.select.left + plot.select.width, "x");
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.setWindow(from, to);
  }

  /** @returns {number[]} the instants that are named above all rows, and have a line in each */
  ticks() {
    return roundInstants(...this.window, Math.max(3, Math.floor(this.width / 90)));
  }

  /** Draw what stands above all rows. */
  drawRuler() {
    this.ruler.replaceChildren(timeStrip(this.window, this.ticks()), bandStrip(this.window, this.chart));
  }

  /** Draw the lanes of the alerts. */
  drawLanes() {
    if (!this.settings.part) showMarks(this.marks, this.chart);
    this.lanes.replaceChildren(...this.chart.lanes.map((lane) => laneElement(lane, this.chart)));
  }

  /** Put the pieces of all lanes where the window has them. */
  placeLanes() {
    placePieces(this.lanes, this.window, this.width);
  }

  /** Draw everything again, as after a change of colours. */
  repaint() {
    for (const plot of this.plots.values()) plot.redraw(false);
  }

  /**
   * Be as wide as that in pixels, or as the page lets it.
   * @param {number|null} width
   */
  holdWidth(width) {
    this.host.style.width = width === null ? "" : `${width}px`;
    this.resize();
  }

  /** Fit the plots into the width of the host. */
  resize() {
    const width = this.width;
    if (width === this.drawnWidth) return;
    this.drawnWidth = width;
    for (const plot of this.plots.values()) {
      plot.setSize({ width: Math.max(200, plot.frame.clientWidth), height: ROW_PX });
    }
    this.drawRuler();
    this.placeLanes();
  }
}
