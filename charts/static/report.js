/**
 * Draws the scenarios of a report: each while it is near the window, from the data in the page.
 */

import { ChartView, element } from "./axis.js";
import { panelTile } from "./panels.js";

/** @typedef {import("./axis.js").Chart} Chart */
/** @typedef {import("./axis.js").Row} Row */

/** @type {Map<HTMLElement, ChartView[]>} */
const views = new Map();
let keepAll = false;

/**
 * The chart document of a scenario: base64 of gzip of JSON.
 * @param {string} id
 * @returns {Promise<Chart>}
 */
async function readChart(id) {
  const text = /** @type {HTMLElement} */ (document.getElementById(id)).textContent ?? "";
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

/**
 * The alerts that did something, or had to.
 * @param {Chart} chart
 * @returns {Set<string>}
 */
function spokenAlerts(chart) {
  return new Set(
    chart.lanes
      .filter((lane) => lane.failure || lane.expected === "fires" || lane.episodes.length)
      .map((lane) => lane.alert),
  );
}

/**
 * A part that is drawn when it is opened, and linked with the other views of its scenario.
 * @param {string} title
 * @param {(place: HTMLElement) => ChartView} make
 * @param {ChartView[]} known
 * @returns {HTMLElement}
 */
function folded(title, make, known) {
  const part = element("details", "folded");
  const place = element("div", "");
  part.append(element("summary", "", title), place);
  let made = false;
  part.addEventListener("toggle", () => {
    if (made || !(/** @type {HTMLDetailsElement} */ (part).open)) return;
    made = true;
    const view = make(place);
    known[0].link(view);
    known.push(view);
  });
  return part;
}

/**
 * Draw a scenario into its place.
 * @param {HTMLElement} host
 */
async function draw(host) {
  if (views.has(host)) return;
  /** @type {ChartView[]} */
  const known = [];
  views.set(host, known);
  const chart = await readChart(host.dataset.chart ?? "");
  const spoken = spokenAlerts(chart);
  const isSpoken = (/** @type {string|null} */ alert) => alert !== null && spoken.has(alert);
  const main = element("div", "");
  const of = (/** @type {(row: Row) => boolean} */ wanted) => chart.rows.filter(wanted);
  host.replaceChildren(main);
  known.push(new ChartView(main, {
    ...chart,
    lanes: chart.lanes.filter((lane) => isSpoken(lane.alert)),
    rows: [...of((row) => row.group === "load"), ...of((row) => isSpoken(row.alert)), ...of((row) => row.group === "world")],
  }));
  const silent = chart.lanes.filter((lane) => !isSpoken(lane.alert));
  if (silent.length) {
    const rows = of((row) => row.group === "alert" && !isSpoken(row.alert));
    host.append(folded(`${silent.length} silent alerts`, (place) =>
      new ChartView(place, { ...chart, lanes: silent, rows }), known));
  }
  for (const board of new Set(of((row) => row.dashboard !== null).map((row) => row.dashboard))) {
    const rows = of((row) => row.dashboard === board);
    host.append(folded(`Dashboard: ${board}`, (place) =>
      new ChartView(place, { ...chart, lanes: [], rows }, { bare: true, tile: panelTile }), known));
  }
  host.style.minHeight = "";
  host.dataset.drawn = "yes";
}

/**
 * Take a scenario that is far from the window off the page; its place stays as high.
 * @param {HTMLElement} host
 */
function forget(host) {
  const known = views.get(host);
  if (!known || host.dataset.drawn !== "yes" || keepAll || host.querySelector("details[open]")) return;
  host.style.minHeight = `${host.offsetHeight}px`;
  for (const view of known) view.destroy();
  views.delete(host);
  host.replaceChildren();
  host.dataset.drawn = "no";
}

const hosts = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-chart]"));
const near = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const host = /** @type {HTMLElement} */ (entry.target);
    if (entry.isIntersecting) draw(host);
    else forget(host);
  }
}, { rootMargin: "800px" });
for (const host of hosts) near.observe(host);

/** Paper is white whatever the screen is. */
function onPaper() {
  const printing = document.documentElement.classList.toggle("on-paper");
  for (const known of views.values()) for (const view of known) view.repaint();
  return printing;
}
addEventListener("beforeprint", onPaper);
addEventListener("afterprint", onPaper);

const all = document.getElementById("draw-all");
if (all) {
  all.hidden = false;
  all.addEventListener("click", async () => {
    keepAll = true;
    for (const host of hosts) await draw(host);
    all.textContent = "All scenarios are drawn";
  });
}
