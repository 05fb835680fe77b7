/**
 * The buttons above a chart, which move and size its window of time.
 */

import { element } from "./elements.js";

/**
 * @typedef {{pan: (share: number) => void, zoom: (factor: number) => void, reset: () => void}} Windowed
 */

/**
 * The buttons that move and size the window of a view, and its clock.
 * @param {Windowed} view
 * @param {HTMLElement} clock
 * @returns {HTMLElement}
 */
export function windowTools(view, clock) {
  const bar = element("div", "tools");
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Window of time");
  /** @type {[string, string, () => void][]} */
  const buttons = [
    ["◀", "Earlier", () => view.pan(-0.25)],
    ["▶", "Later", () => view.pan(0.25)],
    ["+", "Zoom in", () => view.zoom(0.5)],
    ["−", "Zoom out", () => view.zoom(2)],
    ["⤢", "Whole time", () => view.reset()],
  ];
  for (const [sign, name, action] of buttons) {
    const button = element("button", "", sign);
    button.setAttribute("type", "button");
    button.setAttribute("aria-label", name);
    button.title = name;
    button.addEventListener("click", action);
    bar.append(button);
  }
  bar.append(clock);
  return bar;
}
