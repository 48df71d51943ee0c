// Steps of one page: one is shown at a time, its heading gets the focus, the title says where.

import { byId, show } from "./dom.js";
import { text } from "./texts.js";

const service = document.title.split(" – ").at(-1);

/** Show the step `name` and no other. */
export function goTo(name) {
  const steps = [...document.querySelectorAll("[data-step]")];
  for (const step of steps) show(step, step.dataset.step === name);
  const heading = byId(`${name}-title`);
  const number = steps.findIndex((step) => step.dataset.step === name) + 1;
  const place = text("page-title", { number, title: heading.textContent });
  document.title = `${number < steps.length ? place : heading.textContent} – ${service}`;
  window.scrollTo(0, 0);
  heading.focus();
}
