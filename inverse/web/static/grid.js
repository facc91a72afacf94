// The grid of a sweep: headers that stay, the figure in every cell with a heat colour, the best one marked.
const table = element.querySelector("table");
const message = element.querySelector(".inv-message");
const bar = element.querySelector(".inv-progress");
const segments = element.querySelector(".inv-segments");
const saves = [...element.querySelectorAll("[data-download]")];
const UNITS = { psnr: " dB", ssim: "", residual: " σ_y" };
const DIGITS = { psnr: 2, ssim: 3, residual: 2 };

let shown = {};
let metric = null;
let laid = null;

const node = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
const score = (value) => (metric === "residual" ? -Math.abs(Math.log(Math.max(value, 1e-9))) : value);
const figure = (cell) => (cell.failure ? "failed" : cell[metric] == null ? "–" : cell[metric].toFixed(DIGITS[metric]) + UNITS[metric]);
const place = (index) => table.querySelector(`[data-index="${index}"]`);

function lay() {
  laid = shown.id;
  metric = metric in shown.metrics ? metric : Object.keys(shown.metrics)[0];
  const { x, y } = shown;
  const columns = x.values.map((value) => node("th", { scope: "col", textContent: value }));
  const corner = node("th", { className: "inv-corner", textContent: y ? `${y.name} ↓  ${x.name} →` : `${x.name} →` });
  const rows = (y?.values ?? [""]).map((value, row) =>
    node("tr", {}, node("th", { scope: "row", textContent: value }), ...x.values.map((_, column) => {
      const cell = node("button", { type: "button", disabled: true });
      cell.dataset.index = row * x.values.length + column;
      cell.append(node("span", { className: "inv-cell-picture" }), node("span", { className: "inv-cell-figure" }));
      return node("td", {}, cell);
    })));
  table.replaceChildren(node("thead", {}, node("tr", {}, corner, ...columns)), node("tbody", {}, ...rows));
  segments.replaceChildren(...Object.entries(shown.metrics).map(([name, title]) =>
    node("label", {}, node("input", { type: "radio", name: "inv-metric", value: name, checked: name === metric }), node("span", { textContent: title }))));
}

function picture(button, src, alt) {
  const holder = button.firstElementChild;
  const image = holder.querySelector("img") ?? holder.appendChild(new Image());
  image.alt = alt;
  if (image.src !== src) image.src = src;
}

const where = (index) => {
  const { x, y } = shown;
  const [row, column] = [Math.floor(index / x.values.length), index % x.values.length];
  return `${x.name} ${x.values[column]}` + (y ? `, ${y.name} ${y.values[row]}` : "");
};

function draw() {
  const scores = shown.cells.filter((c) => !c.failure && c[metric] != null).map((c) => score(c[metric]));
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  for (const cell of shown.cells) {
    const button = place(cell.index);
    if (cell.src) picture(button, cell.src, `Restored with ${where(cell.index)}`);
    button.disabled = false;
    const good = !cell.failure && cell[metric] != null;
    const best = shown.best[metric] === cell.index;
    button.lastElementChild.textContent = (best ? "★ " : "") + figure(cell);
    button.classList.toggle("inv-best", best);
    button.classList.remove("inv-live");
    button.style.setProperty("--heat", good ? `${Math.round(8 + 62 * (high > low ? (score(cell[metric]) - low) / (high - low) : 1))}%` : "0%");
    button.title = cell.failure || `${where(cell.index)}\n${cell.nfe} network calls, ${cell.seconds} s\nClick to use these settings`;
    button.setAttribute("aria-label", `${where(cell.index)}: ${figure(cell)}${best ? ", the best" : ""}. Use these settings`);
  }
  const live = shown.live;
  if (live && shown.phase === "running") {
    const button = place(live.index);
    picture(button, live.src, `Being restored with ${where(live.index)}`);
    button.classList.add("inv-live");
    button.lastElementChild.textContent = `step ${live.step} / ${live.total}`;
  }
  if (shown.phase !== "running") {
    for (const button of table.querySelectorAll(".inv-live")) {
      button.classList.remove("inv-live");
      button.lastElementChild.textContent = "–";
    }
  }
}

function receive() {
  const value = props.value ?? {};
  if (!value.x) return;
  // What a stopped sweep had still on its way comes too late.
  if (value.phase === "running" && value.id === shown.id && shown.phase !== "running") return;
  shown = value;
  element.dataset.phase = value.phase;
  if (laid !== value.id) lay();
  const part = value.live && value.phase === "running" ? value.live.step / value.live.total : 0;
  const percent = Math.round((100 * (value.cells.length + part)) / value.count);
  bar.setAttribute("aria-valuenow", percent);
  bar.firstElementChild.style.width = `${percent}%`;
  message.textContent = value.message;
  for (const save of saves) save.disabled = !value.cells.length;
  draw();
}
segments.addEventListener("change", (event) => {
  metric = event.target.value;
  draw();
});
table.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-index]");
  if (!button) return;
  props.value = { adopt: Number(button.dataset.index), at: Date.now() };
  trigger("select");
});
for (const save of saves) {
  save.addEventListener("click", () => {
    props.value = { download: save.dataset.download, metric, at: Date.now() };
    trigger("download");
  });
}
watch("value", receive);
receive();
