/* SPDX-License-Identifier: Apache-2.0 */
/* The token that the server may ask for. It is kept for this tab only (sessionStorage), and sent in a header:
 * a URL would end up in histories and logs. */
import { el, freshId } from "./dom.js";

let held = null;
let asking = null;

export function token() {
  if (held === null) {
    try {
      held = sessionStorage.getItem("shoal.token") ?? "";
    } catch {
      held = "";
    }
  }
  return held;
}

function keep(text) {
  held = text;
  try {
    sessionStorage.setItem("shoal.token", text);
  } catch {
    /* it is asked for again after a reload */
  }
}

export function headers() {
  return token() ? { authorization: `Bearer ${token()}` } : {};
}

function dialog(refused, done) {
  const field = el("input", { type: "password", name: "token", autocomplete: "off", required: true, id: freshId("token") });
  const title = freshId("title");
  const form = el("form", { method: "dialog" },
    el("h2", { id: title }, "A token, please"),
    el("p", null, refused ? "The server does not know this token." :
      "This server answers only those who have a token of it (http.tokens)."),
    el("label", { for: field.id }, "Token"), field,
    el("p", { class: "note" }, "It stays in this tab and is forgotten with it."),
    el("div", { class: "buttons" },
      el("button", { type: "button", onclick: () => box.close("") }, "Not now"),
      el("button", { type: "submit", class: "main" }, "Use it")));
  const box = el("dialog", { "aria-labelledby": title, id: "token-dialog" }, form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim()) box.close(field.value.trim());
  });
  box.addEventListener("close", () => {
    box.remove();
    done(box.returnValue);
  });
  document.body.append(box);
  box.showModal();
  field.focus();
}

/** Asks for a token, once for all who wait; `used` is the one that was refused. Promises true if there is another
 * one now. */
export function askToken(used) {
  if (token() !== used) return Promise.resolve(true); // somebody else was told already
  asking ??= new Promise((resolve) => {
    dialog(used !== "", (text) => {
      asking = null;
      if (text) keep(text);
      resolve(Boolean(text));
    });
  });
  return asking;
}
