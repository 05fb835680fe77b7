/**
 * Faults: those in effect with what they did so far, and a form for the next, made from the
 * catalogue that the server sends.
 */

import { element } from "./elements.js";
import { actionButton, actionForm, choices, field, saying, schemaFields, valuesOf } from "./fields.js";
import { clockText } from "./texts.js";
import { call } from "./world_api.js";

/** @typedef {import("./live_view.js").Moment} Moment */

/** What a list of targets is called where only one is named. @type {Record<string, string>} */
const NAMED_ALONE = { cells: "cell", tiers: "tier", hosts: "host", sandboxes: "sandbox" };

/** The part of the page about faults. */
export class FaultPanel {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.said = saying();
    this.list = element("div", "faults");
    this.coming = element("p", "coming");
    this.form = element("div", "inject");
    /** @type {Map<string, FaultCard>} */
    this.cards = new Map();
    /** @type {any} */
    this.catalogue = undefined;
    const title = element("h2", "", "Faults");
    title.id = "faults-title";
    host.setAttribute("aria-labelledby", title.id);
    host.append(title, this.list, this.coming, this.form, this.said);
  }

  /** Ask for the catalogue again, as after a restart with another system. */
  async load() {
    this.catalogue = await call("GET", "faults/catalogue");
    this.form.replaceChildren(injectionForm(this.catalogue, this.said));
  }

  /** @param {Moment} moment */
  show(moment) {
    const names = new Set(moment.faults.map((fault) => fault.name));
    for (const [name, card] of this.cards) {
      if (names.has(name)) continue;
      if (card.said.textContent) this.said.textContent = card.said.textContent;
      card.frame.remove();
      this.cards.delete(name);
    }
    for (const fault of moment.faults) {
      let card = this.cards.get(fault.name);
      if (!card) {
        card = new FaultCard(fault, () => this.entryOf(fault.fault));
        this.cards.set(fault.name, card);
        this.list.append(card.frame);
      }
      card.show(fault);
    }
    this.list.dataset.empty = moment.faults.length ? "" : "No fault is in effect.";
    const next = moment.planned.map(
      (fault) => `${fault.name} (${fault.fault}${targetsText(fault.targets)}) in ${clockText(fault.begins_in_s)}`,
    );
    this.coming.textContent = next.length ? `To come: ${next.join(", ")}` : "";
  }

  /**
   * @param {string} kind
   * @returns {any}
   */
  entryOf(kind) {
    const entry = this.catalogue?.faults.find((/** @type {any} */ each) => each.fault === kind);
    return entry ?? { parameters: { properties: {} }, bounds: {} };
  }
}

/** One fault in effect. It is changed in place, so that nobody loses what they are typing. */
class FaultCard {
  /**
   * @param {any} fault
   * @param {() => any} entry of its kind in the catalogue
   */
  constructor(fault, entry) {
    const said = saying();
    this.said = said;
    this.frame = element("article", "fault");
    this.frame.dataset.fault = fault.name;
    this.frame.append(element("h3", "", fault.name));
    this.what = element("p", "what");
    this.effect = element("p", "effect");
    const buttons = element("div", "buttons");
    const path = `faults/${encodeURIComponent(fault.name)}`;
    this.change = element("div", "");
    const end = actionButton("End", said, () => call("DELETE", path));
    end.setAttribute("aria-label", `End ${fault.name}`);
    const change = actionButton("Change", said, async () => this.open(path, entry()));
    change.setAttribute("aria-label", `Change ${fault.name}`);
    buttons.append(end, change);
    this.frame.append(this.what, this.effect, buttons, this.change, said);
    this.fault = fault;
  }

  /** @param {any} fault */
  show(fault) {
    this.fault = fault;
    const { declared, effective } = fault.magnitude;
    const strength = effective === declared ? amount(declared) : `${amount(effective)} of ${amount(declared)}`;
    const kind = Object.keys(fault.parameters).length ? `${fault.fault} ${strength}` : fault.fault;
    this.what.textContent = `${kind}${targetsText(fault.targets)}, ends in ${clockText(Math.max(0, fault.ends_in_s))}`;
    const { value, expected, unit } = fault.effect;
    this.effect.textContent = `So far ${counted(value, unit)}; expected ${amount(expected)}`;
  }

