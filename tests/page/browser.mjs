// SPDX-License-Identifier: Apache-2.0
// Debian's Chromium under playwright-core, both where tools/setup --chromium has put them.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const cache = process.env.SHOAL_CACHE ?? path.join(os.homedir(), ".cache", "shoal");
const home = path.join(cache, "page-tests");
const program = process.env.SHOAL_CHROMIUM ?? "/usr/bin/chromium";

/** Why no browser can be had; "" if one can. */
export function missing() {
  const lock = path.join(home, "package-lock.json");
  if (!existsSync(lock) || !readFileSync(lock).equals(readFileSync(path.join(here, "package-lock.json")))) return "playwright-core is not fetched: run tools/setup --chromium";
  if (!existsSync(program)) return `${program} is not there: run tools/setup --chromium`;
  return "";
}

const require = createRequire(path.join(home, "package.json"));

export function axeSource() {
  return readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
}

/** A browser with a profile of its own: {newContext(options), close()}. */
export async function launch() {
  const { chromium } = require("playwright-core");
  const profile = mkdtempSync(path.join(os.tmpdir(), "shoal-chromium-"));
  // --no-sandbox: as root, and in containers, there is no other way; it sees pages of this machine only.
  const browser = await chromium.launch({ executablePath: program, headless: true, env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"] });
  return {
    newContext: (options) => browser.newContext(options),
    close: async () => {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
