// The grid of a sweep: headers that stay, the figure in every cell with a heat colour, the best one marked.
import { batch, score } from "./batch.js";
import { node } from "./kit.js";

export default function grid(tools, figures) {
  const { element } = tools;
  const self = batch(tools, figures, called);
  const { table, cell, picture, finish, figure, place } = self;
  const segments = element.querySelector(".inv-segments");
  let metric = null;

  function lay() {
    metric = metric in self.shown.metrics ? metric : Object.keys(self.shown.metrics)[0];
    const { x, y } = self.shown;
    const columns = x.values.map((value) => node("th", { scope: "col", textContent: value }));
    const corner = node("th", { className: "inv-corner", textContent: y ? `${y.name} ↓  ${x.name} →` : `${x.name} →` });
    const rows = (y?.values ?? [""]).map((value, row) =>
      node("tr", {}, node("th", { scope: "row", textContent: value }), ...x.values.map((_, column) =>
        node("td", {}, cell(row * x.values.length + column, node("span", { className: "inv-cell-figure" }))))));
    table.replaceChildren(node("thead", {}, node("tr", {}, corner, ...columns)), node("tbody", {}, ...rows));
    segments.replaceChildren(...Object.entries(self.shown.metrics).map(([name, title]) =>
      node("label", {}, node("input", { type: "radio", name: "inv-metric", value: name, checked: name === metric }), node("span", { textContent: title }))));
  }

  function called(index) {
    const { x, y } = self.shown;
    const [row, column] = [Math.floor(index / x.values.length), index % x.values.length];
    return `${x.name} ${x.values[column]}${y ? `, ${y.name} ${y.values[row]}` : ""}`;
  }

  function draw() {
    const worth = (each) => score(figures[metric], each[metric]);
    const good = (each) => !each.failure && each[metric] != null;
    const scores = self.shown.cells.filter(good).map(worth);
    const [low, high] = [Math.min(...scores), Math.max(...scores)];
    const unfinished = new Set([...table.querySelectorAll("[data-index]")].map((button) => Number(button.dataset.index)));
    for (const each of self.shown.cells) {
      const [button, name, words] = [place(each.index), called(each.index), figure(each, metric)];
      unfinished.delete(each.index);
      if (each.src) picture(each.index, each.src, `Restored with ${name}`);
      finish(each.index, name);
      const best = self.shown.best[metric] === each.index;
      button.lastElementChild.textContent = (best ? "★ " : "") + words;
      button.classList.toggle("inv-best", best);
      button.classList.remove("inv-live");
      button.style.setProperty("--heat", good(each) ? `${Math.round(8 + 62 * (high > low ? (worth(each) - low) / (high - low) : 1))}%` : "0%");
      button.title = each.failure || `${name}\n${each.nfe} network calls, ${each.seconds} s\nClick to use these settings`;
      button.setAttribute("aria-label", `${name}: ${words}${best ? ", the best" : ""}. Use these settings`);
    }
    for (const index of unfinished) {
      const [button, live] = [place(index), self.shown.live.find((each) => each.index === index)];
      if (live) picture(index, live.src, `Being restored with ${called(index)}`);
      button.classList.toggle("inv-live", Boolean(live));
      button.lastElementChild.textContent = live ? `update ${live.step} / ${live.total}` : self.shown.phase === "running" ? "waiting" : "–";
    }
    self.savable();
  }

  segments.addEventListener("change", (event) => {
    metric = event.target.value;
    draw();
  });
  self.saving(() => metric);
  self.connect(lay, draw);
}
