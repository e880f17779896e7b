/* SPDX-License-Identifier: Apache-2.0 */
/* Figures and times for people: in the reader's language and time zone, with their unit. What is not known is
 * a dash, never a number that stands for it. */
import { el } from "./dom.js";

export const nothing = "–";

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const day = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });
const minutes = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dayAndMinutes = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const byDigits = new Map();

function known(value) {
  return typeof value === "number" && Number.isFinite(value);
}

function fixed(digits, style) {
  const key = `${digits}${style ?? ""}`;
  if (!byDigits.has(key)) {
    byDigits.set(
      key,
      new Intl.NumberFormat(undefined, {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
        style: style ?? "decimal",
      }),
    );
  }
  return byDigits.get(key);
}

export function number(value) {
  return known(value) ? whole.format(value) : nothing;
}

/** As short as an axis or a tile needs it: 12.3K. */
export function brief(value) {
  if (!known(value)) return nothing;
  return Math.abs(value) < 10000
    ? (Number.isInteger(value) ? whole : fixed(1)).format(value)
    : short.format(value);
}

export function decimal(value, digits = 2) {
  return known(value) ? fixed(digits).format(value) : nothing;
}

export function signed(value, digits = 2) {
  if (!known(value)) return nothing;
  const shown = Number(value.toFixed(digits)); // no sign where nothing but zeros would follow
  return `${shown > 0 ? "+" : shown < 0 ? "−" : "±"}${fixed(digits).format(Math.abs(shown))}`;
}

export function percent(value, digits = 1) {
  return known(value) ? fixed(digits, "percent").format(value) : nothing;
}

/** A difference of two shares, in percentage points. */
export function points(value, digits = 1) {
  return known(value) ? `${signed(value * 100, digits)} pp` : nothing;
}

/** Seconds as a person says them: 23 ms, 4.2 s, 3 min 10 s, 5 h 2 min, 12 d. */
export function duration(seconds) {
  if (!known(seconds)) return nothing;
  const s = Math.abs(seconds);
  const sign = seconds < 0 ? "−" : "";
  if (s < 1) return `${sign}${whole.format(s * 1000)} ms`;
  if (s < 60) return `${sign}${(s < 10 ? fixed(1) : whole).format(s)} s`;
  const both = (large, name, small, other) =>
    `${sign}${whole.format(large)} ${name}${small ? ` ${small} ${other}` : ""}`;
  if (s < 3600) return both(Math.floor(s / 60), "min", Math.floor(s % 60), "s");
  if (s < 86400) return both(Math.floor(s / 3600), "h", Math.floor((s % 3600) / 60), "min");
  return both(Math.floor(s / 86400), "d", Math.floor((s % 86400) / 3600), "h");
}

function dateOf(iso) {
  const date = new Date(iso ?? NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}

export function clockText(date) {
  return clock.format(date);
}

function isToday(date) {
  return date.toDateString() === new Date().toDateString();
}

/** Local time; the day only where it is not today. */
export function timeText(iso) {
  const date = iso instanceof Date ? iso : dateOf(iso);
  if (!date) return nothing;
  return isToday(date) ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
}

/** For an axis: "14:25", or "Nov 22, 14:25". */
export function axisTime(iso) {
  const date = dateOf(iso);
  return date && (isToday(date) ? minutes : dayAndMinutes).format(date);
}

function utc(date) {
  return date
    .toISOString()
    .replace("T", " ")
    .replace(/\.000Z$/, "Z")
    .replace("Z", " UTC");
}

/** A <time> in local time with UTC as its title. */
export function time(iso) {
  const date = dateOf(iso);
  if (!date) return el("span", null, nothing);
  return el("time", { datetime: date.toISOString(), title: utc(date) }, timeText(date));
}

/** 5e0f3a2b11c0d9e8: enough of a version to tell two apart; all of it as the title. */
export function version(text) {
  return text
    ? el("code", { title: text }, text.length > 10 ? text.slice(0, 8) : text)
    : el("span", null, nothing);
}

/** What a level of null is called. */
export function levelName(level) {
  return level === null || level === undefined ? "none" : String(level);
}

/** snake_case for people: price_sensitive is "price sensitive". Only for names of our own. */
export function words(name) {
  return String(name).replaceAll("_", " ");
}
