/* Small helps that every page may use: ask before, copy, focus on faults, no second sending. */
"use strict";
(() => {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const question = (event.submitter && event.submitter.dataset.confirm) || form.dataset.confirm;
    if (question && !confirm(question)) return void event.preventDefault();
    if (form.method !== "post") return;
    // A double click sends once; the button comes back if the page does (back button, refused download).
    if (form.dataset.sent) return void event.preventDefault();
    form.dataset.sent = "1";
    const buttons = form.querySelectorAll("button");
    setTimeout(() => buttons.forEach((button) => button.setAttribute("aria-busy", "true")), 400);
    setTimeout(() => {
      delete form.dataset.sent;
      buttons.forEach((button) => button.removeAttribute("aria-busy"));
    }, 8000);
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) await copy(button);
    if (event.target.closest("[data-print]")) print();
  });

  async function copy(button) {
    // navigator.clipboard is missing on plain HTTP, where a site in a local network often is.
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(button.dataset.copy);
    } else {
      const box = document.createElement("textarea");
      box.value = button.dataset.copy;
      box.className = "out-of-sight";
      document.body.append(box);
      box.select();
      document.execCommand("copy");
      box.remove();
      button.focus();
    }
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1500);
  }

  // Filters apply as soon as they are chosen; the button is there for those without script.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-auto]");
    if (form && event.target.matches("select, input[type=checkbox], input[type=date]")) form.requestSubmit();
  });

  // A table that is wider than its place can be moved by keyboard, too.
  function reachable() {
    for (const box of document.querySelectorAll(".table-box")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }
  addEventListener("resize", reachable);
  document.addEventListener("toggle", reachable, { capture: true });
  document.addEventListener("live:updated", reachable);
  reachable();

  const faults = document.querySelector("[data-focus]");
  if (faults) faults.focus();
})();
