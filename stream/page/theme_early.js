/* SPDX-License-Identifier: Apache-2.0 */
/* The chosen theme before the first paint, so that a dark room sees no white flash; theme.js does the rest. */
try {
  const chosen = localStorage.getItem("shoal.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  /* no storage: as the system has it */
}
