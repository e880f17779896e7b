/* SPDX-License-Identifier: Apache-2.0 */
/* Forgetting a user: irreversible, so it is behind a question that has to be answered with the user's id. */
import { remove } from "./api.js";
import { el, freshId, setText } from "./dom.js";

async function send(user, note) {
  setText(note, "Asking the server …");
  try {
    const answer = await remove(`v1/users/${encodeURIComponent(user)}`);
    const list = (answer.partitions ?? []).join(", ");
    setText(note, `Accepted${list ? `, partition ${list}` : ""}: it takes effect in its turn, after the events that are already on their way.`);
  } catch (problem) {
    setText(note, problem.status === 403
      ? "Nothing was changed: your token may read, but only the role admin may forget a user. Whoever runs this server gives out tokens (http.tokens)."
      : `Nothing was changed: ${problem.message}. ${problem.detail}`);
  }
}

function question(user, note) {
  const title = freshId("forget");
  const field = el("input", { type: "text", autocomplete: "off", spellcheck: "false", id: freshId("confirm"), oninput: () => {
    confirm.disabled = field.value !== user;
  } });
  const confirm = el("button", { type: "submit", class: "danger", disabled: true }, "Forget for ever");
  const box = el("dialog", { "aria-labelledby": title, id: "forget-dialog" },
    el("form", { method: "dialog", onsubmit: (event) => {
      event.preventDefault();
      box.close();
      if (field.value === user) send(user, note);
    } },
      el("h2", { id: title }, "Forget this user?"),
      el("p", null, "State, timers and the history of promotions are removed, and subscribers are told to drop what they hold. It cannot be undone."),
      el("p", null, "To confirm, enter ", el("b", { class: "id" }, user)),
      el("label", { for: field.id }, "User id"), field,
      el("div", { class: "buttons" }, el("button", { type: "button", onclick: () => box.close() }, "Cancel"), confirm)));
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  field.focus();
}

export function forgetButton(user, note) {
  return el("p", { class: "buttons left" }, el("button", { type: "button", class: "danger", onclick: () => question(user, note) }, "Forget this user …"));
}
