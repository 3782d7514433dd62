/* Keeps the live regions of a page true.
 *
 * <body data-events="/admin/events"> names the stream; <section id="x" data-live="session charger:CP1"> is a region that
 * shows what belongs to these topics. News only say what to read again: the page is asked for anew and each region that is
 * concerned is brought up to date in place, so that focus, open details and typed texts stay. [data-keep] is left alone.
 */
"use strict";
(() => {
  const stream = document.body.dataset.events;
  const regions = () => [...document.querySelectorAll("[data-live][id]")];
  if (!stream || regions().length === 0) return;

  const AGAIN_MS = 1000; // at most one reading of the page in this time
  const SILENT_MS = 25000; // the server says something every ten seconds
  const lost = document.getElementById("lost");
  const topics = new Set(regions().flatMap((region) => wanted(region).map((one) => one.split(":")[0])));
  const changed = new Set();
  let source = null;
  let heard = Date.now();
  let timer = null;
  let reading = false;
  let pressed = false;
  let last = 0;
  let unheard = true; // the stream has said nothing yet

  function wanted(region) {
    return region.dataset.live.split(/\s+/).filter(Boolean);
  }

  function concerns(region) {
    if (changed.has("everything:")) return true;
    return wanted(region).some((one) =>
      one.includes(":") ? changed.has(one) : [...changed].some((event) => event.startsWith(one + ":")));
  }

  // ---------------------------------------------------------------- the stream

  function connect() {
    unheard = true;
    source = new EventSource(`${stream}${stream.includes("?") ? "&" : "?"}topics=${[...topics].join(",")}`);
    source.addEventListener("alive", alive);
    source.addEventListener("changed", (event) => {
      alive();
      JSON.parse(event.data).forEach((one) => changed.add(one));
      if (regions().some(concerns)) soon();
      else changed.clear();
    });
    source.addEventListener("error", () => say(false));
  }

  function alive() {
    heard = Date.now();
    // What was missed: while the stream was away, or between the page's making and its first word.
    if (say(true) || unheard) everything();
    unheard = false;
  }

  function everything() {
    changed.add("everything:");
    soon();
  }

  // Shows or hides the bar; tells whether the connection has just come back.
  function say(connected) {
    const was = lost.hidden;
    lost.hidden = connected;
    document.body.classList.toggle("is-lost", !connected);
    return connected && !was;
  }

  setInterval(() => {
    if (document.hidden || Date.now() - heard < SILENT_MS) return;
    say(false);
    if (source.readyState !== EventSource.CONNECTING) {
      source.close();
      connect();
    }
    heard = Date.now();
  }, 5000);

  // A tab nobody looks at needs no stream: browsers allow six connections to one address.
  document.addEventListener("visibilitychange", () => {
    source.close();
    if (document.hidden) return;
    heard = Date.now();
    connect();
  });
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  // ---------------------------------------------------------------- reading the page again

  function soon() {
    if (timer === null) timer = setTimeout(refresh, Math.max(50, last + AGAIN_MS - Date.now()));
  }

  // Nothing moves under the finger.
  addEventListener("pointerdown", () => (pressed = true), { capture: true });
  ["pointerup", "pointercancel"].forEach((name) => addEventListener(name, () => (pressed = false), { capture: true }));

  async function refresh() {
    timer = null;
    if (reading || pressed) return void soon();
    reading = true;
    last = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { "X-Live": "1" }, credentials: "same-origin" });
      if (answer.redirected) return void location.reload(); // signed out meanwhile
      if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      say(false);
    } finally {
      reading = false;
    }
  }

  function show(fresh) {
    const concerned = regions().filter(concerns);
    changed.clear();
    for (const region of concerned) {
      const after = fresh.getElementById(region.id);
      if (after) morph(region, after);
    }
    document.title = fresh.title;
    document.dispatchEvent(new CustomEvent("live:updated"));
  }

  // ---------------------------------------------------------------- making one tree like another

  function morph(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (old.hasAttribute("data-keep")) return;
    attributes(old, fresh);
    children(old, fresh);
  }

  function attributes(old, fresh) {
    const opened = old.tagName === "DETAILS" || old.tagName === "DIALOG";
    for (const { name, value } of [...fresh.attributes]) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !(opened && name === "open")) old.removeAttribute(name);
    }
  }

  // Children with an id are found again wherever they are; others are taken in order.
  function children(old, fresh) {
    let next = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      const match = counterpart(old, next, child);
      if (match === null) {
        old.insertBefore(document.importNode(child, true), next);
        continue;
      }
      if (match === next) next = next.nextSibling;
      else old.insertBefore(match, next);
      morph(match, child);
    }
    while (next) {
      const gone = next;
      next = next.nextSibling;
      gone.remove();
    }
  }

  function counterpart(old, next, child) {
    if (child.id) {
      const same = document.getElementById(child.id);
      return same && same.parentNode === old && same.nodeName === child.nodeName ? same : null;
    }
    const alike = next && next.nodeType === child.nodeType && next.nodeName === child.nodeName;
    return alike && !next.id ? next : null;
  }

  connect();
})();
