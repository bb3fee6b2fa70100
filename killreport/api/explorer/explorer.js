"use strict";
// Posts the query and shows the answer; without this script the form itself does the same by GET.
const form = document.querySelector("form");
const answer = document.getElementById("answer");
const took = document.getElementById("took");

async function run() {
  const text = form.elements.variables.value.trim();
  let variables = null;
  try {
    variables = text === "" ? null : JSON.parse(text);
  } catch (error) {
    answer.textContent = `The variables are not valid JSON: ${error.message}`;
    return;
  }
  const start = performance.now();
  try {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ query: form.elements.query.value, variables }),
    });
    answer.textContent = JSON.stringify(await response.json(), null, 2);
    took.textContent = `${Math.round(performance.now() - start)} ms`;
  } catch (error) {
    answer.textContent = `The API does not answer: ${error.message}`;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    run();
  }
});
