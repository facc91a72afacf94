// Progress of a restoration at full size, and a link to its file.
import { BUSY, late, parts, progress, unanswered } from "./kit.js";

export default function fullsize({ element, props, watch }) {
  const [bar, message, link] = parts(element, ".inv-progress", ".inv-message", ".inv-saved");
  let shown = {};

  function show() {
    const value = props.value ?? {};
    if (late(value, shown)) return;
    shown = value;
    element.dataset.phase = value.phase ?? "idle";
    progress(bar, value.progress ?? 0);
    message.textContent = value.message ?? "";
    link.hidden = !value.file;
    if (value.file) {
      link.href = `gradio_api/file=${value.file}`;
      link.download = value.name;
      link.textContent = `Save ${value.name}`;
    }
  }
  watch("value", show);
  show();

  unanswered(element, message, () => BUSY.includes(shown.phase), () => {
    shown = { ...shown, phase: "failed" };
    element.dataset.phase = "failed";
  });
}
