/* SPDX-License-Identifier: Apache-2.0 */
/* One user: where they stand, what they did, what moved their score, what was decided and why. It is asked for
 * again when a message about the user comes, and every few seconds for events that change nothing. */
import { get } from "./api.js";
import { el, refresh } from "./dom.js";
import { follow, on } from "./live.js";
import { ask, empty, failed, loading, oneAtATime } from "./states.js";
import { decisionList } from "./user_decisions.js";
import { explanation } from "./user_explain.js";
import { forgetButton } from "./user_forget.js";
import { scoreCard, scoreData } from "./user_score.js";
import { setFreshness, standing } from "./user_standing.js";
import { moves, timeline } from "./user_timeline.js";

const refresh_ms = 5000;
const settle_ms = 300; // several messages of one event cause one question

function search(user) {
  const field = el("input", {
    id: "user-search",
    name: "user",
    type: "search",
    required: true,
    maxlength: "64",
    value: user ?? "",
    autocomplete: "off",
    spellcheck: "false",
    autocapitalize: "off",
  });
  return el(
    "form",
    {
      class: "search",
      role: "search",
      onsubmit: (event) => {
        event.preventDefault();
        if (field.value.trim()) location.hash = `#/user/${encodeURIComponent(field.value.trim())}`;
      },
    },
    el("label", { for: "user-search" }, "User id"),
    field,
    el("button", { type: "submit", class: "main" }, "Show"),
  );
}

/** A card whose content is asked for separately: one that fails leaves the others. */
function part(title, className) {
  const place = el("div", null, loading("it"));
  return {
    place,
    root: el(
      "section",
      { class: `card ${className ?? ""}`, "aria-label": title },
      el("div", { class: "head" }, el("h2", null, title)),
      place,
    ),
  };
}

/** Nothing happened between the two but that time went by: what has the focus or is selected stays. */
function sameBut(answer, before) {
  return (
    JSON.stringify({ ...answer, freshness_seconds: 0 }) ===
    JSON.stringify({ ...before, freshness_seconds: 0 })
  );
}

function userPage(place, user, first) {
  const path = `v1/users/${encodeURIComponent(user)}`;
  const stand = el("div", { class: "span-all" });
  const events = part("Timeline", "tall");
  const why = part("What moved the score", "span2");
  const decided = part("Decisions, evaluated now", "span2");
  const score = scoreCard();
  const note = el("p", { class: "note", role: "status" });
  const changes = [];
  place.replaceChildren(
    stand,
    el("div", { class: "grid" }, score.root, events.root, why.root, decided.root),
    note,
    forgetButton(user, note),
  );

  const page = { answer: first, explained: null, why_not: "Asking for it …" };
  const drawEvents = () => {
    events.place.replaceChildren(timeline(page.answer, page.explained, changes));
    score.update(scoreData(page.explained, moves(page.answer, changes), page.why_not));
  };
  const take = (answer) => {
    page.answer = answer;
    refresh(stand, standing(answer));
    drawEvents();
  };
  const why_not = (problem) => {
    page.explained = null;
    page.why_not = `${problem.message}.`;
    // With no event there is nothing to explain, and nothing went wrong.
    why.place.replaceChildren(problem.status === 409 ? empty(page.why_not) : failed(problem, again));
    drawEvents();
  };
  const again = oneAtATime(() =>
    Promise.all([
      get(`${path}/explain`).then((answer) => {
        page.explained = answer;
        explanation(why.place, answer);
        drawEvents();
      }, why_not),
      get(`${path}/decisions`).then(
        (answer) => decisionList(decided.place, answer),
        (problem) => decided.place.replaceChildren(failed(problem, again)),
      ),
    ]),
  );
  take(first);
  again();
  return {
    update(answer) {
      if (sameBut(answer, page.answer)) {
        setFreshness(stand, answer);
        return;
      }
      const moved =
        answer.offset !== page.answer.offset ||
        answer.partition !== page.answer.partition ||
        answer.model !== page.answer.model;
      take(answer);
      if (moved) again();
    },
    changed: (change) => changes.unshift(change),
    redecide: again,
    stop: score.stop,
  };
}

function nobody(user, forgotten) {
  return empty(
    `No user “${user}” is known.`,
    forgotten
      ? "The user has just been forgotten: state, timers and history of promotions are removed. "
      : null,
    "Ids are compared exactly, and where ids are pseudonyms the stored one counts. A user appears with the first event, and is gone after being forgotten. ",
    el("a", { href: "#/segment/intent/hot" }, "Some users with hot intent"),
  );
}

function showOne(root, user) {
  const place = el("div");
  root.append(place);
  let page = null;
  let timer = null;
  let forgotten = false;
  const asked = ask(
    place,
    "this user",
    async (signal) => {
      try {
        return await get(`v1/users/${encodeURIComponent(user)}`, signal);
      } catch (problem) {
        if (problem.status !== 404) throw problem;
        return null;
      }
    },
    (answer) => {
      if (!answer) {
        // also of a user who is forgotten while somebody looks: nothing of theirs stays on screen
        page?.stop();
        page = null;
        if (place.querySelector(".gone")) return;
        const focused = place.contains(document.activeElement);
        place.replaceChildren(el("div", { class: "gone" }, nobody(user, forgotten)));
        if (focused) document.getElementById("main").focus();
        return;
      }
      if (page) page.update(answer);
      else page = userPage(place, user, answer);
    },
  );

  let stopped = false;
  const askIn = (ms) => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(() => asked.again().finally(() => askIn(refresh_ms)), ms);
  };
  const soon = () => askIn(settle_ms);
  const unfollow = follow(
    `types=change,decision,forgotten&user=${encodeURIComponent(user)}`,
    ({ type, data }) => {
      if (type === "change") page?.changed(data);
      if (type === "decision") page?.redecide();
      if (type === "forgotten") {
        forgotten = true;
        place.querySelector(".gone")?.remove(); // it is said anew, with the reason
      }
      soon();
    },
    soon,
  );
  const end = on("back", soon);
  asked.first.finally(() => askIn(refresh_ms));
  return () => {
    stopped = true;
    clearTimeout(timer);
    end();
    unfollow();
    asked.stop();
    page?.stop();
  };
}

export function showUser(root, [user]) {
  root.append(el("h1", null, user ? ["User ", el("span", { class: "id" }, user)] : "User"), search(user));
  if (user) return showOne(root, user);
  root.append(
    empty(
      "Enter a user's id, or choose somebody from a segment:",
      ["hot", "warm", "cold"].map((level) => [
        " ",
        el("a", { href: `#/segment/intent/${level}` }, `intent ${level}`),
      ]),
    ),
  );
  return () => {};
}
