// Progress bar, one sentence, and the figures of the run.
import { BUSY, late, node, parts, progress, unanswered } from "./kit.js";

export default function status({ element, props, watch }, { idle, left }) {
  const [bar, message, figures] = parts(element, ".inv-progress", ".inv-message", ".inv-figures");

  let shown = {};

  function show() {
    const value = props.value ?? {};
    // Another photo does not end a run that waits or goes on.
    if ((value.phase ?? "idle") === "idle" && BUSY.includes(shown.phase)) return;
    if (late(value, shown)) return;
    // Nor does a run wait again.
    if (value.phase === "waiting" && value.run === shown.run && shown.phase !== "waiting") return;
    shown = value;
    const phase = value.phase ?? "idle";
    element.dataset.phase = phase;
    progress(bar, value.progress ?? 0);
    const text = value.message ?? (phase === "idle" ? "Ready." : "");
    if (message.textContent !== text) message.textContent = text;
    const rows = value.figures?.length ? value.figures : idle.map((label) => [label]);
    while (figures.children.length > rows.length) figures.lastElementChild.remove();
    rows.forEach(([label, text, help], at) => {
      let cell = figures.children[at];
      if (!cell) {
        cell = node("div", {}, node("dt"), node("dd"));
        figures.append(cell);
      }
      cell.title = help ?? "";
      cell.firstElementChild.textContent = label;
      cell.lastElementChild.textContent = ["stopped", "failed"].includes(phase) && label === left ? "–" : (text ?? "–");
    });
  }
  watch("value", show);
  show();

  unanswered(element, message, () => BUSY.includes(shown.phase), () => {
    shown = { ...shown, phase: "failed" };
    element.dataset.phase = "failed";
  });
}
