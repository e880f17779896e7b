/* SPDX-License-Identifier: Apache-2.0 */
/* Some users who stand at a level, page by page: a way from a figure to people. */
import { get } from "./api.js";
import { el, table, tableRow } from "./dom.js";
import { decimal, time, words } from "./format.js";
import { ask, empty, failed } from "./states.js";

const page_size = 50;
const most_empty = 20; // of a rare level many pieces of the scan hold nobody

function address(dimension, level, cursor) {
  const path = `v1/segments/${encodeURIComponent(dimension)}/${encodeURIComponent(level)}/users?limit=${page_size}`;
  return cursor ? `${path}&cursor=${encodeURIComponent(cursor)}` : path;
}

function row({ user_id, since, score }) {
  const user = el("a", { class: "id", href: `#/user/${encodeURIComponent(user_id)}` }, user_id);
  return tableRow([user, time(since), decimal(score, 3)]);
}

export function showSegment(root, [dimension = "intent", level = "hot"]) {
  const place = el("div");
  const title = `${words(dimension)} = ${level}`;
  root.append(
    el("p", null, el("a", { href: "#/overview" }, "← Overview")),
    el("h1", null, `Users with ${title}`),
    el(
      "p",
      { class: "note" },
      "Found by a scan: in no particular order, and whoever moves meanwhile may be missing.",
    ),
    place,
  );
  const members = table(["User", "Since", "Score"], []);
  const more = el("div", { class: "buttons left" });

  /** The next page that has somebody in it, if one comes soon. */
  async function page(cursor, signal) {
    let answer = await get(address(dimension, level, cursor), signal);
    for (let i = 0; i < most_empty && !answer.users.length && answer.next; i += 1)
      answer = await get(address(dimension, level, answer.next), signal);
    return answer;
  }

  async function next(cursor, button) {
    button.disabled = true;
    try {
      add(await page(cursor));
    } catch (problem) {
      more.replaceChildren(failed(problem, () => next(cursor, button)));
    }
  }

  function add({ users, next: cursor }) {
    members.tBodies[0].append(...users.map(row));
    const button = el(
      "button",
      { type: "button", onclick: () => next(cursor, button) },
      users.length ? "More" : "Look further",
    );
    more.replaceChildren(...(cursor ? [button] : []));
  }

  const asked = ask(
    place,
    "users",
    (signal) => page(null, signal),
    (answer) => {
      if (!answer.users.length && !answer.next) {
        place.replaceChildren(empty("Nobody is there at this moment."));
        return;
      }
      place.replaceChildren(el("div", { class: "card flat members" }, members), more);
      add(answer);
    },
  );
  return asked.stop;
}
