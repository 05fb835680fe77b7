/**
 * What stands in the frame of a dashboard's panel beside its values: whether it failed and why,
 * that nobody asked it, and its queries.
 */

import { element } from "./elements.js";

/** @typedef {import("./axis.js").Row} Row */

const NOT_APPLIED = "not applied here: ";
/** @type {Record<string, string>} */
const SAID = {
  failed: "✗ Failed: ",
  accepted: "Failed, which is accepted: ",
  empty: "Empty: ",
  "not-judged": "Not judged: ",
};

/**
 * Mark the frame of a row with its status.
 * @param {HTMLElement} frame
 * @param {Row} row
 */
export function markStatus(frame, row) {
  if (row.status) frame.classList.add("status", `status-${row.status}`);
}

/**
 * The notes on a row, and its queries: in sight where a person has to look at them, else folded.
 * @param {Row} row
 * @returns {HTMLElement[]}
 */
export function panelNotes(row) {
  const said = SAID[row.status ?? ""] ?? "";
  // What is not drawn of a panel is no reason why it failed.
  const parts = row.notes.map((note) => element("p", "panel-note", note.startsWith(NOT_APPLIED) ? note : said + note));
  if (!row.queries.length) return parts;
  const asked = element("div", "asked");
  for (const query of row.queries) asked.append(element("code", "", query));
  if (row.status) return [...parts, asked];
  const folded = element("details", "asked-folded");
  folded.append(element("summary", "", row.queries.length > 1 ? "Queries" : "Query"), asked);
  return [...parts, folded];
}
