// Builds what the pages load from others: JavaScript, KERN's CSS, two fonts, axe for the tests.
//
//   npm ci && node bundle.mjs [--out FOLDER]
//
// Without --out it writes into the checkout: mailbox/siegelpost/portal/static/vendor/ and
// tests/browser/vendor/. The output is checked in, so that neither a build nor a machine that runs
// the service needs npm; tests/browser/test_vendor.py rebuilds it and compares byte for byte.
// vendor.json names every package with its version and every file with its SHA-256.

import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import postcss from "postcss";
import subsetFont from "subset-font";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const out = process.argv[2] === "--out" ? process.argv[3] : join(here, "..", "..");
const target = ["es2022"];
const served = "mailbox/siegelpost/portal/static/vendor";
const tested = "tests/browser/vendor";

// Component classes of KERN that the templates may use; utilities, the grid and the rest go.
const KERN_KEPT =
  /^kern-(accordion|alert|badge|body|btn|card|container|description-list|dialog|divider|error|fieldset|form|heading|hint|icon|kopfzeile|label|layer|level|light|dark|link|list|loader|number|preline|progress|sr-only|subline|summary|task-list|title)(?![a-z])/;

// Icons in use; each is an SVG of about 1 kB inside the CSS.
const ICONS_KEPT =
  /^kern-icon--(arrow-back|arrow-forward|calendar-today|check|chevron-left|chevron-right|content-copy|danger|default|download|help|info|large|logout|mail|open-in-new|small|success|visibility|visibility-off|warning|x-large)(?![a-z])/;

// Latin with all European letters, punctuation, arrows and currency; other scripts use system fonts.
const FONT_RANGES = [
  [0x20, 0x7e], [0xa0, 0x17f], [0x218, 0x21b], [0x2010, 0x2027], [0x202f, 0x203a],
  [0x20ac, 0x20ac], [0x2190, 0x2193], [0x2212, 0x2212], [0x1e9e, 0x1e9e],
];

const FONTS = { "fira-sans-400": "FiraSans-Regular", "fira-sans-600": "FiraSans-SemiBold" };

const files = {
  [`${served}/crypto.js`]: await bundle("crypto"),
  [`${served}/argon2.js`]: await bundle("argon2"),
  [`${served}/kern.css`]: await kern(),
};
for (const [name, source] of Object.entries(FONTS)) {
  files[`${served}/${name}.woff2`] = await font(source);
}
files[`${served}/LICENSES.txt`] = await licenses();
files[`${tested}/axe.min.js`] = await readFile(join(modules, "axe-core", "axe.min.js"));
files[`${served}/vendor.json`] = await manifest(files);

for (const [name, data] of Object.entries(files)) {
  await mkdir(dirname(join(out, name)), { recursive: true });
  await writeFile(join(out, name), data);
}

async function bundle(entry) {
  const result = await build({
    entryPoints: [join(here, "entries", `${entry}.js`)],
    bundle: true,
    minify: true,
    format: "esm",
    target,
    charset: "utf8",
    legalComments: "none",
    banner: { js: "/* Bundled from the packages of vendor.json; licences in LICENSES.txt. */" },
    write: false,
    absWorkingDir: here,
  });
  return result.outputFiles[0].contents;
}

async function kern() {
  const css = await readFile(join(modules, "@kern-ux", "native", "dist", "kern.css"), "utf8");
  const tree = postcss.parse(css);
  tree.walkRules((rule) => {
    if (rule.parent.type === "atrule" && rule.parent.name.endsWith("keyframes")) return;
    const kept = rule.selectors.filter(isKept);
    if (kept.length === 0) rule.remove();
    else if (kept.length < rule.selectors.length) rule.selectors = kept;
  });
  let removed = true;
  while (removed) {
    removed = false;
    tree.walkAtRules((rule) => {
      if (rule.nodes?.length === 0) {
        rule.remove();
        removed = true;
      }
    });
  }
  tree.walkComments((comment) => comment.remove());
  const { code } = await transform(tree.toString(), { loader: "css", minify: true, target });
  return `/* KERN, subset; see vendor.json. EUPL-1.2. */\n${code}`;
}

function isKept(selector) {
  const classes = selector.match(/\.(kern-[a-z0-9_-]+)/g) ?? [];
  return classes.every((name) => {
    const bare = name.slice(1);
    if (bare.startsWith("kern-icon--")) return ICONS_KEPT.test(bare);
    return KERN_KEPT.test(bare);
  });
}

async function font(name) {
  const data = await readFile(
    join(modules, "@kern-ux", "native", "dist", "fonts", "fira-sans", `${name}.woff2`),
  );
  let characters = "";
  for (const [first, last] of FONT_RANGES) {
    for (let code = first; code <= last; code++) characters += String.fromCodePoint(code);
  }
  // Without closure: small capitals and old-style digits would double the size, and nothing uses them.
  return subsetFont(data, characters, { targetFormat: "woff2", noLayoutClosure: true });
}

async function packages() {
  const lock = JSON.parse(await readFile(join(here, "package-lock.json"), "utf8"));
  const shipped = /^node_modules\/(@kern-ux\/native|@noble\/.*|@scure\/base|age-encryption|hash-wasm|axe-core)$/;
  return Object.entries(lock.packages)
    .filter(([path]) => shipped.test(path))
    .map(([path, entry]) => ({
      name: path.slice("node_modules/".length),
      version: entry.version,
      licence: entry.license,
      integrity: entry.integrity,
    }));
}

async function licenses() {
  const texts = [];
  for (const { name, version, licence } of await packages()) {
    let text = `${licence}`;
    for (const file of ["LICENSE", "LICENSE.md"]) {
      try {
        text = await readFile(join(modules, name, file), "utf8");
        break;
      } catch {
        continue;
      }
    }
    texts.push(`${name} ${version}\n${"=".repeat(60)}\n${text.trim()}\n`);
  }
  texts.push(
    `Fira Sans\n${"=".repeat(60)}\nDigitized data copyright 2012-2015, The Mozilla Foundation and ` +
      "Telefonica S.A., with Reserved Font Name Fira. SIL Open Font License 1.1.\n",
  );
  return texts.join("\n\n");
}

async function manifest(made) {
  const digests = Object.entries(made).map(([name, data]) => ({
    file: name,
    bytes: Buffer.byteLength(data),
    sha256: createHash("sha256").update(data).digest("hex"),
  }));
  const text = {
    about: "Built by config/vendor/bundle.mjs; a test rebuilds and compares.",
    packages: await packages(),
    files: digests,
  };
  return `${JSON.stringify(text, null, 2)}\n`;
}
