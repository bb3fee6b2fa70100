"use strict";
// Puts new kills into the list where they belong, as the server rendered them, and shows whether the page is live.
const table = document.querySelector("table.kills[data-live]");
const lamp = document.getElementById("live");
const limit = Number(table.dataset.limit);
const words = { live: "Live", waiting: "Waiting for the feed", lost: "Reconnecting", off: "Not live" };

// "silent" comes with its own words: since when no kill came.
function show(told) {
  const [state, ...text] = told.split(" ");
  const shown = text.join(" ") || words[state];
  if (lamp.dataset.state === state && lamp.querySelector(".words").textContent === shown) return;
  lamp.dataset.state = state;
  lamp.querySelector(".words").textContent = shown;
}

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

const rows = () => table.querySelectorAll("tr.kill");

function dayOf(kill) {
  const days = [...table.tBodies];
  const same = days.find((body) => body.dataset.day === kill.day);
  if (same) return same;
  const body = document.createElement("tbody");
  body.dataset.day = kill.day;
  body.append(parse(kill.heading));
  table.insertBefore(body, days.find((other) => other.dataset.day < kill.day) ?? null);
  return body;
}

function dropOldest() {
  const all = rows();
  for (let index = all.length - 1; index >= limit; index -= 1) {
    const body = all[index].parentElement;
    all[index].remove();
    if (body.querySelector("tr.kill") === null) body.remove();
  }
  return all.length > limit;
}

function insert(kill) {
  const all = rows();
  const oldest = all[all.length - 1];
  if (all.length >= limit && kill.key < oldest.dataset.key) return;
  const row = parse(kill.row);
  if (table.querySelector(`tr.kill[data-id="${row.dataset.id}"]`) !== null) return;
  const body = dayOf(kill);
  const next = [...body.querySelectorAll("tr.kill")].find((other) => other.dataset.key < kill.key);
  row.classList.add("new");
  body.insertBefore(row, next ?? null);
  document.getElementById("empty")?.remove();
  if (dropOldest()) pointOlder();
}

// The rows that fell off the end must be on the page that "older" leads to.
function pointOlder() {
  const all = rows();
  let link = document.getElementById("older");
  if (link === null) {
    link = document.createElement("a");
    link.id = "older";
    link.rel = "next";
    link.textContent = "Older kills";
    document.querySelector("nav.pager").append(link);
  }
  link.href = `/?after=${encodeURIComponent(all[all.length - 1].dataset.cursor)}`;
}

const againMilliseconds = 30000;
let source;

function follow() {
  source = new EventSource(table.dataset.live);
  source.addEventListener("kill", (event) => insert(JSON.parse(event.data)));
  source.addEventListener("state", (event) => show(event.data));
  source.addEventListener("error", () => {
    show("lost");
    // Browsers come back by themselves after a break, and not after an answer that says there is no room.
    if (source.readyState === EventSource.CLOSED) window.setTimeout(follow, againMilliseconds);
  });
}

follow();
window.addEventListener("pagehide", () => source.close());
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
