// Runs in the sandboxed frame: hands the picture and the way back on to a worker of its own, and does nothing else.
// A worker cannot open a connection by any means; a frame could (docs/spec/protect-page.md), so this stays this short.
// page.py puts WORKER (the worker's whole text) in front of this text.
self.onmessage = ({ data: file, ports: [port] }) => {
  self.onmessage = null;
  try {
    new Worker(URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" }))).postMessage(file, [port]);
  } catch {
    port.postMessage(["failed", "old-browser"]);
  }
};
