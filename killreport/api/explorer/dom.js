// Elements made from text. Nothing in this folder turns text into markup, and the page's policy would not let it.

export const byId = (id) => document.getElementById(id);

/** Return an element: `p.note` gives its tag and classes; then come text, elements, lists of both, and properties. */
export function make(what, ...parts) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  element.classList.add(...classes);
  for (const part of parts.flat(2)) {
    if (typeof part === "string" || part instanceof Node) element.append(part);
    else for (const [name, value] of Object.entries(part || {})) name in element ? (element[name] = value) : element.setAttribute(name, value);
  }
  return element;
}

/** Return the text of a description: what stands between backticks as code. */
export function prose(text, tag = "p") {
  const parts = (text ?? "").split("`");
  const nodes = parts.map((part, index) => (index % 2 && index < parts.length - 1 ? make("code", part) : part));
  return make(`${tag}.prose`, nodes);
}

/** Return the text in pieces, each piece of the pattern in a span of the class its named group gives. */
export function painted(text, pattern) {
  const fragment = document.createDocumentFragment();
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    const kind = Object.keys(match.groups).find((name) => match.groups[name] !== undefined);
    fragment.append(text.slice(end, match.index), make(`span.t-${kind}`, match[0]));
    end = match.index + match[0].length;
  }
  fragment.append(text.slice(end));
  return fragment;
}

export const JSON_PATTERN = /(?<key>"(?:\\.|[^"\\])*"(?=\s*:))|(?<string>"(?:\\.|[^"\\])*")|(?<number>-?\b\d[\d.eE+-]*)|(?<word>\b(?:true|false|null)\b)/g;

export const clock = (date = new Date()) => date.toLocaleTimeString("en-GB");
