// Small helpers for pages. Texts are set as text; no markup is ever made from strings.

import { Problem } from "./api.js";
import { formatWait, has, text } from "./texts.js";

export const byId = (id) => document.getElementById(id);

export function show(element, visible = true) {
  element.hidden = !visible;
}

/** A new element with properties, data and children. */
export function make(tag, { className, ...properties } = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A copy of a template element's only child, with texts filled by data-slot. */
export function fill(template, slots = {}) {
  const element = template.content.firstElementChild.cloneNode(true);
  for (const [name, value] of Object.entries(slots)) {
    const slot = element.querySelector(`[data-slot="${name}"]`);
    if (slot) slot.textContent = value;
  }
  return element;
}

/** Say something to everybody, also to screen readers, in the page's live region. */
export function say(message) {
  const region = byId("live");
  if (region) region.textContent = message;
}

/** What went wrong, in words for a person. */
export function explain(error) {
  if (error instanceof Problem) {
    const wait = formatWait(error.details.retry_after ?? 60);
    if (has(`problem-${error.code}`)) return text(`problem-${error.code}`, { wait });
    if (error.title) return error.title;
    return text(error.status >= 500 ? "problem-broken" : "problem-unknown");
  }
  // Not foreseen: the console is where somebody who helps will look. Errors hold no contents.
  console.error(error);
  return text("problem-unknown");
}

/** Mark a field as wrong with a message, or clear it with none. */
export function markField(input, message = "") {
  const frame = input.closest(".kern-form-input, .kern-form-check, fieldset");
  const group = input.closest("fieldset.kern-fieldset") ?? frame;
  const note = group.querySelector(".kern-error");
  const wrong = message !== "";
  const base = group.matches("fieldset") ? "kern-fieldset" : frame.classList[0];
  group.classList.toggle(`${base}--error`, wrong);
  input.classList.toggle(`${input.classList[0]}--error`, wrong);
  if (wrong) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  if (note) {
    note.querySelector(".kern-body").textContent = message;
    show(note, wrong);
  }
}

/** Show an alert box of the page with a message, or hide it with none. */
export function alertBox(box, message = "") {
  box.querySelector("[data-slot=message]").textContent = message;
  box.querySelector("ul")?.remove();
  show(box, message !== "");
}

/**
 * Handle a form by script: one submission at a time, busy state, errors in its alert box.
 * `work` may throw FieldError for one field, Problem, or anything else.
 */
export function onSubmit(form, work) {
  const box = form.querySelector("[data-alert]");
  form.noValidate = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    const button = form.querySelector("button[type=submit]");
    setBusy(form, button, true);
    alertBox(box);
    for (const input of form.querySelectorAll("input, select, textarea")) markField(input);
    try {
      await work(form);
    } catch (error) {
      if (error instanceof FieldError) {
        markField(error.input, error.message);
        error.input.focus();
      } else if (error instanceof FieldErrors) {
        summarise(box, error.all);
        error.all[0].input.focus();
      } else {
        alertBox(box, error instanceof Notice ? error.message : explain(error));
        box.focus();
      }
    } finally {
      setBusy(form, button, false);
    }
  });
}

/** Handle a button by script: one click at a time; `box` shows what went wrong. */
export function onClick(button, box, work) {
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    alertBox(box);
    try {
      await work();
    } catch (error) {
      alertBox(box, error instanceof Notice ? error.message : explain(error));
      box.focus();
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}

/** Something to tell the reader that is no mistake in a field. */
export class Notice extends Error {}

/** One field is wrong; the message says what to do. */
export class FieldError extends Error {
  constructor(input, message) {
    super(message);
    this.input = input;
  }
}

/** Several fields are wrong; `all` are their FieldErrors, in the order of the page. */
export class FieldErrors extends Error {
  constructor(all) {
    super(all[0].message);
    this.all = all;
  }
}

/** Make all these checks of fields, and throw what is wrong with any; return what they return. */
export function checkAll(...checks) {
  const wrong = [];
  const values = checks.map((check) => {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      wrong.push(error);
      return undefined;
    }
  });
  if (wrong.length === 1) throw wrong[0];
  if (wrong.length) throw new FieldErrors(wrong);
  return values;
}

/** A text that must be there. */
export function filled(input, message) {
  if (!input.value.trim()) throw new FieldError(input, message);
  return input.value;
}

/** Mark each wrong field and list them in the form's alert box, each leading to its field. */
function summarise(box, errors) {
  const list = make("ul", { className: "plain-list" });
  for (const { input, message } of errors) {
    markField(input, message);
    const link = make("a", { className: "kern-link", href: `#${input.id}`, textContent: message });
    link.addEventListener("click", (event) => {
      event.preventDefault();
      input.focus();
    });
    list.append(make("li", {}, link));
  }
  const slot = box.querySelector("[data-slot=message]");
  slot.replaceChildren();
  slot.after(list);
  show(box);
}

function setBusy(form, button, busy) {
  form.setAttribute("aria-busy", String(busy));
  button.setAttribute("aria-disabled", String(busy));
  const progress = form.querySelector("[data-busy]");
  if (progress) show(progress, busy);
}
