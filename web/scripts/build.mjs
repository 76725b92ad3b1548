// Builds the three web apps into the Python package, where the server finds them:
//   static/balie.js   the launcher, one script with a lasting name
//   static/widget/    the panel, hashed names listed in .vite/manifest.json
//   static/console/   the console, idem, split by screen
import { fileURLToPath } from "node:url";
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

// A host page loads the launcher as a classic script, so its names must not leak.
const launcher = {
  ...shared,
  build: {
    target: "es2022",
    outDir: STATIC,
    emptyOutDir: false,
    lib: {
      entry: `${WEB}launcher/main.ts`,
      formats: ["iife"],
      name: "BalieLauncher",
      fileName: () => "balie.js",
    },
  },
};

const app = (name) => ({
  ...shared,
  build: {
    target: "es2022",
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

for (const config of [launcher, app("widget"), app("console")]) {
  await build(config);
}
