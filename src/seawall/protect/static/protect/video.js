// The part of the worker that reads videos: docs/spec/video.md. The file is taken apart in here (Demuxer), its packets
// are decoded by the browser (decoder.js), and of one frame a second the luma is fingerprinted. It is read as a stream:
// what is in memory does not grow with it.
//
// page.py puts openDemuxer() (other people's work: web/demuxer.js), decoder.js and worker.js in front of this text.

const SECOND = 1_000_000; // times are in microseconds
const EARLY = 500; // by which a frame may come before the second it stands for
const BACK = SECOND / 10; // by which a clock that goes back has begun anew
const RESUMED = SECOND / 25; // so long after the frame before it goes on
const LAST = 16_000 * SECOND; // of three bytes of milliseconds
const MOST_FRAMES = 3600;
const LEAST_FRAMES = 5; // of a video that is damaged
const MOST_PIXELS = 40_000_000; // 8K has 33
const MOST_BREAKS = 100; // of the decoder, after which nothing more is expected
const FRAME_BYTES = 36; // time 3, hash 32, quality 1

// How much lies ahead: packets that wait for the decoder, and frames that wait for their fingerprint.
const PACKETS_AHEAD = 4;
const FRAMES_AHEAD = 2;
const SILENCE = 30_000; // milliseconds without a word of the decoder, after which it has failed
const DIGESTED = 1 << 20; // bytes at a time

// (y - 16) 255 / 219, rounded, of a frame that is not marked full range.
const EXPANDED = Uint8Array.from({ length: 256 }, (_, y) =>
  Math.min(255, Math.max(0, Math.floor((85 * (y - 16) + 36) / 73))),
);
const AS_IT_IS = EXPANDED.map((_, y) => y);

// A frame with a luma plane, of 8 bits or of more.
const WITH_LUMA = /^(?:I4(?:20|22|44)A?|NV12)(?:P(1[02]))?$/;
// How much of the luma is red, and how much blue, by the frame's matrix.
/** @type {Record<string, [number, number]>} */
const WEIGHTS = {
  bt709: [0.2126, 0.0722],
  bt470bg: [0.299, 0.114],
  smpte170m: [0.299, 0.114],
  "bt2020-ncl": [0.2627, 0.0593],
};

// What whole numbers have lost of a luma, about: measured in Firefox, whose frames then end 0.4 bits away and not 2.3.
const CUT_OFF = 0.25;

/** Which frames are taken, by their times: the first at or after each second. */
class Marks {
  constructor() {
    /** @type {number | null} */
    this.first = null;
    this.last = -1;
    this.next = 0;
    this.over = false;
  }

  /** The time since the first frame, if this one is taken. @param {number} time @returns {number | null} */
  take(time) {
    this.first ??= time;
    let at = time - this.first;
    if (at < this.last - BACK) {
      this.first -= this.last + RESUMED - at;
      at = this.last + RESUMED;
    }
    this.over ||= at > LAST;
    const taken = this.last < at && at <= LAST && at >= this.next - EARLY;
    this.last = Math.max(at, this.last);
    if (!taken) return null;
    this.next = (Math.floor((at + EARLY) / SECOND) + 1) * SECOND;
    return at;
  }
}

/** The kernel over lumas, one frame after another. */
class LumaHasher {
  constructor() {
    this.kernel = startKernel();
  }

  /** @param {Uint8Array} luma @param {number} width @param {number} height @returns {{bits: Uint8Array, quality: number}} */
  hash(luma, width, height) {
    const { kernel } = this;
    const room = kernel.pdq_workspace_bytes(width, height, 1);
    if (room === 0) return { bits: new Uint8Array(32), quality: 0 }; // a side under 5: no fingerprint
    const workspace = aligned(kernel.__heap_base.value);
    const rows = aligned(workspace + room);
    const some = Math.max(COPIED_ROWS * width, 8 * 32);
    needMemory(kernel, rows + some);
    const memory = new Uint8Array(kernel.memory.buffer);
    kernel.pdq_begin(workspace, width, height, 1, 0);
    for (let at = 0; at < luma.length; at += COPIED_ROWS * width) {
      const part = luma.subarray(at, at + COPIED_ROWS * width);
      memory.set(part, rows);
      kernel.pdq_rows(workspace, rows, part.length / width);
    }
    const quality = kernel.pdq_finish(workspace, rows);
    return { bits: memory.slice(rows, rows + 32), quality };
  }
}

/**
 * Turn a plane clockwise by quarters.
 * @param {Uint8Array} luma @param {number} width @param {number} height @param {number} degrees
 * @returns {[luma: Uint8Array, width: number, height: number]}
 */
