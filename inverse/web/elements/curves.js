// Two curves against the step: the data residual, on a logarithmic scale, and the PSNR. The viewer says what is shown.
import { curveFigure } from "./curve-figure.js";
import { hear, save, saveDrawn } from "./kit.js";
import { ticks } from "./ticks.js";

export default function curves({ element }, titles) {
  const HEIGHT = 84;
  const PRINT = 4; // pixels of a file for each of the page: 384 to the inch
  const [LEFT, RIGHT, TOP, BOTTOM] = [34, 8, 6, 16];
  const UNIT = { residual: (curve) => (curve.relative ? " × noise" : ""), psnr: () => " dB" };
  const digits = (value, name) => (name === "psnr" ? value.toFixed(1) : Number(value.toPrecision(3)).toString());

  let shown = null;
  let step = null;
  let hovered = null;

  const svgNode = (name, attributes = {}, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  };

  function plot(name) {
    const figure = element.querySelector(`[data-plot=${name}]`);
    const at = Object.keys(titles).indexOf(name) + 1;
    const log = name === "residual";
    // A logarithm knows no 0; such a residual stands at the bottom.
    const points = (shown?.points ?? []).filter((point) => point[at] != null).map((point) => [point[0], log ? Math.max(point[at], 1e-4) : point[at]]);
    return { name, figure, points, log, svg: figure.querySelector("svg"), output: figure.querySelector("output") };
  }

  function range({ points, log }) {
    const values = points.map((point) => point[1]);
    if (log && shown.relative) values.push(1);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    if (log) return [low / 1.3, high * 1.3];
    const margin = Math.max(0.08 * (high - low), 0.5);
    return [low - margin, high + margin];
  }

  function draw(part) {
    const { svg, points, log, name, figure } = part;
    const width = Math.max(120, Math.round(svg.clientWidth));
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    figure.classList.toggle("inv-off", Boolean(shown) && !points.length);
    const [bottom, right] = [HEIGHT - BOTTOM, width - RIGHT];
    const parts = [svgNode("path", { class: "inv-axis", d: `M${LEFT} ${TOP}V${bottom}H${right}` })];
    part.x = (value) => LEFT + ((value - 1) / Math.max(1, (shown?.total ?? 2) - 1)) * (right - LEFT);
    if (points.length) {
      const [low, high] = range(part);
      const scale = log ? Math.log : (value) => value;
      part.y = (value) => bottom - ((scale(value) - scale(low)) / (scale(high) - scale(low))) * (bottom - TOP);
      for (const value of ticks(low, high, log)) {
        const y = part.y(value);
        parts.push(svgNode("path", { class: "inv-grid-line", d: `M${LEFT} ${y}H${right}` }));
        parts.push(svgNode("text", { x: LEFT - 5, y: y + 3.5, "text-anchor": "end" }, String(value)));
      }
      if (log && shown.relative) {
        const y = part.y(1);
        // On the left, where residuals start far above it, or else below it.
        const above = points[0][1] < 1 ? y < TOP + 18 : y > bottom - 14;
        parts.push(svgNode("path", { class: "inv-noise-line", d: `M${LEFT} ${y}H${right}` }));
        parts.push(svgNode("text", { class: "inv-noise-words", x: LEFT + 6, y: above ? y - 4 : y + 12 }, "what the noise explains"));
      }
      const path = points.map(([at, value], i) => `${i ? "L" : "M"}${part.x(at).toFixed(1)} ${part.y(value).toFixed(1)}`).join("");
      parts.push(svgNode("path", { class: "inv-line", d: path }));
      parts.push(svgNode("text", { x: LEFT, y: HEIGHT - 3, "text-anchor": "start" }, "update 1"));
      parts.push(svgNode("text", { x: right, y: HEIGHT - 3, "text-anchor": "end" }, String(shown.total)));
    }
    parts.push(svgNode("path", { class: "inv-at-line" }), svgNode("circle", { class: "inv-at-dot", r: 3.5 }));
    svg.replaceChildren(...parts);
    const [first, last] = [points[0], points.at(-1)];
    const unit = shown ? UNIT[name](shown) : "";
    svg.setAttribute("aria-label", last
      ? `${titles[name]}: ${digits(first[1], name)}${unit} at update ${first[0]}, ${digits(last[1], name)}${unit} at update ${last[0]} of ${shown.total}`
      : `${titles[name]}: ${shown ? "not known, there is no original" : "no run yet"}`);
    point(part);
  }

  // The step that the viewer shows, or the one under the pointer.
  function point(part) {
    const { svg, points, output, name } = part;
    const wanted = hovered ?? step ?? points.at(-1)?.[0];
    const near = points.reduce((best, one) => (best && Math.abs(best[0] - wanted) <= Math.abs(one[0] - wanted) ? best : one), null);
    const [line, dot] = [svg.querySelector(".inv-at-line"), svg.querySelector(".inv-at-dot")];
    line.toggleAttribute("hidden", !near);
    dot.toggleAttribute("hidden", !near);
    output.textContent = near ? `${digits(near[1], name)}${UNIT[name](shown)}` : "–";
    output.title = near ? `Update ${near[0]}` : "";
    if (!near) return;
    line.setAttribute("d", `M${part.x(near[0])} ${TOP}V${HEIGHT - BOTTOM}`);
    dot.setAttribute("cx", part.x(near[0]));
    dot.setAttribute("cy", part.y(near[1]));
  }

  let parts = [];
  function redraw() {
    parts = Object.keys(titles).map(plot);
    parts.forEach(draw);
  }

  const saves = [...element.querySelectorAll("[data-save]")];
  let told = {}; // caption and name of files, once a run has ended
  element.addEventListener("click", (event) => {
    const kind = event.target.closest("[data-save]")?.dataset.save;
    if (!kind) return;
    const [svg, name] = [curveFigure(shown, titles, told.caption), told.filename.replace(/(-restored)?\.\w+$/, "-curves")];
    if (kind === "svg") save(new Blob([svg], { type: "image/svg+xml" }), `${name}.svg`);
    else saveDrawn(svg, `${name}.png`, PRINT);
  });

  hear(element, "drawn", ({ curve, at, caption, filename }) => {
    step = at;
    told = { caption, filename };
    for (const button of saves) button.disabled = !(curve && caption);
    const same = curve === shown || (curve && shown && curve.key === shown.key && curve.points.length === shown.points.length);
    shown = curve;
    if (same) parts.forEach(point);
    else redraw();
  });
  element.addEventListener("pointermove", (event) => {
    const svg = event.target.closest("svg");
    if (!svg || !shown) return;
    const { left, width } = svg.getBoundingClientRect();
    const share = (event.clientX - left - LEFT) / (width - LEFT - RIGHT);
    hovered = 1 + Math.min(1, Math.max(0, share)) * (shown.total - 1);
    parts.forEach(point);
  });
  element.addEventListener("pointerleave", () => {
    hovered = null;
    parts.forEach(point);
  });
  let width = 0;
  new ResizeObserver(([entry]) => {
    if (Math.abs(entry.contentRect.width - width) < 1) return;
    width = entry.contentRect.width;
    requestAnimationFrame(redraw);
  }).observe(element);
  redraw();
}
