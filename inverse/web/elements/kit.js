// What all elements share: nodes, words between elements, files.
import { dense } from "./bytes.js";

export const ENDED = ["done", "stopped", "failed"];
export const BUSY = ["waiting", "running"];

export function node(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/* Parts of an element. */
export const parts = (element, ...selectors) => selectors.map((selector) => element.querySelector(selector));

/* Elements speak to each other by events of the document: `hear` listens as long as the element is there. */
export const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`inverse-${name}`, { detail }));
export const hear = (element, name, heard) => onPage(element, `inverse-${name}`, (event) => heard(event.detail));
export function onPage(element, kind, heard, target = document) {
  const listener = (event) => (element.isConnected ? heard(event) : target.removeEventListener(kind, listener));
  target.addEventListener(kind, listener);
}

/* The server is silent while something runs here, and may come back; or it is lost, and what runs ends with a sentence. */
export function unanswered(element, message, runs, end) {
  const say = (text) => runs() && (message.textContent = text);
  hear(element, "silent", say);
  hear(element, "lost", (text) => say(text) && end());
}

/* Whether a value is what a stopped run had still on its way; runs differ by `id`. */
export const late = (value, shown, id = "run") => value.phase === "running" && value[id] === shown[id] && ENDED.includes(shown.phase);

/* Words that go again after a while. */
export function flash(place, text) {
  place.textContent = text;
  setTimeout(() => place.textContent === text && (place.textContent = ""), 5000);
}

/* Whether a text could be copied. A panel over the page lets nothing outside of it be chosen: `within` is then the panel. */
export async function copied(text, within = document.body) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without https there is no clipboard, but there is this.
    const area = within.appendChild(node("textarea", { value: text }));
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/* The question mark of a control, which shows and hides its help. */
export function explained(element) {
  const [ask, help] = parts(element, ".inv-ask", ".inv-help");
  ask.hidden = !help.textContent;
  ask.addEventListener("click", () => {
    help.hidden = !help.hidden;
    ask.setAttribute("aria-expanded", String(!help.hidden));
  });
}

/* The picture in a box, and its source; small ones are shown pixel by pixel. */
export function show(image, src, small) {
  image.onload = () => image.classList.toggle("inv-pixels", small(image));
  if (image.src !== src) image.src = src;
}

export const progress = (bar, percent) => {
  bar.setAttribute("aria-valuenow", Math.round(percent));
  bar.firstElementChild.style.width = `${Math.round(percent)}%`;
};

/* The bytes in a data URI and back, and a file that the browser saves. */
export const bytesOf = (uri) => Uint8Array.from(atob(uri.split(",")[1]), (c) => c.charCodeAt(0));
export const uriOf = (bytes, kind) => `data:${kind};base64,${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))}`;
export function save(content, name) {
  const type = typeof content === "string" ? content.slice(5, content.indexOf(";")) : "";
  const link = node("a", { href: URL.createObjectURL(type ? new Blob([bytesOf(content)], { type }) : content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/* An SVG as a file of pixels, so many for each of its own; it says how large it is meant to be. */
export async function saveDrawn(svg, name, scale = 2) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = node("canvas", { width: scale * image.naturalWidth, height: scale * image.naturalHeight });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  const drawn = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  save(new Blob([dense(new Uint8Array(await drawn.arrayBuffer()), 96 * scale)], { type: "image/png" }), name);
}
