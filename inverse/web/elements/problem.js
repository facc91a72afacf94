// The original and the measurement, side by side or one above the other; a pad gets the photo under it from here.
import { show as present, tell } from "./kit.js";

let under = null;

/* The photo to draw on: {kind, photo, damaged, filename}, of the pad of this kind; "under" is told when it changes. */
export const lies = () => under;

export default function problem({ element, props, watch }) {
  const note = element.querySelector(".inv-note");

  function part(name, uri, alt) {
    const figure = element.querySelector(`[data-part=${name}]`);
    figure.hidden = name === "truth" && !uri;
    const box = figure.querySelector(".inv-box");
    if (!uri) return box.replaceChildren();
    const image = box.querySelector("img") ?? box.appendChild(new Image());
    image.alt = alt;
    present(image, uri, ({ naturalWidth }) => naturalWidth <= 192);
  }

  function show() {
    const value = props.value ?? {};
    part("truth", value.truth, "The original photo");
    part("measured", value.measured, value.measured_title === "Your photo" ? "Your photo" : "The damaged photo");
    element.querySelector("[data-part=measured] b").textContent = value.measured_title ?? "Damaged";
    tell("measured", value.measured ?? "");
    under = value.under ?? null;
    tell("under");
    note.textContent = value.caption ?? "";
    note.classList.toggle("inv-fault", Boolean(value.fault));
  }
  watch("value", show);
  show();
}
