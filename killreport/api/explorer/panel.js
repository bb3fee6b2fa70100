// The schema beside the query: what can be asked for, what it means, and a search over all of it.
import { byId, make, prose } from "./dom.js";
import { named, newFirst, typeText } from "./schema.js";

const MAX_FOUND = 80;
const KINDS = { OBJECT: "type", INTERFACE: "interface", UNION: "union", ENUM: "enum", INPUT_OBJECT: "input", SCALAR: "scalar" };
const ROOTS = { query: "Queries", mutation: "Mutations", subscription: "Subscriptions, live" };

/** Fill the panel. It shows the root fields, a type, or what was found. */
export function fillPanel(schema) {
  const [view, find, found, back] = ["view", "find", "found", "back"].map(byId);
  const past = [];
  // The name of a type, or null for the root fields.
  let shown = null;

  const button = (text, name, field) => make("button.type", { type: "button", onclick: () => go(name, field) }, text);
  const heading = (text, note = "") => make("h3", { tabIndex: -1 }, text, make("span.note", ` ${note}`));
  const links = (title, list) => (list?.length ? make("p.links", `${title} `, list.map(({ name }) => [button(name, name), " "])) : "");
  const deprecation = (of) => (of.isDeprecated ? make("p.deprecated", make("b", "Deprecated"), ` ${of.deprecationReason ?? ""}`) : "");

  function line(of) {
    if (!of.type) return make("p.line", make("b", of.name));
    const name = named(of.type);
    const [before, after] = typeText(of.type).split(name);
    const preset = of.defaultValue ? [" = ", make("code", of.defaultValue)] : [];
    return make("p.line", make("b", of.name), `: ${before}`, button(name, name), after, preset);
  }

  function member(of) {
    const args = of.args?.length
      ? make(
          "details",
          make("summary", of.args.map(({ name }) => name).join(", ")),
          make("ul.args", of.args.map((one) => make("li", line(one), prose(one.description), deprecation(one)))),
        )
      : "";
    const item = make(of.isDeprecated ? "li.member.old" : "li.member", { tabIndex: -1 }, line(of), prose(of.description), deprecation(of), args);
    item.dataset.name = of.name;
    return item;
  }

  function members(name) {
    const list = make("ul", newFirst(schema.members(name)).map(member));
    list.dataset.type = name;
    return list;
  }

  function page() {
    if (shown === null) {
      const kinds = Object.keys(ROOTS).filter((kind) => schema.roots[kind]);
      return kinds.map((kind) => make("section", heading(ROOTS[kind]), members(schema.roots[kind])));
    }
    const type = schema.type(shown);
    return [heading(shown, KINDS[type.kind]), prose(type.description), links("Is", type.interfaces), links("One of", type.possibleTypes), members(shown)];
  }

  function result({ type, member: field, label, of }) {
    return make(of.isDeprecated ? "li.member.old" : "li.member", button(label, type.name, field?.name), prose(of.description), deprecation(of));
  }

  function draw() {
    const isSearch = find.value.trim() !== "";
    const results = isSearch ? schema.find(find.value) : [];
    const more = results.length > MAX_FOUND ? `, the first ${MAX_FOUND} shown` : "";
    found.textContent = !isSearch ? "" : results.length ? `${results.length} found${more}` : "Nothing has that in its name or description.";
    view.replaceChildren(...(isSearch ? [make("ul", results.slice(0, MAX_FOUND).map(result))] : page()));
    view.scrollTop = 0;
    back.hidden = past.length === 0 && !isSearch;
  }

  function go(name, field) {
    past.push({ shown, text: find.value, scroll: view.scrollTop });
    shown = field && schema.isRoot(name) ? null : name;
    find.value = "";
    draw();
    const target = field && view.querySelector(`[data-type="${CSS.escape(name)}"] > [data-name="${CSS.escape(field)}"]`);
    (target || view.querySelector("h3")).focus({ preventScroll: true });
    if (!target) return;
    target.querySelector("details")?.setAttribute("open", "");
    view.scrollTop += target.getBoundingClientRect().top - view.getBoundingClientRect().top;
  }

  find.addEventListener("input", draw);
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
    if (event.key === "ArrowDown") view.querySelector("button")?.focus();
  });
  back.addEventListener("click", () => {
    // Out of a search the way goes to where it began.
    const before = find.value.trim() === "" ? past.pop() : { shown, text: "", scroll: 0 };
    shown = before.shown;
    find.value = before.text;
    draw();
    view.scrollTop = before.scroll;
    (back.hidden ? find : back).focus();
  });
  draw();
}
