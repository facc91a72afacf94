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
const strip = find(".inv-strip");
const explain = find(".inv-explain p");
const KEPT = 240; // pictures of one kind; a frame of several samples has several
const WORDS = {
  x0: "What the model holds to be the clean photo, at this step.",
  xt: "What the solver works on: the estimate under the noise that is left at this step.",
  misfit: "What of the measurement the estimate does not explain.",
  mean: "The mean of all samples: closer to the truth on average, and smoother than any of them.",
  spread: "Where the samples differ: bright parts are guessed, dark ones are known.",
};
const ENDED = ["done", "stopped", "failed"];

let run = null;
let frames = [];
let following = true;
let shown = { phase: "idle" };

const image = (name, alt) => {
  const found = frame.querySelector(`img.${name}`);
  return found ?? frame.insertBefore(Object.assign(new Image(), { className: name, alt }), tag);
};
// "x0", "xt", "misfit" of the chosen sample, or "mean", "spread" of them all.
const sample = () => strip.querySelector("input:checked")?.value ?? "0";
const shared = () => ["mean", "spread"].includes(sample());
const view = () => (shared() ? sample() : find("[name=inv-view]:checked").value);

// Of the kind of picture that is looked at: misfit and spread come with some frames only.
function pictured(position, kind) {
  const holds = (each) => each[kind] !== undefined;
  const found = frames.slice(0, position + 1).findLast(holds) ?? frames.find(holds);
  if (!found) return null;
  return { from: found, src: shared() ? found[kind] : found[kind][Number(sample())] };
}

function offer(count) {
  if (strip.dataset.count === String(count)) return;
  strip.dataset.count = count;
  strip.hidden = count < 2;
  const names = Array.from({ length: count }, (_, at) => [at, at + 1, `Sample ${at + 1}`]);
  names.push(["mean", "Mean", "Mean of all samples"], ["spread", "Spread", "Spread: where the samples differ"]);
  strip.replaceChildren(...(count < 2 ? [] : names).map(([value, text, title]) => {
    const label = Object.assign(document.createElement("label"), { title });
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "inv-sample", value });
    input.checked = value === 0;
    input.setAttribute("aria-label", title);
    const thumb = Object.assign(document.createElement("span"), { className: "inv-thumb" });
    const word = Object.assign(document.createElement("small"), { textContent: text });
    label.append(input, thumb, word);
    return label;
  }));
}

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
  offer(value.samples ?? 1);
  const newest = value.frame;
  if (newest && newest.x0[0] !== frames.at(-1)?.x0[0]) {
    if (newest.index === frames.at(-1)?.index) frames.pop();
    frames.push(newest);
    while (frames.length * newest.x0.length > KEPT && frames.length > 2) frames.splice(1, 1);
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
  const kind = view();
  const seen = current && pictured(position, kind);
  if (seen) {
    const after = image("inv-after", "");
    const which = shown.samples > 1 && !shared() ? `, sample ${Number(sample()) + 1} of ${shown.samples}` : "";
    const what = { x0: "Restored photo", xt: "Noisy state", misfit: "Misfit", mean: "Mean of the samples", spread: "Spread" }[kind];
    after.alt = `${what}${which}, step ${seen.from.index} of ${seen.from.total}. ${seen.from.words?.[kind] ?? ""}`.trim();
    after.onload = () => after.classList.toggle("inv-pixels", after.naturalWidth * 2 <= shown.width);
    if (after.src !== seen.src) after.src = seen.src;
  } else {
    frame.querySelector("img.inv-after")?.remove();
  }
  const words = seen?.from.words?.[kind] ?? WORDS[kind];
  explain.textContent = seen && seen.from !== current ? `Step ${seen.from.index}: ${words}` : words;
  for (const legend of element.querySelectorAll("[data-legend]")) legend.hidden = legend.dataset.legend !== kind;
  if (kind === "spread") find("[data-legend=spread] b").textContent = `${seen?.from.top ?? ""} grey levels`;
  for (const input of element.querySelectorAll("[name=inv-view]")) input.disabled = shared();
  for (const label of strip.children) {
    const value = label.firstElementChild.value;
    const src = current && (current.x0[value] ?? frames.slice(0, position + 1).findLast((each) => each[value])?.[value]);
    const thumb = label.querySelector(".inv-thumb");
    if (!src) thumb.replaceChildren();
    else if (thumb.firstChild?.src !== src) thumb.replaceChildren(Object.assign(new Image(), { src, alt: "" }));
  }
  save.disabled = !savable();
  cut();
}

const savable = () => {
  const last = frames.at(-1);
  const src = shared() ? last?.[sample()] : last?.x0[Number(sample())];
  return src?.startsWith("data:image/png") && ENDED.includes(shown.phase) ? src : "";
};

function cut() {
  frame.style.setProperty("--cut", `${divider.value}%`);
  frame.classList.toggle("inv-moved", Number(divider.value) > 0);
}

divider.addEventListener("input", cut);
against.addEventListener("change", draw);
find(".inv-segments").addEventListener("change", draw);
strip.addEventListener("change", draw);
timeline.addEventListener("input", () => {
  following = Number(timeline.value) >= frames.length - 1;
  draw();
});
function download() {
  const src = savable();
  if (!src) return;
  const bytes = Uint8Array.from(atob(src.split(",")[1]), (c) => c.charCodeAt(0));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  const part = shared() ? sample() : Number(sample()) + 1;
  link.download = shown.samples > 1 ? shown.filename.replace(/\.png$/, `-${part}.png`) : shown.filename;
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
