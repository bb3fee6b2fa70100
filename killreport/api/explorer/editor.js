// A textarea that indents, colours and completes. Escape leaves it, so that Tab is no trap.
import { make, painted } from "./dom.js";

const MAX_PAINTED = 30_000;
const INDENT = "  ";

/**
 * Make an editor of a textarea. pattern: named groups for colours; leave(): moves the focus on; changed(): comes after
 * each change. Returns {box, insert, replace, reset, completion}; the last may be set.
 */
export function editor(box, { pattern, leave, changed }) {
  const paint = make("div");
  const self = { box, insert, replace, reset, completion: null };

  function follow() {
    paint.style.transform = `translate(${-box.scrollLeft}px, ${-box.scrollTop}px)`;
  }

  function repaint() {
    const isPainted = box.value.length <= MAX_PAINTED;
    box.parentElement.classList.toggle("painted", isPainted);
    if (isPainted) paint.replaceChildren(painted(box.value, pattern));
    follow();
  }

  function insert(start, end, text) {
    if (start === end && text === "") return;
    box.setSelectionRange(start, end);
    // Deprecated, but the only way that keeps undo; the other is for browsers that dropped it.
    if (document.execCommand(text === "" ? "delete" : "insertText", false, text)) return;
    box.setRangeText(text, start, end, "end");
    box.dispatchEvent(new Event("input"));
  }

  /** Replace all of it, so that undo brings back what was there. */
  function replace(text) {
    box.focus();
    insert(0, box.value.length, text);
    box.setSelectionRange(0, 0);
    box.scrollTo(0, 0);
    self.completion?.close();
  }

  /** Set the text without touching the focus. */
  function reset(text) {
    box.value = text;
    repaint();
  }

  function newLine() {
    const { selectionStart: start, selectionEnd: end, value } = box;
    const line = value.slice(value.lastIndexOf("\n", start - 1) + 1, start);
    insert(start, end, `\n${/^\s*/.exec(line)[0]}${/[{([]\s*$/.test(line) ? INDENT : ""}`);
  }

  function indent(isBack) {
    const { selectionStart: start, selectionEnd: end, value } = box;
    if (!isBack && !value.slice(start, end).includes("\n")) return insert(start, end, INDENT);
    const first = value.lastIndexOf("\n", start - 1) + 1;
    const lines = value.slice(first, end);
    const moved = isBack ? lines.replaceAll(/^ {1,2}/gm, "") : lines.replaceAll(/^(?=.)/gm, INDENT);
    if (moved === lines) return;
    insert(first, end, moved);
    const caret = first + moved.length;
    box.setSelectionRange(start === end ? caret : first, caret);
  }

  function pressed(event) {
    const { key, shiftKey, isComposing } = event;
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (isComposing) return;
    if (self.completion?.key(event)) event.preventDefault();
    else if (key === "Escape") leave();
    else if (isPlain && (key === "Tab" || (key === "Enter" && !shiftKey))) {
      event.preventDefault();
      if (key === "Tab") indent(shiftKey);
      else newLine();
    }
  }

  box.before(make("pre.paint", { "aria-hidden": "true" }, paint));
  box.addEventListener("input", () => {
    repaint();
    changed();
  });
  box.addEventListener("scroll", follow);
  box.addEventListener("keydown", pressed);
  repaint();
  return self;
}
