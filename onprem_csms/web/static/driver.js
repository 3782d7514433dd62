/* The drivers' pages work without this; it counts the seconds and follows the amount that is typed. */
"use strict";
(() => {
  const two = (number) => String(number).padStart(2, "0");

  // The server says how many seconds have passed or are left; from there on the phone counts. Its own clock may be wrong.
  const clocks = () => [...document.querySelectorAll("[data-passed], [data-left]")];
  let told = performance.now();
  if (clocks().length > 0) {
    tick();
    setInterval(tick, 1000);
    document.addEventListener("live:updated", () => {
      told = performance.now();
      tick();
    });
  }

  function tick() {
    const since = Math.floor((performance.now() - told) / 1000);
    for (const clock of clocks()) {
      if (clock.dataset.passed) clock.textContent = written(Number(clock.dataset.passed) + since);
      else clock.textContent = `(${written(Math.max(0, clock.dataset.left - since))})`;
    }
  }

  function written(seconds) {
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
  }

  document.addEventListener("input", (event) => {
    if (event.target.id !== "field-other" || !event.target.value.trim()) return;
    const other = event.target.form.querySelector("[name=amount][value=other]");
    if (other) other.checked = true;
  });
  document.addEventListener("click", (event) => {
    if (event.detail > 0 && event.target.matches("[name=amount][value=other]")) event.target.form.elements.other.focus();
  });
})();
