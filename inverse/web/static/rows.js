// A comparison: one row a solver, live.
const table = element.querySelector("table");
const message = element.querySelector(".inv-message");
const bar = element.querySelector(".inv-progress");
const COLUMNS = [
  ["psnr", "PSNR", (v) => `${v.toFixed(2)} dB`, "Closeness to the original; higher is better.", (v) => v],
  ["ssim", "SSIM", (v) => v.toFixed(3), "Likeness of structure; 1 is equal.", (v) => v],
  ["residual", "Residual", (v) => `${v.toFixed(2)} σ_y`, "Distance from the measurement, in units of its noise; about 1 is right.", (v) => -Math.abs(Math.log(Math.max(v, 1e-9)))],
  ["nfe", "Network calls", (v) => String(v), "Forward passes of the network.", (v) => -v],
  ["seconds", "Seconds", (v) => v.toFixed(1), "On this machine, just now.", (v) => -v],
];
let shown = {};
let laid = null;

const node = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
const columns = () => COLUMNS.filter(([name]) => name in shown.metrics || ["nfe", "seconds"].includes(name));

function lay() {
  laid = shown.id;
  const head = [node("th", { textContent: "" }), node("th", { scope: "col", textContent: "Solver" })];
  head.push(...columns().map(([, title, , help]) => node("th", { scope: "col", textContent: title, title: help })));
  const rows = shown.titles.map((title, index) => {
    const button = node("button", { type: "button", disabled: true, title: "Use these settings" }, node("span", { className: "inv-cell-picture" }));
    button.dataset.index = index;
    button.setAttribute("aria-label", `${title}: use these settings`);
    const name = node("th", { scope: "row" }, node("b", { textContent: title }), node("small", { textContent: "waiting" }));
    const figures = columns().map(([key, label]) => {
      const cell = node("td", { textContent: "–" });
      cell.dataset.key = key;
      cell.dataset.label = label;
      return cell;
    });
    return node("tr", {}, node("td", {}, button), name, ...figures);
  });
  table.replaceChildren(node("thead", {}, node("tr", {}, ...head)), node("tbody", {}, ...rows));
}

function picture(row, src, alt) {
  const holder = row.querySelector(".inv-cell-picture");
  const image = holder.querySelector("img") ?? holder.appendChild(new Image());
  image.alt = alt;
  if (image.src !== src) image.src = src;
}

function draw() {
  const rows = [...table.tBodies[0].rows];
  for (const cell of shown.cells) {
    const row = rows[cell.index];
    if (cell.src) picture(row, cell.src, `Restored by ${shown.titles[cell.index]}`);
    row.querySelector("button").disabled = false;
    row.querySelector("small").textContent = cell.failure || "";
    row.classList.remove("inv-live");
    for (const [name, , format, , score] of columns()) {
      const others = shown.cells.filter((other) => other[name] != null && !other.failure).map((other) => score(other[name]));
      const best = others.length > 1 && !cell.failure && cell[name] != null && score(cell[name]) === Math.max(...others);
      const place = row.querySelector(`[data-key=${name}]`);
      place.textContent = cell[name] == null ? "–" : (best ? "★ " : "") + format(cell[name]);
      place.classList.toggle("inv-best", best);
    }
  }
  const live = shown.phase === "running" ? shown.live : null;
  for (const row of rows) row.classList.toggle("inv-live", rows.indexOf(row) === live?.index);
  if (live) {
    picture(rows[live.index], live.src, `Being restored by ${shown.titles[live.index]}`);
    rows[live.index].querySelector("small").textContent = `step ${live.step} of ${live.total}`;
    rows[live.index].querySelector("[data-key=nfe]").textContent = live.nfe;
  } else if (shown.phase !== "running") {
    const finished = shown.cells.map((cell) => cell.index);
    rows.forEach((row, index) => finished.includes(index) || (row.querySelector("small").textContent = "not finished"));
  }
}

function receive() {
  const value = props.value ?? {};
  if (!value.titles) return;
  if (value.phase === "running" && value.id === shown.id && shown.phase !== "running") return;
  shown = value;
  element.dataset.phase = value.phase;
  if (laid !== value.id) lay();
  const part = value.live && value.phase === "running" ? value.live.step / value.live.total : 0;
  const percent = Math.round((100 * (value.cells.length + part)) / value.count);
  bar.setAttribute("aria-valuenow", percent);
  bar.firstElementChild.style.width = `${percent}%`;
  message.textContent = value.message;
  draw();
}
table.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-index]");
  if (!button) return;
  props.value = { adopt: Number(button.dataset.index), at: Date.now() };
  trigger("select");
});
watch("value", receive);
receive();
