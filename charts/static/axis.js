/**
 * One axis of time shared by rows of values, bands and lanes of alerts: zoom and hover are linked.
 *
 * Draws a chart document (`chart.schema.json`) with uPlot, a global of a script that is loaded
 * before. Used by the report and by the live page. Texts of a document are shown as text, never as
 * markup. Times are seconds from the chart's start.
 */

/* global uPlot */

/**
 * @typedef {{value: number|null, label: string, fires: "above"|"below"|null, colour: string|null}} Threshold
 * @typedef {{name: string, labels: Record<string, string>, values: (number|null)[]}} Series
 * @typedef {{id: string, title: string, unit: string, kind: string, group: string, times_s: number[],
 *   series: Series[], thresholds: Threshold[], limits: (number|null)[], alert: string|null,
 *   dashboard: string|null, text: string}} Row
 * @typedef {{kind: string, name: string, from_s: number, to_s: number|null, text: string}} Band
 * @typedef {{pending_s: number|null, firing_s: number|null, resolved_s: number|null}} Episode
 * @typedef {{alert: string, labels: Record<string, string>, expected: string|null, episodes: Episode[],
 *   must_fire: number[]|null, must_resolve: number[]|null,
 *   notifications: {receiver: string, status: string, at_s: number}[],
 *   failure: {at_s: number, reason: string}|null}} Lane
 * @typedef {{bare?: boolean, tile?: (row: Row) => HTMLElement}} Options `bare`: rows alone, in a grid;
 *   `tile` makes what stands for a row that is no curve: without it such rows are left out
 * @typedef {{version: number, title: string, starts_unix_s: number, end_s: number, rows: Row[],
 *   bands: Band[], lanes: Lane[]}} Chart
 */

const GUTTER_PX = 68;
const RIGHT_PX = 12;
const ROW_PX = 120;
const NAMED_PX = 70; // what an episode needs for its name beside a notification
const LINES = 8;
const COUNTED = /^(?!ratio$|percent$|s$|bytes)./;
const BINARY = Array.from({ length: 50 }, (_, power) => 2 ** power);
const CURVES = new Set(["line", "step", "stack", "heatmap"]);

/**
 * Make an element with text; text is never read as markup.
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 * @returns {HTMLElement}
 */
export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/**
 * Write a number with two digits at least.
 * @param {number} number
 * @returns {string}
 */
function two(number) {
  return String(number).padStart(2, "0");
}

/**
 * Write seconds as 0:15, 12:30 or 3:05:00; days are counted before.
 * @param {number} seconds
 * @returns {string}
 */
export function clockText(seconds) {
  const sign = seconds < 0 ? "-" : "";
  const whole = Math.round(Math.abs(seconds));
  const days = Math.floor(whole / 86400);
  const hours = Math.floor((whole % 86400) / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const tail = `${two(minutes)}:${two(whole % 60)}`;
  if (days) return `${sign}${days}d ${two(hours)}:${tail}`;
  return hours ? `${sign}${hours}:${tail}` : `${sign}${minutes}:${two(whole % 60)}`;
}

/**
 * Write a value with its unit, short enough for an axis.
 * @param {number|null|undefined} value
 * @param {string} unit
 * @returns {string}
 */
export function valueText(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "ratio") return `${short(value * 100)} %`;
  if (unit === "percent") return `${short(value)} %`;
  if (unit === "s") return secondsText(value);
  if (unit === "bytes" || unit === "bytes/s") return bytesText(value) + unit.slice(5);
  return unit === "1" || unit === "" ? short(value) : `${short(value)} ${unit}`;
}

/**
 * Write a value for an axis: of a count by its number alone, for its unit would not fit there.
 * @param {number} value
 * @param {string} unit
 * @returns {string}
 */
function axisText(value, unit) {
  return COUNTED.test(unit) ? short(value) : valueText(value, unit.replace(/^bytes\/s$/, "bytes"));
}

/**
 * @param {number} value
 * @returns {string}
 */
function secondsText(value) {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  if (size < 1e-3) return `${short(value * 1e6)} µs`;
  if (size < 1) return `${short(value * 1e3)} ms`;
  if (size < 600) return `${short(value)} s`;
  if (size < 36000) return `${short(value / 60)} min`;
  return `${short(value / 3600)} h`;
}

/**
 * @param {number} value
 * @returns {string}
 */
function bytesText(value) {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  let step = 0;
  let scaled = value;
  while (Math.abs(scaled) >= 1024 && step < names.length - 1) {
    scaled /= 1024;
    step += 1;
  }
  return `${short(scaled)} ${names[step]}`;
}

