// One of several words, with its help behind a question mark. props.value holds the word.
import { explained } from "./kit.js";

export default function select({ element, props, trigger, watch }) {
  const box = element.querySelector("select");
  const show = () => (box.value = props.value ?? "");
  box.addEventListener("change", () => {
    props.value = box.value;
    trigger("release");
  });
  explained(element);
  watch("value", show);
  show();
}
