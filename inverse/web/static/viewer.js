// The restored photo while it emerges. The server sends the newest frame only; the page keeps the earlier ones.
const find = (selector) => element.querySelector(selector);
const stage = find(".inv-stage");
const frame = find(".inv-frame");
const empty = find(".inv-empty");
const tag = find(".inv-tag-before");
const divider = find(".inv-divider");
const timeline = find(".inv-timeline input");
const at = find(".inv-at");
const against = find("select");
const save = find(".inv-save");
const KEPT = 240;
const ENDED = ["done", "stopped", "failed"];

let run = null;
let frames = [];
let following = true;
let shown = { phase: "idle" };

const image = (name, alt) => {
  const found = frame.querySelector(`img.${name}`);
  return found ?? frame.insertBefore(Object.assign(new Image(), { className: name, alt }), tag);
};
const view = () => find("[name=inv-view]:checked").value;

function receive() {
  const value = props.value ?? {};
  // What a stopped run had still on its way comes too late.
  if (value.phase === "running" && value.run === run && ENDED.includes(shown.phase)) return;
  // A new photo empties the viewer, but not under a run that is still going on.
  if (value.phase === "idle" && shown.phase === "running") return;
  if (value.run !== run) {
    run = value.run;
    frames = [];
    following = true;
    divider.value = 0;
  }
  shown = value;
  const newest = value.frame;
  if (newest && newest.x0 !== frames.at(-1)?.x0) {
    if (newest.index === frames.at(-1)?.index) frames.pop();
    frames.push(newest);
    if (frames.length > KEPT) frames.splice(1, 1);
  }
  if (following) timeline.value = frames.length - 1;
  draw();
}

function draw() {
  const position = following ? frames.length - 1 : Math.min(Number(timeline.value), frames.length - 1);
  const current = frames[position];
  element.dataset.phase = shown.phase ?? "idle";
  timeline.disabled = frames.length < 2;
  timeline.max = Math.max(0, frames.length - 1);
  timeline.value = position;
  at.textContent = current ? `Step ${current.index} / ${current.total}` : "Steps";
  timeline.setAttribute("aria-valuetext", at.textContent);
  against.hidden = !shown.truth;
  const other = shown.truth && against.value === "truth" ? shown.truth : shown.before;
  stage.style.setProperty("--ratio", shown.width ? shown.width / shown.height : 1);
  frame.classList.toggle("inv-has-before", Boolean(other));
  frame.classList.toggle("inv-has-frame", Boolean(current));
  empty.textContent = { running: "The first picture is on its way…" }[shown.phase] ?? (shown.message ?? "Press Restore, and the photo takes shape here.");
  tag.textContent = other === shown.truth ? "Original" : "Damaged";
  if (other) {
    const before = image("inv-before", "The photo to compare with");
    if (before.src !== other) before.src = other;
    before.onload = () => before.classList.toggle("inv-pixels", before.naturalWidth * 2 <= shown.width);
  } else {
    frame.querySelector("img.inv-before")?.remove();
  }
  if (current) {
    const after = image("inv-after", "");
    after.alt = `Restored photo, step ${current.index} of ${current.total}`;
    if (after.src !== current[view()]) after.src = current[view()];
  } else {
    frame.querySelector("img.inv-after")?.remove();
  }
  const savable = current?.x0.startsWith("data:image/png");
  save.setAttribute("aria-disabled", String(!savable));
  cut();
}

function cut() {
  frame.style.setProperty("--cut", `${divider.value}%`);
  frame.classList.toggle("inv-moved", Number(divider.value) > 0);
}

divider.addEventListener("input", cut);
against.addEventListener("change", draw);
find(".inv-segments").addEventListener("change", draw);
timeline.addEventListener("input", () => {
  following = Number(timeline.value) >= frames.length - 1;
  draw();
});
function download() {
  const last = frames.at(-1);
  if (!last?.x0.startsWith("data:image/png")) return;
  const bytes = Uint8Array.from(atob(last.x0.split(",")[1]), (c) => c.charCodeAt(0));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  link.download = shown.filename;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
save.addEventListener("click", download);
// Hold P to peek at the photo that the result is compared with.
const peek = (event, on) => {
  if (!element.isConnected || event.repeat || event.key.toLowerCase() !== "p") return;
  if (event.target.closest?.("input[type=number], input[type=text], textarea") || event.ctrlKey || event.metaKey) return;
  frame.classList.toggle("inv-peek", on);
};
document.addEventListener("keydown", (event) => peek(event, true));
document.addEventListener("keyup", (event) => peek(event, false));
watch("value", receive);
receive();
