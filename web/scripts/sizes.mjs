// Prints what a visitor downloads, and fails when it grows over budget.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";

const STATIC = fileURLToPath(new URL("../../src/balie/static", import.meta.url));
const BUDGETS = { launcher: 2048, panel: 20 * 1024, language: 1536 }; // bytes of brotli

const launcher = weigh("balie.js");
const widget = readManifest("widget");
const second = weigh("balie-panel.js");
const languages = readdirSync(`${STATIC}/widget/languages`).map((name) =>
  weigh(`widget/languages/${name}`),
);
const heaviest = Math.max(...languages.map((language) => language.brotli));
// Until a visitor can type: the launcher's second script, the entry, what it imports at once, styles and
// one language.
const panel = neededAtOnce(widget).reduce(
  (sum, file) => sum + weigh(file).brotli,
  second.brotli + heaviest,
);

const consoleFiles = readManifest("console").chunks;
for (const chunk of [launcher, second, ...languages, ...widget.chunks, ...consoleFiles])
  print(chunk);

const overruns = [
  judge("launcher", launcher.brotli, BUDGETS.launcher),
  judge("panel until typing", panel, BUDGETS.panel),
  ...languages.map(({ file, brotli }) => judge(file, brotli, BUDGETS.language)),
].filter((fits) => !fits);
process.exitCode = overruns.length > 0 ? 1 : 0;

function readManifest(app) {
  const manifest = JSON.parse(readFileSync(`${STATIC}/${app}/.vite/manifest.json`, "utf8"));
  const chunks = Object.entries(manifest).map(([source, { file }]) => ({
    source,
    ...weigh(`${app}/${file}`),
  }));
  return { app, manifest, chunks };
}

function neededAtOnce({ app, manifest }) {
  const entries = Object.keys(manifest).filter((source) => manifest[source].isEntry);
  const reached = new Set();
  const visit = (source) => {
    if (reached.has(source)) return;
    reached.add(source);
    for (const imported of manifest[source].imports ?? []) visit(imported);
  };
  entries.forEach(visit);
  const files = [...reached].flatMap((source) => [
    manifest[source].file,
    ...(manifest[source].css ?? []),
  ]);
  return [...new Set(files)].map((file) => `${app}/${file}`);
}

function weigh(file) {
  const bytes = readFileSync(`${STATIC}/${file}`);
  return {
    file,
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes).length,
  };
}

function print({ file, raw, gzip, brotli }) {
  const columns = [raw, gzip, brotli].map((size) => String(size).padStart(9));
  console.log(`${file.padEnd(40)} raw${columns[0]}  gzip${columns[1]}  brotli${columns[2]}`);
}

function judge(what, brotli, budget) {
  const fits = brotli <= budget;
  console.log(`${fits ? "fits" : "OVER"}  ${what}: ${brotli} of ${budget} bytes of brotli`);
  return fits;
}
