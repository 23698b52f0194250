// Renders the mermaid pictures of Markdown pages in Chromium: node render-gate.mjs MERMAID [--png FOLDER] FILE...
//
// MERMAID is the bundle for browsers, as the npm package carries it. Prints [{"file", "line", "labels", "error"}]: every
// piece of text that stands in the picture. With --png each picture becomes FOLDER/PAGE-N.png as well, and
// FOLDER/pictures.json says of what texts they were drawn.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { pictures } from "./pictures.mjs";

const BROWSERS = ["chromium", "chromium-browser", "google-chrome", "chrome"];
const PATIENCE_MS = 240_000;

function browser() {
  const places = (process.env.PATH ?? "").split(":");
  const named = process.env.CHROMIUM ? [process.env.CHROMIUM] : [];
  const found = [...named, ...BROWSERS.flatMap((name) => places.map((place) => join(place, name)))].find(existsSync);
  if (found === undefined) throw new Error("Chromium is needed: `make setup` says how to get it");
  return found;
}

/** What the page prints: it draws each picture and collects the text, as a reader would see it. */
async function draw(texts, asImages) {
  const whole = { useMaxWidth: false, htmlLabels: !asImages };
  const limits = { maxEdges: 450, maxTextSize: 50_000, htmlLabels: !asImages };
  mermaid.initialize({ startOnLoad: false, ...limits, flowchart: whole, state: whole, sequence: whole });
  const image = async (element) => {
    const { width, height } = element.viewBox.baseVal;
    element.setAttribute("width", width);
    element.setAttribute("height", height);
    const picture = new Image();
    picture.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(element))}`;
    await picture.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [Math.ceil(width), Math.ceil(height)];
    const pen = canvas.getContext("2d");
    pen.fillStyle = "white";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(picture, 0, 0);
    return canvas.toDataURL("image/png").replace(/^.*,/, "");
  };
  const told = [];
  for (const [index, text] of texts.entries()) {
    const found = { labels: [] };
    try {
      const { svg } = await mermaid.render(`picture${index}`, asImages ? text.replaceAll(/<\/?small>/g, "") : text);
      const place = document.createElement("div");
      place.id = `place${index}`;
      place.style.display = "inline-block";
      place.innerHTML = svg;
      document.body.append(place);
      const leaves = place.querySelectorAll("foreignObject, text");
      found.labels = [...leaves].map((leaf) => {
        const copy = leaf.cloneNode(true);
        for (const part of copy.querySelectorAll("br, small, p, tspan")) part.before("\n");
        return copy.textContent.split("\n").map((line) => line.trim()).filter((line) => line !== "").join("\n");
      });
      found.injected = place.querySelectorAll("script, img, iframe, [onload], [onerror], [onclick]").length;
      if (asImages) found.png = await image(place.firstElementChild);
    } catch (error) {
      found.error = error instanceof Error ? error.message : String(error);
    }
    told.push(found);
  }
  const result = document.createElement("pre");
  result.id = "told";
  result.textContent = JSON.stringify(told);
  document.body.append(result);
}

function page(bundle, texts, asImages) {
  const safe = JSON.stringify(texts).replaceAll("<", "\\u003c");
  return `<!doctype html><meta charset="utf-8"><body><script src="${pathToFileURL(resolve(bundle)).href}"></script>
<script>${draw.toString()}
draw(${safe}, ${asImages});</script></body>`;
}

function chromium(folder, ...given) {
  const options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"];
  const home = `--user-data-dir=${join(folder, "profile")}`;
  const done = spawnSync(browser(), [...options, home, "--virtual-time-budget=3600000", ...given], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    timeout: PATIENCE_MS,
  });
  if (done.status !== 0) throw new Error(`Chromium: ${done.error?.message ?? done.stderr}`);
  return done.stdout;
}

function decoded(text) {
  const names = { lt: "<", gt: ">", amp: "&", quot: '"', nbsp: "\u00a0" };
  return text.replace(/&(lt|gt|amp|quot|nbsp);/g, (_, name) => names[name]);
}

const [bundle, ...rest] = process.argv.slice(2);
const png = rest[0] === "--png" ? rest.splice(0, 2)[1] : undefined;
const folder = mkdtempSync(join(tmpdir(), "wfc-render-"));
try {
  const found = rest.flatMap((file) => [...pictures(readFileSync(file, "utf8"))].map((each) => ({ file, ...each })));
  const html = join(folder, "page.html");
  writeFileSync(html, page(bundle, found.map((each) => each.text ?? ""), png !== undefined));
  const dom = chromium(folder, "--dump-dom", pathToFileURL(html).href);
  const said = /<pre id="told">([\s\S]*?)<\/pre>/.exec(dom);
  if (said === null) throw new Error("the page did not come to its end");
  const told = JSON.parse(decoded(said[1]));
  if (png !== undefined) {
    mkdirSync(png, { recursive: true });
    const drawnOf = {};
    for (const [index, picture] of told.entries()) {
      const { file } = found[index];
      const number = found.slice(0, index).filter((each) => each.file === file).length + 1;
      const name = `${basename(file).replace(/\..*/, "")}-${number}.png`;
      writeFileSync(join(png, name), Buffer.from(picture.png, "base64"));
      drawnOf[name] = createHash("sha256").update(found[index].text).digest("hex");
      delete picture.png;
    }
    writeFileSync(join(png, "pictures.json"), `${JSON.stringify(drawnOf, null, 2)}\n`);
  }
  const result = found.map(({ file, line }, index) => ({ file, line, ...told[index] }));
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
