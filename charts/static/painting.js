/**
 * What is painted on the canvas of a plot, behind its curves and over them.
 */

import { colour } from "./elements.js";
import { valueText } from "./texts.js";

/** @typedef {import("./axis.js").Chart} Chart */
/** @typedef {import("./axis.js").Lane} Lane */
/** @typedef {import("./axis.js").Row} Row */

/**
 * Faults, and what was resampled, behind the curves.
 * @param {any} plot
 * @param {Chart} chart
 */
export function drawBands(plot, chart) {
  const { ctx } = plot;
  const { left, top, width, height } = plot.bbox;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  for (const band of chart.bands) {
    if (band.kind === "exact") continue;
    const from = plot.valToPos(band.from_s, "x", true);
    const to = plot.valToPos(band.to_s ?? chart.end_s, "x", true);
    ctx.fillStyle = colour(`band-${band.kind}`);
    ctx.fillRect(from, top, Math.max(to - from, 1), height);
  }
  ctx.restore();
}

/**
 * Thresholds, and the cells of a heatmap, over the curves.
 * @param {any} plot
 */
export function drawOver(plot) {
  const { ctx } = plot;
  const row = plot.row;
  if (!row) return;
  const { left, top, width, height } = plot.bbox;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  if (row.kind === "heatmap") drawCells(plot, row);
  for (const threshold of row.thresholds) {
    if (threshold.value === null) continue;
    const y = Math.round(plot.valToPos(threshold.value, "y", true)) + 0.5;
    ctx.strokeStyle = colour("threshold");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "right";
    // On the side that fires: on the other one lies the healthy curve.
    const room = 16 * devicePixelRatio;
    const above = threshold.fires === "below" ? top + height - y < room : y - top > room;
    ctx.textBaseline = above ? "bottom" : "top";
    const label = /** @type {const} */ ([threshold.label || valueText(threshold.value, row.unit), left + width - 4, y + (above ? -2 : 2)]);
    ctx.strokeStyle = colour("paper");
    ctx.lineWidth = 3 * devicePixelRatio;
    ctx.strokeText(...label);
    ctx.fillStyle = colour("threshold");
    ctx.fillText(...label);
  }
  ctx.restore();
}

/**
 * @param {any} plot
 * @param {Row} row
 */
function drawCells(plot, row) {
  const { ctx } = plot;
  const most = Math.max(1e-12, ...row.series.flatMap((bucket) => bucket.values.map((v) => v ?? 0)));
  ctx.fillStyle = colour("line-0");
  row.series.forEach((bucket, index) => {
    const y = plot.valToPos(index + 1, "y", true);
    const cell = plot.valToPos(index, "y", true) - y;
    bucket.values.forEach((value, at) => {
      if (!value) return;
      const x = plot.valToPos(row.times_s[at], "x", true);
      const before = at ? plot.valToPos(row.times_s[at - 1], "x", true) : x - 2;
      ctx.globalAlpha = 0.12 + 0.88 * Math.sqrt(value / most);
      ctx.fillRect(before, y, Math.max(x - before, 1), cell);
    });
  });
  ctx.globalAlpha = 1;
}

/**
 * Where the expectation of a row's alert failed.
 * @param {any} plot
 * @param {Lane[]} lanes
 */
export function drawFailures(plot, lanes) {
  const alert = (plot.row ?? {}).alert;
  if (!alert) return;
  const { ctx } = plot;
  const { top, height } = plot.bbox;
  for (const { failure } of lanes.filter((lane) => lane.alert === alert)) {
    if (!failure) continue;
    const x = Math.round(plot.valToPos(failure.at_s, "x", true)) + 0.5;
    ctx.save(); // uPlot keeps in mind which style it set last: what is left here would be its grid's
    ctx.strokeStyle = ctx.fillStyle = colour("bad");
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    ctx.font = `bold ${13 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "right";
    ctx.textBaseline = "top";
    ctx.fillText("✗", x - 4, top + 2);
    ctx.restore();
  }
}
