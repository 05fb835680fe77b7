/**
 * The plots of rows: what uPlot draws of each, and between which ends.
 *
 * uPlot is a global of a script that is loaded before.
 */

import { LINES, colour } from "./elements.js";
import { drawBands, drawFailures, drawOver } from "./painting.js";
import { axisText, valueText } from "./texts.js";

/* global uPlot */

/** @typedef {import("./axis.js").Chart} Chart */
/** @typedef {import("./axis.js").Row} Row */
/**
 * @typedef {{chart: Chart, window: [number, number], reset: () => void, ticks: () => number[],
 *   followCursor: (plot: any) => void, followSelection: (plot: any) => void}} PlotHost what plots share
 */

export const GUTTER_PX = 68;
export const RIGHT_PX = 12;
export const ROW_PX = 120;
export const CURVES = new Set(["line", "step", "stack", "heatmap"]);
const BINARY = Array.from({ length: 50 }, (_, power) => 2 ** power);

/**
 * What uPlot is asked for: the plot of a row, its time that of the host, its values the row's.
 * @param {PlotHost} host
 * @param {Row} row
 * @param {number} width in pixels
 * @returns {object}
 */
export function plotOptions(host, row, width) {
  const axis = {
    stroke: () => colour("ink-soft"),
    grid: { stroke: () => colour("grid"), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: ROW_PX,
    padding: [6, RIGHT_PX, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: row.kind !== "heatmap", size: 5 },
      drag: { x: true, y: false },
      bind: { dblclick: () => () => host.reset() },
    },
    scales: {
      x: { time: false, range: () => host.window },
      y: { range: (/** @type {any} */ u, /** @type {number} */ low, /** @type {number} */ high) =>
        valueRange(u.row ?? row, low, high) },
    },
    axes: [
      { ...axis, size: 4, values: () => [], splits: () => host.ticks() },
      {
        ...axis,
        size: GUTTER_PX,
        space: 28,
        values: (/** @type {any} */ u, /** @type {number[]} */ splits) =>
          row.kind === "heatmap"
            ? splits.map((at) => bucketText(u.row ?? row, at))
            : splits.map((value) => axisText(value, row.unit)),
        incrs: row.unit.startsWith("bytes") ? BINARY : undefined,
      },
    ],
    series: [{}, ...row.series.map((_, index) => curve(row, index))],
    bands: row.kind === "stack" ? stackBands(row) : [],
    hooks: {
      drawClear: [(/** @type {any} */ u) => drawBands(u, host.chart)],
      draw: [(/** @type {any} */ u) => {
        drawOver(u);
        drawFailures(u, host.chart.lanes);
      }],
      setCursor: [(/** @type {any} */ u) => host.followCursor(u)],
      setSelect: [(/** @type {any} */ u) => host.followSelection(u)],
    },
  };
}

/**
 * What uPlot draws of a row: times, then the values of each series; of a stack, sums.
 * @param {Row} row
 * @returns {(number|null)[][]}
 */
export function plotData(row) {
  if (row.kind !== "stack") return [row.times_s, ...row.series.map((series) => series.values)];
  const sums = row.times_s.map(() => 0);
  return [
    row.times_s,
    ...row.series.map((series) =>
      series.values.map((value, index) => {
        sums[index] += value ?? 0;
        return value === null ? null : sums[index];
      })),
  ];
}

/**
 * @param {Row} row
 * @param {number} index
 * @returns {object}
 */
function curve(row, index) {
  if (row.kind === "heatmap") return { paths: () => null, points: { show: false } };
  const name = `line-${index % LINES}`;
  const stepped = row.kind === "step" ? { paths: uPlot.paths.stepped({ align: 1 }) } : {};
  return {
    ...stepped,
    stroke: () => colour(name),
    width: row.kind === "stack" ? 0 : 1.5, // the line of what is 0 would cover the one below
    dash: index >= LINES ? [6, 3] : undefined,
    fill: row.kind === "stack" && index === 0 ? () => `${colour(name)}99` : undefined,
    points: { show: (/** @type {any} */ plot) => plot.data[0].length < 3 },
  };
}

/**
 * @param {Row} row
 * @returns {object[]}
 */
function stackBands(row) {
  return row.series.slice(1).map((_, index) => ({
    series: [index + 2, index + 1],
    fill: () => `${colour(`line-${(index + 1) % LINES}`)}99`,
  }));
}

/**
 * Ends of the axis of values: of the data, the thresholds and the limits, with some room.
 * @param {Row} row
 * @param {number|null} low
 * @param {number|null} high
 * @returns {[number, number]}
 */
function valueRange(row, low, high) {
  if (row.kind === "heatmap") return [0, Math.max(row.series.length, 1)];
  const levels = row.thresholds.flatMap(({ value }) => (value === null ? [] : [value]));
  const all = [...levels, ...[low, high].flatMap((value) => (value === null ? [] : [value]))];
  if (row.kind === "stack") all.push(0);
  let least = row.limits[0] ?? Math.min(...(all.length ? all : [0]));
  let most = row.limits[1] ?? Math.max(...(all.length ? all : [1]));
  if (least >= 0 && least < most * 0.5) least = 0;
  if (row.group === "world" || row.group === "load") {
    // What hardly moves must not look as if it did: the axis spans a quarter of the value at least.
    const spare = Math.max(0, 0.25 * Math.abs(most) - (most - least)) / 2;
    [least, most] = [least === 0 ? 0 : least - spare, most + spare];
  }
  if (most <= least) [least, most] = least === 0 ? [0, 1] : [least - Math.abs(least) * 0.1, least + Math.abs(least) * 0.1];
  const room = (most - least) * 0.08;
  return [least === 0 || row.limits[0] !== null ? least : least - room, row.limits[1] ?? most + room];
}

/**
 * @param {Row} row
 * @param {number} at
 * @returns {string}
 */
function bucketText(row, at) {
  const bucket = Number.isInteger(at) ? row.series[at - 1] : undefined;
  return bucket ? valueText(Number(bucket.name), row.unit).replace("Infinity", "∞") : "";
}