  /**
   * Open the form of a change, or close it.
   * @param {string} path
   * @param {any} entry of its kind in the catalogue
   */
  open(path, entry) {
    if (this.change.firstChild) {
      this.change.replaceChildren();
      return;
    }
    const parameters = schemaFields({ ...entry.parameters, required: [] }, entry.bounds, this.fault.parameters);
    const duration = field("duration", { placeholder: "as it is", hint: "counted from now, at most 1h" });
    const form = actionForm("", this.said, async () => {
      /** @type {any} */
      const body = valuesOf([duration]);
      const changed = valuesOf(parameters);
      if (Object.keys(changed).length) body.parameters = changed;
      await call("PATCH", path, body);
      this.change.replaceChildren();
    });
    const send = element("button", "primary", "Apply");
    form.append(...parameters, duration, send);
    this.change.append(form);
  }
}

/**
 * What a fault targets; nothing where it means the whole system.
 * @param {Record<string, number|(string|number)[]>} targets as the API writes them
 * @returns {string}
 */
function targetsText(targets) {
  const named = Object.entries(targets).map(([key, chosen]) => `${NAMED_ALONE[String(chosen).includes(",") ? "" : key] ?? key} ${[chosen].flat().join(", ")}`);
  return named.length ? ` on ${named.join(", ")}` : "";
}

/**
 * @param {any} catalogue
 * @param {HTMLElement} said
 * @returns {HTMLElement}
 */
function injectionForm(catalogue, said) {
  const kind = /** @type {HTMLSelectElement} */ (element("select", ""));
  kind.id = "inject-kind";
  kind.name = "fault";
  for (const each of catalogue.faults) kind.append(new Option(each.fault, each.fault));
  const label = element("label", "", "inject");
  label.setAttribute("for", kind.id);
  const what = element("p", "hint");
  const body = element("div", "parameters");
  /** @type {(() => object)|undefined} */
  let read;
  const choose = () => {
    const entry = catalogue.faults.find((/** @type {any} */ each) => each.fault === kind.value);
    what.textContent = entry.what.replaceAll("`", "");
    read = fillForm(body, entry, catalogue);
  };
  kind.addEventListener("change", choose);
  const form = actionForm("inject-form", said, async () => {
    await call("POST", "faults", { fault: kind.value, ...read?.() });
  });
  form.setAttribute("aria-label", "Inject a fault");
  form.append(label, kind, what, body, element("button", "primary", "Inject"));
  kind.value = "sandbox_leak";
  if (!kind.value) kind.selectedIndex = 0;
  choose();
  return form;
}

/**
 * Fill `body` with the fields of a kind of fault; return what reads them.
 * @param {HTMLElement} body
 * @param {any} entry of the catalogue
 * @param {any} catalogue
 * @returns {() => object}
 */
function fillForm(body, entry, catalogue) {
  const schema = catalogue.injection.properties;
  const parameters = schemaFields(entry.parameters, entry.bounds);
  const common = ["duration", "ramp", "name"].map((name) =>
    field(name, {
      placeholder: { duration: "5m", ramp: "0s", name: entry.fault.replaceAll("_", "-") }[name],
      hint: schema[name].description,
    }),
  );
  const lists = ["cells", "tiers", "hosts", "sandboxes"].filter((key) => entry.targets.includes(key));
  const boxes = lists.map((key) => {
    const all = catalogue.system[key];
    return { key, group: choices(key, typeof all === "number" ? [...Array(all).keys()] : all) };
  });
  const fraction = entry.targets.includes("fraction") ? [field("fraction", { type: "number", placeholder: "1", hint: "share of the targets" })] : [];
  const more = element("details", "more");
  more.append(element("summary", "", "Targets, time and name"));
  more.append(...boxes.map(({ group }) => group), ...fraction, ...common);
  body.replaceChildren(...parameters, more);
  return () => {
    /** @type {Record<string, unknown>} */
    const targets = valuesOf(fraction);
    for (const { key, group } of boxes) {
      const chosen = group.chosen();
      if (chosen.length) targets[key] = chosen;
    }
    const sent = { parameters: valuesOf(parameters), ...valuesOf(common) };
    return Object.keys(targets).length ? { ...sent, targets } : sent;
  };
}

/**
 * A figure with its nouns, of which the first agrees with it.
 * @param {number} value
 * @param {string} nouns in the plural
 * @returns {string}
 */
function counted(value, nouns) {
  const text = amount(value);
  return `${text} ${text === "1" ? nouns.replace(/(?<=ch|sh|ss|x)es\b|(?<!serie)s\b/, "") : nouns}`;
}

/**
 * @param {number} value
 * @returns {string}
 */
function amount(value) {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}
