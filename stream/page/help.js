/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, and the dialog that lists them. They can be switched off, for those whose software types by itself. */
import { el } from "./dom.js";
import { nextTheme } from "./theme.js";

const go = (hash) => () => {
  location.hash = hash;
};

const keys = [
  ["1", "Overview", go("#/overview")],
  ["2", "Flow between segments", go("#/flow")],
  ["3", "Promotions", go("#/promotions")],
  ["4", "Models", go("#/models")],
  ["5", "User", go("#/user")],
  ["/", "Look for a user", () => toSearch()],
  ["t", "Theme: system, light, dark", nextTheme],
  ["?", "This help", () => open()],
];

function toSearch() {
  const field = () => document.getElementById("user-search");
  if (!field()) location.hash = "#/user";
  setTimeout(() => field()?.focus());
}

function enabled() {
  try {
    return localStorage.getItem("shoal.keys") !== "off";
  } catch {
    return true;
  }
}

function enable(yes) {
  try {
    localStorage.setItem("shoal.keys", yes ? "on" : "off");
  } catch {
    /* stays as it is */
  }
}

function open() {
  if (document.querySelector("dialog[open]")) return;
  const box = el("dialog", { "aria-labelledby": "help-title", id: "help" },
    el("h2", { id: "help-title" }, "Keys"),
    el("dl", { class: "keys" }, keys.map(([key, what]) => [el("dt", null, el("kbd", null, key)), el("dd", null, what)]),
      el("dt", null, el("kbd", null, "←"), " ", el("kbd", null, "→")), el("dd", null, "Between tabs"),
      el("dt", null, el("kbd", null, "Esc")), el("dd", null, "Close a dialog")),
    el("label", { class: "check" },
      el("input", { type: "checkbox", checked: enabled(), onchange: (event) => enable(event.target.checked) }),
      " Single keys do this"),
    el("p", { class: "note" }, "Times are of your time zone; point at one for UTC. Every chart has its figures under “Table”."),
    el("div", { class: "buttons" }, el("button", { type: "button", class: "main", onclick: () => box.close() }, "Close")));
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
}

function typing(target) {
  return target.closest("input, textarea, select, dialog, [contenteditable]");
}

export function setUpHelp(button) {
  button.setAttribute("aria-label", "Keys and help");
  button.addEventListener("click", open);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || typing(event.target) || !enabled()) return;
    const found = keys.find(([key]) => key === event.key);
    if (!found) return;
    event.preventDefault();
    found[2]();
  });
}
