// A request over HTTP, and what there is to say about its answer.

/** Return {status, content, text, milliseconds, retryAfter}; content is undefined where the answer is no JSON. */
export async function ask(body, signal) {
  const start = performance.now();
  const response = await fetch("/graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Show-Cost": "1" },
    body: JSON.stringify(body),
    signal,
  });
  const text = await response.text();
  let content;
  try {
    content = JSON.parse(text);
  } catch {
    content = undefined;
  }
  return {
    status: response.status,
    content,
    text,
    milliseconds: performance.now() - start,
    retryAfter: Number(response.headers.get("Retry-After")) || content?.errors?.[0]?.extensions?.retryAfter,
  };
}

/** Return the sentence on top of the answer. */
export function summary({ status, content, text, milliseconds, retryAfter }) {
  const parts = [];
  if (status === 429) parts.push(tooMuch(retryAfter));
  else if (content === undefined) parts.push(`The answer is not JSON (status ${status})`);
  else if (content.errors) parts.push(content.data ? "Answered in part" : `Not answered (status ${status})`);
  parts.push(`${figure(Math.round(milliseconds))} ms`, size(text.length));
  const cost = content?.extensions?.cost;
  if (cost) {
    parts.push(`cost ${figure(cost.cost)} of at most ${figure(cost.limit)}`);
    if (cost.left !== null) parts.push(`${figure(cost.left)} left for now`);
  }
  return parts.join(" · ");
}

function tooMuch(seconds) {
  if (!seconds) return "Too much was asked for: try again later.";
  const then = new Date(Date.now() + seconds * 1000).toLocaleTimeString("en-GB");
  return `Too much was asked for: try again in ${figure(seconds)} s, at ${then}.`;
}

export const figure = (number) => Number(number).toLocaleString("en");

const size = (length) => (length < 1000 ? `${length} B` : `${figure((length / 1000).toFixed(1))} kB`);
