// What the grid of a sweep and the rows of a comparison share: a table of cells, and two of them side by side.
import { late, node, parts, progress, unanswered } from "./kit.js";

/* How good a value is, by which one is best; larger is better. */
const SCORES = { highest: (v) => v, lowest: (v) => -v, one: (v) => -Math.abs(Math.log(Math.max(v, 1e-9))) };
export const score = ({ best }, value) => SCORES[best](value);
export const written = ({ digits, unit }, value) => value.toFixed(digits) + unit;

/* `figures` are what is said of a run, by name: {title, help, digits, unit, best}; `called(index)` is what a cell is called. */
export function batch({ element, props, trigger, watch }, figures, called) {
  const [table, message, bar, empty, look] = parts(element, "table", ".inv-message", ".inv-progress", ".inv-empty", "dialog");
  const place = (index) => table.querySelector(`[data-index="${index}"]`);
  const figure = (cell, name) => (cell.failure ? "failed" : cell[name] == null ? "–" : written(figures[name], cell[name]));
  const self = { table, shown: {}, cell, picture, finish, figure, place, savable, saving, connect };
  let laid = null;

  /* A cell: a button with its picture, and a small one that shows it large. */
  function cell(index, ...inside) {
    const button = node("button", { type: "button", disabled: true, ariaLabel: "Not finished yet" }, node("span", { className: "inv-cell-picture" }), ...inside);
    button.dataset.index = index;
    const open = node("button", { type: "button", className: "inv-enlarge", textContent: "⤢", title: "Show it large, beside another one", hidden: true });
    open.dataset.look = index;
    return node("div", { className: "inv-cell" }, button, open);
  }

  function picture(index, src, alt) {
    const holder = place(index).querySelector(".inv-cell-picture");
    const image = holder.querySelector("img") ?? holder.appendChild(new Image());
    // Every cell takes the shape of the first picture, so that the others do not push the page when they come.
    image.onload ??= () => table.style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
    image.alt = alt;
    if (image.src !== src) image.src = src;
  }

  function finish(index, name) {
    const button = place(index);
    button.disabled = false;
    const open = button.parentElement.querySelector(".inv-enlarge");
    open.hidden = !self.shown.cells.some((each) => each.index === index && each.src);
    open.setAttribute("aria-label", `Show ${name} large`);
  }

  /* Two cells side by side: the left one stays, arrows change the right one in its place. */
  let pair = [null, null];
  function compare(right, left = pair[0]) {
    const seen = self.shown.cells.filter((each) => each.src).sort((a, b) => a.index - b.index);
    if (!seen.some((each) => each.index === left)) {
      const best = self.shown.best[Object.keys(self.shown.metrics)[0]];
      left = [best, ...seen.map((each) => each.index), right].find((index) => index != null && index !== right) ?? right;
    }
    pair = [left, right];
    const sides = [...new Set(pair)].map((index) => {
      const found = seen.find((each) => each.index === index);
      const words = Object.keys(figures).filter((name) => found[name] != null).map((name) => `${figures[name].title} ${figure(found, name)}`);
      return node("figure", {}, node("figcaption", {}, node("b", { textContent: called(index) }), node("span", { textContent: words.join(" · ") })),
        node("img", { src: found.src, alt: called(index) }),
        node("button", { type: "button", className: "inv-small", textContent: "Use these settings", value: index, name: "adopt" }));
    });
    look.querySelector(".inv-pair").replaceChildren(...sides);
    look.querySelector("[name=keep]").disabled = left === right;
    if (!look.open) look.showModal();
    if (!look.contains(document.activeElement)) look.focus(); // arrows go on
  }
  function turn(by) {
    const seen = self.shown.cells.filter((each) => each.src).map((each) => each.index).sort((a, b) => a - b);
    compare(seen[(seen.indexOf(pair[1]) + by + seen.length) % seen.length]);
  }

  /* What can be saved of the runs, by the server, which has their pictures as they are. */
  const saves = [...element.querySelectorAll("[data-download]")];
  function savable() {
    for (const save of saves) save.disabled = !self.shown.cells.length;
  }
  function saving(metric) {
    for (const save of saves) {
      save.addEventListener("click", () => {
        props.value = { download: save.dataset.download, metric: metric(), at: Date.now() };
        trigger("download");
      });
    }
  }

  const adopt = (index) => {
    props.value = { adopt: Number(index), at: Date.now() };
    trigger("select");
  };
  table.addEventListener("click", (event) => {
    const { index, look: large } = event.target.closest("button")?.dataset ?? {};
    if (large !== undefined) compare(Number(large));
    else if (index !== undefined) adopt(index);
  });
  look.addEventListener("click", (event) => {
    const { name, value } = event.target;
    if (name === "adopt") adopt(value);
    if (name === "keep") compare(pair[1], pair[1]);
    if (name === "turn") turn(Number(value));
    if (name === "adopt" || name === "close" || event.target === look) look.close();
  });
  look.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) turn(by);
    event.stopPropagation(); // Esc closes this, and stops no run
  });

  /* New values: `lay` makes the table of a new batch, `draw` fills it in. */
  function connect(lay, draw) {
    const receive = () => {
      const value = props.value ?? {};
      if (!value.count) {
        // Runs that wait, or were not begun: what the page shows stays, be it earlier ones or what to expect.
        if (!value.phase || (value.phase === "waiting" && self.shown.phase === "running")) return;
        empty.hidden = laid !== null || value.phase === "waiting";
        if (empty.hidden) element.dataset.phase = value.phase;
        else delete element.dataset.phase;
        progress(bar, 0);
        message.textContent = value.message;
        return;
      }
      if (late(value, self.shown, "id")) return;
      self.shown = { ...value, live: (value.phase === "running" && value.live) || [] };
      element.dataset.phase = value.phase;
      empty.hidden = true;
      if (laid !== value.id) {
        laid = value.id;
        pair = [null, null];
        look.close();
        lay();
      }
      const shares = self.shown.live.map((each) => each.step / each.total);
      progress(bar, (100 * (value.cells.length + shares.reduce((a, b) => a + b, 0))) / value.count);
      message.textContent = value.message;
      draw();
    };
    watch("value", receive);
    receive();
    unanswered(element, message, () => element.dataset.phase === "running", () => {
      // What is finished stays.
      element.dataset.phase = "failed";
      if (!self.shown.count) return;
      self.shown = { ...self.shown, phase: "failed", live: [] };
      draw();
    });
  }

  return self;
}
