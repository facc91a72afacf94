// What is wrong with the photo. props.value: {found: {kind: words}, suggested: [kind], ticked: [kind]}.
import { node, parts } from "./kit.js";
import { keepFor } from "./session.js";

export default function faults({ element, props, trigger, watch }, { kinds }) {
  const [pills, said] = parts(element, ".inv-pills", ".inv-faults-said");
  const held = () => ({ found: {}, suggested: [], ticked: [], ...props.value });

  function tick(ticked) {
    props.value = { ...held(), ticked };
    show();
    trigger("release");
  }

  const buttons = kinds.map(({ kind, title, expected, close }) => {
    const button = node("button", { type: "button", title: expected }, node("img", { className: "inv-simple", src: close, alt: "" }), title);
    button.addEventListener("click", () => {
      const { ticked } = held();
      tick(ticked.includes(kind) ? ticked.filter((each) => each !== kind) : [...ticked, kind]);
    });
    return button;
  });
  pills.append(...buttons);

  const sentence = ({ kind, title, expected }, found) =>
    node("p", {}, node("b", { textContent: `${title}. ` }), [found[kind], expected].filter(Boolean).join(" "));

  function show() {
    const { found, suggested, ticked } = held();
    if (props.value) keepFor("ticked", ticked); // for a reload
    kinds.forEach(({ kind, title }, at) => {
      const button = buttons[at];
      button.ariaPressed = String(ticked.includes(kind));
      button.toggleAttribute("data-found", kind in found);
      button.setAttribute("aria-label", kind in found ? `${title}, found` : title);
    });
    const chosen = kinds.filter(({ kind }) => ticked.includes(kind));
    if (chosen.length) return said.replaceChildren(...chosen.map((each) => sentence(each, found)));
    const seen = kinds.filter(({ kind }) => kind in found);
    if (!seen.length) return said.replaceChildren(node("p", { textContent: "Nothing is seen to be wrong. Tick what you see." }));
    const lines = seen.map((each) => node("p", {}, node("b", { textContent: `${each.title}? ` }), found[each.kind]));
    if (suggested.length) {
      const use = node("button", { type: "button", className: "inv-small", textContent: "Set up the repair of what was found" });
      use.addEventListener("click", () => tick(suggested));
      lines.push(use);
    }
    said.replaceChildren(...lines);
  }
  watch("value", show);
  show();
}
