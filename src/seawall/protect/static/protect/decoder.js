// Decodes a video's packets and gives the frames back, over a port. This text stands in the frame and in the worker:
// Chromium gives a worker as sealed as ours no VideoDecoder, so there the frame lends its own; elsewhere the worker
// decodes by itself. Packets in, frames out, nothing else; what it says is a word and at most one value:
//
//     ["missing"]      this browser has no video decoder      ["unknown"]    none for this kind of video
//     ["ready"]        give it packets; null for the end      ["taken", n]   so many packets have been begun
//     ["frame", f]     one VideoFrame, in the order shown     ["flushed"]    all is decoded   ["failed"]   it broke

// A browser clears up when it has counted enough, and Chromium does not count what packets hold: 300 of a film's 600 MB
// lay about. An array that nobody touches takes no memory, but counts. So many bytes of packets each bring a new one.
const COUNTED = 1 << 25;
const COUNTED_EACH = 1 << 23;

/** @param {VideoDecoderConfig} config @param {MessagePort} port */
async function lendDecoder(config, port) {
  const tell = (/** @type {unknown[]} */ said, /** @type {Transferable[]} */ pass = []) => port.postMessage(said, pass);
  // One that does not say how far it is (Chrome before 106) would take a film whole into its memory.
  if (typeof VideoDecoder === "undefined" || !("ondequeue" in VideoDecoder.prototype)) return tell(["missing"]);
  try {
    if (!(await VideoDecoder.isConfigSupported(config)).supported) return tell(["unknown"]);
    const output = (/** @type {VideoFrame} */ frame) => tell(["frame", frame], [frame]);
    const decoder = new VideoDecoder({ output, error: () => tell(["failed"]) });
    decoder.configure(config);
    let given = 0;
    let uncounted = 0; // bytes
    let counted = null;
    decoder.ondequeue = () => tell(["taken", given - decoder.decodeQueueSize]);
    port.onmessage = async ({ data: packet }) => {
      try {
        if (packet === null) await decoder.flush().then(() => tell(["flushed"]));
        else decoder.decode(new EncodedVideoChunk(packet));
        given += 1;
        uncounted += packet?.data.length ?? 0;
        if (uncounted < COUNTED_EACH) return;
        uncounted = 0;
        counted = new ArrayBuffer(COUNTED);
      } catch {
        tell(["failed"]);
      }
    };
    tell(["ready"]);
  } catch {
    tell(["unknown"]);
  }
}
