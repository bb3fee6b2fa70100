// The pane of the answer: JSON, errors, and the events of a subscription.
import { byId, clock, JSON_PATTERN, make, painted } from "./dom.js";

// Colours are for reading; nobody reads more, and it would take the browser seconds.
const MAX_PAINTED = 150_000;
export const MAX_EVENTS = 50;

const pane = { status: byId("status"), errors: byId("errors"), events: byId("events"), answer: byId("answer"), count: byId("count") };

export const say = (sentence) => {
  pane.status.textContent = sentence;
};

/** Empty the pane. */
export function clear() {
  pane.errors.hidden = true;
  pane.errors.replaceChildren();
  pane.events.hidden = true;
  pane.events.replaceChildren();
  pane.answer.hidden = false;
  pane.answer.replaceChildren();
  pane.count.textContent = "";
}

/** Show a value as JSON, or text as it is. */
export function show(value) {
  pane.answer.replaceChildren(typeof value === "string" ? value : json(value));
  pane.answer.scrollTop = 0;
}

function json(value) {
  const text = JSON.stringify(value, null, 2);
  return text.length > MAX_PAINTED ? text : painted(text, JSON_PATTERN);
}

/** List errors: the message, where in the answer, where in the document, and the code. */
export function showErrors(errors) {
  const known = Array.isArray(errors) ? errors : [];
  pane.errors.hidden = known.length === 0;
  pane.errors.replaceChildren(...known.map(errorItem));
}

function errorItem(error) {
  const facts = [];
  if (error?.extensions?.code) facts.push(["code", String(error.extensions.code)]);
  if (Array.isArray(error?.path)) facts.push(["path", pathText(error.path)]);
  for (const place of Array.isArray(error?.locations) ? error.locations : []) facts.push(["at", `line ${place.line}, column ${place.column}`]);
  const message = make("p", String(error?.message ?? "An error without a message."));
  return make("li", message, make("p.facts", facts.map(([name, value]) => make("span", `${name} `, make("code", value)))));
}

const pathText = (path) => path.map((step, index) => (typeof step === "number" ? `[${step}]` : `${index ? "." : ""}${step}`)).join("");

/** Make the pane a list of events; returns what adds one to it. The newest is on top, and the oldest go. */
export function eventList() {
  clear();
  pane.answer.hidden = true;
  pane.events.hidden = false;
  let number = 0;
  return (payload) => {
    number += 1;
    pane.events.prepend(make("li", { value: number }, make("p.note", `${number} · ${clock()}`), make("pre", json(payload))));
    while (pane.events.children.length > MAX_EVENTS) pane.events.lastElementChild.remove();
    pane.count.textContent = `${number} ${number === 1 ? "event" : "events"}${number > MAX_EVENTS ? `, the last ${MAX_EVENTS} shown` : ""}`;
  };
}
