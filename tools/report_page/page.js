// SPDX-License-Identifier: Apache-2.0
// Draws the report from the JSON in #data. Names come from outside: they only ever become text nodes.
"use strict";
(() => {
const report = JSON.parse(document.getElementById("data").textContent);
const charts = new Map(); // of each plot, the function that draws it and the chart that stands there
const none = "–";

// ---- figures as text ------------------------------------------------------------------------

const known = (x) => typeof x === "number";
// Without the minus of a zero.
const fixed = (x, digits) => (Number(x.toFixed(digits)) || 0).toLocaleString("en",
  {minimumFractionDigits: digits, maximumFractionDigits: digits});
const signed = (x, digits) => (x > 0 ? "+" : "") + fixed(x, digits);
const whole = (x) => known(x) ? fixed(x, 0) : none;
const percent = (x) => known(x) ? fixed(100 * x, 1) + " %" : none;
const money = (x) => known(x) ? fixed(x, 2) : none;
const change = (x) => known(x) ? signed(100 * x, 1) + " %" : none;
const points = (x) => known(x) ? signed(100 * x, 2) : none;
const chance = (p) => !known(p) ? none : p < 0.001 ? "< 0.001" : fixed(p, 3);
const range = (ci, show) => ci ? `${show(ci[0])} … ${show(ci[1])}` : none;
const withRange = (x, ci, show) => known(x) ? show(x) + (ci ? `\n${range(ci, show)}` : "") : none;
const day = (time) => time.slice(0, 10);
const nameOf = (row) => row.dimension === null ? "all users" : `${row.dimension}: ${row.level}`;
const used = (lift) => lift[lift.judged_by];

// ---- elements -------------------------------------------------------------------------------

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

// rows: arrays of cells, the first one the row's head; a cell is text or {text, className, style}.
function table(place, caption, heads, rows) {
  const box = document.getElementById(place);
  const made = element("table");
  made.append(element("caption", caption));
  const top = made.createTHead().insertRow();
  for (const head of heads) {
    const cell = element("th", head, head === "in words" ? "words" : undefined);
    cell.scope = "col";
    top.append(cell);
  }
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    row.forEach((value, at) => {
      const cell = typeof value === "object" ? value : {text: value};
      const made = element(at ? "td" : "th", cell.text, cell.className);
      if (!at) made.scope = "row";
      if (cell.background) made.style.background = cell.background;
      line.append(made);
    });
  }
  box.replaceChildren(made);
}

function nothing(place, why) {
  charts.get(place)?.chart?.destroy();
  charts.delete(place);
  const box = document.getElementById(place);
  box.style.height = "";
  box.replaceChildren(element("p", why, "nothing"));
}

function choose(id, names, changed) {
  const select = document.getElementById(id);
  names.forEach((name, at) => select.append(new Option(name, at)));
  select.addEventListener("change", () => changed(Number(select.value)));
  if (names.length) changed(0);
  select.closest("p").hidden = names.length === 0;
}

// ---- plots ----------------------------------------------------------------------------------

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const series = (at) => color(`c${at % 8}`);
// Beyond eight series, dashes tell them apart.
const dash = (at) => [[], [6, 4], [2, 3], [10, 3, 2, 3]][Math.floor(at / 8) % 4];

// Error bars: points of a data set may have low and high, along x.
const errorBars = {
  id: "errorBars",
  afterDatasetsDraw(chart) {
    const {ctx, scales, chartArea} = chart;
    chart.data.datasets.forEach((set) => {
      for (const point of set.data) {
        if (!known(point.low)) continue;
        const from = scales.x.getPixelForValue(point.low), to = scales.x.getPixelForValue(point.high);
        const y = scales.y.getPixelForValue(point.y);
        ctx.save();
        ctx.beginPath();
        ctx.rect(chartArea.left, chartArea.top, chartArea.width, chartArea.height);
        ctx.clip();
        ctx.beginPath();
        ctx.strokeStyle = point.color;
        ctx.lineWidth = 2;
        ctx.moveTo(from, y); ctx.lineTo(to, y);
        for (const end of [from, to]) { ctx.moveTo(end, y - 5); ctx.lineTo(end, y + 5); }
        ctx.stroke();
        ctx.restore();
      }
    });
  },
};

function axis(title, more) {
  return {
    title: {display: Boolean(title), text: title, color: color("soft")},
    ticks: {color: color("soft"), ...more?.ticks},
    grid: {color: color("line"), borderColor: color("line"), ...more?.grid},
    border: {color: color("line")},
    ...Object.fromEntries(Object.entries(more ?? {}).filter(([key]) => key !== "ticks" && key !== "grid")),
  };
}

// `configure` is called again when the colours change.
function plot(place, label, height, configure) {
  charts.get(place)?.chart?.destroy();
  const box = document.getElementById(place);
  const canvas = element("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  box.style.height = `${height}px`;
  box.replaceChildren(canvas);
  const draw = () => {
    const config = configure();
    config.options = {
      animation: false, responsive: true, maintainAspectRatio: false, ...config.options,
      plugins: {...config.options?.plugins,
        legend: {...config.options?.plugins?.legend, labels: {color: color("ink"), usePointStyle: true, pointStyleWidth: 28,
          ...config.options?.plugins?.legend?.labels}}},
    };
    return new Chart(canvas, config);
  };
  charts.set(place, {draw, chart: draw()});
}

function redraw() {
  for (const entry of charts.values()) {
    entry.chart.destroy();
    entry.chart = entry.draw();
  }
}

const short = (text, most) => text.length > most ? text.slice(0, most - 1) + "…" : text;

// Differences with their intervals, one a line: [{name, value, ci}].
function forest(place, label, unit, lines) {
  if (!lines.length) return nothing(place, "There is nothing to compare: no group has users on both sides.");
  plot(place, label, 90 + 34 * lines.length, () => {
    const ends = lines.flatMap((line) => [line.value, ...(line.ci ?? [])].filter(known));
    const least = Math.min(0, ...ends), most = Math.max(0, ...ends), room = (most - least) * 0.05 || 1;
    const narrow = window.innerWidth < 640;
    const data = lines.map((line, at) => ({
      x: line.value, y: at, low: line.ci?.[0], high: line.ci?.[1],
      color: !line.ci || line.ci[0] <= 0 && line.ci[1] >= 0 ? color("c7") : color(line.value > 0 ? "good" : "bad"),
    }));
    return {
      type: "scatter",
      data: {datasets: [{data, pointRadius: 5, pointHoverRadius: 6, pointBackgroundColor: data.map((p) => p.color),
        pointBorderColor: data.map((p) => p.color)}]},
      plugins: [errorBars],
      options: {
        plugins: {legend: {display: false}, tooltip: {callbacks: {label: (item) => {
          const line = lines[item.dataIndex];
          return `${line.name}: ${signed(line.value, 2)} (${range(line.ci, (x) => signed(x, 2))})`;
        }}}},
        scales: {
          x: axis(unit, {suggestedMin: least - room, suggestedMax: most + room,
            grid: {color: (line) => line.tick?.value === 0 ? color("ink") : color("line")}}),
          y: axis("", {min: -0.6, max: lines.length - 0.4, reverse: true, grid: {display: false},
            afterBuildTicks: (scale) => { scale.ticks = lines.map((_, at) => ({value: at})); },
            ticks: {autoSkip: false, color: color("ink"),
              callback: (at) => short(lines[at]?.name ?? "", narrow ? 16 : 40)}}),
        },
      },
    };
  });
}

// ---- promotions -----------------------------------------------------------------------------

function liftCells(entry) {
  const lift = entry.conversion, difference = used(lift);
  const sure = lift.verdict === "more" ? "good" : lift.verdict === "less" ? "bad" : "";
  return [whole(entry.exposed.users), percent(lift.exposed), whole(entry.control.users), percent(lift.control),
    {text: withRange(difference.difference, difference.ci, points), className: sure}, chance(difference.p),
    withRange(lift.relative, lift.relative_ci, change), range(lift.anytime_ci, points),
    known(lift.detectable) ? fixed(100 * lift.detectable, 2) : none,
    lift.judged_by === "cuped" ? percent(lift.variance_reduced) : none];
}
const liftHeads = ["exposed users", "exposed buyers", "control users", "control buyers", "lift, points, 95 % interval",
  "p-value", "relative lift, 95 % interval", "lift at any time, points", "least lift that would show, points",
  "variance explained (CUPED)"];
const liftLine = (name, entry) => {
  const difference = used(entry.conversion);
  return {name, value: 100 * difference.difference, ci: difference.ci?.map((x) => 100 * x)};
};
const comparable = (entry) => known(used(entry.conversion).difference);

function showPromotions() {
  const list = report.promotions;
  if (!list.length) {
    nothing("lift-plot", "The decisions name no promotion.");
    return;
  }
  forest("lift-plot", "Lift of each promotion with its 95 % interval; the table below has the figures",
    `lift in purchases within ${report.window}, percentage points`,
    list.filter(comparable).map((one) => liftLine(one.promotion, one)));
  table("lift-table", `Purchases within ${report.window} of the first offer`,
    ["promotion", "in words", ...liftHeads, "split as planned (p)"],
    list.map((one) => [one.promotion, {text: one.says, className: "words"}, ...liftCells(one),
      {text: one.split.p === null ? "not checked" : (one.split.broken ? "no, " : "yes, ") + chance(one.split.p),
        className: one.split.broken ? "bad" : ""}]));
  const contacts = list.some((one) => one.contacts.exposed.shown + one.contacts.exposed.clicked > 0);
  if (list.some((one) => one.sales))
    table("sales-table", `Sales a user within ${report.window}, in the currency of the events`,
      ["promotion", "exposed", "control", "difference, 95 % interval", "p-value", "variance explained (CUPED)",
        ...contacts ? ["exposed users shown it", "who clicked", "who redeemed"] : []],
      list.filter((one) => one.sales).map((one) => {
        const difference = used(one.sales), contact = one.contacts.exposed;
        return [one.promotion, money(one.sales.exposed), money(one.sales.control),
          withRange(difference.difference, difference.ci, (x) => signed(x, 2)), chance(difference.p),
          one.sales.judged_by === "cuped" ? percent(one.sales.variance_reduced) : none,
          ...contacts ? [whole(contact.shown), whole(contact.clicked), whole(contact.redeemed)] : []];
      }));
}

function showSegments(at) {
  const one = report.promotions[at];
  forest("segment-plot", `Lift of ${one.promotion} by segment; the table below has the figures`,
    `lift in purchases within ${report.window}, percentage points`,
    one.segments.filter(comparable).map((entry) => liftLine(nameOf(entry), entry)));
  table("segment-table", `${one.promotion}, by segment at the offer`, ["segment", ...liftHeads],
    one.segments.map((entry) => [nameOf(entry), ...liftCells(entry)]));
}

function showGain(promotion, gain) {
  const at = (point, value) => ({x: 100 * point.share, y: value});
  const band = (points, end) => points.filter((p) => p.ci).map((p) => at(p, p.ci[end]));
  const curve = (key) => gain.points.filter((p) => known(p[key])).map((p) => at(p, p[key]));
  plot("gain-plot", `Cumulative gain of ${promotion} by ${gain.score}; the table below has the figures`, 360, () => ({
    type: "line",
    data: {datasets: [
      {label: `by ${gain.score}`, data: curve("extra_buyers"),
        borderColor: color("c0"), backgroundColor: color("c0"), pointStyle: "line", borderWidth: 2},
      {label: "at random", data: curve("at_random"), borderColor: color("c7"), backgroundColor: color("c7"),
        borderDash: [6, 4], pointStyle: "line", pointRadius: 0, borderWidth: 2},
      {label: "95 % interval", data: band(gain.points, 0), borderWidth: 0, pointStyle: "rect", pointRadius: 0,
        backgroundColor: color("c0") + "2a", fill: "+1"},
      {label: "", data: band(gain.points, 1), borderWidth: 0, pointRadius: 0},
    ]},
    options: {
      plugins: {legend: {labels: {filter: (item) => item.text !== ""}}},
      scales: {x: axis("users offered, highest scores first, %", {type: "linear", min: 0, max: 100}),
        y: axis(`extra buyers among ${whole(gain.users)} users`)},
    },
  }));
  table("gain-table", `Extra buyers of ${promotion} among ${whole(gain.users)} users, by ${gain.score}`,
    ["users offered", "extra buyers", "95 % interval", "at random"],
    gain.points.map((p) => [percent(p.share), known(p.extra_buyers) ? fixed(p.extra_buyers, 1) : none,
      range(p.ci, (x) => fixed(x, 1)), known(p.at_random) ? fixed(p.at_random, 1) : none]));
}

// ---- over time ------------------------------------------------------------------------------

const figures = [
  ["active", "active users", whole], ["retention", "retention", percent], ["buyers", "buyers", whole],
  ["penetration", "penetration", percent], ["repeat_purchase", "repeat purchase", percent],
  ["cart_abandonment", "cart abandonment", percent], ["purchases", "purchases", whole],
  ["purchases_growth", "growth of purchases", change], ["sales", "sales", money],
  ["sales_growth", "growth of sales", change],
];
const periods = report.periods;
const rows = periods.length ? periods[0].rows : [];
const dimensions = [...new Set(rows.map((row) => row.dimension).filter((name) => name !== null))];
const rowsOf = (dimension) => rows.flatMap((row, at) => row.dimension === dimension ? [at] : []);
const periodName = (period) => period.date + (period.whole ? "" : "*");
const periodHead = (period) => ({text: periodName(period), className: "date"});

function lines(place, label, unit, chosen, value, stacked) {
  plot(place, label, 340, () => ({
    type: "line",
    data: {labels: periods.map(periodName), datasets: chosen.map((row, at) => ({
      label: stacked ? rows[row].level : nameOf(rows[row]), data: periods.map((period) => value(period.rows[row])),
      borderColor: series(at), backgroundColor: stacked ? series(at) + "99" : series(at), borderDash: dash(at),
      borderWidth: 2, pointStyle: stacked ? "rect" : "line", pointRadius: periods.length > 60 || stacked ? 0 : 3,
      fill: stacked ? (at ? "-1" : "origin") : false, spanGaps: false}))},
    options: {interaction: {mode: "index", intersect: false},
      scales: {x: axis(`${report.period} (UTC${report.utc_offset === "+00:00" ? "" : report.utc_offset})`, {ticks: {maxRotation: 60, autoSkip: true}}),
        y: axis(unit, {stacked: Boolean(stacked), beginAtZero: Boolean(stacked)})}},
  }));
}

function showOverTime() {
  const state = {figure: 1, dimension: 0};
  const groups = [[0], ...dimensions.map((name) => [0, ...rowsOf(name)])];
  const draw = () => {
    const [key, name, show] = figures[state.figure];
    const factor = show === percent || show === change ? 100 : 1;
    const unit = name + (factor === 100 ? ", %" : key === "sales" ? ", in the currency of the events" : "");
    if (!periods.some((period) => known(period.rows[0][key])))
      return nothing("time-plot", `${name}: cannot be told from these files.`);
    lines("time-plot", `${name} by ${report.period}; the table below has the figures`, unit,
      groups[state.dimension], (row) => known(row[key]) ? factor * row[key] : null, false);
  };
  const figureSelect = document.getElementById("time-figure");
  figures.forEach(([, name], at) => figureSelect.append(new Option(name, at)));
  figureSelect.value = state.figure;
  figureSelect.addEventListener("change", () => { state.figure = Number(figureSelect.value); draw(); });
  choose("time-dimension", ["all users only", ...dimensions], (at) => { state.dimension = at; draw(); });
  choose("time-row", rows.map(nameOf), (row) => table("time-table", nameOf(rows[row]),
    [report.period, ...figures.map(([, name]) => name)],
    periods.map((period) => [periodHead(period), ...figures.map(([key, , show]) => show(period.rows[row][key]))])));
}

function showSizes(at) {
  const chosen = rowsOf(dimensions[at]);
  lines("size-plot", `Users by level of ${dimensions[at]}; the table below has the figures`, "users", chosen,
    (row) => row.size, true);
  table("size-table", `Users by level of ${dimensions[at]} at the end of each ${report.period}`,
    [report.period, ...chosen.map((row) => rows[row].level)],
    periods.map((period) => [periodHead(period), ...chosen.map((row) => whole(period.rows[row].size))]));
}

function showMoves(dimension) {
  const moves = report.transitions.filter((move) => move.dimension === dimension);
  const levels = [null, ...rowsOf(dimension).map((row) => rows[row].level)];
  const count = (from, to) => moves.find((move) => move.from === from && move.to === to)?.count ?? 0;
  const from = levels.filter((level) => moves.some((move) => move.from === level));
  const to = levels.filter((level) => moves.some((move) => move.to === level));
  table("move-table", `${dimension}: from the level on the left to the level above`,
    ["from \\ to", ...to.map((level) => level ?? none)],
    from.map((level) => {
      const all = to.reduce((sum, other) => sum + count(level, other), 0);
      return [level ?? none, ...to.map((other) => {
        const n = count(level, other);
        return n === 0 ? {text: ""} : {text: `${whole(n)} (${fixed(100 * n / all, 0)} %)`,
          background: `rgba(${color("heat")}, ${(0.05 + 0.5 * n / all).toFixed(2)})`};
      })];
    }));
}

// ---- all ------------------------------------------------------------------------------------

Chart.defaults.font.family = "system-ui, sans-serif";
document.getElementById("span").textContent =
  `${whole(report.events.events)} events of ${whole(report.events.users)} users, ${day(report.events.from)} to ` +
  `${day(report.events.until)}; purchases within ${report.window} of an offer; by ${report.period}, UTC${report.utc_offset}.`;
const notes = document.getElementById("notes");
notes.hidden = report.notes.length === 0;
notes.querySelector("ul").append(...report.notes.map((note) => element("li", note)));

showPromotions();
const withSegments = report.promotions.map((one, at) => at).filter((at) => report.promotions[at].segments.length);
if (withSegments.length)
  choose("segment-promotion", withSegments.map((at) => report.promotions[at].promotion),
    (at) => showSegments(withSegments[at]));
else {
  choose("segment-promotion", [], () => {});
  nothing("segment-plot", "No offer with a whole window names a segment.");
}
const gains = report.promotions.flatMap((one) => one.gains.map((gain) => [one.promotion, gain]));
choose("gain-choice", gains.map(([promotion, gain]) => `${promotion}, ${gain.score}`), (at) => showGain(...gains[at]));
if (!gains.length) nothing("gain-plot", "No promotion has enough users with a score in both groups.");
showOverTime();
const sized = report.segments.given ? dimensions : [];
choose("size-dimension", sized, showSizes);
if (!sized.length) nothing("size-plot", "There are no segment changes to tell it from.");
choose("move-dimension", sized, (at) => showMoves(sized[at]));
if (!sized.length) nothing("move-table", "There are no segment changes to tell it from.");

const recolor = () => {
  redraw();
  if (sized.length) showMoves(sized[Number(document.getElementById("move-dimension").value)]);
};
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolor);
addEventListener("beforeprint", () => {
  document.documentElement.dataset.print = "";
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
  recolor();
});
addEventListener("afterprint", () => { delete document.documentElement.dataset.print; recolor(); });
})();
