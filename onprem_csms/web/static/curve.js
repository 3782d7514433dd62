/* Draws power and cost of a session; the same values stand in the table below it. */
"use strict";
(() => {
  const box = document.querySelector("[data-curve]");
  if (!box || typeof uPlot === "undefined") return;
  const about = box.dataset;
  const locale = about.language === "en" ? "en-GB" : about.language;
  const number = (digits) => new Intl.NumberFormat(locale, { maximumFractionDigits: digits });
  const zoned = (seconds) => uPlot.tzDate(new Date(seconds * 1000), about.timezone);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let chart = null;

  function options(brief) {
    const axis = { stroke: colour("--ink-soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
    const short = (unit) => (_, values) => values.map((value) => (value === null ? "" : `${number(1).format(value)} ${unit}`));
    const clock = new Intl.DateTimeFormat(locale, {
      hour: "2-digit", minute: "2-digit", second: brief ? "2-digit" : undefined, timeZone: about.timezone,
    });
    return {
      width: box.clientWidth,
      height: 260,
      tzDate: zoned,
      cursor: { drag: { x: false, y: false } },
      scales: { power: { range: (_, low, high) => [0, Math.max(1, high * 1.1)] }, second: { range: (_, low, high) => [0, Math.max(1, high * 1.1)] } },
      axes: [
        { ...axis, values: (_, seconds) => seconds.map((one) => clock.format(one * 1000)) },
        { ...axis, scale: "power", size: 64, values: short("kW") },
        { ...axis, scale: "second", side: 1, size: 76, grid: { show: false }, values: short(about.unit) },
      ],
      series: [
        { label: about.time, value: (_, one) => (one === null ? "–" : clock.format(one * 1000)) },
        { label: about.power, scale: "power", stroke: colour("--accent"), width: 2, fill: colour("--accent-soft"), spanGaps: true, value: (_, one) => (one === null ? "–" : `${number(1).format(one)} kW`) },
        { label: about.cost, scale: "second", stroke: colour("--warn"), width: 2, dash: [6, 4], value: (_, one) => (one === null ? "–" : `${number(2).format(one)} ${about.unit}`) },
      ],
    };
  }

  async function draw() {
    const answer = await fetch(about.curve, { credentials: "same-origin" });
    if (!answer.ok) return;
    const points = await answer.json();
    if (points.at.length < 2) return;
    const data = [
      points.at,
      points.power_w.map((one) => (one === null ? null : one / 1000)),
      points[about.second].map((one) => one / Number(about.scale)),
    ];
    if (chart) return void chart.setData(data);
    chart = new uPlot(options(points.at.at(-1) - points.at[0] < 600), data, box);
  }

  new ResizeObserver(() => chart && chart.setSize({ width: box.clientWidth, height: 260 })).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    if (chart) chart.destroy();
    chart = null;
    draw();
  });
  document.addEventListener("live:updated", draw);
  draw();
})();