function turned(luma, width, height, degrees) {
  if (degrees === 180) return [luma.reverse(), width, height];
  if (degrees === 0) return [luma, width, height];
  const made = new Uint8Array(luma.length);
  // Where the first value comes to lie, and how far on its neighbours to the right and below are.
  const [first, right, below] = degrees === 90 ? [height - 1, height, -1] : [(width - 1) * height, -height, 1];
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0, to = first + y * below; x < width; x += 1, at += 1, to += right) made[to] = luma[at];
  }
  return [made, height, width];
}

/** The bytes of a frame, and what its luma is made of. */
class LumaReader {
  constructor() {
    this.buffer = new Uint8Array(0);
  }

  /** @param {VideoFrame} frame @param {VideoFrameCopyToOptions} [options] @returns {Promise<PlaneLayout>} of the first plane */
  async copy(frame, options) {
    const size = frame.allocationSize(options);
    if (this.buffer.length !== size) this.buffer = new Uint8Array(size);
    const [first] = await frame.copyTo(this.buffer, options);
    return first;
  }

  /** Its lumas of 8 bits in full range, row by row. @param {VideoFrame} frame @returns {Promise<Uint8Array>} */
  async read(frame) {
    const planar = WITH_LUMA.exec(frame.format ?? "");
    return planar === null ? this.readColours(frame) : this.readPlane(frame, Number(planar[1] ?? 8));
  }

  /** @param {VideoFrame} frame @param {number} bits of a sample */
  async readPlane(frame, bits) {
    const { width, height } = frame.visibleRect;
    const { offset, stride } = await this.copy(frame);
    const ours = frame.colorSpace.fullRange ? AS_IT_IS : EXPANDED;
    const luma = new Uint8Array(width * height);
    const [plane, step] =
      bits === 8 ? [this.buffer.subarray(offset), stride] : [new Uint16Array(this.buffer.buffer, offset), stride / 2];
    const shift = bits - 8;
    for (let y = 0, to = 0; y < height; y += 1) {
      for (let x = 0, at = y * step; x < width; x += 1) luma[to++] = ours[plane[at++] >> shift];
    }
    return luma;
  }

  /**
   * An engine that hands out only red, green and blue, cut off to whole numbers: back to the luma they were made of.
   * @param {VideoFrame} frame
   */
  async readColours(frame) {
    const { width, height } = frame.visibleRect;
    const [red, blue] = WEIGHTS[frame.colorSpace.matrix ?? ""] ?? WEIGHTS[height < 720 ? "smpte170m" : "bt709"];
    const colours = await this.colours(frame);
    const luma = new Uint8Array(width * height);
    const { bytes, red: first } = colours;
    const { fullRange } = frame.colorSpace;
    for (let y = 0, to = 0; y < height; y += 1) {
      for (let x = 0, at = y * colours.stride; x < width; x += 1, at += 4) {
        const full = red * bytes[at + first] + (1 - red - blue) * bytes[at + 1] + blue * bytes[at + 2 - first];
        luma[to++] = fullRange ? full + 0.5 : EXPANDED[(((full + CUT_OFF) * 219) / 255 + 16.5) | 0];
      }
    }
    return luma;
  }

  /** @param {VideoFrame} frame */
  async colours(frame) {
    if (/^(BGR|RGB)[AX]$/.test(frame.format ?? "")) {
      const { offset, stride } = await this.copy(frame);
      return { bytes: this.buffer.subarray(offset), stride, red: frame.format.startsWith("B") ? 2 : 0 };
    }
    const { width, height } = frame.visibleRect;
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    context.drawImage(frame, 0, 0, width, height);
    return { bytes: context.getImageData(0, 0, width, height).data, stride: 4 * width, red: 0 };
  }
}

/** The browser's decoder, in here or lent by the frame. */
class Decoder {
  /** @param {VideoDecoderConfig} config @param {(frame: VideoFrame) => void} onFrame */
  constructor(config, onFrame) {
    const { port1: here, port2: there } = new MessageChannel();
    this.port = here;
    this.state = "starting";
    this.sent = 0;
    this.taken = 0;
    this.wake = () => {};
    here.onmessage = ({ data: [kind, value] }) => {
      if (kind === "frame") onFrame(value);
      else if (kind === "taken") this.taken = value;
      else this.state = kind;
      this.wake();
    };
    if ("VideoDecoder" in self) void lendDecoder(config, there);
    else self.postMessage(config, [there]);
  }

  /** Wait until that is so, or the decoder failed. @param {() => boolean} so */
  async until(so) {
    while (!so() && this.state !== "failed") {
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let timer;
      const silent = new Promise((resolve) => (timer = setTimeout(resolve, SILENCE, true)));
      const word = new Promise((resolve) => (this.wake = () => resolve(false)));
      if (await Promise.race([silent, word])) this.state = "failed";
      clearTimeout(timer);
    }
  }

