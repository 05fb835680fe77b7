/**
 * Alerts: which are pending or firing and for how long, which are not, and who was notified of what.
 */

import { element } from "./elements.js";
import { clockText, withLabels } from "./texts.js";

/** @typedef {import("./live_view.js").Moment} Moment */
/** @typedef {import("./axis.js").Lane} Lane */
/** @typedef {{name: "inactive"|"pending"|"firing", since_s: number}} State */
/** @typedef {{lane: Lane, state: State}} Shown */

const SHOWN_MAX = 30;

/** The part of the page about alerts; hidden where there is no Prometheus beside the world. */
export class AlertPanel {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    const title = element("h2", "", "Alerts");
    title.id = "alerts-title";
    host.setAttribute("aria-labelledby", title.id);
    this.unreachable = element("p", "said");
    this.active = element("ul", "active-alerts");
    this.active.setAttribute("aria-label", "Alerts, what fires first");
    this.active.tabIndex = 0;
    this.inactive = element("details", "hint inactive");
    this.count = element("summary", "");
    this.names = element("ul", "");
    this.inactive.append(this.count, this.names);
    this.log = element("ol", "notification-log");
    this.log.setAttribute("role", "log");
    this.log.setAttribute("aria-label", "Notifications, the newest first");
    const heading = element("h3", "", "Notified");
    host.append(title, this.unreachable, this.active, this.inactive, heading, this.log);
    this.lastText = "";
    /** @type {Map<string, string>} of each alert of the rules, what it compares and for how long */
    this.conditions = new Map();
  }

  /** @param {Record<string, string>} conditions of each alert of the rules */
  know(conditions) {
    this.conditions = new Map(Object.entries(conditions));
    this.calm = ""; // what is shown of those that are inactive is to be made anew
  }

  /** @param {Moment} moment */
  show(moment) {
    this.host.hidden = moment.lanes.length === 0;
    this.unreachable.textContent = moment.unreachable.join("; ");
    const states = moment.lanes.map((lane) => ({ lane, state: stateOf(lane) }));
    const active = states.filter(({ state }) => state.name !== "inactive").toSorted(byUrgency);
    this.active.replaceChildren(
      ...active.map(({ lane, state }) => {
        const line = element("li", state.name);
        line.dataset.alert = lane.alert;
        const severity = moment.severities[lane.alert];
        line.append(
          element("b", "", state.name),
          element("span", "since", clockText(moment.at_s - state.since_s)),
          element("span", "name", withLabels(lane.alert, lane.labels) + (severity ? ` (${severity})` : "")),
          ...this.conditionOf(lane.alert),
        );
        return line;
      }),
    );
    // An alert is inactive when none of its label sets is active.
    const busy = new Set(active.map(({ lane }) => lane.alert));
    const calm = [...new Set(states.map(({ lane }) => lane.alert))].filter((alert) => !busy.has(alert));
    this.inactive.hidden = calm.length === 0;
    this.count.textContent = `${calm.length} inactive`;
    if (calm.join() !== this.calm) {
      this.calm = calm.join();
      this.names.replaceChildren(...calm.map((alert) => {
        const line = element("li", "", `${alert} `);
        line.append(...this.conditionOf(alert));
        return line;
      }));
    }
    this.showNotifications(moment.lanes);
  }

  /**
   * @param {string} alert
   * @returns {HTMLElement[]} its condition, where its rule is known
   */
  conditionOf(alert) {
    const condition = this.conditions.get(alert);
    return condition ? [element("code", "condition", condition)] : [];
  }

  /** @param {Lane[]} lanes */
  showNotifications(lanes) {
    const all = lanes.flatMap((lane) => lane.notifications.map((each) => ({ lane, ...each })));
    const newest = all.toSorted((a, b) => b.at_s - a.at_s).slice(0, SHOWN_MAX);
    const lines = newest.map(({ lane, receiver, status, at_s }) => {
      const does = status === "firing" ? "fires" : "has resolved";
      return `${clockText(at_s)} ${receiver}: ${withLabels(lane.alert, lane.labels)} ${does}`;
    });
    const text = lines.join("\n");
    // Only when there is something new: a log that is written anew is read out anew.
    if (text === this.lastText) return;
    this.lastText = text;
    this.log.replaceChildren(...lines.map((line) => element("li", "", line)));
  }
}

/**
 * What fires comes before what is pending, and of each what began last.
 * @param {Shown} one
 * @param {Shown} other
 * @returns {number}
 */
function byUrgency(one, other) {
  const rank = Number(other.state.name === "firing") - Number(one.state.name === "firing");
  return rank || other.state.since_s - one.state.since_s;
}

/**
 * @param {Lane} lane
 * @returns {State}
 */
function stateOf(lane) {
  const last = lane.episodes.at(-1);
  if (!last || last.resolved_s !== null) return { name: "inactive", since_s: 0 };
  if (last.firing_s !== null) return { name: "firing", since_s: last.firing_s };
  return { name: "pending", since_s: last.pending_s ?? 0 };
}
