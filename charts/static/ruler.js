/**
 * What stands above all rows: times, and the names of the bands.
 */

import { element } from "./elements.js";
import { clockText } from "./texts.js";

/** @typedef {import("./axis.js").Band} Band */
/** @typedef {import("./axis.js").Chart} Chart */

/**
 * The times above all rows.
 * @param {[number, number]} window
 * @param {number[]} instants
 * @returns {HTMLElement}
 */
export function timeStrip(window, instants) {
  const place = placed(window);
  const strip = element("div", "strip");
  for (const at of instants) {
    const tick = element("span", "tick", clockText(at));
    tick.style.left = `${place(at)}%`;
    if (place(at) > 96) tick.classList.add("last");
    strip.append(tick);
  }
  return strip;
}

/**
 * The names of the bands above all rows, each on a line where it overlaps no other.
 * @param {[number, number]} window
 * @param {Chart} chart
 * @returns {HTMLElement}
 */
export function bandStrip(window, chart) {
  const [from, to] = window;
  const place = placed(window);
  const bands = element("div", "strip bands");
  const lines = bandLines(chart.bands, chart.end_s);
  chart.bands.forEach((band, index) => {
    const end = band.to_s ?? chart.end_s;
    if (end < from || band.from_s > to) return;
    const bar = element("span", `band ${band.kind}`, band.name);
    const name = band.name.startsWith(band.kind) ? band.name : `${band.kind}: ${band.name}`;
    const text = `${name}, ${clockText(band.from_s)} to ${clockText(end)}`;
    bar.title = band.text ? `${text}. ${band.text}` : text;
    bar.style.left = `${Math.max(place(band.from_s), 0)}%`;
    bar.style.width = `${Math.min(place(end), 100) - Math.max(place(band.from_s), 0)}%`;
    bar.style.top = `${lines[index] * 20}px`;
    bands.append(bar);
  });
  bands.style.height = `${(Math.max(-1, ...lines) + 1) * 20}px`;
  return bands;
}

/**
 * @param {[number, number]} window
 * @returns {(at: number) => number} where an instant is in the window, in percent of its width
 */
function placed([from, to]) {
  return (at) => ((at - from) / (to - from)) * 100;
}

/**
 * Round instants between two, at most `count` of them.
 * @param {number} from
 * @param {number} to
 * @param {number} count
 * @returns {number[]}
 */
export function roundInstants(from, to, count) {
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