  /** @param {{type: EncodedVideoChunkType, data: Uint8Array}} packet @param {number} timestamp microseconds */
  decode({ type, data }, timestamp) {
    const own = data.slice(); // not the whole of what was read around it
    this.sent += 1;
    this.port.postMessage({ type, timestamp, data: own }, [own.buffer]);
  }

  async flush() {
    this.port.postMessage(null);
    await this.until(() => this.state === "flushed");
  }
}

/** One video, from its first packet to its last. */
class Video {
  /** @param {number} degrees clockwise @param {() => void} onTaken */
  constructor(degrees, onTaken) {
    this.degrees = degrees;
    this.onTaken = onTaken;
    this.marks = new Marks();
    this.lumas = new LumaReader();
    this.hasher = new LumaHasher();
    this.work = Promise.resolve();
    this.waiting = 0; // frames
    this.taken = 0;
    this.clearest = -1;
    /** @type {Map<string, Uint8Array>} */
    this.kept = new Map();
  }

  /** A frame as it comes out of the decoder. @param {VideoFrame} frame */
  show(frame) {
    const at = frame.timestamp < 0 || this.taken >= MOST_FRAMES ? null : this.marks.take(frame.timestamp);
    if (at === null) return frame.close();
    this.taken += 1;
    this.waiting += 1;
    this.work = this.work.then(async () => {
      await this.keep(frame, at).catch(() => {}); // what cannot be read is left out
      frame.close();
      this.waiting -= 1;
      this.onTaken();
    });
  }

  /** @param {VideoFrame} frame @param {number} at */
  async keep(frame, at) {
    const { width, height } = frame.visibleRect;
    if (width * height > MOST_PIXELS) return;
    const { bits, quality } = this.hasher.hash(...turned(await this.lumas.read(frame), width, height, this.degrees));
    this.clearest = Math.max(this.clearest, quality);
    if (quality < USABLE_QUALITY || this.kept.has(String(bits))) return;
    const time = Math.floor((at + 500) / 1000);
    this.kept.set(String(bits), Uint8Array.of(time >> 16, time >> 8, time, ...bits, quality));
  }

  get ended() {
    return this.marks.over || this.taken >= MOST_FRAMES;
  }

  /** docs/spec/video.md, section 4, in base64url: whole threes of bytes, nothing to pad. */
  packed() {
    const texts = [...this.kept.values()].map((bytes) => btoa(String.fromCharCode(...bytes)));
    return texts.join("").replaceAll("+", "-").replaceAll("/", "_");
  }
}

/** A time in microseconds, exactly: floor(seconds * 1,000,000 + 0.5). @param {number} seconds @param {number} rate of which the time is a multiple */
function microseconds(seconds, rate) {
  const ticks = Math.round(seconds * rate);
  if (ticks < 0 || !Number.isSafeInteger(ticks) || !Number.isInteger(rate)) return Math.floor(seconds * SECOND + 0.5);
  return Number((2n * BigInt(ticks) * BigInt(SECOND) + BigInt(rate)) / (2n * BigInt(rate)));
}

/**
 * The video track of a file, and what its decoder has to know.
 * @param {Blob} file @param {any} demuxer
 */
async function openTrack(file, { BlobSource, EncodedPacketSink, Input, Logging, MATROSKA, MP4, QTFF, WEBM }) {
  Logging.level = 0;
  const input = new Input({ formats: [MP4, QTFF, MATROSKA, WEBM], source: new BlobSource(file) });
  const tracks = await input.getTracks().catch(() => {
    throw new Refusal("not-a-video");
  });
  const track = tracks.find((/** @type {any} */ each) => each.isVideoTrack());
  if (track === undefined) throw new Refusal(tracks.length === 0 ? "not-a-video" : "no-video");
  if ((await track.getInternalCodecId()) === "encv") throw new Refusal("locked");
  if ((await track.getCodedWidth()) * (await track.getCodedHeight()) > MOST_PIXELS) throw new Refusal("frames-too-big");
  const config = await track.getDecoderConfig().catch(() => null);
  if (config === null) throw new Refusal("unknown-video");
  if (config.description) config.description = config.description.slice();
  return {
    config,
    packets: new EncodedPacketSink(track),
    rate: await track.getTimeResolution(),
    degrees: (await track.getFlip()) ? 0 : await track.getRotation(),
  };
}

/**
 * Decode until enough is known. A decoder that breaks is followed by another, from the next packet that stands alone.
 * @param {Awaited<ReturnType<typeof openTrack>>} track @param {Video} video @param {(bytes: number) => void} onRead
 * @returns {Promise<"whole" | "damaged" | "long">}
 */
