// The restored photo while it emerges. The server sends the newest frame only; the page keeps the earlier ones.
import { BUSY, ENDED, hear, late, node, onPage, parts, save as saveFile, show, tell } from "./kit.js";
import { zoomable } from "./zoom.js";

const NARROW = "(max-width: 820px)"; // where what is started is not seen beside what starts it
const STILL = "(prefers-reduced-motion: reduce)";
const KEPT = 240; // pictures of one kind; a frame of several samples has several
const WORDS = {
  x0: "What the model holds to be the clean photo, at this step.",
  xt: "What the solver works on: the estimate under the noise that is left at this step.",
  misfit: "What of the measurement the estimate does not explain.",
  mean: "The most faithful: the mean of all samples, closer to the truth on average and smoother than any of them.",
  spread: "What is invented: where the samples differ. Bright parts are guessed, dark ones are known.",
};
const PAIR = "Left of the divider is A, right of it B. Hold P to flip between them.";
const EARLIER = "This is of the photo that the page had before.";
const DIFFERENCE = "What differs between A and B, four times as strong as it is.";

export default function viewer({ element, props, watch }) {
  const find = (selector) => element.querySelector(selector);
  const [stage, frame, empty, tag, divider, timeline] = parts(element, ".inv-stage", ".inv-frame", ".inv-empty", ".inv-tag-before", ".inv-divider", ".inv-timeline input");
  const [at, against, save, tagAfter, back, strip, explain] = parts(element, ".inv-at", "select", ".inv-save", ".inv-tag-after", ".inv-back", ".inv-strip", ".inv-explain p");

  let run = null;
  let earlier = null; // the run whose photo is no longer the page's
  let frames = [];
  let following = true;
  let shown = { phase: "idle" };
  let measured = ""; // what a run would start from: Simple shows it here
  let exhibit = null; // an earlier result, or two of them, that the history shows in place of the run

  const image = (name, alt) => {
    const found = frame.querySelector(`img.${name}`);
    return found ?? frame.insertBefore(node("img", { className: name, alt }), tag);
  };
  const scene = () => exhibit ?? shown;
  const reel = () => (exhibit ? [exhibit.frame] : frames);
  // "x0", "xt", "misfit" of the chosen sample, or "mean", "spread" of them all.
  const sample = () => strip.querySelector("input:checked")?.value ?? "0";
  const shared = () => ["mean", "spread"].includes(sample());
  const view = () => (exhibit?.pair ? "x0" : shared() ? sample() : find("[name=inv-view]:checked").value);

  // Of the kind of picture that is looked at: misfit and spread come with some frames only.
  function pictured(position, kind) {
    const holds = (each) => each[kind] !== undefined;
    const found = reel().slice(0, position + 1).findLast(holds) ?? reel().find(holds);
    if (!found) return null;
    return { from: found, src: shared() ? found[kind] : found[kind][Number(sample())] };
  }

  function offer(count) {
    if (strip.dataset.count === String(count)) return;
    strip.dataset.count = count;
    strip.hidden = count < 2;
    const names = Array.from({ length: count }, (_, at) => [at, at + 1, `Sample ${at + 1}`]);
    names.push(["mean", "Mean", "Mean of all samples: the most faithful"], ["spread", "Spread", "Spread: where the samples differ"]);
    strip.replaceChildren(...(count < 2 ? [] : names).map(([value, text, title]) => {
      const input = node("input", { type: "radio", name: "inv-sample", value, checked: value === 0, ariaLabel: title });
      const label = node("label", { title }, input, node("span", { className: "inv-thumb" }), node("small", { textContent: text }));
      return label;
    }));
  }

  function receive() {
    const value = props.value ?? {};
    if (late(value, shown)) return;
    // A new photo empties the viewer, but not under a run that is still going on.
    if (value.phase === "idle" && shown.phase === "running") return;
    if (value.run !== run) {
      run = value.run;
      frames = [];
      live();
      if (value.phase === "running" && matchMedia(NARROW).matches) {
        element.scrollIntoView({ block: "nearest", behavior: matchMedia(STILL).matches ? "auto" : "smooth" });
      }
    }
    shown = value;
    const newest = value.frame;
    if (newest && newest.x0[0] !== frames.at(-1)?.x0[0]) {
      if (newest.index === frames.at(-1)?.index) frames.pop();
      frames.push(newest);
      while (frames.length * newest.x0.length > KEPT && frames.length > 2) frames.splice(1, 1);
    }
    if (!exhibit) draw();
    if (value.record) tell("finished", value);
  }

  // The history shows another result, or no longer any; the run goes on behind it.
  function live() {
    exhibit = null;
    following = true;
    divider.value = 0;
    tell("live");
  }
  function exhibited(wanted) {
    if (!(wanted?.pair && exhibit?.pair)) divider.value = wanted?.pair ? 50 : 0;
    // Of the run that the page still has, it has every frame.
    exhibit = wanted && (wanted.pair || wanted.run !== run) ? wanted : null;
    following = true;
    draw();
  }

  function draw() {
    const { phase, truth, before: damaged, width, height, message, samples = 1, pair } = scene();
    const rolled = reel();
    offer(samples);
    const position = following ? rolled.length - 1 : Math.min(Number(timeline.value), rolled.length - 1);
    const current = rolled[position];
    element.dataset.phase = phase ?? "idle";
    element.classList.toggle("inv-pair", Boolean(pair));
    frame.classList.toggle("inv-difference", Boolean(exhibit?.difference));
    back.hidden = !exhibit;
    back.textContent = `${exhibit?.title} · ${shown.phase === "running" ? "back to the run" : "close"}`;
    timeline.disabled = rolled.length < 2;
    timeline.max = Math.max(0, rolled.length - 1);
    timeline.value = position;
    at.textContent = current ? `Update ${current.index} / ${current.total}` : "Updates";
    timeline.setAttribute("aria-valuetext", at.textContent);
    against.hidden = !truth;
    const other = truth && against.value === "truth" ? truth : damaged;
    const ratio = width ? width / height : 1;
    if (Number(stage.style.getPropertyValue("--ratio")) !== ratio) zoom.reset();
    stage.style.setProperty("--ratio", ratio);
    frame.classList.toggle("inv-has-before", Boolean(other));
    frame.classList.toggle("inv-has-frame", Boolean(current));
    empty.textContent = { running: "The first picture is on its way…" }[phase] ?? (message ?? "Press Restore, and the photo takes shape here.");
    tag.textContent = pair?.[0] ?? (other === truth ? "Original" : "Damaged");
    tagAfter.textContent = pair?.[1] ?? "";
    const coarse = (picture) => picture.naturalWidth * 2 <= width;
    if (measured && !current && (phase ?? "idle") === "idle") show(image("inv-awaiting", ""), measured, () => false);
    else frame.querySelector("img.inv-awaiting")?.remove();
    if (other) {
      const before = image("inv-before", "The photo to compare with");
      show(before, other, coarse);
    } else {
      frame.querySelector("img.inv-before")?.remove();
    }
    const kind = view();
    const seen = current && pictured(position, kind);
    if (seen) {
      const after = image("inv-after", "");
      const which = samples > 1 && !shared() ? `, sample ${Number(sample()) + 1} of ${samples}` : "";
      const what = { x0: "Restored photo", xt: "Noisy state", misfit: "Misfit", mean: "Mean of the samples", spread: "Spread" }[kind];
      after.alt = `${what}${which}, update ${seen.from.index} of ${seen.from.total}. ${seen.from.words?.[kind] ?? ""}`.trim();
      show(after, seen.src, coarse);
    } else {
      frame.querySelector("img.inv-after")?.remove();
    }
    const words = pair ? (exhibit.difference ? DIFFERENCE : PAIR) : seen?.from.words?.[kind] ?? WORDS[kind];
    const said = seen && seen.from !== current ? `Update ${seen.from.index}: ${words}` : words;
    explain.textContent = !exhibit && earlier !== null && earlier === run ? `${EARLIER} ${said}` : said;
    for (const legend of element.querySelectorAll("[data-legend]")) legend.hidden = legend.dataset.legend !== kind;
    if (kind === "spread") find("[data-legend=spread] b").textContent = `${seen?.from.top ?? ""} grey levels`;
    for (const input of element.querySelectorAll("[name=inv-view]")) input.disabled = shared();
    for (const label of strip.children) {
      const value = label.firstElementChild.value;
      const src = current && (current.x0[value] ?? rolled.slice(0, position + 1).findLast((each) => each[value])?.[value]);
      const thumb = label.querySelector(".inv-thumb");
      if (!src) thumb.replaceChildren();
      else if (thumb.firstChild?.src !== src) thumb.replaceChildren(node("img", { src, alt: "" }));
    }
    save.disabled = !savable();
    // What is saved is the end of the run, whatever is shown just now.
    const elsewhere = savable() && (current !== rolled.at(-1) || (kind !== "x0" && !shared()));
    save.textContent = elsewhere ? "Save last step" : "Save PNG";
    cut();
    const { curve, run: key, caption, filename } = scene();
    tell("drawn", { curve: curve && !pair ? { ...curve, key } : null, at: current?.index, caption, filename });
  }

  const savable = () => {
    const last = reel().at(-1);
    const src = shared() ? last?.[sample()] : last?.x0[Number(sample())];
    return src?.startsWith("data:image/png") && ENDED.includes(scene().phase) ? src : "";
  };

  const cover = { label: "The picture, as large as the window", changed: (on) => (find("[data-zoom=full]").ariaPressed = String(on)) };
  const zoom = zoomable({ element, stage, frame, bar: find(".inv-zoom"), divider, pixels: () => scene().width ?? 0, changed: cut, cover });
  frame.addEventListener("dblclick", zoom.closer);
  function cut() {
    frame.style.setProperty("--cut", `${divider.value}%`);
    frame.style.setProperty("--clip", `${100 * zoom.clip(divider.value / 100)}%`);
    frame.classList.toggle("inv-moved", Number(divider.value) > 0);
  }

  divider.addEventListener("input", cut);
  against.addEventListener("change", draw);
  find(".inv-segments").addEventListener("change", draw);
  strip.addEventListener("change", draw);
  timeline.addEventListener("input", () => {
    following = Number(timeline.value) >= reel().length - 1;
    draw();
  });
  function download() {
    const src = savable();
    if (!src) return;
    const part = shared() ? sample() : Number(sample()) + 1;
    const { filename, samples } = scene();
    saveFile(src, samples > 1 ? filename.replace(/\.png$/, `-${part}.png`) : filename);
  }
  save.addEventListener("click", download);
  // Hold P to peek at the photo that the result is compared with.
  const peek = (event, on) => {
    if (event.repeat || event.key.toLowerCase() !== "p") return;
    if (event.target.closest?.("input[type=number], input[type=text], textarea") || event.ctrlKey || event.metaKey) return;
    frame.classList.toggle("inv-peek", on);
  };
  onPage(element, "keydown", (event) => peek(event, true));
  onPage(element, "keyup", (event) => peek(event, false));
  onPage(element, "blur", () => frame.classList.remove("inv-peek"), window); // the key may be released in another window
  hear(element, "peek", (on) => frame.classList.toggle("inv-peek", on));
  hear(element, "measured", (src) => {
    measured = src;
    draw();
  });
  hear(element, "exhibit", exhibited);
  hear(element, "earlier", (of) => {
    earlier = of;
    draw();
  });
  // The server is gone; its last picture stays.
  hear(element, "lost", (message) => {
    if (!BUSY.includes(shown.phase)) return;
    shown = { ...shown, phase: "failed", message };
    draw();
  });
  back.addEventListener("click", () => {
    live();
    draw();
  });
  watch("value", receive);
  receive();
}
