/**
 * Draws the scenarios of a report: each while it is near the window, from the data in the page.
 */

import { ChartView } from "./axis.js";
import { element } from "./elements.js";
import { panelTile } from "./panels.js";

/** @typedef {import("./axis.js").Chart} Chart */
/** @typedef {import("./axis.js").Row} Row */
/** @typedef {import("./axis.js").Lane} Lane */

/** @type {Map<HTMLElement, ChartView[]>} */
const views = new Map();
/** @type {Map<HTMLElement, Promise<void>>} */
const drawings = new Map();
let keepAll = false;
const PAPER_PX = 700; // a page of A4 or Letter between its margins

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
function activeAlerts(chart) {
  return new Set(chart.lanes.filter(isActive).map((lane) => lane.alert));
}

/**
 * @param {Lane} lane
 * @returns {boolean} whether there is anything to see in it, or had to be
 */
function isActive(lane) {
  return lane.failure !== null || lane.expected === "fires" || lane.episodes.length > 0;
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} many
 * @returns {string}
 */
function counted(count, one, many) {
  return `${count} ${count === 1 ? one : many}`;
}

/**
 * Whether any line of a row moved by more than noise: a sixth of its largest value.
 * @param {Row} row
 * @returns {boolean}
 */
function hasMoved(row) {
  let largest = 0;
  let moved = 0;
  for (const { values } of row.series) {
    const real = values.flatMap((value) => (value === null ? [] : [value]));
    largest = Math.max(largest, ...real.map(Math.abs));
    if (real.length) moved = Math.max(moved, Math.max(...real) - Math.min(...real));
  }
  return moved > largest / 6;
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
 * @returns {Promise<void>} done once it is drawn
 */
function draw(host) {
  let drawing = drawings.get(host);
  if (!drawing) {
    drawing = drawNow(host);
    drawings.set(host, drawing);
  }
  return drawing;
}

/**
 * @param {HTMLElement} host
 */
async function drawNow(host) {
  /** @type {ChartView[]} */
  const known = [];
  views.set(host, known);
  const chart = await readChart(host.dataset.chart ?? "");
  const active = activeAlerts(chart);
  const main = element("div", "");
  const still = chart.rows.filter((row) => row.group === "world" && !hasMoved(row));
  const of = (/** @type {(row: Row) => boolean} */ wanted) => chart.rows.filter(wanted);
  host.replaceChildren(main);
  known.push(new ChartView(main, {
    ...chart,
    lanes: chart.lanes.filter(isActive),
    rows: [...of((row) => row.group === "load"), ...[...active].flatMap((alert) => of((row) => row.alert === alert)), ...of((row) => row.group === "world" && !still.includes(row))],
  }));
  if (still.length) {
    host.append(folded(`${counted(still.length, "quantity", "quantities")} that hardly moved`, (place) =>
      new ChartView(place, { ...chart, lanes: [], rows: still }, { part: true }), known));
  }
  const silent = chart.lanes.filter((lane) => !active.has(lane.alert));
  if (silent.length) {
    const rows = of((row) => row.group === "alert" && !active.has(row.alert ?? ""));
    host.append(folded(counted(silent.length, "silent alert", "silent alerts"), (place) =>
      new ChartView(place, { ...chart, lanes: silent, rows }, { part: true }), known));
  }
  for (const board of new Set(of((row) => row.dashboard !== null).map((row) => row.dashboard))) {
    const rows = of((row) => row.dashboard === board);
    const failed = rows.filter((row) => row.status === "failed").length;
    const broken = failed ? `, ${counted(failed, "panel", "panels")} failed` : "";
    const part = folded(`Dashboard: ${board}${broken}`, (place) =>
      new ChartView(place, { ...chart, lanes: [], rows }, { bare: true, tile: panelTile }), known);
    part.querySelector("summary")?.after(element("p", "marks", "Numbers are the last ones of the scenario, and under the pointer those of its instant."));
    host.append(part);
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
  drawings.delete(host);
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

/**
 * Show the scenario that the address names. What is drawn above it moves it, so it is shown again
 * until nothing near it is left to draw, or its reader has gone elsewhere.
 */
async function showNamed() {
  const section = location.hash.startsWith("#scenario-") ? document.getElementById(location.hash.slice(1)) : null;
  if (!section) return;
  const host = /** @type {HTMLElement|null} */ (section.querySelector("[data-chart]"));
  section.focus({ preventScroll: true });
  if (host) await draw(host);
  for (let round = 0; round < 5 && document.activeElement === section; round += 1) {
    section.scrollIntoView();
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    await Promise.all(drawings.values());
  }
}
addEventListener("hashchange", showNamed);
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (link && link.hash === location.hash) showNamed();
});
showNamed();

/** Paper is white whatever the screen is, and narrower: a plot of the screen's width would be cut off. */
function onPaper() {
  const printed = document.documentElement.classList.toggle("on-paper");
  for (const view of [...views.values()].flat()) {
    view.repaint(); // before its width changes: it would keep the lines of the grid as they are
    view.holdWidth(printed ? PAPER_PX : null);
  }
}
addEventListener("beforeprint", onPaper);
addEventListener("afterprint", onPaper);

const all = document.getElementById("draw-all");
if (all) {
  all.hidden = false;
  for (const hint of document.querySelectorAll(".on-paper-hint")) hint.hidden = false;
  all.addEventListener("click", async () => {
    keepAll = true;
    for (const host of hosts) await draw(host);
    all.textContent = "All scenarios are drawn";
  });
}