async function decode({ config, packets, rate }, video, onRead) {
  let end = /** @type {"whole" | "damaged" | "long"} */ ("whole");
  /** @type {Decoder | null} */
  let decoder = null;
  let breaks = 0;
  let packet = await packets.getFirstPacket();
  for (let next; packet !== null; packet = next) {
    if (video.ended) return "long";
    if (decoder?.state === "failed") {
      end = "damaged";
      decoder = null;
      if ((breaks += 1) >= MOST_BREAKS) return end;
    }
    if (decoder === null && packet.type === "key") {
      decoder = new Decoder(config, (frame) => video.show(frame));
      await decoder.until(() => decoder.state !== "starting");
      if (decoder.state === "missing") throw new Refusal("no-decoder");
      if (decoder.state === "unknown") throw new Refusal("unknown-video");
    }
    if (decoder !== null) {
      const current = decoder;
      current.decode(packet, microseconds(packet.timestamp, rate));
      await current.until(() => current.sent - current.taken < PACKETS_AHEAD);
      while (video.waiting > FRAMES_AHEAD) await video.work;
    }
    onRead(packet.byteLength);
    next = await packets.getNextPacket(packet);
    if (next === null && (await packets.getNextPacket(packet, { metadataOnly: true })) !== null) end = "damaged";
  }
  if (decoder !== null) await decoder.flush();
  return decoder?.state === "flushed" ? end : "damaged";
}

/**
 * Whether a Matroska or WebM file ends before its Segment does. The demuxer leaves out the cluster that is cut, in silence.
 * @param {Blob} file @returns {Promise<boolean>}
 */
async function isCut(file) {
  const head = new Uint8Array(await file.slice(0, 4096).arrayBuffer());
  const isAt = (/** @type {number} */ at, /** @type {number[]} */ id) => id.every((byte, n) => head[at + n] === byte);
  // A size of 1 to 8 bytes; all ones: unknown. (RFC 8794, section 4)
  const size = (/** @type {number} */ at) => {
    const length = Math.clz32(head[at]) - 23;
    let value = head[at] & (0xff >> length);
    for (let n = 1; n < length; n++) value = 256 * value + head[at + n];
    return { value, end: at + length, isKnown: value !== 2 ** (7 * length) - 1 };
  };
  if (!isAt(0, [0x1a, 0x45, 0xdf, 0xa3])) return false;
  const header = size(4);
  const at = header.end + header.value;
  if (!isAt(at, [0x18, 0x53, 0x80, 0x67])) return false;
  const segment = size(at + 4);
  return segment.isKnown && segment.end + segment.value > file.size;
}

/**
 * MD5 and SHA-256 of the whole file, for those who know only these.
 * @param {Blob} file @param {any} demuxer @param {(bytes: number) => void} onRead
 * @returns {Promise<[md5: string, sha256: string]>} in hex
 */
async function digests(file, { createMD5, createSHA256 }, onRead) {
  const both = (await Promise.all([createMD5(), createSHA256()])).map((each) => each.init());
  for (let at = 0; at < file.size; at += DIGESTED) {
    const bytes = new Uint8Array(await file.slice(at, at + DIGESTED).arrayBuffer());
    for (const each of both) each.update(bytes);
    onRead(bytes.length);
  }
  return /** @type {[string, string]} */ (both.map((each) => each.digest("hex")));
}

/**
 * @param {Blob} file
 * @param {(percent: number) => void} tell
 * @returns {Promise<[frames: string, quality: number, md5: string, sha256: string, read: "whole" | "damaged" | "long"]>}
 */
async function fingerprintVideo(file, tell) {
  const demuxer = openDemuxer();
  const track = await openTrack(file, demuxer);
  let [decoded, digested] = [0, 0]; // bytes: a file's duration may be missing or wrong
  const show = () => tell(Math.min(100, Math.floor((100 * Math.min(decoded, digested)) / file.size)));
  const video = new Video(track.degrees, show);
  const reading = decode(track, video, (bytes) => (decoded += bytes)).catch((error) => {
    if (error instanceof Refusal) throw error;
    return /** @type {const} */ ("damaged");
  });
  const [read, [md5, sha256]] = await Promise.all([
    reading.then((end) => video.work.then(() => end)).finally(() => (decoded = file.size)),
    digests(file, demuxer, (bytes) => {
      digested += bytes;
      show();
    }),
  ]);
  const end = read === "whole" && (await isCut(file)) ? "damaged" : read;
  if (video.clearest < 0) throw new Refusal("not-a-video");
  if (end === "damaged" && video.kept.size < LEAST_FRAMES) throw new Refusal("damaged");
  return [video.packed(), video.clearest, md5, sha256, end];
}
