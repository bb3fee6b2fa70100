// The schema as introspection tells it, and looking things up in it.
import { ask } from "./request.js";

const REF = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
const VALUE = `name description type { ${REF} } defaultValue isDeprecated deprecationReason`;
const QUERY = `query Introspection {
  __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types {
      kind name description
      fields(includeDeprecated: true) {
        name description isDeprecated deprecationReason type { ${REF} }
        args(includeDeprecated: true) { ${VALUE} }
      }
      inputFields(includeDeprecated: true) { ${VALUE} }
      interfaces { name }
      enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
      possibleTypes { name }
    }
  }
}`;

/** The API keeps its schema to itself. */
export class Hidden extends Error {}

/** Read the schema. Throws Hidden where introspection is off, Error with a sentence for everything else. */
export async function readSchema() {
  let answer;
  try {
    answer = await ask({ query: QUERY });
  } catch (error) {
    throw new Error(`The schema could not be read: ${error.message}`);
  }
  const found = answer.content?.data?.__schema;
  if (found) return new Schema(found);
  const message = answer.content?.errors?.[0]?.message;
  if (answer.status === 200 && /introspection/i.test(message)) throw new Hidden(message);
  throw new Error(`The schema could not be read: ${message ?? `status ${answer.status}`}`);
}

export const named = (ref) => (ref.ofType ? named(ref.ofType) : ref.name);

/** Put what is deprecated last. */
export const newFirst = (members) => [...members].sort((a, b) => Boolean(a.isDeprecated) - Boolean(b.isDeprecated));

export function typeText(ref) {
  if (ref.kind === "NON_NULL") return `${typeText(ref.ofType)}!`;
  if (ref.kind === "LIST") return `[${typeText(ref.ofType)}]`;
  return ref.name;
}

export class Schema {
  constructor({ types, queryType, mutationType, subscriptionType }) {
    this.types = new Map(types.map((type) => [type.name, type]));
    this.roots = { query: queryType?.name, mutation: mutationType?.name, subscription: subscriptionType?.name };
    this._entries = [...this._list()];
  }

  type(name) {
    return this.types.get(name);
  }

  /** Return the fields of an object or input type, or the values of an enum. */
  members(name) {
    const type = this.types.get(name);
    return type?.fields ?? type?.inputFields ?? type?.enumValues ?? [];
  }

  isRoot(name) {
    return Object.values(this.roots).includes(name);
  }

  *_list() {
    for (const type of this.types.values()) {
      if (type.name.startsWith("__")) continue;
      yield { type, label: type.name, of: type };
      for (const member of this.members(type.name)) {
        yield { type, member, label: `${type.name}.${member.name}`, of: member };
        for (const of of member.args ?? []) yield { type, member, label: `${type.name}.${member.name}(${of.name})`, of };
      }
    }
  }

  /** Return {type, member, label, of} for everything that has all the words, the best first: names before descriptions. */
  find(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const ranked = [];
    for (const entry of this._entries) {
      const [label, name] = [entry.label.toLowerCase(), entry.of.name.toLowerCase()];
      const whole = `${label} ${(entry.of.description ?? "").toLowerCase()}`;
      if (!words.every((word) => whole.includes(word))) continue;
      const fits = [name === words[0] || label === words[0], name.startsWith(words[0]), label.includes(words[0]), true];
      ranked.push([fits.indexOf(true) - (entry.member && this.isRoot(entry.type.name) ? 0.5 : 0), entry]);
    }
    return ranked.sort(([a], [b]) => a - b).map(([, entry]) => entry);
  }
}
