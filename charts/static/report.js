/**
 * Draws the scenarios of a report: each when it comes near the window, from the data in the page.
 */

import { ChartView, element } from "./axis.js";

/** @typedef {import("./axis.js").Chart} Chart */

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
 * Whether a row belongs to an alert that did something, or had to.
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
 * Draw a scenario into its place.
 * @param {HTMLElement} host
 */
async function draw(host) {
  const chart = await readChart(host.dataset.chart ?? "");
  const spoken = spokenAlerts(chart);
  const shown = {
    ...chart,
    lanes: chart.lanes.filter((lane) => spoken.has(lane.alert)),
    rows: chart.rows.filter((row) => row.group !== "panel" && (row.alert === null || spoken.has(row.alert))),
  };
  host.replaceChildren();
  const place = element("div", "");
  host.append(place);
  const view = new ChartView(place, shown);
  Object.assign(host, { view });
  host.dataset.drawn = "yes";
}

const hosts = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-chart]"));
const near = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    near.unobserve(entry.target);
    draw(/** @type {HTMLElement} */ (entry.target));
  }
}, { rootMargin: "600px" });
for (const host of hosts) near.observe(host);
