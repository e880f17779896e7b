// SPDX-License-Identifier: Apache-2.0
// Draws every view of the dashboard as PNG files, to be looked at.
import { mkdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = path.dirname(realpathSync(fileURLToPath(import.meta.url)));
const { launch, missing } = await import(pathToFileURL(path.join(here, "browser.mjs")));
const { FakeServer } = await import(pathToFileURL(path.join(here, "fake_server.mjs")));

const usage = `Usage: tests/page/screenshots --out FOLDER (--page FOLDER | --url URL) [--user ID]

Screenshots of each view of the dashboard at 360, 768, 1280 and 1920 pixels, light
and dark, into a folder (which is not the repository's).

  --page FOLDER  a built page, with made-up data (build/stream/page/page)
  --url URL      a running shoal run
  --user ID      the user to show (543210)
  --shape NAME   of the made-up data: usual, empty (nothing has happened yet), large (as much as
                 there can be)
  --only TEXT    only files whose names hold this
`;
const value = (name, other) =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : other;
if (process.argv.includes("--help") || !value("--out") || !(value("--page") || value("--url"))) {
  process.stdout.write(usage);
  process.exit(process.argv.includes("--help") ? 0 : 2);
}
if (missing()) {
  console.error(missing());
  process.exit(1);
}

const sizes = [
  [360, 740, "phone"],
  [768, 1024, "tablet"],
  [1280, 800, "desktop"],
  [1920, 1080, "wide"],
];
const user = value("--user", "543210");
const views = {
  overview: "",
  flow: "flow",
  promotions: "promotions",
  models: "models",
  user: `user/${encodeURIComponent(user)}`,
  search: "user",
  segment: "segment/intent/hot",
};
const out = value("--out");
mkdirSync(out, { recursive: true });

const server = value("--page")
  ? new FakeServer({ page: value("--page"), shape: value("--shape", "usual") })
  : null;
const url = server ? await server.listen() : value("--url");
const browser = await launch();
for (const [width, height, name] of sizes) {
  for (const scheme of ["light", "dark"]) {
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: scheme,
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    for (const [view, hash] of Object.entries(views)) {
      const file = `${view}-${name}-${scheme}.png`;
      if (!file.includes(value("--only", ""))) continue;
      await page.goto(`${url}/#/${hash}`);
      await page.waitForSelector("h1");
      if (view === "flow") await page.locator("select").nth(1).selectOption("0");
      await page.waitForTimeout(view === "flow" ? 2500 : 900);
      if (view === "user" && (await page.locator(".decision").count()) > 1)
        await page.locator(".decision summary").nth(1).click();
      await page.evaluate(() => scrollTo(0, 0));
      await page.screenshot({ path: path.join(out, file), fullPage: true });
    }
    await context.close();
  }
}
await browser.close();
await server?.close();
