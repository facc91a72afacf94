// The panels of the findings lab: figures come as SVG, and are saved as that or as a PNG of twice the size.
import { late, node, parts, progress, save, saveDrawn, unanswered } from "./kit.js";

const fileOf = (text, type) => new Blob([text], { type });

export default function findings({ element, props, watch }, { panels, wide }) {
  const [message, bar, empty, holder] = parts(element, ".inv-message", ".inv-progress", ".inv-empty", ".inv-panels");
  let shown = {};
  const drawn = {};

  function figure(name) {
    const buttons = ["svg", "png"].map((kind) =>
      node("button", { type: "button", className: "inv-small", name: kind, value: name, textContent: kind.toUpperCase(), ariaLabel: `Save this figure as ${kind.toUpperCase()}` }));
    const made = node("figure", { className: "inv-finding", hidden: true, tabIndex: wide.includes(name) ? 0 : -1 }, node("div", { className: "inv-chart" }), node("p", {}, ...buttons));
    made.classList.toggle("inv-wide", wide.includes(name));
    made.dataset.figure = name;
    return made;
  }

  function lay() {
    const made = Object.entries(panels).map(([name, { title, measured, claim, figures }]) => {
      const part = node("section", { className: "inv-panel" }, node("h3", { textContent: title }), node("p", { className: "inv-said", textContent: measured }),
        node("div", { className: "inv-charts" }, ...figures.map(figure)), node("p", { className: "inv-sentence" }),
        node("p", { className: "inv-verdict", hidden: true }, node("b", { textContent: `The claim: “${claim}”` }), node("span")));
      part.dataset.panel = name;
      return part;
    });
    holder.replaceChildren(...made);
    for (const name of Object.keys(drawn)) delete drawn[name];
  }

  function draw() {
    for (const [name, svg] of Object.entries(shown.figures ?? {})) {
      const place = holder.querySelector(`[data-figure=${name}]`);
      if (!place || drawn[name] === svg) continue;
      drawn[name] = svg;
      const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
      parsed.style.maxWidth = `${1.25 * parsed.viewBox.baseVal.width}px`;
      place.querySelector(".inv-chart").replaceChildren(document.importNode(parsed, true));
      place.hidden = false;
    }
    // Between two samplers nothing moves, and the last one stays until all are done.
    const moving = holder.querySelector("[data-figure=moving]");
    if (shown.phase === "done" && moving) moving.hidden = true;
    for (const part of holder.children) {
      const [sentence, verdict] = parts(part, ".inv-sentence", ".inv-verdict");
      sentence.textContent = shown.sentences?.[part.dataset.panel] ?? "";
      const judged = shown.verdicts?.[part.dataset.panel] ?? "";
      verdict.hidden = !judged;
      verdict.lastChild.textContent = judged;
    }
    for (const name of ["csv", "page"]) element.querySelector(`[name=${name}]`).hidden = !shown[name];
  }

  element.addEventListener("click", (event) => {
    const { name, value } = event.target.closest("button") ?? {};
    if (name === "svg") save(fileOf(shown.figures[value], "image/svg+xml"), `${shown.name}-${value}.svg`);
    if (name === "png") saveDrawn(shown.figures[value], `${shown.name}-${value}.png`);
    if (name === "csv") save(fileOf(shown.csv, "text/csv"), `${shown.name}.csv`);
    if (name === "page") save(fileOf(shown.page, "text/markdown"), `${shown.name}.md`);
  });

  const receive = () => {
    const value = props.value ?? {};
    if (!value.id) {
      // One that waits, or was not begun: what the page shows stays.
      if (!value.phase || (value.phase === "waiting" && shown.phase === "running")) return;
      empty.hidden = Boolean(shown.id) || value.phase === "waiting";
      element.dataset.phase = value.phase;
      progress(bar, 0);
      message.textContent = value.message;
      return;
    }
    if (late(value, shown, "id")) return;
    const fresh = value.id !== shown.id;
    shown = value;
    element.dataset.phase = value.phase;
    empty.hidden = true;
    if (fresh) lay();
    progress(bar, value.progress ?? 0);
    message.textContent = value.message;
    draw();
  };
  watch("value", receive);
  receive();
  // What is found stays.
  unanswered(element, message, () => element.dataset.phase === "running", () => (element.dataset.phase = "failed"));
}
