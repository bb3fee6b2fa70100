// The list of names under the caret while a query is typed. The keyboard stays in the editor.
import { choicesAt } from "./context.js";
import { make } from "./dom.js";

const MAX_CHOICES = 60;

/** Offer names of the schema in the textarea; insert(start, end, text) puts one in its place. Returns {key, close}. */
export function completion(textarea, schema, insert) {
  const list = make("ul", { id: "choices", role: "listbox", hidden: true, "aria-label": "Names that fit here" });
  // What is offered, and for which part of the text; null while the list is closed.
  let found = null;
  let chosen = 0;

  function close() {
    found = null;
    list.hidden = true;
    textarea.removeAttribute("aria-activedescendant");
  }

  function open(shortest) {
    const { value, selectionStart: end, selectionEnd } = textarea;
    found = end === selectionEnd ? choicesAt(schema, value, end) : null;
    const typed = found?.prefix.toLowerCase() ?? "";
    const begins = ({ name }) => name.toLowerCase().startsWith(typed);
    const fitting = (found?.choices ?? []).filter(({ name }) => name.toLowerCase().includes(typed));
    const isDone = shortest > 0 && fitting.some(({ name }) => name === found.prefix);
    if (fitting.length === 0 || typed.length < shortest || isDone) return close();
    found = { start: found.start, end, choices: fitting.sort((a, b) => begins(b) - begins(a)).slice(0, MAX_CHOICES) };
    list.replaceChildren(...found.choices.map(option));
    list.hidden = false;
    place();
    choose(0);
  }

  function place() {
    const before = textarea.value.slice(0, found.start).split("\n");
    const style = getComputedStyle(textarea);
    const line = parseFloat(style.lineHeight);
    const top = parseFloat(style.paddingTop) + before.length * line - textarea.scrollTop;
    const isBelow = top + list.offsetHeight < textarea.clientHeight || top < textarea.clientHeight / 2;
    list.style.top = `${isBelow ? top : top - line - list.offsetHeight}px`;
    const left = `${style.paddingLeft} + ${before.at(-1).length}ch - ${textarea.scrollLeft}px`;
    list.style.left = `max(0px, min(${left}, 100% - ${list.offsetWidth}px))`;
  }

  function choose(index) {
    const items = [...list.children];
    chosen = Math.max(0, Math.min(index, items.length - 1));
    items.forEach((item, place) => item.setAttribute("aria-selected", place === chosen));
    items[chosen].scrollIntoView({ block: "nearest" });
    textarea.setAttribute("aria-activedescendant", items[chosen].id);
  }

  function take(index) {
    const { start, end, choices } = found;
    close();
    insert(start, end, choices[index].insert);
  }

  /** Handle a key; true where nobody else should. */
  function key({ key: name, ctrlKey, metaKey, shiftKey }) {
    if (name === " " && ctrlKey) open(0);
    else if (found === null) return false;
    else if (name === "ArrowDown" || name === "ArrowUp") choose(chosen + (name === "ArrowDown" ? 1 : -1));
    else if ((name === "Enter" || name === "Tab") && !shiftKey && !ctrlKey && !metaKey) take(chosen);
    else if (name === "Escape") close();
    else {
      if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(name)) close();
      return false;
    }
    return true;
  }

  textarea.after(list);
  textarea.setAttribute("aria-autocomplete", "list");
  textarea.setAttribute("aria-controls", "choices");
  textarea.addEventListener("input", ({ isComposing, inputType }) => {
    if (!isComposing && (found !== null || !inputType?.startsWith("delete"))) open(1);
  });
  for (const name of ["blur", "scroll", "pointerdown"]) textarea.addEventListener(name, close);
  // A press would take the focus from the editor before the choice is made.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", ({ target }) => take([...list.children].indexOf(target.closest("li"))));
  return { key, close };
}

function option({ name, type, description, isOld }, index) {
  const note = make("span.note", `${isOld ? "Deprecated. " : ""}${description}`);
  return make(isOld ? "li.old" : "li", { id: `choice-${index}`, role: "option" }, make("b", name), " ", make("span.ref", type), note);
}
