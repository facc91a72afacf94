// A comparison: one row a solver, live.
import { batch, score, written } from "./batch.js";
import { node } from "./kit.js";

export default function rows(tools, figures) {
  const self = batch(tools, figures, called);
  const { table, cell, picture, finish } = self;
  const columns = () => Object.entries(figures).filter(([name]) => name in self.shown.metrics || ["cost", "seconds"].includes(name));
  function called(index) {
    return self.shown.titles[index];
  }
  const noted = (index, words) => [words, self.shown.notes?.[index]].filter(Boolean).join(" · ");

  function lay() {
    const head = [node("th", { textContent: "" }), node("th", { scope: "col", textContent: "Solver" })];
    head.push(...columns().map(([, { title, help }]) => node("th", { scope: "col", textContent: title, title: help })));
    const rows = self.shown.titles.map((title, index) => {
      const holder = cell(index);
      holder.firstElementChild.title = "Use these settings";
      holder.firstElementChild.setAttribute("aria-label", `${title}: use these settings`);
      const name = node("th", { scope: "row" }, node("b", { textContent: title }), node("small", { textContent: "waiting" }));
      const cells = columns().map(([key, { title: label }]) => {
        const made = node("td", { textContent: "–" });
        made.dataset.key = key;
        made.dataset.label = label;
        return made;
      });
      return node("tr", {}, node("td", {}, holder), name, ...cells);
    });
    table.replaceChildren(node("thead", {}, node("tr", {}, ...head)), node("tbody", {}, ...rows));
  }

  function draw() {
    const good = self.shown.cells.filter((each) => !each.failure);
    [...table.tBodies[0].rows].forEach((row, index) => {
      const each = self.shown.cells.find((found) => found.index === index);
      const live = !each && self.shown.live.find((found) => found.index === index);
      const words = row.querySelector("small");
      row.classList.toggle("inv-live", Boolean(live));
      if (live) {
        picture(index, live.src, `Being restored by ${called(index)}`);
        words.textContent = noted(index, `update ${live.step} of ${live.total}`);
        row.querySelector("[data-key=cost]").textContent = written(figures.cost, live.cost);
      } else if (!each) {
        words.textContent = noted(index, self.shown.phase === "running" ? "waiting" : "not finished");
      } else {
        if (each.src) picture(index, each.src, `Restored by ${called(index)}`);
        finish(index, called(index));
        words.textContent = noted(index, each.failure);
        for (const [name, kind] of columns()) {
          const scores = good.filter((other) => other[name] != null).map((other) => score(kind, other[name]));
          const best = scores.length > 1 && !each.failure && each[name] != null && score(kind, each[name]) === Math.max(...scores);
          const spot = row.querySelector(`[data-key=${name}]`);
          spot.textContent = each[name] == null ? "–" : (best ? "★ " : "") + written(kind, each[name]);
          spot.classList.toggle("inv-best", best);
        }
      }
    });
    self.savable();
  }
  self.saving(() => Object.keys(self.shown.metrics)[0]);
  self.connect(lay, draw);
}
