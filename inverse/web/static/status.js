// Progress bar, one sentence, and the figures of the run.
const bar = element.querySelector(".inv-progress");
const message = element.querySelector(".inv-message");
const figures = element.querySelector(".inv-figures");
const IDLE = [["Step"], ["Speed"], ["Time left"], ["Network calls"], ["Data residual"], ["PSNR"]];

let shown = {};

function show() {
  const value = props.value ?? {};
  // Another photo does not end a run that waits or goes on.
  if ((value.phase ?? "idle") === "idle" && ["waiting", "running"].includes(shown.phase)) return;
  // What a stopped run had still on its way comes too late.
  if (value.phase === "running" && value.run === shown.run && ["done", "stopped", "failed"].includes(shown.phase)) return;
  // Nor does a run wait again.
  if (value.phase === "waiting" && value.run === shown.run && shown.phase !== "waiting") return;
  shown = value;
  const phase = value.phase ?? "idle";
  element.dataset.phase = phase;
  const percent = Math.round(value.progress ?? 0);
  bar.setAttribute("aria-valuenow", percent);
  bar.firstElementChild.style.width = `${percent}%`;
  const text = value.message ?? (phase === "idle" ? "Ready." : "");
  if (message.textContent !== text) message.textContent = text;
  const rows = value.figures?.length ? value.figures : IDLE;
  while (figures.children.length > rows.length) figures.lastElementChild.remove();
  rows.forEach(([label, text, help], at) => {
    let cell = figures.children[at];
    if (!cell) {
      cell = document.createElement("div");
      cell.append(document.createElement("dt"), document.createElement("dd"));
      figures.append(cell);
    }
    cell.title = help ?? "";
    cell.firstElementChild.textContent = label;
    cell.lastElementChild.textContent = (phase === "stopped" || phase === "failed") && label === "Time left" ? "–" : (text ?? "–");
  });
}
watch("value", show);
show();

// The server is gone: what runs here ends with a sentence. It may also only be silent, and come back.
function lost(event) {
  if (!element.isConnected) return document.removeEventListener(event.type, lost);
  if (!["waiting", "running"].includes(shown.phase)) return;
  if (event.type === "inverse-lost") {
    shown = { ...shown, phase: "failed" };
    element.dataset.phase = "failed";
  }
  message.textContent = event.detail;
}
document.addEventListener("inverse-lost", lost);
document.addEventListener("inverse-silent", lost);
