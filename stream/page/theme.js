/* SPDX-License-Identifier: Apache-2.0 */
/* Light, dark, or as the system has it; and the colours of the style sheet for what is drawn on a canvas. */
const names = ["auto", "light", "dark"];
const words = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" };
const watchers = new Set();
const system = matchMedia("(prefers-color-scheme: dark)");

export const stillness = matchMedia("(prefers-reduced-motion: reduce)");

function chosen() {
  return document.documentElement.dataset.theme ?? "auto";
}

function keep(name) {
  try {
    if (name === "auto") localStorage.removeItem("shoal.theme");
    else localStorage.setItem("shoal.theme", name);
  } catch {
    /* it holds for this page only */
  }
}

function tell() {
  for (const watcher of watchers) watcher();
}

/** Calls `watcher` after each change of colours; returns what ends that. */
export function onTheme(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function set(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  tell();
}

export function nextTheme() {
  const name = names[(names.indexOf(chosen()) + 1) % names.length];
  set(name);
  keep(name);
}

/** Paper is light, whatever the screen is. */
function setUpPrinting() {
  let before = null;
  addEventListener("beforeprint", () => {
    before = chosen();
    set("light");
  });
  addEventListener("afterprint", () => {
    if (before !== null) set(before);
    before = null;
  });
}

export function setUpTheme(button) {
  const show = () => {
    const icon = { auto: "◐", light: "○", dark: "●" }[chosen()];
    button.textContent = icon;
    button.setAttribute("aria-label", words[chosen()]);
    button.title = `${words[chosen()]} (t)`;
  };
  button.addEventListener("click", nextTheme);
  system.addEventListener("change", tell);
  stillness.addEventListener("change", tell);
  onTheme(show);
  setUpPrinting();
  show();
}

/** The colour of a custom property of the style sheet: colour("ink"). */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

const sequence = ["s0", "s1", "s2"];

/** One colour for a level: a ramp for up to three levels in an order, else hues side by side. */
export function levelColour(index, count) {
  if (count === 1) return colour("c0");
  if (count <= 3) return colour(sequence[count === 2 ? index * 2 : index]);
  return colour(`c${index % 8}`);
}

/** The name of that colour's class for a bar of the style sheet. */
export function levelClass(index, count) {
  if (count === 1) return "fill-c0";
  if (count <= 3) return `fill-${sequence[count === 2 ? index * 2 : index]}`;
  return `fill-c${index % 8}`;
}
