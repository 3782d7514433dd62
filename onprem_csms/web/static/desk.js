/* The desk: shows the tapped card by itself, hears a reader that types wherever the focus is, helps with amounts.
 *
 * live.js keeps #desk-reader true; what changed there is the tap. A form that has content is never replaced.
 */
"use strict";
(() => {
  const desk = document.querySelector("[data-desk]");
  const reader = document.getElementById("desk-reader");
  if (!desk || !reader) return;
  const other = document.getElementById("desk-other");
  const form = desk.querySelector("form.desk-form");

  // ---------------------------------------------------------------- taps

  let tap = reader.dataset.tap;
  document.addEventListener("live:updated", () => {
    if (reader.dataset.tap === tap || reader.dataset.tap === "0") return;
    tap = reader.dataset.tap;
    seen(reader.dataset.uid, reader.dataset.refusal, "/desk/tap");
  });

  // A card was read: show it, unless something on the page has content.
  function seen(uid, refusal, address) {
    if (!hasContent()) return void location.assign(address);
    if (uid && uid === desk.dataset.card) return void hold();
    if (!other) return;
    other.querySelector("[data-number]").textContent = uid ? uid.replace(/(.{4})(?=.)/g, "$1 ") : refusal;
    other.querySelector("a").href = address;
    other.hidden = false;
  }

  // The card of the form again: it may be booked by this tap.
  function hold() {
    if (form && reader.dataset.uid === desk.dataset.card) {
      form.querySelector("[data-tap]").value = reader.dataset.tap;
      form.querySelector("[data-station]").value = reader.dataset.station;
    }
    if (other) other.hidden = true;
  }

  function hasContent() {
    return [...desk.querySelectorAll("form[data-content], .desk-find")].some((one) =>
      one.dataset.sent || [...one.elements].some(changed));
  }

  function changed(field) {
    if (field.type === "hidden" || field.tagName === "BUTTON" || field.tagName === "FIELDSET") return false;
    if (field.type === "radio" || field.type === "checkbox") return field.checked !== field.defaultChecked;
    return field.value !== field.defaultValue;
  }

  // ---------------------------------------------------------------- a reader that types

  const PAUSE_MS = 50; // people leave longer pauses between keys
  const SHORTEST = 8; // a card number has at least 4 bytes
  const WHOLE = /^([0-9a-fö]{8}|[0-9a-fö]{14}|[0-9a-fö]{20})$/i; // numbers of 4, 7 and 10 bytes
  let typed = "";
  let began = { field: null, value: "" };
  let last = 0;

  addEventListener("keydown", (event) => {
    const slow = event.timeStamp - last > PAUSE_MS;
    last = event.timeStamp;
    if (event.key === "Enter") {
      const number = typed;
      typed = "";
      if (slow || number.length < SHORTEST || !/^[0-9a-föÖ]+$/i.test(number)) return;
      // It typed where it should: into the empty field, or with a hiccup after its first digits.
      if (event.target.id === "desk-number" && (began.value === "" || WHOLE.test(event.target.value))) return;
      event.preventDefault();
      event.stopPropagation();
      if (began.field) began.field.value = began.value;
      scanned(number);
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
      if (slow) {
        typed = "";
        const field = "value" in event.target && event.target.type !== "radio" ? event.target : null;
        began = { field, value: field ? field.value : "" };
      }
      typed += event.key;
    }
  }, { capture: true });

  function scanned(number) {
    const uid = number.replace(/ö/gi, "0").toUpperCase();
    if (uid === desk.dataset.card && hasContent()) return;
    seen(uid, "", `/desk/find?number=${encodeURIComponent(uid)}`);
  }

  // ---------------------------------------------------------------- amounts

  if (form) {
    const text = form.elements.other;
    const choose = (value) => [...form.querySelectorAll("[name=amount]")].forEach((one) => (one.checked = one.value === value));
    text.addEventListener("input", () => text.value.trim() && choose("other"));
    form.addEventListener("change", (event) => {
      if (event.target.name !== "amount") return;
      if (event.target.value !== "other") text.value = "";
    });
    // By finger or mouse only: with the keyboard it is the next stop anyway.
    form.addEventListener("click", (event) => {
      if (event.detail > 0 && event.target.matches("[name=amount][value=other]")) text.focus();
    });
    ["input", "change"].forEach((name) => form.addEventListener(name, tell));
    tell();
  }

  function tell() {
    const amount = minor();
    const after = form.querySelector(".desk-after");
    if (!after) return;
    after.hidden = amount <= 0;
    after.querySelector("[data-after]").textContent = money(Number(form.dataset.balance) + amount);
  }

  function minor() {
    const chosen = form.querySelector("[name=amount]:checked");
    if (!chosen) return 0;
    if (chosen.value !== "other") return Number(chosen.dataset.minor);
    const plain = form.elements.other.value.replace(form.dataset.symbol, "").replace(/\s/g, "").replace(",", ".");
    return /^\d+(\.\d+)?$/.test(plain) ? Math.round(Number(plain) * 10 ** Number(form.dataset.decimals)) : 0;
  }

  function money(amount) {
    const { symbol, leads } = form.dataset;
    const decimals = Number(form.dataset.decimals);
    const [whole, rest] = (Math.abs(amount) / 10 ** decimals).toFixed(decimals).split(".");
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, leads === undefined ? "\u00a0" : ",");
    const number = rest ? `${grouped}${leads === undefined ? "," : "."}${rest}` : grouped;
    const sign = amount < 0 ? "-" : "";
    return leads === undefined ? `${sign}${number}\u00a0${symbol}` : `${sign}${symbol}${number}`;
  }
})();
