// Makes a bundle, and checks one. docs/spec/bundle.md.

import { canonical, joined, now, utf8 } from "../cases/bytes.js";
import { ending } from "./files.js";
import { BadBundle } from "./zip.js";
import { ed25519, hex, sha256, sha512 } from "../site/vendor/sealing.js";

const MAGIC = utf8("seawall bundle 1\n");
const COMMENT = MAGIC.length + 64;
const END = 22; // of a ZIP without a comment

/** @param {string} sha @param {any} data @returns {string | null} */
const shaOf = (id, data) => (id && Object.hasOwn(data.files, id) ? data.files[id].sha256 : null);

/** @param {import("./files.js").Exhibit[]} files @param {any} data a manifest's @returns {{file: import("./files.js").Exhibit, path: string}[]} */
export function placed(files) {
  return files.map((file, at) => {
    const end = ending(file.name);
    return { file, path: `exhibits/${String(at + 1).padStart(4, "0")}${end && `.${end}`}` };
  });
}

/** @param {ReturnType<typeof placed>} exhibits @param {any} data @returns {Uint8Array} manifest.json */
export function manifestJson(exhibits, data) {
  return utf8(canonical(exhibits.map(({ file, path }) => {
    const { added, intimate, name, note, sha256: hash, size, type, of } = file;
    return { added, intimate, name: whole(name), note: whole(note), of: shaOf(of, data), path, sha256: hash, size, type: whole(type) };
  })));
}

/** Without halves of characters, which no UTF-8 can hold. @param {string} text */
function whole(text) {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
}

/**
 * @param {import("../cases/keys.js").Keys} keys @param {any} data a manifest's
 * @param {import("./history.js").Line[]} lines
 * @returns {Uint8Array} case.json
 */
export function caseJson(keys, data, lines) {
  const last = lines.length === 0 ? "0".repeat(64) : hex.encode(sha256(utf8(lines.at(-1).text)));
  const custody = { count: lines.length, line: last };
  return utf8(canonical({ case: keys.case, custody, made: now(), salt: data.salt, verify_key: keys.verifyKey, version: 1 }));
}

/** Put the signature at the end of a ZIP that has no comment. @param {import("../cases/keys.js").Keys} keys */
export function signing(keys) {
  const hash = sha512.create();
  let held = new Uint8Array(0);
  return new TransformStream({
    transform(bytes, controller) {
      const both = joined(held, bytes);
      const free = both.subarray(0, Math.max(0, both.length - END));
      held = both.slice(free.length);
      hash.update(free);
      controller.enqueue(free);
    },
    flush(controller) {
      held.set([COMMENT, 0], END - 2);
      hash.update(held);
      controller.enqueue(joined(held, MAGIC, keys.sign(joined(MAGIC, hash.digest()))));
    },
  });
}

/** Takes a bundle through and keeps what its signature is about. */
export class SignatureCheck {
  #hash = sha512.create();
  #held = new Uint8Array(0);

  /** @returns {TransformStream<Uint8Array, Uint8Array>} */
  through() {
    return new TransformStream({
      transform: (bytes, controller) => {
        const both = joined(this.#held, bytes);
        const free = Math.max(0, both.length - COMMENT);
        this.#hash.update(both.subarray(0, free));
        this.#held = both.slice(free);
        controller.enqueue(bytes);
      },
    });
  }

  /** @param {string} verifyKey hex @throws {BadBundle} not a byte may be another */
  check(verifyKey) {
    const signed = joined(MAGIC, this.#hash.digest());
    const isMarked = hex.encode(this.#held.subarray(0, MAGIC.length)) === hex.encode(MAGIC);
    if (!isMarked || !ed25519.verify(this.#held.subarray(MAGIC.length), signed, hex.decode(verifyKey), { zip215: false })) {
      throw new BadBundle();
    }
  }
}
