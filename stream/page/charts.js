/* SPDX-License-Identifier: Apache-2.0 */
/* A card with a chart that is also a table: whoever cannot see the one, or wants the figures, reads the other.
 * The only file that knows the chart library. Tooltips are drawn on the canvas (richText): as HTML they would need
 * inline styles, which the content security policy forbids. */
import { el, freshId, scroller, setText, table } from "./dom.js";
import { colour, onTheme, stillness } from "./theme.js";

const paper = matchMedia("print");
let library = null;

/** The library, loaded once; null where it is not there, and the tables remain. */
function load() {
  library ??= import("./library.js").catch(() => null);
  return library;
}

/** Braces mean styles to the library's text. */
export function plain(text) {
  return String(text).replaceAll("{", "(").replaceAll("}", ")").replaceAll("|", "¦");
}

export function axisStyle() {
  const line = { lineStyle: { color: colour("line") } };
  return {
    axisLine: line,
    axisTick: line,
    splitLine: line,
    axisLabel: { color: colour("soft"), fontSize: 11 },
    nameTextStyle: { color: colour("soft"), fontSize: 11 },
  };
}

/** What all charts have in common, in the colours of the theme. */
export function baseOption() {
  return {
    animation: !stillness.matches,
    animationDuration: 300,
    animationDurationUpdate: 300,
    textStyle: { fontFamily: "system-ui, sans-serif", color: colour("ink") },
    grid: { left: 4, right: 12, top: 28, bottom: 4, containLabel: true },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      confine: true,
      backgroundColor: colour("raised"),
      borderColor: colour("line"),
      textStyle: { color: colour("ink"), fontSize: 12 },
      axisPointer: { lineStyle: { color: colour("soft") } },
    },
    legend: {
      type: "scroll",
      top: 0,
      left: 0,
      itemWidth: 12,
      itemHeight: 8,
      icon: "roundRect",
      textStyle: { color: colour("soft"), fontSize: 11 },
      pageTextStyle: { color: colour("soft") },
      pageIconColor: colour("ink"),
      pageIconInactiveColor: colour("line"),
    },
  };
}

/** A card: `chart` describes it.
 *
 *   title     heading
 *   controls  elements beside it
 *   option    data → option of the library, on top of baseOption()
 *   rows      data → {caption, head, rows} of the table
 *   says      data → one sentence: the chart's text alternative
 *   empty     data → text that stands in its place, or "" where there is something to draw
 *   height    class of the drawing's height
 *   lines     (data, width) → rows of small charts in it, each 100 pixels high
 *   note      data → what has to be known beside it, under the drawing and the table
 *   key       [[text, colour, "solid" or "dashed"]]: what the lines are, where the library's legend is not wanted
 *
 * update(data) draws; stop() frees. */
export function chartCard(chart) {
  const title = freshId("chart");
  const canvas = el("div", { class: `drawing ${chart.height ?? ""}`, role: "img" });
  const figures = scroller(chart.title);
  const nothing_there = el("p", { class: "empty", hidden: true });
  const note = el("p", { class: "note", hidden: true });
  const key = chart.key
    ? el(
        "p",
        { class: "key" },
        chart.key.map(([text, name, dash]) =>
          el("span", null, el("i", { class: `swatch ${dash} line-${name}` }), text),
        ),
      )
    : null;
  const toggle = el(
    "button",
    { type: "button", class: "quiet", "aria-pressed": "false", onclick: () => flip() },
    "Table",
  );
  const root = el(
    "section",
    { class: `card ${chart.class ?? ""}`, "aria-labelledby": title },
    el("div", { class: "head" }, el("h2", { id: title }, chart.title), chart.controls, key, toggle),
    canvas,
    figures,
    nothing_there,
    note,
  );
  let instance = null;
  let data;
  let as_table = false;
  let stopped = false;
  figures.hidden = toggle.hidden = true;

  function flip() {
    as_table = !as_table;
    toggle.setAttribute("aria-pressed", String(as_table));
    draw();
  }

  function drawTable() {
    const { caption, head, rows } = chart.rows(data);
    const top = figures.scrollTop;
    figures.replaceChildren(table(head, rows, { caption }));
    figures.scrollTop = top;
  }

  function draw() {
    if (data === undefined || stopped) return;
    const empty = chart.empty?.(data) ?? "";
    const beside = empty ? "" : (chart.note?.(data) ?? "");
    setText(nothing_there, empty);
    nothing_there.hidden = !empty;
    setText(note, beside);
    note.hidden = !beside;
    toggle.hidden = Boolean(empty) || !instance;
    if (key) key.hidden = Boolean(empty);
    const shows_table = as_table || !instance;
    figures.hidden = Boolean(empty) || !shows_table;
    canvas.hidden = Boolean(empty) || shows_table;
    if (empty) return;
    canvas.setAttribute("aria-label", `${chart.title}. ${chart.says(data)}`);
    if (shows_table) {
      drawTable();
      return;
    }
    if (chart.lines) canvas.style.height = `${chart.lines(data, canvas.clientWidth) * 100}px`;
    instance.resize();
    instance.setOption({ ...baseOption(), ...chart.option(data, canvas.clientWidth) }, { notMerge: true });
  }

  const sizes = new ResizeObserver(() => {
    // On paper the style sheet scales what was drawn.
    if (instance && !canvas.hidden && canvas.clientWidth && !paper.matches) draw();
  });
  const forget = onTheme(draw);

  load().then((found) => {
    if (stopped) return;
    if (found) {
      instance = found.init(canvas);
      sizes.observe(canvas);
    }
    draw();
  });

  return {
    root,
    update(next) {
      data = next;
      draw();
    },
    stop() {
      stopped = true;
      forget();
      sizes.disconnect();
      instance?.dispose();
    },
  };
}
