// Writes static/dist: hashed css, js, font, icon sprite, their licences and manifest.json. Run through scripts/build-assets.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../static/dist");
const work = join(here, ".build");
const modules = join(here, "node_modules");
const LICENCES = [
  "htmx.org", "htmx-ext-response-targets", "idiomorph", "lucide-static", "plyr", "hls.js", "sortablejs", "tailwindcss", "@fontsource-variable/inter",
];

rmSync(out, { recursive: true, force: true });
rmSync(work, { recursive: true, force: true });
mkdirSync(join(out, "licenses"), { recursive: true });
mkdirSync(work, { recursive: true });
const manifest = {};
const sizes = [];

/** Put one file into dist under a name that changes with its content. */
function emit(name, content) {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(content);
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 10);
  const ext = extname(name);
  manifest[name] = `${basename(name, ext)}.${hash}${ext}`;
  writeFileSync(join(out, manifest[name]), bytes);
  sizes.push([name, bytes.length, ext === ".woff2" ? bytes.length : gzipSync(bytes, { level: 9 }).length]);
  return manifest[name];
}

/** The named sections of Basecoat's one-file style pack, so a bundle carries only what its pages use. */
function sections(names) {
  const pack = readFileSync(join(here, "vendor/basecoat/styles/vega.css"), "utf8");
  const parts = pack.slice(pack.indexOf("{") + 1, pack.lastIndexOf("}")).split(/\n? {2}\/\* ([A-Z][A-Za-z ]+) \*\/\n/);
  const found = new Map();
  for (let i = 1; i < parts.length; i += 2) found.set(parts[i], parts[i + 1]);
  const missing = names.filter((name) => !found.has(name));
  if (missing.length) throw new Error(`no such Basecoat section: ${missing}`);
  return `@layer components {\n${names.map((name) => found.get(name)).join("\n")}\n}\n`;
}

/** Build one style sheet with the Tailwind CLI after filling in its `basecoat:` line. */
function css(name) {
  const source = readFileSync(join(here, "css", name), "utf8").replace(/\/\* basecoat: ([^*]+) \*\//, (_, list) => {
    const names = list.split(",").map((item) => item.trim());
    const pack = join(work, `basecoat-${name}`);
    writeFileSync(pack, sections(names));
    const files = names.map((item) => `@import "../vendor/basecoat/components/${item.toLowerCase().replace(/ /g, "-")}.css";`);
    return [...files, `@import "../.build/${basename(pack)}";`].join("\n");
  });
  const entry = join(here, "css", `.entry-${name}`);
  const target = join(work, name);
  writeFileSync(entry, source);
  try {
    execFileSync(join(modules, ".bin/tailwindcss"), ["-i", entry, "-o", target, "--minify"], { cwd: here, stdio: ["ignore", "ignore", "pipe"] });
  } finally {
    rmSync(entry);
  }
  const text = readFileSync(target, "utf8").replace(/url\((["']?)asset:([\w.-]+)\1\)/g, (_, _quote, asset) => `url(${manifest[asset]})`);
  emit(name, text);
}

/** Bundle one script for browsers of the last few years. */
function js(name, entry) {
  const result = esbuild.buildSync({
    entryPoints: [entry], bundle: true, minify: true, write: false, format: "esm", target: ["es2021"], legalComments: "none", nodePaths: [modules], charset: "utf8",
  });
  emit(name, Buffer.from(result.outputFiles[0].contents));
}

/** One sprite of the icons named in icons.txt. */
function sprite() {
  const names = readFileSync(join(here, "icons.txt"), "utf8").split(/\s+/).filter(Boolean);
  const symbols = [...new Set(names)].sort().map((name) => {
    const svg = readFileSync(join(modules, "lucide-static/icons", `${name}.svg`), "utf8");
    const inner = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>")).replace(/\s*\n\s*/g, "").replace(/ \/>/g, "/>");
    return `<symbol id="${name}" viewBox="0 0 24 24">${inner}</symbol>`;
  });
  emit("icons.svg", `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`);
}

/** Every file that decides what dist holds, in one order. */
function sources(folder = here) {
  return readdirSync(folder).sort().flatMap((name) => {
    const path = join(folder, name);
    if (name === "node_modules" || name === ".build" || name.startsWith(".entry-")) return [];
    return statSync(path).isDirectory() ? sources(path) : [path];
  });
}

/** The checksum tests compare: a change in assets/ without a build shows. */
function fingerprint() {
  const hash = createHash("sha256");
  const files = sources().map((path) => [relative(here, path).split("\\").join("/"), path]).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, path] of files) hash.update(name).update("\0").update(readFileSync(path)).update("\0");
  return hash.digest("hex");
}

emit("inter.woff2", readFileSync(join(modules, "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2")));
emit("plyr.svg", readFileSync(join(modules, "plyr/dist/plyr.svg")));
emit("logo.svg", readFileSync(join(here, "img/logo.svg")));
sprite();
for (const name of readdirSync(join(here, "css")).filter((file) => file.endsWith(".css") && !file.startsWith("_") && !file.startsWith("."))) css(name);
for (const file of readdirSync(join(here, "js/entries")).filter((name) => name.endsWith(".js"))) js(file, join(here, "js/entries", file));
for (const name of LICENCES) {
  const file = ["LICENSE", "LICENSE.md"].map((item) => join(modules, name, item)).find(existsSync);
  cpSync(file, join(out, "licenses", `${name.replace(/^@/, "").replace("/", "-")}.txt`));
}
cpSync(join(here, "vendor/basecoat/LICENSE.md"), join(out, "licenses/basecoat.txt"));
const files = Object.fromEntries(Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(join(out, "manifest.json"), `${JSON.stringify({ files, sources: fingerprint() }, null, 2)}\n`);
for (const [name, raw, gz] of sizes) console.log(`${name.padEnd(14)} ${String(raw).padStart(8)} B  ${String(gz).padStart(7)} B gzip`);
