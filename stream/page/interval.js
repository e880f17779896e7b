/* SPDX-License-Identifier: Apache-2.0 */
/* Small drawings inside tables: an estimate with its interval on a scale that all rows share, and a line of the
 * last hour. Vector, with presentation attributes only. */
import { svg } from "./dom.js";

const width = 160;
const height = 22;

/** The scale for the intervals of a table: symmetric around zero, wide enough for all of them. */
export function scaleOf(lifts) {
  const most = Math.max(0.001, ...lifts.filter(Boolean).flatMap((one) => [Math.abs(one.low), Math.abs(one.high)]));
  return (value) => width / 2 + (value / most) * (width / 2 - 6);
}

/** A dot with whiskers, and where zero is. `says` is its text alternative. */
export function interval(lift, scale, says) {
  const y = height / 2;
  const sure = lift.low > 0 || lift.high < 0;
  const whisker = (x) => svg("line", { x1: x, x2: x, y1: y - 4, y2: y + 4, class: "whisker" });
  return svg("svg", { class: `interval ${sure ? "sure" : ""}`, viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": says },
    svg("line", { x1: width / 2, x2: width / 2, y1: 0, y2: height, class: "zero" }),
    svg("line", { x1: scale(lift.low), x2: scale(lift.high), y1: y, y2: y, class: "whisker" }),
    whisker(scale(lift.low)), whisker(scale(lift.high)),
    svg("circle", { cx: scale(lift.difference), cy: y, r: 4, class: "dot" }));
}

function path(line, most) {
  let pen = "M";
  return line.map((value, i) => {
    if (value === null) {
      pen = "M";
      return "";
    }
    const x = line.length > 1 ? (i / (line.length - 1)) * (width - 2) + 1 : width - 1;
    const step = `${pen}${x.toFixed(1)},${(height - 2 - (value / most) * (height - 4)).toFixed(1)}`;
    pen = "L";
    return step;
  }).join("");
}

/** Lines of [class, values], all from zero to the greatest of them; null is a gap. */
export function spark(lines, says) {
  const most = Math.max(1e-9, ...lines.flatMap(([, values]) => values.map((value) => value ?? 0)));
  return svg("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": says },
    lines.map(([name, values]) => svg("path", { d: path(values, most), class: name })));
}
