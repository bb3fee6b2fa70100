// The page's parts, put together. Without it the form runs a query by GET.
import { fromAddress, toAddress } from "./address.js";
import { clear, eventList, say, show, showErrors } from "./answer.js";
import { completion } from "./completion.js";
import { byId, clock, JSON_PATTERN, make, prose } from "./dom.js";
import { editor } from "./editor.js";
import { subscribe } from "./live.js";
import { fillPanel } from "./panel.js";
import { ask, summary } from "./request.js";
import { Hidden, readSchema } from "./schema.js";
import { chosenOperation, PATTERN } from "./tokens.js";

const run = byId("run");
const stop = byId("stop");
const leave = () => run.focus();
let saving = 0;

const query = editor(byId("query"), { pattern: PATTERN, leave, changed: saveSoon });
const variables = editor(byId("variables"), { pattern: JSON_PATTERN, leave, changed: saveSoon });

// Running

let cancel = null;

function finished() {
  cancel = null;
  stop.hidden = true;
  if (document.activeElement === document.body) run.focus();
}

function begun(how) {
  cancel = how;
  stop.hidden = false;
}

function request() {
  const text = variables.box.value.trim();
  const operation = chosenOperation(query.box.value, query.box.selectionStart);
  const body = { query: query.box.value, variables: text === "" ? null : JSON.parse(text), operationName: operation?.name };
  return { body, isLive: operation?.type === "subscription" };
}

function start() {
  cancel?.();
  finished();
  save();
  clear();
  // Below the editor on a phone, where nobody would see that something came.
  if (matchMedia("(max-width: 759px)").matches) byId("status").parentElement.scrollIntoView();
  try {
    const { body, isLive } = request();
    if (isLive) follow(body);
    else post(body);
  } catch (error) {
    say(`The variables are not valid JSON: ${error.message}`);
  }
}

async function post(body) {
  const aborter = new AbortController();
  const how = () => aborter.abort();
  begun(how);
  say("Running …");
  let answer = null;
  let sentence;
  try {
    answer = await ask(body, aborter.signal);
    sentence = summary(answer);
  } catch (error) {
    sentence = aborter.signal.aborted ? "Stopped." : `The API does not answer: ${error.message}`;
  }
  // Another one may have begun meanwhile: the pane is its own.
  if (cancel !== how) return;
  finished();
  say(sentence);
  if (answer === null) return;
  showErrors(answer.content?.errors);
  show(answer.content ?? answer.text.slice(0, 4000));
}

function follow(body) {
  const add = eventList();
  say("Connecting …");
  const end = subscribe(body, {
    begun: () => say("Live. Each event is shown as it comes."),
    event: (payload) => {
      if (payload?.errors) showErrors(payload.errors);
      add(payload);
    },
    errors: showErrors,
    ended: (sentence) => {
      finished();
      say(sentence);
    },
  });
  begun(() => {
    end();
    finished();
    say(`Stopped at ${clock()}.`);
  });
}

query.box.form.addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    query.completion?.close();
    start();
  }
});
stop.addEventListener("click", () => {
  cancel?.();
  run.focus();
});

// The address

function save() {
  clearTimeout(saving);
  toAddress({ query: query.box.value, variables: variables.box.value });
}

function saveSoon() {
  clearTimeout(saving);
  saving = setTimeout(save, 300);
}

function load() {
  const kept = fromAddress();
  if (kept === null) return;
  query.reset(kept.query);
  variables.reset(kept.variables);
}

// Going there by its fragment would put the query out of the address.
byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  query.box.focus();
});
addEventListener("hashchange", load);
addEventListener("pagehide", () => saving && save());
// Never run by itself: a link may carry a mutation.
load();

// Examples

const menu = byId("menu");
const examples = byId("examples");

function choose(example) {
  examples.hidePopover();
  if (variables.box.value !== "") variables.replace("");
  query.replace(example.query);
  save();
}

async function fillExamples() {
  const all = await (await fetch("/explorer/examples.json")).json();
  const item = (example) =>
    make("button", { type: "button", onclick: () => choose(example) }, make("b", example.title), prose(example.note, "span.note"));
  examples.replaceChildren(...all.map(item));
  menu.hidden = false;
}

examples.addEventListener("toggle", ({ newState }) => {
  if (newState !== "open") return;
  const place = menu.getBoundingClientRect();
  examples.style.top = `${place.bottom + 4}px`;
  examples.style.left = `${Math.max(8, Math.min(place.right - examples.offsetWidth, innerWidth - examples.offsetWidth - 8))}px`;
  examples.firstElementChild?.focus();
});

// The schema

const toggle = byId("toggle");
const panel = byId("schema");

function openPanel(isOpen) {
  panel.hidden = !isOpen;
  toggle.setAttribute("aria-expanded", isOpen);
  document.body.classList.toggle("three", isOpen);
}

toggle.addEventListener("click", () => {
  openPanel(panel.hidden);
  if (!panel.hidden) byId("find").focus();
});

async function fillSchema() {
  toggle.hidden = false;
  openPanel(matchMedia("(min-width: 1100px)").matches);
  try {
    const schema = await readSchema();
    fillPanel(schema);
    query.completion = completion(query.box, schema, query.insert);
  } catch (error) {
    if (error instanceof Hidden) {
      openPanel(false);
      toggle.hidden = true;
      byId("sdl").hidden = true;
      say("This installation does not show its schema, so there is nothing to browse or complete. Queries run all the same.");
      return;
    }
    byId("view").replaceChildren(make("p", error.message), make("button", { type: "button", onclick: fillSchema }, "Try again"));
  }
}

byId("keys").hidden = false;
say("Run, and the answer comes here. The address keeps the query: share it as a link.");
fillExamples().catch((error) => say(`The examples could not be read: ${error.message}`));
fillSchema();
