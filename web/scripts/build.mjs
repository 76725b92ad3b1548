// Builds the three web apps into the Python package, where the server finds them:
//   static/balie.js   the launcher, one script with a lasting name
//   static/balie-panel.js  what the launcher loads when somebody is about to use it
//   static/widget/    the panel, hashed names listed in .vite/manifest.json
//   static/console/   the console, idem, split by screen
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "vite";

const WEB = fileURLToPath(new URL("..", import.meta.url));
const STATIC = fileURLToPath(new URL("../../src/balie/static", import.meta.url));

const shared = {
  configFile: false,
  root: WEB,
  base: "./", // chunks find each other wherever the server mounts them
  publicDir: false,
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
};

// Browsers of 2023 and later know oklch() and nesting; copies for older ones would double the styles.
const MODERN = { target: "es2022", cssTarget: ["chrome115", "firefox117", "safari16.5"] };

// The launcher's second script is a module, which the first imports by its content.
const panel = {
  ...shared,
  build: {
    ...MODERN,
    outDir: STATIC,
    emptyOutDir: false,
    lib: { entry: `${WEB}launcher/panel.ts`, formats: ["es"], fileName: () => "balie-panel.js" },
  },
};

// A host page loads the launcher as a classic script, so its names must not leak.
const launcher = () => ({
  ...shared,
  define: { PANEL: JSON.stringify(`/balie-panel.js?v=${digest(`${STATIC}/balie-panel.js`)}`) },
  build: {
    ...MODERN,
    outDir: STATIC,
    emptyOutDir: false,
    rolldownOptions: {
      input: `${WEB}launcher/main.ts`,
      output: { format: "iife", entryFileNames: "balie.js" },
    },
  },
});

function digest(file) {
  return createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 8);
}

const app = (name) => ({
  ...shared,
  publicDir: `${WEB}${name}/public`, // what keeps its name, as an install manifest must
  build: {
    ...MODERN,
    outDir: `${STATIC}/${name}`,
    emptyOutDir: true,
    manifest: true,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: `${WEB}${name}/main.tsx`,
      output: {
        entryFileNames: "[name]-[hash].js",
        chunkFileNames: "[name]-[hash].js",
        assetFileNames: "[name]-[hash][extname]",
      },
    },
  },
});

await build(panel);
await build(launcher());
await build(app("widget"));
await build(app("console"));
writeFileSync(`${STATIC}/LICENSES.txt`, licences(["lucide", "preact", "@preact/signals"]));

// What the panel says: the server writes one language into the frame's page.
const spoken = { from: `${WEB}widget/languages`, to: `${STATIC}/widget/languages` };
mkdirSync(spoken.to, { recursive: true });
for (const file of readdirSync(spoken.from)) {
  const words = JSON.parse(readFileSync(`${spoken.from}/${file}`, "utf8"));
  writeFileSync(`${spoken.to}/${file}`, JSON.stringify(words));
}

// Compressed once here, as small as it gets, instead of at every start of the server.
for (const file of readdirSync(STATIC, { recursive: true })) {
  const path = `${STATIC}/${file}`;
  if (/\.(js|css|svg|webmanifest)$/.test(file))
    writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path)));
}

// What others wrote stands in the built files: their terms go with it.
function licences(packages) {
  return packages
    .map((name) => `${name}\n\n${readFileSync(`${WEB}node_modules/${name}/LICENSE`, "utf8")}`)
    .join(`\n${"-".repeat(80)}\n\n`);
}
