/* SPDX-License-Identifier: Apache-2.0 */
/* Elements without markup: whatever comes from the server becomes a text node or an attribute, never HTML.
 * No other file makes elements, so this one is where to look for a hole. */
const vector = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return node;
}

/** el("p", {class: "note", onclick: f}, "text", child, [more]): null, undefined and false are left out. */
export function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for drawings. */
export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(vector, tag), attributes, children);
}

/** Sets a text only if it is another one, so that a selection or a screen reader is not disturbed. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Replaces what is in `place` by something of the same kind: focus and scroll positions stay. */
export function refresh(place, ...children) {
  const able = () => [...place.querySelectorAll("a, button, summary, [tabindex]")];
  const scrolled = () => [...place.querySelectorAll(".scroll")];
  const at = able().indexOf(document.activeElement);
  const tops = scrolled().map((one) => one.scrollTop);
  place.replaceChildren(...children);
  scrolled().forEach((one, i) => {
    one.scrollTop = tops[i] ?? 0;
  });
  if (at >= 0) able()[at]?.focus({ preventScroll: true });
}

/** Makes the children of `parent` those of `items`, in their order, and keeps the elements of keys that stay:
 * focus and scroll position survive an update. `update(node, item)` is called for new ones too. */
export function keyed(parent, items, key, create, update) {
  const old = new Map([...parent.children].map((node) => [node.shoalKey, node]));
  let at = parent.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    let node = old.get(name);
    if (node) {
      old.delete(name);
    } else {
      node = create(item);
      node.shoalKey = name;
    }
    update?.(node, item);
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
  for (const node of old.values()) node.remove();
}

/** A row of a table: the first cell is its head. A cell is text, an element, a list of them, or a cell itself. */
export function tableRow([head, ...cells]) {
  const cell = (one) => (one instanceof HTMLTableCellElement ? one : el("td", null, one));
  return el("tr", null, el("th", { scope: "row" }, head), cells.map(cell));
}

/** A table of `rows` (lists of cells) under `head` (texts; "" is above a column that needs none). */
export function table(head, rows, { caption, ...attributes } = {}) {
  const column = (text) => (text ? el("th", { scope: "col" }, text) : el("td"));
  return el(
    "table",
    attributes,
    caption ? el("caption", null, caption) : null,
    el("thead", null, el("tr", null, head.map(column))),
    el("tbody", null, rows.map(tableRow)),
  );
}

/** Something wide that scrolls by itself, with the keyboard too. */
export function scroller(label, ...children) {
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label }, children);
}

let count = 0;

/** An id for label and description, unique in the page. */
export function freshId(what) {
  count += 1;
  return `${what}-${count}`;
}

export function select(label, options, value, onchange) {
  const box = el("select", { onchange: () => onchange(box.value) });
  const wrapped = el("label", { class: "choice" }, el("span", null, label), box);
  wrapped.setOptions = (list, chosen) => {
    const wanted = JSON.stringify(list);
    if (box.shoalOptions !== wanted) {
      box.shoalOptions = wanted;
      box.replaceChildren(...list.map(([id, text]) => el("option", { value: id }, text)));
    }
    box.value = chosen;
  };
  wrapped.setOptions(options, value);
  return wrapped;
}

/** A list of tabs after the ARIA pattern: one of them is in the tab order, arrows move between them. */
export function tabs(label, list) {
  const buttons = list.map(([title, panel], i) => {
    const id = freshId("tab");
    panel.id = freshId("panel");
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", id);
    return el(
      "button",
      { type: "button", role: "tab", id, "aria-controls": panel.id, onclick: () => show(i) },
      title,
    );
  });
  const show = (chosen) => {
    buttons.forEach((button, i) => {
      button.setAttribute("aria-selected", String(i === chosen));
      button.tabIndex = i === chosen ? 0 : -1;
      list[i][1].hidden = i !== chosen;
    });
  };
  const move = (event) => {
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = (to + buttons.length) % buttons.length;
    show(next);
    buttons[next].focus();
  };
  show(0);
  return el(
    "div",
    { class: "tabs" },
    el("div", { role: "tablist", "aria-label": label, onkeydown: move }, buttons),
    list.map(([, panel]) => panel),
  );
}
