// Progress of a restoration at full size, and a link to its file.
import { BUSY, ENDED, hear, parts, progress } from "./kit.js";

export default function fullsize({ element, props, watch }) {
  const [bar, message, link] = parts(element, ".inv-progress", ".inv-message", ".inv-saved");
  let shown = {};

  function show() {
    const value = props.value ?? {};
    // What a stopped one had still on its way comes too late.
    if (value.phase === "running" && ENDED.includes(shown.phase) && value.run === shown.run) return;
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

  // The server is gone: what runs here ends with a sentence.
  hear(element, "lost", (text) => BUSY.includes(shown.phase) && (message.textContent = text));
}
