// Several photos: chosen at the picker, uploaded here, each with what came of it. A reload of the tab finds them again.
import { BUSY, hear, late, node, parts, progress, tell, unanswered } from "./kit.js";
import { keepFor, keptAs } from "./session.js";

const KEPT = "photos";
const SAID = { waiting: "", running: "is restored now" };

export default function many({ element, props, trigger, watch, upload }, { megabytes }) {
  const [bar, message, list, archive, over] = parts(element, ".inv-progress", ".inv-message", ".inv-photos", "[name=archive]", "[name=over]");
  let shown = {};
  let saved = "";

  function ask(what) {
    props.value = { ...what, at: Date.now() };
    trigger("upload");
  }

  hear(element, "photos", async (files) => {
    const added = [];
    for (const [at, file] of files.entries()) {
      element.dataset.phase = "uploading";
      message.textContent = `Uploading ${at + 1} of ${files.length}: ${file.name}`;
      progress(bar, (100 * at) / files.length);
      const { name } = file;
      if (file.size > megabytes * 2 ** 20) {
        added.push({ name, words: `This file is larger than ${megabytes} MB. Save the photo smaller.` });
        continue;
      }
      try {
        added.push({ name, path: (await upload(file)).path });
      } catch {
        added.push({ name, words: "The upload failed. Check the connection, then choose it again." });
      }
    }
    ask({ add: added });
  });

  // The turn of others has come; asked for again as soon as the button can be pressed.
  function goOn(tries = 100) {
    const button = document.getElementById("many");
    if (shown.phase !== "again" || !tries) return;
    if (button && !button.disabled) button.click();
    else setTimeout(() => goOn(tries - 1), 100);
  }

  function line({ name, status, words, file, made }) {
    const link = file ? [node("a", { href: `gradio_api/file=${file}`, download: made, textContent: `Save ${made}` })] : [];
    const item = node("li", {}, node("b", { textContent: name }), node("span", { textContent: words || SAID[status] || "" }), ...link);
    item.dataset.status = status;
    return item;
  }

  function show() {
    const value = props.value ?? {};
    if (!value.phase) return; // what was asked for just now
    if (late(value, shown, "id")) return;
    const rows = value.rows ?? shown.rows ?? [];
    const busy = BUSY.includes(value.phase);
    shown = { ...value, rows };
    element.dataset.phase = value.phase;
    progress(bar, value.progress ?? 0);
    message.textContent = value.message ?? "";
    list.replaceChildren(...rows.map(line));
    const running = list.querySelector("[data-status=running]");
    if (running) list.scrollTop += running.getBoundingClientRect().top - list.getBoundingClientRect().top - 40;
    archive.disabled = !rows.some(({ status }) => status === "restored");
    for (const button of element.querySelectorAll(".inv-small")) button.disabled = busy || value.phase === "again";
    over.hidden = archive.disabled;
    if (value.rows) keepFor(KEPT, rows.map(({ path, name, words, file }) => ({ path, name, words, file })));
    if (value.archive && value.archive !== saved) {
      saved = value.archive;
      node("a", { href: `gradio_api/file=${saved}`, download: "restored-photos.zip" }).click();
    }
    if (value.phase === "again") goOn();
  }

  element.addEventListener("click", (event) => {
    const { name } = event.target.closest("button") ?? {};
    if (name === "over") ask({ over: true });
    if (name === "clear") ask({ clear: true });
    if (name === "archive") trigger("download");
  });
  watch("value", show);
  show();
  // Not before the page shows what the browser kept of the settings.
  function findAgain(before) {
    if (document.documentElement.classList.contains("inv-opening")) return setTimeout(findAgain, 200, before);
    ask({ add: before });
    const next = before.find(({ path, words }) => path && !words) ?? before.find(({ file }) => file); // none that failed
    if (next) tell("photo", next.path);
  }
  const before = keptAs(KEPT) ?? [];
  if (before.length && !props.value?.rows) findAgain(before);

  unanswered(element, message, () => BUSY.includes(shown.phase), () => {
    shown = { ...shown, phase: "failed" };
    element.dataset.phase = "failed";
  });
}
