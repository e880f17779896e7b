/* SPDX-License-Identifier: Apache-2.0 */
/* What stands where data should be: being fetched, nothing there, or gone wrong with a way out. */
import { askAgain } from "./api.js";
import { el } from "./dom.js";

export function loading(what) {
  return el("p", { class: "loading", role: "status" }, `Asking for ${what} …`);
}

export function empty(text, ...more) {
  return el("p", { class: "empty" }, text, " ", more);
}

/** A problem in words, with a button that tries again. */
export function failed(problem, again) {
  const may_not = problem.status === 403;
  const retry = () => {
    askAgain();
    again();
  };
  return el(
    "div",
    { class: "failed", role: "alert" },
    el("p", null, el("strong", null, may_not ? "Your token may not do this" : problem.message)),
    problem.detail ? el("p", null, problem.detail) : null,
    may_not
      ? el(
          "p",
          { class: "note" },
          "It has another role. Whoever runs this server gives out tokens (http.tokens).",
        )
      : null,
    may_not
      ? null
      : el(
          "button",
          { type: "button", onclick: retry },
          problem.status === 401 ? "Enter a token" : "Try again",
        ),
  );
}

/** What asks `question` (a promise); whoever asks while an answer is awaited gets one more question after it, not
 * another at once: answers that take longer than questions come are shown nevertheless. */
export function oneAtATime(question) {
  let running = null;
  let once_more = false;
  return function again() {
    if (running) {
      once_more = true;
      return running;
    }
    running = question().finally(() => {
      running = null;
      if (!once_more) return undefined;
      once_more = false;
      return again();
    });
    return running;
  };
}

/** Runs `ask_it` and puts what `show` makes of its answer into `root`; says so while it waits, and where it fails.
 * Returns {again, stop, first}: a promise of the first answer. */
export function ask(root, what, ask_it, show) {
  const controller = new AbortController();
  const { signal } = controller;
  let shown = false;
  const again = oneAtATime(async () => {
    if (signal.aborted) return;
    if (!shown) root.replaceChildren(loading(what));
    try {
      const answer = await ask_it(signal);
      if (signal.aborted) return;
      show(answer, shown);
      shown = true;
    } catch (problem) {
      if (signal.aborted) return;
      // What is on screen stays: the banner says that it is old.
      const gone = problem.status === 404;
      if (!shown || gone || problem.status === 403) {
        shown = false;
        root.replaceChildren(failed(problem, again));
      }
    }
  });
  return { again, stop: () => controller.abort(), first: again() };
}
