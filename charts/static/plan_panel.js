/**
 * The load, changed for a while in the stages of k6, and the bundled scenarios, begun by a button.
 */

import { element } from "./elements.js";
import { actionButton, actionForm, field, saying, valuesOf } from "./fields.js";
import { clockText } from "./texts.js";
import { call } from "./world_api.js";

/** @typedef {import("./live_view.js").Moment} Moment */

/**
 * @param {number} tasks a second
 * @returns {string} as in the tiles above
 */
function taskRate(tasks) {
  return `${Math.round(tasks).toLocaleString("en")} tasks/s`;
}

/**
 * A refusal of the load, in the names of the fields of this page.
 * @param {string} sentence
 * @returns {string}
 */
function inFieldNames(sentence) {
  return sentence
    .replace(/stages\[0\]\.duration/g, "duration")
    .replace(/stages\[1\]\.duration/g, "hold")
    .replace(/stages\[\d\]\.target|stage: target/g, "target")
    .replace(/^stages must/, "duration and hold must");
}

/** The part of the page about the load. */
export class LoadPanel {
  /** @param {HTMLElement} host */
  constructor(host) {
    const said = saying();
    const title = element("h2", "", "Load");
    title.id = "load-title";
    host.setAttribute("aria-labelledby", title.id);
    this.now = element("p", "what");
    this.faulty = element("p", "what after-faults");
    this.end = actionButton("End the change", said, () => call("DELETE", "load"));
    const target = field("target", { type: "number", value: "15000", required: true, hint: "tasks a second" });
    const climb = field("duration", { value: "0s", required: true, hint: "to get there, linearly" });
    const hold = field("hold", { value: "5m", required: true, hint: "then the load of before is back" });
    const form = actionForm("load-form", said, async () => {
      const values = valuesOf([target, climb, hold]);
      const stages = [values.duration, values.hold].map((duration) => ({ target: values.target, duration }));
      await call("PUT", "load", { stages }).catch((error) => {
        throw new Error(inFieldNames(String(error.message)));
      });
    });
    form.setAttribute("aria-label", "Change the load");
    form.append(target, climb, hold, element("button", "primary", "Change the load"));
    host.append(title, this.now, this.faulty, this.end, form, said);
  }

  /** @param {Moment} moment */
  show({ load }) {
    const profile = load.after_faults === null ? "a recorded trace" : taskRate(load.requested);
    const left = load.change ? `, changed for ${clockText(load.change.ends_in_s)} more` : "";
    const faulty = load.after_faults !== null && load.after_faults !== load.requested;
    this.now.textContent = `Load profile: ${profile}${left}`;
    this.faulty.textContent = faulty ? `After faults: ${taskRate(load.after_faults)}` : "";
    this.end.hidden = !load.change;
  }
}

/** The part of the page with a button for each scenario. */
export class ScenarioPanel {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.said = saying();
    /** @type {Map<string, HTMLButtonElement>} */
    this.buttons = new Map();
    const title = element("h2", "", "Scenarios");
    title.id = "scenarios-title";
    host.setAttribute("aria-labelledby", title.id);
    this.list = element("div", "scenario-buttons");
    this.end = actionButton("End the scenarios", this.said, () => call("DELETE", "scenarios"));
    this.end.hidden = true;
    this.story = element("p", "hint story", "A button begins a scenario's faults; the first at once.");
    host.append(title, this.list, this.story, this.end, this.said);
  }

  /** Ask again which there are. */
  async load() {
    const { scenarios } = await call("GET", "scenarios");
    this.buttons.clear();
    this.list.replaceChildren(
      ...scenarios.map((/** @type {any} */ scenario) => {
        const begin = actionButton(scenario.name, this.said, () => call("POST", "scenarios", { name: scenario.name }));
        begin.title = `${scenario.story} (${scenario.duration})`;
        const tell = () => {
          this.story.textContent = `${scenario.story} Takes ${scenario.duration}.`;
        };
        begin.addEventListener("focus", tell);
        begin.addEventListener("pointerenter", tell);
        this.buttons.set(scenario.name, begin);
        return begin;
      }),
    );
  }

  /** @param {Moment} moment */
  show({ running }) {
    for (const [name, button] of this.buttons) button.setAttribute("aria-pressed", String(running.includes(name)));
    this.end.hidden = running.length === 0;
  }
}
