// VS Code in a browser, as a reader would use it: node session.mjs HOME PICTURE
//
// HOME has a folder `shop` with the tasks of the docs, and the packed extension `wfc.vsix`. The task that checks is run, and a
// click on the first problem in the list leads to its place.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const BROWSERS = ["chromium", "chromium-browser", "google-chrome", "chrome"];
const SERVER = fileURLToPath(import.meta.resolve("code-server"));
const SIZE = { width: 1000, height: 860 };
const PANEL = 148; // pixels: room for the list, and for the whole process above it
const BAR = 22;
const SETTINGS = {
  "workbench.startupEditor": "none",
  "workbench.colorTheme": "Default Light Modern",
  "workbench.layoutControl.enabled": false,
  "workbench.activityBar.location": "hidden",
  "window.commandCenter": false,
  "window.menuBarVisibility": "hidden",
  "editor.fontFamily": "DejaVu Sans Mono",
  "editor.fontSize": 13,
  "editor.minimap.enabled": false,
  "editor.cursorBlinking": "solid",
  "git.enabled": false,
  "task.allowAutomaticTasks": "off",
  "problems.defaultViewMode": "tree",
  "remote.autoForwardPorts": false,
  "terminal.integrated.gpuAcceleration": "off",
  "terminal.integrated.shellIntegration.enabled": false,
};

const [home, picture] = process.argv.slice(2);
const places = ["--user-data-dir", join(home, "data"), "--extensions-dir", join(home, "extensions")];

function write(file, value) {
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, JSON.stringify(value, null, 2));
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function opened(port) {
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("code-server does not answer");
}

/** Runs a command of VS Code by its name; while it starts, not all are there. */
async function command(page, name) {
  const row = page.locator(`.quick-input-list .monaco-list-row.focused[aria-label^="${name}"]`);
  for (let tries = 0; tries < 15; tries += 1) {
    await page.keyboard.press("F1");
    await page.locator(".quick-input-widget input").first().waitFor();
    await page.keyboard.type(name);
    if (await row.waitFor({ timeout: 2000 }).then(() => true, () => false)) {
      await page.keyboard.press("Enter");
      return;
    }
    await page.keyboard.press("Escape");
  }
  throw new Error(`VS Code has no command ${name}`);
}

write(join(home, "data", "User", "settings.json"), SETTINGS);
const installed = spawnSync(process.execPath, [SERVER, ...places, "--install-extension", join(home, "wfc.vsix")], {
  encoding: "utf8",
});
if (installed.status !== 0) throw new Error(installed.stdout + installed.stderr);

const port = await freePort();
const quiet = ["--disable-telemetry", "--disable-update-check", "--disable-workspace-trust", "--ignore-last-opened"];
const options = ["--auth", "none", "--bind-addr", `127.0.0.1:${port}`, ...quiet, ...places];
const server = spawn(process.execPath, [SERVER, ...options, join(home, "shop")], { stdio: "ignore", detached: true });
const found = BROWSERS.flatMap((name) => process.env.PATH.split(":").map((place) => join(place, name))).find(existsSync);
const browser = await chromium.launch({ executablePath: found, args: ["--no-sandbox"] });
try {
  await opened(port);
  const page = await browser.newPage({ viewport: SIZE, deviceScaleFactor: 2 });
  page.setDefaultTimeout(30_000);
  await page.goto(`http://127.0.0.1:${port}/?folder=${join(home, "shop")}`);
  await page.getByRole("treeitem", { name: "orders.wf" }).dblclick();
  await page.waitForSelector(".view-line .mtk1");
  await command(page, "Tasks: Run Test Task");
  await page.waitForSelector(".squiggly-error");
  await command(page, "Problems: Focus on Problems View");
  const panel = await page.locator(".part.panel").boundingBox();
  await page.mouse.move(panel.x + 200, panel.y);
  await page.mouse.down();
  await page.mouse.move(panel.x + 200, SIZE.height - BAR - PANEL, { steps: 5 });
  await page.mouse.up();
  await page.locator(".markers-panel .monaco-list-row", { hasText: "missing-rollback" }).click();
  await page.mouse.move(0, 0);
  await page.waitForTimeout(2000); // nothing tells that all has been drawn
  await page.screenshot({ path: picture });
} finally {
  await browser.close();
  process.kill(-server.pid); // with what it has started
  await once(server, "exit");
}
