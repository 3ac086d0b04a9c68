// @ts-check
/**
 * The chat on a shop's page, by one tag (docs/embedding.md):
 *
 *     <script async src="https://chat.example/widget.js"></script>
 *
 * A button in a shadow root and, from the first opening on, a frame with /widget/ of the origin
 * that this file came from. It needs no build and no other file, evaluates nothing and writes no
 * style attribute, so a page with a strict policy can have it. chat/widget.py fills TEXTS in.
 *
 * Page and frame exchange objects, each side with the other's exact origin (static/js/widget-frame.js
 * is the other end). To the frame: connect {protocol, customer, forget, isOpen, isFocused} after
 * each load; shown {isOpen, isFocused}; reload. From it: ready, unread {count, isLive}, close, guest,
 * refused.
 *
 * @typedef {{uid: string, signature: string, name?: string, expires?: number | string}} Customer
 */
(() => {
  /** @type {Record<string, Record<string, string>>} */
  const TEXTS = {};
  const PROTOCOL = 1;
  const READY_MS = 15_000;
  const IDLE_MS = 1_500;
  /** Who has used the chat lately has the frame in the background, or he would miss answers. */
  const LATELY_MS = 7 * 24 * 3_600_000;
  /** Who looks through the shop is not asked for on each of its pages. */
  const FRESH_MS = 60_000;
  const OPEN = "customer-service.open";
  const USED = "customer-service.used";
  const UNREAD = "customer-service.unread";
  const SANDBOX =
    "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads";
  const CSS = `
:host { all: initial; --accent: #0b6b5d; --over: #075549; --on-accent: #fff; --ground: #fff; --ink: #14201d; --line: #dbe3e0; --alarm: #b3261e; --focus: #0a6cff }
:host([data-theme="dark"]) { --accent: #52c7b0; --over: #7ad9c6; --on-accent: #04211b; --ground: #141c1a; --ink: #e7efec; --line: #2a3734; --alarm: #ff9d94; --focus: #7db4ff }
[hidden] { display: none !important }
.launcher, .panel { position: fixed; right: 20px; z-index: 2147483000; box-sizing: border-box; font: 15px/1.5 system-ui, -apple-system, "PingFang SC", "Microsoft YaHei", "Noto Sans SC", sans-serif }
:host([data-side="left"]) :is(.launcher, .panel) { right: auto; left: 20px }
.launcher { bottom: max(20px, env(safe-area-inset-bottom)); display: grid; place-items: center; width: 56px; height: 56px; padding: 0; border: 2px solid transparent; border-radius: 50%; background: var(--accent); color: var(--on-accent); box-shadow: 0 4px 18px rgb(0 0 0 / 25%); cursor: pointer }
.launcher:hover { background: var(--over) }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px }
svg { width: 26px; height: 26px; fill: none; stroke: currentcolor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round }
.launcher .opened, :host([data-open]) .launcher .closed { display: none }
:host([data-open]) .launcher .opened { display: block }
.badge { position: absolute; top: -5px; right: -5px; min-width: 22px; box-sizing: border-box; padding: 0 6px; border-radius: 11px; background: var(--alarm); color: var(--ground); font-size: 13px; font-weight: 650; line-height: 22px; text-align: center }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
.panel { bottom: calc(88px + env(safe-area-inset-bottom)); width: 400px; max-width: calc(100vw - 40px); height: min(680px, calc(100dvh - 112px)); overflow: hidden; border: 1px solid var(--line); border-radius: 18px; background: var(--ground); color: var(--ink); box-shadow: 0 12px 44px rgb(0 0 0 / 24%) }
iframe { display: block; width: 100%; height: 100%; border: 0 }
.cover { position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: 12px; padding: 20px; background: var(--ground); text-align: center }
.cover a { color: var(--accent) }
.cover button { position: absolute; top: 8px; right: 8px; display: grid; place-items: center; width: 44px; height: 44px; padding: 0; border: 0; border-radius: 50%; background: none; color: inherit; cursor: pointer }
@media (max-width: 560px), (max-height: 440px) {
  .panel, :host([data-side="left"]) .panel { inset: 0; width: auto; max-width: none; height: 100dvh; border: 0; border-radius: 0 }
  :host([data-open]) .launcher { display: none }
}
@media (forced-colors: active) { .launcher { border-color: ButtonText } }
@media (prefers-reduced-motion: no-preference) { .panel { animation: rise .18s ease-out } @keyframes rise { from { opacity: 0; translate: 0 12px } } }
@media print { .launcher, .panel { display: none } }`;

  const page = /** @type {any} */ (window);
  const queued = page.CustomerService ?? [];
  if (!Array.isArray(queued)) return; // the tag is there twice, or has run before
  const tag = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  if (!tag?.src) {
    console.error("CustomerService: load widget.js by a script tag of its own, not as a module.");
    return;
  }
  const { origin } = new URL(tag.src);
  const asked = tag.dataset;
  const spoken = asked.language || document.documentElement.lang || navigator.language;
  const language = /^zh/i.test(spoken) ? "zh" : "en";
  const texts = TEXTS[language] ?? {};
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const fullScreen = matchMedia("(max-width: 560px), (max-height: 440px)");

  let customer = customerOf(asked);
  let frame = /** @type {HTMLIFrameElement | null} */ (null);
  let isReady = false;
  let isLoaded = false;
  let isOpen = false;
  let isCovering = false;
  let mustForget = false; // who the browser was, at the next connection
  let late = 0; // timer
  let unread = 0; // as the page was told
  let cameFrom = /** @type {Element | null} */ (null); // has the focus back when the chat closes
  const afterSignOut = /** @type {(() => void)[]} */ ([]);
  /** @type {Map<string, Set<(detail?: unknown) => void>>} */
  const listeners = new Map();

  // --- What is on the page ----------------------------------------------------------------------

  const host = make("div", { id: "customer-service" });
  const root = host.attachShadow({ mode: "open" });
  const badge = make("span", { class: "badge", "aria-hidden": "true", hidden: "" });
  const news = make("span", { class: "unseen", role: "status" });
  const launcher = make(
    "button",
    { type: "button", class: "launcher", "aria-expanded": "false", "aria-controls": "panel" },
    icon("closed", "M12 4c-4.7 0-8.5 3.4-8.5 7.7 0 2 .8 3.8 2.2 5.2l-.9 3.6 4-1.6c1 .3 2.1.5 3.2.5 4.7 0 8.5-3.4 8.5-7.7S16.7 4 12 4zM9 10.8v.6M15 10.8v.6M9.8 14.3c1.3 1 3.1 1 4.4 0"),
    icon("opened", "M5 9l7 7 7-7"),
    badge,
  );
  const word = make("span", { role: "status" }, texts.loading);
  const instead = make("a", { href: origin, target: "_blank", rel: "noopener", hidden: "" }, texts.instead);
  const leave = make("button", { type: "button", "aria-label": texts.close }, icon("", "M6 6l12 12M18 6L6 18"));
  const cover = make("div", { class: "cover" }, leave, word, instead);
  const panel = make("div", { id: "panel", class: "panel", role: "dialog", "aria-label": texts.name, hidden: "" }, cover);

  /** @param {string} name @param {Record<string, string>} attributes @param {(Node | string)[]} children */
  function make(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  /** @param {string} name @param {string} d */
  function icon(name, d) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    for (const [key, value] of [["class", name], ["viewBox", "0 0 24 24"], ["aria-hidden", "true"]]) {
      svg.setAttribute(key, value);
    }
    path.setAttribute("d", d);
    svg.append(path);
    return svg;
  }

  function start() {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS);
      root.adoptedStyleSheets = [sheet];
    } catch {
      root.append(make("style", {}, CSS)); // a browser of before 2023: where the page's policy lets it
    }
    const isLeftToRight = getComputedStyle(document.documentElement).direction !== "rtl";
    host.dataset.side = asked.position || (isLeftToRight ? "right" : "left");
    host.lang = language;
    launcher.hidden = asked.launcher === "none";
    root.append(launcher, news, panel);
    attach();
    // Beside <body>, which some frameworks replace when the route changes; others put <html> anew.
    new MutationObserver(attach).observe(document.documentElement, { childList: true });
    launcher.addEventListener("click", () => show(!isOpen));
    leave.addEventListener("click", () => show(false));
    root.addEventListener("keydown", (event) => {
      if (/** @type {KeyboardEvent} */ (event).key === "Escape" && isOpen) show(false);
    });
    dark.addEventListener("change", paint);
    fullScreen.addEventListener("change", fit);
    window.visualViewport?.addEventListener("resize", fit);
    window.visualViewport?.addEventListener("scroll", fit);
    addEventListener("storage", ({ key }) => {
      if (key === UNREAD && !isOpen) label(known().count); // read, or heard of, in another tab
    });
    paint();
    const { count, isLive, at } = known();
    label(count);
    tellUnread(count);
    if (!fullScreen.matches && stored("sessionStorage", OPEN)) show(true, false);
    else if (isUsed() && (isLive || Math.abs(Date.now() - at) > FRESH_MS)) setTimeout(load, IDLE_MS);
  }

  function attach() {
    if (!host.isConnected) document.documentElement.append(host);
  }

  function paint() {
    host.dataset.theme = asked.theme || (dark.matches ? "dark" : "light");
  }

  /** On a phone the chat is all there is, above the keyboard. */
  function fit() {
    const covers = isOpen && fullScreen.matches;
    if (covers !== isCovering) document.body.inert = isCovering = covers;
    panel.setAttribute("aria-modal", String(covers));
    const seen = window.visualViewport;
    const isMoved = covers && seen && seen.scale <= 1.01;
    panel.style.height = isMoved ? `${seen.height}px` : "";
    panel.style.top = isMoved ? `${seen.offsetTop}px` : "";
  }

  /** @param {number} count of unread messages */
  function label(count) {
    const unread = count ? texts.unread.replace("{count}", String(count)) : "";
    badge.hidden = !count;
    badge.textContent = count > 99 ? "99+" : String(count);
    if (news.textContent !== unread) news.textContent = unread;
    const name = isOpen ? texts.close : texts.open;
    launcher.setAttribute("aria-label", unread ? `${name} · ${unread}` : name);
    launcher.title = name;
  }

  /** @param {boolean} open @param {boolean} [isFocused] whether the focus goes along */
  function show(open, isFocused = true) {
    if (open === isOpen) return;
    const wasInside = document.activeElement === host;
    isOpen = open;
    host.toggleAttribute("data-open", open);
    panel.hidden = !open;
    launcher.setAttribute("aria-expanded", String(open));
    label(0);
    store("sessionStorage", OPEN, open ? "1" : "");
    fit();
    if (open) {
      hear(0, true);
      store("localStorage", USED, String(Date.now()));
      if (!wasInside) cameFrom = document.activeElement;
      load();
      if (isFocused) focusInside();
    } else if (wasInside) {
      const isThere = cameFrom?.isConnected && cameFrom !== document.body;
      /** @type {HTMLElement} */ (isThere ? cameFrom : launcher).focus();
    }
    tell({ type: "shown", isOpen, isFocused: open && isFocused });
    emit(open ? "open" : "close");
  }

  function focusInside() {
    if (isReady) frame?.focus();
    else leave.focus();
  }

  // --- The frame --------------------------------------------------------------------------------

  function load() {
    if (frame) return;
    const query = new URLSearchParams({ lang: language });
    if (asked.theme) query.set("theme", asked.theme);
    frame = /** @type {HTMLIFrameElement} */ (
      make("iframe", { title: texts.name, allow: "clipboard-write", sandbox: SANDBOX, src: `${origin}/widget/?${query}` })
    );
    frame.addEventListener("load", connect);
    late = setTimeout(fail, READY_MS);
    panel.append(frame);
  }

  function connect() {
    isReady = false;
    isLoaded = true;
    const isFocused = isOpen && document.activeElement === host;
    tell({ type: "connect", protocol: PROTOCOL, customer, forget: mustForget, isOpen, isFocused });
  }

  /** The browser refused the frame, or the server is away; it may still come. */
  function fail() {
    word.textContent = texts.failed;
    instead.hidden = false;
    emit("failed");
    console.error(`CustomerService: no answer from ${origin}. Is ${location.origin} in its WIDGET_ORIGINS, and ${origin} in this page's frame-src?`);
  }

  /** @param {object} message */
  function tell(message) {
    // Before it has loaded there is an empty document of this page's origin.
    if (isLoaded) frame?.contentWindow?.postMessage(message, origin);
  }

  addEventListener("message", (event) => {
    if (!frame || event.source !== frame.contentWindow || event.origin !== origin) return;
    const { type, count, isLive } = event.data ?? {};
    if (type === "ready") ready();
    if (type === "unread") {
      label(isOpen ? 0 : Number(count));
      hear(Number(count), isLive !== false);
    }
    if (type === "close") show(false);
    if (type === "guest") {
      customer = null;
      tell({ type: "reload" });
    }
    if (type === "refused") emit("refused");
  });

  function ready() {
    clearTimeout(late);
    isReady = true;
    mustForget = false;
    const wasInside = root.activeElement === leave;
    cover.hidden = true;
    if (wasInside) {
      frame?.focus();
      tell({ type: "shown", isOpen, isFocused: true });
    }
    for (const done of afterSignOut.splice(0)) done();
    emit("ready");
  }

  /** @param {Customer | null} next */
  function become(next) {
    if (JSON.stringify(next) === JSON.stringify(customer) && !mustForget) return;
    customer = next;
    store("localStorage", UNREAD, "");
    label(0);
    tell({ type: "reload" });
  }

  // --- What the page remembers -------------------------------------------------------------------

  /** @param {any} said @returns {Customer | null} */
  function customerOf(said) {
    if (!said?.uid || !said.signature) return null;
    const { uid, signature, name = "", expires = "" } = said;
    return { uid: String(uid), signature: String(signature), name: String(name), expires };
  }

  /** @param {"localStorage" | "sessionStorage"} where @param {string} key */
  function stored(where, key) {
    try {
      return window[where].getItem(key) ?? "";
    } catch {
      return ""; // forbidden
    }
  }

  /** @param {"localStorage" | "sessionStorage"} where @param {string} key @param {string} value */
  function store(where, key, value) {
    try {
      if (value) window[where].setItem(key, value);
      else window[where].removeItem(key);
    } catch {
      // Forbidden: the chat opens when it is asked to.
    }
  }

  /**
   * What the frame told last, to whichever page of the shop.
   *
   * @returns {{count: number, isLive: boolean, at: number}} isLive: more may come at any moment
   */
  function known() {
    try {
      const { uid, ...told } = JSON.parse(stored("localStorage", UNREAD));
      if (uid === (customer?.uid ?? "")) return told;
    } catch {
      // Nothing is known.
    }
    return { count: 0, isLive: true, at: 0 };
  }

  /** @param {number} count @param {boolean} isLive */
  function hear(count, isLive) {
    const uid = customer?.uid ?? "";
    store("localStorage", UNREAD, JSON.stringify({ uid, count, isLive, at: Date.now() }));
    tellUnread(count);
  }

  /** @param {number} count */
  function tellUnread(count) {
    if (count !== unread) emit("unread", count);
    unread = count;
  }

  function isUsed() {
    return Date.now() - Number(stored("localStorage", USED)) < LATELY_MS;
  }

  // --- What the page can do ----------------------------------------------------------------------

  /** @param {string} name @param {unknown} [detail] */
  function emit(name, detail) {
    for (const listener of listeners.get(name) ?? []) listener(detail);
  }

  const api = {
    open: () => show(true),
    close: () => show(false),
    /** @param {Customer} next signed by the shop's server */
    identify(next) {
      const known = customerOf(next);
      if (known) become(known);
      else console.error("CustomerService.identify needs uid and signature.");
    },
    /** @returns {Promise<void>} when this browser has forgotten who it was */
    signOut() {
      const isKnown = frame || isUsed();
      store("localStorage", USED, "");
      store("localStorage", UNREAD, "");
      if (!isKnown) {
        customer = null;
        return Promise.resolve();
      }
      mustForget = true;
      become(null);
      load();
      return new Promise((done) => {
        afterSignOut.push(() => done());
        setTimeout(done, READY_MS);
      });
    },
    /**
     * @param {"ready" | "open" | "close" | "unread" | "refused" | "failed"} name
     * @param {(detail?: unknown) => void} listener
     * @returns {() => void} ends it
     */
    on(name, listener) {
      const all = listeners.get(name) ?? new Set();
      listeners.set(name, all.add(listener));
      return () => void all.delete(listener);
    },
    /** @param {[keyof typeof api, ...any[]]} call as in the queue of before: ["open"] */
    push([name, ...values]) {
      return /** @type {any} */ (api)[name]?.(...values);
    },
  };
  page.CustomerService = api;
  for (const call of queued) api.push(call);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