/**
 * @param {number} value
 * @returns {string}
 */
function short(value) {
  const size = Math.abs(value);
  if (size >= 1e15) return value.toExponential(2);
  if (size >= 1e9) return `${trimmed(value / 1e9)} G`;
  if (size >= 1e6) return `${trimmed(value / 1e6)} M`;
  if (size >= 1e4) return `${trimmed(value / 1e3)} k`;
  if (size !== 0 && size < 1e-4) return value.toExponential(1);
  return trimmed(value);
}

/**
 * @param {number} value
 * @returns {string}
 */
function trimmed(value) {
  return String(Number(value.toPrecision(4)));
}

/**
 * The name of a lane or a series with its labels, as PromQL writes them.
 * @param {string} name
 * @param {Record<string, string>} labels
 * @returns {string}
 */
export function withLabels(name, labels) {
  const parts = Object.entries(labels).map(([key, text]) => `${key}="${text}"`);
  return parts.length ? `${name}{${parts.join(", ")}}` : name;
}

/**
 * @param {string} name
 * @returns {string}
 */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim() || "#888";
}

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
    const tools = this.tools();
    host.append(...(options.bare ? [this.rows] : [tools, this.ruler, this.lanes, this.rows]));
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
      if (!CURVES.has(row.kind)) {
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

  /** @returns {HTMLElement} */
  tools() {
    const bar = element("div", "tools");
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", "Window of time");
    /** @type {[string, string, () => void][]} */
    const buttons = [
      ["◀", "Earlier", () => this.pan(-0.25)],
      ["▶", "Later", () => this.pan(0.25)],
      ["+", "Zoom in", () => this.zoom(0.5)],
      ["−", "Zoom out", () => this.zoom(2)],
      ["⤢", "Whole time", () => this.reset()],
    ];
    for (const [sign, name, action] of buttons) {
      const button = element("button", "", sign);
      button.setAttribute("type", "button");
      button.setAttribute("aria-label", name);
      button.title = name;
      button.addEventListener("click", action);
      bar.append(button);
    }
    this.clock = element("output", "clock");
    bar.append(this.clock);
    return bar;
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
    frame.append(head, body);
    this.rows.append(frame);
    const plot = new uPlot(this.options(row, frame), plotData(row), body);
    Object.assign(plot, { row, frame, legend, shape });
    this.plots.set(row.id, plot);
    readout(plot, null);
  }

  /**
   * @param {Row} row
   * @param {HTMLElement} frame
   * @returns {object}
   */
  options(row, frame) {
    const axis = {
      stroke: () => colour("ink-soft"),
      grid: { stroke: () => colour("grid"), width: 1 },
      ticks: { show: false },
    };
    return {
      width: Math.max(200, frame.clientWidth),
      height: ROW_PX,
      padding: [6, RIGHT_PX, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        points: { show: row.kind !== "heatmap", size: 5 },
        drag: { x: true, y: false },
        bind: { dblclick: () => () => this.reset() },
      },
      scales: {
        x: { time: false, range: () => this.window },
        y: { range: (/** @type {any} */ u, /** @type {number} */ low, /** @type {number} */ high) =>
          valueRange(u.row ?? row, low, high) },
      },
      axes: [
        { ...axis, size: 4, values: () => [], splits: () => this.ticks() },
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
        drawClear: [(/** @type {any} */ u) => this.drawBands(u)],
        draw: [(/** @type {any} */ u) => {
          drawOver(u);
          this.drawFailures(u);
        }],
        setCursor: [(/** @type {any} */ u) => this.followCursor(u)],
        setSelect: [(/** @type {any} */ u) => this.followSelection(u)],
      },
    };
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

  /**
   * Faults, and what was resampled, behind the curves.
   * @param {any} plot
   */
  drawBands(plot) {
    const { ctx } = plot;
    const { left, top, width, height } = plot.bbox;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    for (const band of this.chart.bands) {
      if (band.kind === "exact") continue;
      const from = plot.valToPos(band.from_s, "x", true);
      const to = plot.valToPos(band.to_s ?? this.chart.end_s, "x", true);
      ctx.fillStyle = colour(`band-${band.kind}`);
      ctx.fillRect(from, top, Math.max(to - from, 1), height);
    }
    ctx.restore();
  }

  /**
   * Where the expectation of a row's alert failed.
   * @param {any} plot
   */
  drawFailures(plot) {
    const alert = (plot.row ?? {}).alert;
    if (!alert) return;
    const { ctx } = plot;
    const { top, height } = plot.bbox;
    for (const { failure } of this.chart.lanes.filter((lane) => lane.alert === alert)) {
      if (!failure) continue;
      const x = Math.round(plot.valToPos(failure.at_s, "x", true)) + 0.5;
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
    }
  }

  /** @returns {number[]} the instants that are named above all rows, and have a line in each */
  ticks() {
    return ticks(...this.window, Math.max(3, Math.floor(this.width / 90)));
  }

  /** Times, and the names of the bands, above all rows. */
  drawRuler() {
    const [from, to] = this.window;
    const place = (/** @type {number} */ at) => ((at - from) / (to - from)) * 100;
    const strip = element("div", "strip");
    for (const at of this.ticks()) {
      const tick = element("span", "tick", clockText(at));
      tick.style.left = `${place(at)}%`;
      if (place(at) > 96) tick.classList.add("last");
      strip.append(tick);
    }
    const bands = element("div", "strip bands");
    const lines = bandLines(this.chart.bands, this.chart.end_s);
    this.chart.bands.forEach((band, index) => {
      const end = band.to_s ?? this.chart.end_s;
      if (end < from || band.from_s > to) return;
      const bar = element("span", `band ${band.kind}`, band.name);
      const text = `${band.kind}: ${band.name}, ${clockText(band.from_s)} to ${clockText(end)}`;
      bar.title = band.text ? `${text}. ${band.text}` : text;
      bar.style.left = `${Math.max(place(band.from_s), 0)}%`;
      bar.style.width = `${Math.min(place(end), 100) - Math.max(place(band.from_s), 0)}%`;
      bar.style.top = `${lines[index] * 20}px`;
      bands.append(bar);
    });
    bands.style.height = `${(Math.max(-1, ...lines) + 1) * 20}px`;
    this.ruler.replaceChildren(strip, bands);
  }

  /** The lanes of the alerts, each with a text for who cannot see it. */
  drawLanes() {
    this.lanes.replaceChildren(...this.chart.lanes.map((lane) => {
      const frame = element("div", `lane ${lane.expected ?? ""} ${lane.failure ? "failed" : ""}`);
      frame.dataset.alert = lane.alert;
      frame.tabIndex = 0;
      frame.setAttribute("role", "img");
      frame.setAttribute("aria-label", laneText(lane));
      const name = element("div", "name", withLabels(lane.alert, distinct(lane, this.chart.lanes)));
      name.title = withLabels(lane.alert, lane.labels);
      frame.append(name);
      const track = element("div", "track");
      for (const piece of lanePieces(lane, this.chart.end_s)) {
        const bar = element("span", `piece ${piece.kind}`, piece.label);
        bar.title = piece.text;
        bar.dataset.from = String(piece.from);
        bar.dataset.to = String(piece.to);
        track.append(bar);
      }
      frame.append(track);
      return frame;
    }));
  }

  /** Put the pieces of all lanes where the window has them. */
  placeLanes() {
    const [from, to] = this.window;
    for (const piece of this.lanes.querySelectorAll(".piece")) {
      const bar = /** @type {HTMLElement} */ (piece);
      const begin = (Number(bar.dataset.from) - from) / (to - from);
      const end = (Number(bar.dataset.to) - from) / (to - from);
      bar.hidden = end < 0 || begin > 1;
      bar.style.left = `${Math.max(begin, 0) * 100}%`;
      const share = Math.min(end, 1) - Math.max(begin, 0);
      bar.style.width = `${share * 100}%`;
      bar.classList.toggle("narrow", bar.classList.contains("firing") && share * this.width < NAMED_PX);
    }
  }

  /** Draw everything again, as after a change of colours. */
  repaint() {
    for (const plot of this.plots.values()) plot.redraw(false);
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

/**
 * What uPlot draws of a row: times, then the values of each series; of a stack, sums.
 * @param {Row} row
 * @returns {(number|null)[][]}
 */
function plotData(row) {
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
    width: 1.5,
    dash: index >= LINES ? [6, 3] : undefined,
    fill: row.kind === "stack" && index === 0 ? () => `${colour(name)}55` : undefined,
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
    fill: () => `${colour(`line-${(index + 1) % LINES}`)}55`,
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

/**
 * Thresholds, and the cells of a heatmap, over the curves.
 * @param {any} plot
 */
function drawOver(plot) {
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
    ctx.fillStyle = colour("threshold");
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "right";
    const above = y - top > 16 * devicePixelRatio;
    ctx.textBaseline = above ? "bottom" : "top";
    ctx.fillText(threshold.label || valueText(threshold.value, row.unit), left + width - 4, y + (above ? -2 : 2));
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
 * Names and values of a row's series at an instant; without one the newest.
 * @param {any} plot
 * @param {number|null} at_s
 */
function readout(plot, at_s) {
  const row = /** @type {Row} */ (plot.row);
  if (!row || row.kind === "heatmap") return;
  let index = row.times_s.length - 1;
  if (at_s !== null) {
    index = row.times_s.findIndex((time) => time > at_s);
    index = index === -1 ? row.times_s.length - 1 : Math.max(0, index - 1);
  }
  plot.legend.replaceChildren(...row.series.slice(0, 12).map((series, number) => {
    const name = series.name || withLabels("", ownLabels(series, row));
    const item = element("span", `key key-${number % LINES}`, name);
    item.append(element("b", "", valueText(series.values[index], row.unit)));
    return item;
  }));
  if (row.series.length > 12) plot.legend.append(element("span", "more", `and ${row.series.length - 12} more`));
}

/**
 * Round instants between two, at most `count` of them.
 * @param {number} from
 * @param {number} to
 * @param {number} count
 * @returns {number[]}
 */
function ticks(from, to, count) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000];
  const step = steps.find((each) => (to - from) / each <= count) ?? 31536000;
  const all = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) all.push(at);
  return all;
}

/**
 * On which line each band's name stands, so that no two overlap.
 * @param {Band[]} bands
 * @param {number} end_s
 * @returns {number[]}
 */
function bandLines(bands, end_s) {
  /** @type {number[]} */
  const free = [];
  return bands.map((band) => {
    let line = free.findIndex((until) => until <= band.from_s);
    if (line === -1) line = free.length;
    free[line] = band.to_s ?? end_s;
    return line;
  });
}

/**
 * @param {Lane} lane
 * @param {number} end_s
 * @returns {{kind: string, label: string, text: string, from: number, to: number}[]}
 */
function lanePieces(lane, end_s) {
  const pieces = [];
  const add = (/** @type {string} */ kind, /** @type {string} */ label, /** @type {string} */ words,
    /** @type {number} */ from, /** @type {number} */ to) => {
    const text = to > from ? `${words}, ${clockText(from)} to ${clockText(to)}` : `${words} at ${clockText(from)}`;
    pieces.push({ kind, label, text, from, to });
  };
  if (lane.must_fire) add("must-fire", "", "has to fire in this window", lane.must_fire[0], lane.must_fire[1]);
  if (lane.must_resolve) add("must-resolve", "", "has to resolve in this window", lane.must_resolve[0], lane.must_resolve[1]);
  for (const { pending_s, firing_s, resolved_s } of lane.episodes) {
    const end = resolved_s ?? end_s;
    if (pending_s !== null && (firing_s ?? end) > pending_s) add("pending", "", "pending", pending_s, firing_s ?? end);
    if (firing_s !== null) add("firing", "firing", "firing", firing_s, end);
    if (firing_s !== null && resolved_s !== null) add("resolved", "", "resolved", resolved_s, resolved_s);
  }
  for (const { receiver, status, at_s } of lane.notifications) {
    add(`notified notified-${status}`, "✉", `${receiver} was notified: ${status}`, at_s, at_s);
  }
  if (lane.failure) add("failure", "✗", lane.failure.reason, lane.failure.at_s, lane.failure.at_s);
  return pieces;
}

/**
 * The labels by which a lane differs from the other lanes of its alert that have them: an expectation
 * names few labels, an alert has many.
 * @param {Lane} lane
 * @param {Lane[]} lanes
 * @returns {Record<string, string>}
 */
function distinct(lane, lanes) {
  const others = lanes.filter((other) => other.alert === lane.alert);
  return Object.fromEntries(Object.entries(lane.labels).filter(([name, text]) =>
    others.some(({ labels }) => name in labels && labels[name] !== text)));
}

/**
 * A lane in words.
 * @param {Lane} lane
 * @returns {string}
 */
export function laneText(lane) {
  const parts = lanePieces(lane, NaN).filter(({ kind }) => kind !== "resolved");
  const words = parts.map(({ text }) => text.replace(/ to NaN.*/, " to the end"));
  const name = withLabels(lane.alert, lane.labels);
  return words.length ? `${name}: ${words.join("; ")}` : `${name}: stayed inactive`;
}
