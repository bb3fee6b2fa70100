// What may stand at a place of a query: walks the tokens before it and keeps the type it is in.
import { named, newFirst, typeText } from "./schema.js";
import { tokenise } from "./tokens.js";

const byName = (list, name) => list.find((one) => one.name === name);

/** Return {prefix, start, choices} for the caret; null where nothing can be offered. A choice is {name, type, description, insert}. */
export function choicesAt(schema, text, caret) {
  const prefix = /[A-Za-z_]\w*$/.exec(text.slice(0, caret))?.[0] ?? "";
  const start = caret - prefix.length;
  const tokens = tokenise(text.slice(0, start));
  const last = tokens.at(-1);
  // Nothing is a name in a comment or a string, or behind `$` and `@`.
  if (last?.end === start && !["mark", "name", "keyword"].includes(last.kind)) return null;
  const choices = offered(schema, walk(schema, tokens.filter(({ kind }) => kind !== "comment")));
  return choices && { prefix, start, choices };
}

const frame = (kind, members, type) => ({ kind, type, members: members ?? [], lists: 0, field: null, next: null });

function walk(schema, tokens) {
  // Where a frame has `next`, that is the type the next brace opens.
  const base = { ...frame("document"), next: schema.roots.query };
  const stack = [base];
  let before = "";
  for (const { kind, text } of tokens) {
    const top = stack.at(-1);
    if (text === "{") {
      const type = schema.type(top.next);
      stack.push(top.kind === "input" ? frame("input", type?.inputFields) : frame("selection", type?.fields, top.next));
    } else if (text === "(") {
      stack.push(top.kind === "document" ? frame("variables") : frame("input", top.isDirective ? [] : top.field?.args));
      top.isDirective = false;
    } else if (text === "}" || text === ")") {
      if (stack.length > 1) stack.pop();
      if (stack.length === 1 && text === "}") base.next = schema.roots.query;
    } else if (text === "[" || text === "]") {
      top.lists += text === "[" ? 1 : -1;
    } else if (text === "...") {
      Object.assign(top, { field: null, next: top.type });
    } else if (kind === "directive") {
      top.isDirective = true;
    } else if (kind === "name" || kind === "keyword") {
      const isValue = top.kind === "input" && (before === ":" || top.lists > 0);
      if (before === "on") top.next = text;
      else if (top === base) base.next = schema.roots[text] ?? base.next;
      else if (!isValue && !(text === "on" && before === "...")) {
        top.field = byName(top.members, text);
        Object.assign(top, { isDirective: false, next: top.field && named(top.field.type) });
      }
    }
    before = text;
  }
  return { top: stack.at(-1), before };
}

function offered(schema, { top, before }) {
  const isValue = before === ":" || before === "[" || top.lists > 0;
  if (before === "on") return within(schema, top.type);
  if (top.kind === "document") return before === "" || before === "}" ? words(["query", "subscription", "mutation", "fragment"], " ") : null;
  if (top.kind === "variables") return isValue ? types(schema, ["SCALAR", "ENUM", "INPUT_OBJECT"]) : null;
  if (top.kind === "input") return isValue ? values(schema, top.field) : top.members.map((of) => ({ ...choice(of), insert: `${of.name}: ` }));
  if (before === "...") return words(["on"], " ");
  return [...newFirst(top.members).map(choice), ...words(["__typename"])];
}

const words = (names, after = "") => names.map((name) => ({ name, type: "", description: "", insert: name + after }));
const choice = (of) => ({ name: of.name, type: of.type ? typeText(of.type) : "", description: (of.description ?? "").replaceAll(/\s+/g, " "), isOld: of.isDeprecated, insert: of.name });
const types = (schema, kinds) => [...schema.types.values()].filter(({ kind, name }) => kinds.includes(kind) && !name.startsWith("__")).map(choice);

function within(schema, name) {
  const possible = schema.type(name)?.possibleTypes;
  return possible?.length ? possible.map((one) => choice(schema.type(one.name))) : types(schema, ["OBJECT", "INTERFACE", "UNION"]);
}

function values(schema, field) {
  const type = field && schema.type(named(field.type));
  if (type?.name === "Boolean") return words(["true", "false"]);
  return type?.enumValues ? type.enumValues.map(choice) : null;
}
