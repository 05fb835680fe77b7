/**
 * The lanes of alerts: when each was pending and firing, when it had to, who was notified.
 */

import { element } from "./elements.js";
import { GUTTER_PX, RIGHT_PX } from "./plots.js";
import { clockText, withLabels } from "./texts.js";

/** @typedef {import("./axis.js").Chart} Chart */
/** @typedef {import("./axis.js").Lane} Lane */

const NAMED_PX = 38; // what an episode needs for its name
const ENVELOPE_PX = 9; // half of what a notification covers

/**
 * The lane of an alert, with a text for who cannot see it.
 * @param {Lane} lane
 * @param {Chart} chart
 * @returns {HTMLElement}
 */
export function laneElement(lane, chart) {
  const frame = element("div", `lane ${lane.expected ?? ""} ${lane.failure ? "failed" : ""}`);
  frame.dataset.alert = lane.alert;
  frame.tabIndex = 0;
  frame.setAttribute("role", "img");
  frame.setAttribute("aria-label", laneText(lane));
  const name = element("div", "name", withLabels(lane.alert, distinct(lane, chart.lanes)));
  name.title = withLabels(lane.alert, lane.labels);
  frame.append(name);
  const track = element("div", "track");
  for (const piece of lanePieces(lane, chart.end_s)) {
    const bar = element("span", `piece ${piece.kind}`, piece.label);
    bar.title = piece.text;
    bar.dataset.from = String(piece.from);
    bar.dataset.to = String(piece.to);
    track.append(bar);
  }
  frame.append(track);
  return frame;
}

/**
 * Put the pieces of all lanes where the window has them.
 * @param {HTMLElement} lanes
 * @param {[number, number]} window
 * @param {number} width of the lanes in pixels
 */
export function placePieces(lanes, [from, to], width) {
  const place = (/** @type {string|undefined} */ at) => (Number(at) - from) / (to - from);
  for (const piece of lanes.querySelectorAll(".piece")) {
    const bar = /** @type {HTMLElement} */ (piece);
    const begin = place(bar.dataset.from);
    const end = place(bar.dataset.to);
    bar.hidden = end < 0 || begin > 1;
    const left = `${Math.max(begin, 0) * 100}%`;
    const isMark = bar.matches(".failure, .notified"); // wider than its instant: whole at both ends
    bar.style.left = isMark ? `clamp(${ENVELOPE_PX}px, ${left}, calc(100% - ${ENVELOPE_PX}px))` : left;
    bar.style.width = `${(Math.min(end, 1) - Math.max(begin, 0)) * 100}%`;
  }
  const track = width - GUTTER_PX - RIGHT_PX;
  for (const piece of lanes.querySelectorAll(".piece.firing")) {
    const bar = /** @type {HTMLElement} */ (piece);
    const envelopes = [...(bar.parentElement?.querySelectorAll(".piece.notified") ?? [])];
    const covered = envelopes.map((each) => place(/** @type {HTMLElement} */ (each).dataset.from) * track);
    const ends = [place(bar.dataset.from), place(bar.dataset.to)].map((at) => Math.min(Math.max(at, 0), 1) * track);
    placeName(bar, [ends[0], ends[1]], covered);
  }
}

/**
 * Put the name of an episode where no notification covers it, in the widest part that is left.
 * @param {HTMLElement} bar
 * @param {[number, number]} ends in pixels of the track
 * @param {number[]} covered the middles of notifications, in the same pixels
 */
function placeName(bar, [left, right], covered) {
  let [from, to] = [left, left];
  let begin = left;
  for (const middle of [...covered, right + ENVELOPE_PX].toSorted((a, b) => a - b)) {
    const end = Math.min(middle - ENVELOPE_PX, right);
    if (end - begin > to - from) [from, to] = [begin, end];
    begin = Math.max(begin, middle + ENVELOPE_PX);
  }
  bar.classList.toggle("narrow", to - from < NAMED_PX);
  bar.style.paddingLeft = `${from - left}px`;
  bar.style.paddingRight = `${right - to}px`;
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
function laneText(lane) {
  const parts = lanePieces(lane, NaN).filter(({ kind }) => kind !== "resolved");
  const words = parts.map(({ text }) => text.replace(/ to NaN.*/, " to the end"));
  const name = withLabels(lane.alert, lane.labels);
  return words.length ? `${name}: ${words.join("; ")}` : `${name}: stayed inactive`;
}
