/**
 * Fields of forms, made from the JSON Schema of what may be sent; and what they hold.
 */

import { element } from "./elements.js";

let made = 0;

/**
 * A labelled input.
 * @param {string} name
 * @param {{type?: string, value?: string, hint?: string, required?: boolean, placeholder?: string}} [options]
 * @returns {HTMLElement & {input: HTMLInputElement}}
 */
export function field(name, options = {}) {
  made += 1;
  const frame = element("div", "field");
  const label = element("label", "", name.replaceAll("_", " "));
  const input = /** @type {HTMLInputElement} */ (element("input", ""));
  input.id = `field-${made}`;
  input.name = name;
  input.type = options.type ?? "text";
  if (input.type === "number") input.step = "any";
  input.value = options.value ?? "";
  input.required = options.required ?? false;
  input.placeholder = options.placeholder ?? "";
  input.autocomplete = "off";
  input.spellcheck = false;
  label.setAttribute("for", input.id);
  frame.append(label, input);
  if (options.hint) {
    const hint = element("small", "hint", options.hint);
    hint.id = `${input.id}-hint`;
    input.setAttribute("aria-describedby", hint.id);
    frame.append(hint);
  }
  return Object.assign(frame, { input });
}

/**
 * A field for each property of an object's schema: numbers as numbers, durations as text.
 * @param {any} schema
 * @param {Record<string, string>} bounds what each must be
 * @param {Record<string, unknown>} [values] what stands in them at first
 * @returns {ReturnType<typeof field>[]}
 */
export function schemaFields(schema, bounds, values = {}) {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const isNumber = property.type === "number" || property.type === "integer";
    const fallback = /^Default: (.*)\.$/.exec(property.description ?? "")?.[1];
    return field(name, {
      type: isNumber ? "number" : "text",
      value: values[name] === undefined ? "" : String(values[name]),
      required: required.has(name),
      placeholder: fallback ?? (property.pattern ? "such as 200ms, 1m30s" : ""),
      hint: bounds[name],
    });
  });
}

/**
 * What the fields hold, by their names; those that are empty are left out.
 * @param {ReturnType<typeof field>[]} fields
 * @returns {Record<string, string|number>}
 */
export function valuesOf(fields) {
  /** @type {Record<string, string|number>} */
  const values = {};
  for (const { input } of fields) {
    if (input.value === "") continue;
    values[input.name] = input.type === "number" ? input.valueAsNumber : input.value.trim();
  }
  return values;
}

/**
 * Boxes to tick, in a group with a name.
 * @param {string} name
 * @param {(string|number)[]} options
 * @returns {HTMLElement & {chosen: () => (string|number)[]}}
 */
export function choices(name, options) {
  const group = element("fieldset", "choices");
  group.append(element("legend", "", name));
  const boxes = options.map((choice) => {
    const label = element("label", "");
    const box = /** @type {HTMLInputElement} */ (element("input", ""));
    box.type = "checkbox";
    label.append(box, String(choice));
    group.append(label);
    return { box, choice };
  });
  const chosen = () => boxes.filter(({ box }) => box.checked).map(({ choice }) => choice);
  return Object.assign(group, { chosen });
}

/**
 * A button that does something which the server may refuse; its sentence is shown in `said`.
 * @param {string} text
 * @param {HTMLElement} said
 * @param {() => Promise<void>} action
 * @returns {HTMLButtonElement}
 */
export function actionButton(text, said, action) {
  const button = /** @type {HTMLButtonElement} */ (element("button", "", text));
  button.type = "button";
  button.addEventListener("click", () => attempt(button, said, action));
  return button;
}

/**
 * A form whose submission is an action; a refusal is gone when a field is changed.
 * @param {string} className
 * @param {HTMLElement} said
 * @param {() => Promise<void>} action
 * @returns {HTMLFormElement}
 */
export function actionForm(className, said, action) {
  const form = /** @type {HTMLFormElement} */ (element("form", className));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(form, said, action);
  });
  form.addEventListener("input", () => {
    said.textContent = "";
    unmark(form);
  });
  return form;
}

/**
 * @param {HTMLElement} by
 * @param {HTMLElement} said
 * @param {() => Promise<void>} action
 */
async function attempt(by, said, action) {
  if (by.dataset.busy) return;
  by.dataset.busy = "yes";
  // Also what another form was refused: beside what is done now it would be taken for its answer.
  for (const old of document.querySelectorAll(".said[role=alert]")) old.textContent = "";
  unmark(document);
  try {
    await action();
  } catch (error) {
    said.textContent = error instanceof Error ? error.message : String(error);
    markRefused(by, said.textContent);
    said.scrollIntoView({ block: "nearest" });
  } finally {
    delete by.dataset.busy;
  }
}

/**
 * Mark the fields that a refusal is about: of a sentence, those before its `must`, if it has one.
 * @param {HTMLElement} by
 * @param {string} sentences
 */
function markRefused(by, sentences) {
  const clauses = sentences.split(/[;\n]/).map((sentence) => sentence.split(" must ")[0]);
  const subjects = new Set(clauses.flatMap((clause) => clause.split(/[^\w]+/)));
  for (const input of by.querySelectorAll("input[name]")) {
    if (!subjects.has(input.getAttribute("name") ?? "")) continue;
    input.setAttribute("aria-invalid", "true");
    const folded = input.closest("details");
    if (folded) folded.open = true;
  }
}

/** @param {ParentNode} part in which no field is refused any more */
function unmark(part) {
  for (const input of part.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}

/**
 * Where the sentences of refusals are shown, and read aloud.
 * @returns {HTMLElement}
 */
export function saying() {
  const said = element("p", "said");
  said.setAttribute("role", "alert");
  return said;
}
