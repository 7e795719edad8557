// Runs in the sandboxed frame: hands the picture and the way back on to a worker of its own, lends it a decoder if it
// asks for one, and does nothing else. A worker cannot open a connection by any means; a frame could
// (docs/spec/protect-page.md), so this stays this short.
// page.py puts WORKER (the worker's whole text) and decoder.js in front of this text.
self.onmessage = ({ data: file, ports: [port] }) => {
  self.onmessage = null;
  try {
    const worker = new Worker(URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" })));
    worker.onmessage = ({ data: config, ports: [way] }) => void lendDecoder(config, way);
    worker.postMessage(file, [port]);
  } catch {
    port.postMessage(["failed", "old-browser"]);
  }
};
