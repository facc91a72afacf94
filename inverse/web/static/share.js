// Load settings from a file, and copy the run as a command line, Python, JSON or a link.
const file = element.querySelector("input[type=file]");
const open = element.querySelector(".inv-menu-open");
const menu = element.querySelector(".inv-menu");
const said = element.querySelector(".inv-said");
const MEGABYTES = Number(file.dataset.megabytes);
let texts = props.value ?? {};

function say(text) {
  said.textContent = text;
  setTimeout(() => said.textContent === text && (said.textContent = ""), 4000);
}

async function load(chosen) {
  if (!chosen) return;
  if (chosen.size > MEGABYTES * 2 ** 20) return say(`This file is larger than ${MEGABYTES} MB, so it holds no settings.`);
  try {
    const { path } = await upload(chosen);
    props.value = { path, at: Date.now() };
    trigger("upload");
  } catch (error) {
    say("The upload failed. Check the connection and the file's size, then try again.");
  }
}
file.addEventListener("change", () => {
  load(file.files[0]);
  file.value = "";
});
// The photo picker takes what is dropped on the page, and passes on what holds settings.
const dropped = (event) => (element.isConnected ? load(event.detail) : document.removeEventListener("inverse-settings", dropped));
document.addEventListener("inverse-settings", dropped);

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch (error) {
    // Without https there is no clipboard, but there is this.
    const area = document.body.appendChild(Object.assign(document.createElement("textarea"), { value: text }));
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) return false;
  }
  return true;
}

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
const outside = (event) => {
  if (!element.isConnected) return document.removeEventListener("click", outside);
  if (!menu.hidden && !element.contains(event.target)) show(false);
};
document.addEventListener("click", outside);
menu.addEventListener("click", async (event) => {
  const kind = event.target.closest("button")?.dataset.copy;
  if (!kind) return;
  show(false);
  open.focus();
  if (!texts.code) return say(texts.code === "" ? "Correct the settings first." : "Not ready yet. Try again in a moment.");
  const text = kind === "link" ? `${location.origin}${location.pathname}?c=${texts.code}` : texts[kind];
  say((await copy(text)) ? `Copied: ${kind}.` : "This browser does not let the page copy.");
});

function receive() {
  const value = props.value ?? {};
  if (value.path || value.code === undefined) return; // ours, on its way to the server
  texts = value;
  document.dispatchEvent(new Event("inverse-settled")); // the page shows what was chosen, or kept
  if (!value.keep) return;
  try {
    sessionStorage.setItem("inverse-settings", value.code); // for a reload of this tab
    localStorage.setItem("inverse-settings", value.code); // for the next visit
  } catch (error) {
    // Private windows may forbid it; then a reload starts anew.
  }
}
watch("value", receive);
receive();
