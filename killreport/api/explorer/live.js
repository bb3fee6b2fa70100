// A subscription over WebSocket, protocol graphql-transport-ws:
// https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md

const PROTOCOL = "graphql-transport-ws";

const CLOSED = {
  1000: "The API closed the connection.",
  1001: "The API is going away.",
  1006: "The connection was refused or lost. The API may be down, or you have too many connections open.",
  1011: "The API closed the connection after a failure of its own.",
  1012: "The API restarts.",
  4400: "The API did not understand a message of this page.",
  4406: `The API does not speak ${PROTOCOL}.`,
  4408: "The connection took too long to begin.",
  4429: "The connection has too many subscriptions.",
};

/** Return the sentence for the end of a connection. */
export function closing({ code, reason }) {
  const sentence = CLOSED[code] ?? "The connection ended.";
  return `${sentence} Code ${code}${reason ? `, “${reason}”` : ""}. Run subscribes again.`;
}

/**
 * Subscribe; returns what stops it.
 * on: begun(), event(payload), errors(list), ended(sentence): ended comes once, and nothing after it or after the stop.
 */
export function subscribe(body, on) {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`, PROTOCOL);
  let isOver = false;
  const end = (sentence) => {
    if (isOver) return;
    isOver = true;
    socket.close(1000);
    if (sentence !== null) on.ended(sentence);
  };
  const send = (message) => socket.send(JSON.stringify(message));

  const answers = {
    connection_ack: () => {
      send({ type: "subscribe", id: "1", payload: body });
      on.begun();
    },
    ping: ({ payload }) => send({ type: "pong", payload }),
    next: ({ payload }) => on.event(payload),
    error: ({ payload }) => {
      on.errors(payload);
      end("The API refused or ended the subscription.");
    },
    complete: () => end("The subscription is complete."),
  };

  socket.addEventListener("open", () => send({ type: "connection_init" }));
  socket.addEventListener("close", (event) => end(closing(event)));
  socket.addEventListener("message", ({ data }) => {
    if (isOver) return;
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      end("The API sent something that is not JSON.");
      return;
    }
    if (Object.hasOwn(answers, message?.type)) answers[message.type](message);
  });

  return () => {
    if (!isOver && socket.readyState === WebSocket.OPEN) send({ type: "complete", id: "1" });
    end(null);
  };
}
