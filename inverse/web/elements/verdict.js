// An honest verdict. props.value: {findings: [{kind, level, text, remedy: {label, changes} | null}], asked: changes | null}.
import { node, parts } from "./kit.js";

export default function verdict({ element, props, trigger, watch }, { marks }) {
  const [list] = parts(element, ".inv-verdict-said");

  function ask(changes) {
    props.value = { ...props.value, asked: changes };
    trigger("release");
  }

  function line({ level, text, remedy }) {
    const [mark, word] = marks[level];
    const made = node("li", {},
      node("i", { textContent: mark, ariaHidden: "true" }),
      node("span", {}, node("span", { className: "inv-verdict-level", textContent: `${word}: ` }), text));
    made.dataset.level = level;
    if (remedy) {
      const button = node("button", { type: "button", className: "inv-small", textContent: remedy.label });
      button.addEventListener("click", () => ask(remedy.changes));
      made.append(button);
    }
    return made;
  }

  function show() {
    const findings = props.value?.findings ?? [];
    list.hidden = !findings.length;
    list.replaceChildren(...findings.map(line));
  }
  watch("value", show);
  show();
}
