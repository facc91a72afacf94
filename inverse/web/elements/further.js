// Further damages. props.value is a list of {name, parameters}, props.choices the names of the tasks on offer.
import { node, parts } from "./kit.js";

export default function further({ element, props, trigger, watch }, { tasks, most, usual }) {
  const [list, add] = parts(element, ".inv-links", "[data-do=add]");
  const links = () => (Array.isArray(props.value) ? props.value : []);
  let shown = null;

  function send(value) {
    props.value = value;
    show();
    trigger("release");
  }
  const change = (at, link) => send(links().map((each, place) => (place === at ? link : each)));
  const named = (name) => ({ name, parameters: {} });
  const allowed = (spec, value) =>
    typeof value === "number" && value >= spec.low && value <= spec.high && (!spec.whole || Number.isInteger(value));

  function control(at, link, spec) {
    const value = link.parameters?.[spec.name] ?? spec.default;
    const set = (value) => change(at, { ...links()[at], parameters: { ...links()[at].parameters, [spec.name]: value } });
    const words = node("span", { textContent: spec.label });
    if (spec.unit) words.append(" ", node("small", { textContent: spec.unit }));
    let input;
    if (spec.options) {
      input = node("select", {}, ...spec.options.map(([value, textContent]) => node("option", { value, textContent })));
      input.value = value;
      input.addEventListener("change", () => set(input.value));
    } else if (typeof spec.default === "boolean") {
      input = node("input", { type: "checkbox", checked: value });
      input.addEventListener("change", () => set(input.checked));
    } else {
      input = node("input", { type: "number", step: "any", min: spec.low, max: spec.high, value: value ?? "" });
      const mark = () => input.setAttribute("aria-invalid", String(!allowed(spec, input.value === "" ? null : Number(input.value))));
      input.addEventListener("input", mark);
      input.addEventListener("change", () => set(input.value === "" ? null : Number(input.value)));
      mark();
    }
    input.dataset.parameter = `then${at + 1}.${spec.name}`;
    return node("label", { title: spec.help }, words, input);
  }

  function row(link, at) {
    const kinds = [...new Set([...(props.choices ?? []), link.name])];
    const menu = node("select", { ariaLabel: `Damage ${at + 2}` },
      ...kinds.map((value) => node("option", { value, textContent: tasks[value]?.title ?? value })));
    menu.value = link.name;
    menu.addEventListener("change", () => change(at, named(menu.value)));
    const remove = node("button", { type: "button", ariaLabel: `Remove damage ${at + 2}`, title: "Remove", textContent: "×" });
    remove.addEventListener("click", () => send(links().filter((_, place) => place !== at)));
    const specs = tasks[link.name]?.parameters ?? [];
    const [first, rest] = [false, true].map((late) => specs.filter(({ advanced }) => advanced === late).map((spec) => control(at, link, spec)));
    const made = node("div", { className: "inv-link" },
      node("div", { className: "inv-link-head" }, node("span", { textContent: "then" }), menu, remove),
      node("div", { className: "inv-link-parts" }, ...first));
    if (rest.length) made.append(node("details", {}, node("summary", { textContent: "Advanced" }), node("div", {}, ...rest)));
    return made;
  }

  function show() {
    const now = JSON.stringify([links(), props.choices]);
    if (now === shown) return;
    shown = now;
    const at = list.contains(document.activeElement) ? document.activeElement.dataset.parameter : null;
    const open = [...list.querySelectorAll("details")].map((each) => each.open);
    list.replaceChildren(...links().map(row));
    list.querySelectorAll("details").forEach((each, place) => (each.open = open[place] ?? false));
    if (at) list.querySelector(`[data-parameter="${at}"]`)?.focus();
    add.hidden = links().length >= most;
  }
  add.addEventListener("click", () => {
    const offered = props.choices ?? [];
    send([...links(), named(offered.includes(usual) ? usual : offered[0])]);
    list.lastElementChild?.querySelector("select").focus();
  });
  watch("value", show);
  watch("choices", show);
  show();
}
