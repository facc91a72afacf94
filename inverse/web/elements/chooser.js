// A menu in groups. props.value is the name of what is chosen, props.choices what is offered: {name, title, about, group},
// and refused, the reason why it cannot be chosen.
import { node, parts } from "./kit.js";

export default function chooser({ element, props, trigger, watch }) {
  const [field, list] = parts(element, "[role=combobox]", "[role=listbox]");
  let active = -1;
  let typed = "";
  let typedAt = 0;

  const offered = () => props.choices ?? [];
  const options = () => [...list.querySelectorAll("[role=option]")];

  function show() {
    const chosen = offered().find((each) => each.name === props.value);
    field.value = chosen?.title ?? "";
    for (const option of options()) option.setAttribute("aria-selected", String(option.dataset.name === props.value));
  }

  function build() {
    const groups = new Map();
    for (const each of offered()) groups.set(each.group, [...(groups.get(each.group) ?? []), each]);
    list.firstElementChild.replaceChildren(...[...groups].map(([name, members]) => {
      const group = node("div", { role: "group", ariaLabel: name || field.ariaLabel });
      if (name) group.append(node("b", { ariaHidden: "true", textContent: name }));
      group.append(...members.map((each) => {
        const option = node("div", { id: `${list.id}-${each.name}`, role: "option", ariaLabel: each.title },
          node("span", { textContent: each.title }), node("small", { textContent: each.about }));
        option.dataset.name = each.name;
        if (each.refused) {
          option.setAttribute("aria-disabled", "true");
          option.append(node("small", { className: "inv-reason", textContent: each.refused }));
        }
        return option;
      }));
      return group;
    }));
    show();
  }

  function move(to) {
    const all = options();
    active = Math.max(0, Math.min(all.length - 1, to));
    all.forEach((option, at) => option.classList.toggle("inv-active", at === active));
    field.setAttribute("aria-activedescendant", all[active]?.id ?? "");
    all[active]?.scrollIntoView({ block: "nearest" });
  }

  function open(on) {
    if (list.hidden === !on) return;
    list.hidden = !on;
    field.setAttribute("aria-expanded", String(on));
    if (!on) return field.removeAttribute("aria-activedescendant");
    // As high as there is room below the field; the page is scrolled where that is too little.
    const below = window.innerHeight - field.getBoundingClientRect().bottom - 16;
    list.style.maxHeight = `${Math.max(below, 280)}px`;
    move(options().findIndex((option) => option.dataset.name === props.value));
    if (below < 280) list.scrollIntoView({ block: "nearest" });
  }

  function choose(name) {
    if (offered().find((each) => each.name === name)?.refused) return; // its reason stands there, and the menu stays
    open(false);
    if (!name || name === props.value) return;
    props.value = name;
    show();
    trigger("input");
  }

  field.addEventListener("click", () => open(list.hidden));
  field.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6, Home: -1e6, End: 1e6 };
    const closed = list.hidden;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in steps) {
      open(true);
      if (!closed) move(active + steps[event.key]);
    } else if (event.key === "Enter" || event.key === " ") {
      if (closed) open(true);
      else choose(options()[active]?.dataset.name);
    } else if (event.key === "Escape" && !closed) {
      open(false);
      event.stopPropagation(); // Esc stops a run only where it closes nothing
    } else if (event.key.length === 1) {
      typed = event.timeStamp - typedAt > 800 ? event.key : typed + event.key;
      typedAt = event.timeStamp;
      open(true);
      const words = options().map((option) => option.ariaLabel.toLowerCase());
      const start = words.findIndex((word) => word.startsWith(typed.toLowerCase()));
      const found = start >= 0 ? start : words.findIndex((word) => word.includes(typed.toLowerCase()));
      if (found >= 0) move(found);
    } else return;
    if (event.key !== "Escape") event.preventDefault();
  });
  field.addEventListener("blur", () => open(false));
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("pointermove", (event) => {
    const at = options().indexOf(event.target.closest("[role=option]"));
    if (at >= 0 && at !== active) move(at);
  });
  list.addEventListener("click", (event) => choose(event.target.closest("[role=option]")?.dataset.name));
  watch("choices", build);
  watch("value", show);
  build();
}
