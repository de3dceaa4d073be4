// Starts Debian's Chromium for the browser tests, with its own profile and nothing that calls home.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Opens a browser context; `close()` ends the browser and removes its profile. */
export async function openBrowser({ width = 1440, height = 900, theme = "light", scale = 1 } = {}) {
  const profile = await mkdtemp(join(tmpdir(), "alphaswarm-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: flags,
    viewport: { width, height },
    colorScheme: theme,
    deviceScaleFactor: scale,
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const problems = [];
  context.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  context.on("weberror", (error) => problems.push(String(error.error())));
  return {
    context,
    problems,
    page: context.pages()[0] ?? (await context.newPage()),
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
