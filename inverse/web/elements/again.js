// What is under way, kept by the tab: a page that was loaded anew asks for it, once it shows what was chosen.
import { hear } from "./kit.js";
import { keepFor, keptAs } from "./session.js";

const KEPT = "jobs";

export default function again({ element, props, trigger, watch }) {
  let before = keptAs(KEPT);

  hear(element, "settled", () => {
    if (!before) return;
    props.value = { back: before };
    before = null;
    trigger("play");
  });
  watch("value", () => {
    const tokens = props.value?.tokens;
    if (tokens) keepFor(KEPT, Object.keys(tokens).length ? tokens : null);
  });
}
