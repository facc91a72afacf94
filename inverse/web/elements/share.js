// Load settings from a file, and copy the run as a command line, Python, JSON or a link.
import { copied, flash, hear, onPage, parts, tell } from "./kit.js";
import { keepFor, keptAs } from "./session.js";
import { view } from "./view.js";

const KEPT = "inverse-settings"; // in the browser: by the tab for a reload, for all for the next visit
const stores = () => [sessionStorage, localStorage];

function keep(code) {
  try {
    for (const store of stores()) store.setItem(KEPT, code);
  } catch {
    // Private windows may forbid it; then a reload starts anew.
  }
}

/* What the page opens with: the settings in its address win over those that the browser kept. Simple, where no photo came
   in this tab yet, opens with the first example. */
export function brought(first) {
  const address = new URL(location);
  const link = address.searchParams.get("c");
  if (link !== null) {
    address.searchParams.delete("c");
    history.replaceState(null, "", address);
    return { link };
  }
  try {
    const kept = stores().map((store) => store.getItem(KEPT)).find((code) => code !== null);
    const [photo, example, mask, strokes] = ["photo", "example", "mask", "strokes"].map(keptAs);
    const ticked = keptAs("ticked");
    if (view() === "simple" && !photo && !example) return opening(first);
    return kept ? { kept, photo, example, mask, strokes, ticked } : {};
  } catch {
    return view() === "simple" ? opening(first) : {};
  }
}

function opening(example) {
  keepFor("example", example);
  return { example };
}

export default function share({ element, props, trigger, watch, upload }, { megabytes }) {
  const [file, open, menu, said] = parts(element, "input[type=file]", ".inv-menu-open", ".inv-menu", ".inv-said");
  let texts = props.value ?? {};

  const say = (text) => flash(said, text);

  async function load(chosen) {
    if (!chosen) return;
    if (chosen.size > megabytes * 2 ** 20) return say(`This file is larger than ${megabytes} MB, so it holds no settings.`);
    try {
      const { path } = await upload(chosen);
      props.value = { path, at: Date.now() };
      trigger("upload");
    } catch {
      say("The upload failed. Check the connection and the file's size, then try again.");
    }
  }
  file.addEventListener("change", () => {
    load(file.files[0]);
    file.value = "";
  });
  // The photo picker takes what is dropped on the page, and passes on what holds settings.
  hear(element, "settings", load);

  function show(visible) {
    menu.hidden = !visible;
    open.setAttribute("aria-expanded", String(visible));
    if (visible) menu.querySelector("button").focus();
  }
  open.addEventListener("click", () => show(menu.hidden));
  element.addEventListener("keydown", (event) => {
    if (menu.hidden) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      show(false);
      open.focus();
    }
    const direction = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    const items = [...menu.querySelectorAll("button")];
    items[(items.indexOf(document.activeElement) + direction + items.length) % items.length].focus();
  });
  onPage(element, "click", (event) => {
    if (!menu.hidden && !element.contains(event.target)) show(false);
  });
  menu.addEventListener("click", async (event) => {
    const kind = event.target.closest("button")?.dataset.copy;
    if (!kind) return;
    show(false);
    open.focus();
    if (!texts.code) return say(texts.code === "" ? "Correct the settings first." : "Not ready yet. Try again in a moment.");
    const link = `${location.origin}${location.pathname}?view=${view()}&c=${texts.code}`;
    const text = kind === "link" ? link : texts[kind];
    say((await copied(text)) ? `Copied: ${kind}.` : "This browser does not let the page copy.");
  });

  function receive() {
    const value = props.value ?? {};
    if (value.path || value.code === undefined) return; // ours, on its way to the server
    texts = value;
    tell("settled"); // the page shows what was chosen, or kept
    if (!value.keep) return;
    keep(value.code);
  }
  watch("value", receive);
  receive();
}
