// Every way out that code in a dedicated worker could try. HTTP and WEBSOCKET are the recorder's addresses; each
// vector puts its own name into the address. The answer has the worker's ordinary form, so the page goes on as ever.
const VECTORS = {
  fetch: (url) => fetch(url),
  "fetch-no-cors": (url) => fetch(url, { mode: "no-cors", method: "POST", body: "picture" }),
  "fetch-tcp": () => fetch(`http://127.0.0.1:${TCP}/`, { mode: "no-cors" }),
  "fetch-keepalive": (url) => fetch(url, { keepalive: true, mode: "no-cors" }),
  "fetch-redirect": (url) => fetch(url, { mode: "no-cors", redirect: "manual" }),
  "fetch-relative": (url) => fetch(new URL(url).pathname),
  xhr: (url) => xhr(url, true),
  "xhr-sync": (url) => xhr(url, false),
  websocket: (url) => new WebSocket(url.replace("http", "ws")),
  "websocket-stream": (url) => new WebSocketStream(url.replace("http", "ws")),
  eventsource: (url) => new EventSource(url),
  beacon: (url) => navigator.sendBeacon(url, "picture"),
  "import-scripts": (url) => importScripts(url),
  "import-scripts-blob": (url) => importScripts(blob(`fetch("${url}", {mode: "no-cors"})`)),
  import: (url) => import(url),
  "import-data": (url) => import(`data:text/javascript,fetch("${url}", {mode: "no-cors"})`),
  "import-json": (url) => import(url, { with: { type: "json" } }),
  eval: (url) => (0, eval)(`fetch("${url}", {mode: "no-cors"})`),
  function: (url) => new Function(`fetch("${url}", {mode: "no-cors"})`)(),
  timeout: (url) => setTimeout(`fetch("${url}", {mode: "no-cors"})`),
  worker: (url) => new Worker(url),
  "worker-module": (url) => new Worker(url, { type: "module" }),
  "worker-blob": (url) => new Worker(blob(`fetch("${url}", {mode: "no-cors"})`)),
  "worker-blob-import": (url) => new Worker(blob(`importScripts("${url}")`)),
  "worker-data": (url) => new Worker(`data:text/javascript,fetch("${url}", {mode: "no-cors"})`),
  "shared-worker": (url) => new SharedWorker(url),
  "service-worker": (url) => navigator.serviceWorker.register(url),
  "cache-add": async (url) => (await caches.open("x")).add(url),
  "wasm-streaming": (url) => WebAssembly.compileStreaming(fetch(url, { mode: "no-cors" })),
  "font-face": (url) => new FontFace("x", `url(${url})`).load(),
  "canvas-font": (url) => {
    self.fonts.add(new FontFace("y", `url(${url})`));
    const context = new OffscreenCanvas(9, 9).getContext("2d");
    context.font = "9px y";
    context.fillText("picture", 0, 9);
  },
  "canvas-filter": (url) => {
    const context = new OffscreenCanvas(9, 9).getContext("2d");
    context.filter = `url(${url}#f)`;
    context.fillRect(0, 0, 9, 9);
  },
  webtransport: () => new WebTransport(`https://127.0.0.1:${UDP}/`),
  "webtransport-hash": () =>
    new WebTransport(`https://127.0.0.1:${UDP}/`, {
      serverCertificateHashes: [{ algorithm: "sha-256", value: new Uint8Array(32) }],
    }),
  rtc: () => new RTCPeerConnection({ iceServers: [{ urls: `stun:127.0.0.1:${UDP}` }] }).createDataChannel("x"),
  location: (url) => {
    self.location = url;
  },
  "broadcast-channel": () => new BroadcastChannel("x").postMessage("picture"),
  "fetch-later": (url) => fetchLater(url, { activateAfter: 0 }),
};

function xhr(url, later) {
  const request = new XMLHttpRequest();
  request.open("POST", url, later);
  request.send("picture");
}

function blob(text) {
  return URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
}

self.onmessage = async ({ ports: [port] }) => {
  for (const [name, leak] of Object.entries(VECTORS)) {
    try {
      Promise.resolve(leak(`${HTTP}/leak/worker/${name}`)).catch(() => {});
    } catch {
      // Refused, or not there in this browser.
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 2500));
  port.postMessage(["done", "5ea".repeat(21) + "5", 77, "", 0]);
};
