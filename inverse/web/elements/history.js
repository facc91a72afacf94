// Results as cards: the newest first. A click shows one in the viewer, two pins show two over each other.
import { zipped } from "./bytes.js";
import { differences } from "./differences.js";
import { bytesOf, flash, hear, node, parts, save, tell } from "./kit.js";
import { drop, keep, kept } from "./store.js";
import { choose as show } from "./view.js";

export default function history({ element, props, watch }) {
  const find = (selector) => element.querySelector(selector);
  const [cards, detail, said] = parts(element, ".inv-cards", ".inv-detail", ".inv-said");
  const [zip, clear] = ["zip", "clear"].map((name) => find(`[data-do=${name}]`));
  const CAP = 24;
  const STARS = 5;

  let items = [];
  let chosen = null; // the key of a result, or "pair"
  let pins = { A: null, B: null };
  let now = {};

  const item = (key) => items.find((one) => one.key === key);
  const pinned = (key) => Object.keys(pins).filter((letter) => pins[letter] === key);
  const say = (text) => flash(said, text);

  function figures({ record }) {
    const words = [];
    if (typeof record.psnr === "number") words.push(`${record.psnr.toFixed(2)} dB`);
    if (typeof record.residual === "number") words.push(`${Number(record.residual.toPrecision(3))}${record.settings.sigma_y > 0 ? " × noise" : " residual"}`);
    words.push(`${Number(record.seconds).toFixed(1)} s`);
    if (record.step < record.total) words.push(`stopped at step ${record.step} of ${record.total}`);
    return words;
  }
  const stars = ({ rating = 0 }) => "★".repeat(rating);
  const rated = ({ rating }) => (rating ? [`${rating} of ${STARS} stars`] : []);
  const described = (one) => [...(one.name ? [one.name] : []), ...rated(one), one.record.task, one.record.solver, ...figures(one)].join(", ");

  function card(one, at) {
    const letters = pinned(one.key);
    const button = node("button", { type: "button", className: "inv-result", title: described(one), tabIndex: (item(chosen) ? one.key === chosen : at === 0) ? 0 : -1 },
      node("img", { src: one.record.thumb, alt: "" }),
      node("span", {},
        node("b", {}, `#${one.number}`, ...letters.map((letter) => node("i", { className: "inv-pin", textContent: letter })), node("span", { className: "inv-stars", textContent: stars(one) })),
        node("small", { textContent: one.name || one.record.solver, className: one.name ? "" : "inv-lab" }),
        node("small", { textContent: figures(one)[0], className: "inv-lab" })));
    button.dataset.key = one.key;
    button.setAttribute("aria-pressed", String(one.key === chosen));
    button.setAttribute("aria-label", [`Result ${one.number}`, ...letters.map((letter) => `pinned as ${letter}`), described(one)].join(", "));
    return button;
  }

  const action = (words, does, properties = {}) => {
    const button = node("button", { type: "button", className: "inv-small", textContent: words, ...properties });
    button.dataset.do = does;
    return button;
  };
  function chips(found, before, same) {
    if (!found.length) return [node("p", { className: "inv-words", textContent: same })];
    const list = node("ul", { className: "inv-chips" }, ...found.map((text) => node("li", { textContent: text })));
    return [node("p", { className: "inv-words", textContent: before }), list];
  }

  /* What a visitor says of a result: a name, which its file gets too, and how good it is; a star once more takes it back. */
  function opinion(one) {
    const name = node("input", { type: "text", className: "inv-name", value: one.name ?? "", placeholder: "Name it", maxLength: 60, ariaLabel: `Name of result ${one.number}` });
    name.addEventListener("change", () => {
      one.name = name.value.trim();
      keep(one);
      draw();
    });
    const choices = Array.from({ length: STARS }, (_, at) => {
      const star = action(at < (one.rating ?? 0) ? "★" : "☆", `rate-${at + 1}`, { ariaLabel: `${at + 1} of ${STARS} stars` });
      star.className = "inv-star";
      star.setAttribute("aria-pressed", String(one.rating === at + 1));
      return star;
    });
    return node("span", { className: "inv-opinion" }, name, node("span", { role: "group", ariaLabel: "How good it is" }, ...choices));
  }

  function single(one) {
    const pin = (letter) => {
      const button = action(`Pin ${letter}`, `pin-${letter}`);
      button.setAttribute("aria-pressed", String(pins[letter] === one.key));
      return button;
    };
    const settings = now.settings ? chips(differences(now, one.record), "Its settings, against the present ones:", "Its settings are the present ones.") : [];
    return [
      node("p", { className: "inv-lab" }, node("b", { textContent: `#${one.number}` }), ` ${one.record.task} · ${one.record.solver} · ${figures(one).join(" · ")}`),
      node("div", { className: "inv-lab" }, ...settings),
      opinion(one),
      node("div", { className: "inv-tools" }, action("Use these settings", "use"), action("Open in the Lab", "lab", { className: "inv-small inv-simple" }), pin("A"), pin("B"), action("Remove", "remove")),
    ];
  }

  function pair(a, b) {
    const flip = action("Hold to flip", "flip");
    const difference = action("Difference × 4", "difference");
    difference.setAttribute("aria-pressed", String(Boolean(pins.difference)));
    const side = (letter, one) => node("span", {}, node("i", { className: "inv-pin", textContent: letter }), ` #${one.number} ${one.record.solver}, ${figures(one)[0]} `);
    return [
      node("p", {}, side("A", a), side("B", b)),
      ...chips(differences(a.record, b.record), "From A to B:", "Both have the same settings."),
      node("div", { className: "inv-tools" }, flip, difference, action("Swap", "swap"), action("Unpin both", "unpin")),
    ];
  }

  function draw() {
    const focused = (element.contains(document.activeElement) && document.activeElement.closest("button")?.dataset) || {};
    cards.replaceChildren(...items.map(card));
    cards.hidden = !items.length;
    find(".inv-history-empty").hidden = Boolean(items.length);
    zip.disabled = clear.disabled = !items.length;
    if (chosen === "pair") detail.replaceChildren(...pair(item(pins.A), item(pins.B)));
    else detail.replaceChildren(...(item(chosen) ? single(item(chosen)) : []));
    detail.hidden = chosen === null;
    // What was drawn anew keeps the focus.
    const again = focused.key ? cards.querySelector(`[data-key="${focused.key}"]`) : focused.do && find(`[data-do="${focused.do}"]`);
    if (again && again !== document.activeElement) again.focus({ preventScroll: true });
  }

  function exhibited() {
    if (chosen === "pair") {
      const [a, b] = [item(pins.A), item(pins.B)];
      return { ...b.view, before: a.view.frame.x0[0], truth: null, samples: 1, title: "A | B", pair: [`A  #${a.number}`, `B  #${b.number}`], difference: Boolean(pins.difference) };
    }
    const one = item(chosen);
    return one ? { ...one.view, title: `Result #${one.number}` } : null;
  }

  function choose(key) {
    chosen = key;
    draw();
    tell("exhibit", exhibited());
  }

  function settle() {
    for (const letter of ["A", "B"]) if (!item(pins[letter])) pins[letter] = null;
    if (chosen === "pair" ? !(pins.A && pins.B) : chosen !== null && !item(chosen)) choose(null);
    else draw();
  }

  function pin(letter) {
    const other = letter === "A" ? "B" : "A";
    pins[letter] = pins[letter] === chosen ? null : chosen;
    if (pins[letter] && pins[other] === chosen) pins[other] = null;
    if (pins.A && pins.B) choose("pair");
    else {
      draw();
      say(pins[letter] ? `Pinned as ${letter}. Choose another result and pin it as ${other}.` : `${letter} is free again.`);
    }
  }

  function files(one) {
    const called = (one.name ?? "").replace(/[^\p{L}\p{N}._-]+/gu, "_").replace(/^[._]+/, "");
    const name = `${String(one.number).padStart(2, "0")}-${called ? `${called}.png` : one.view.filename}`;
    const { x0 } = one.view.frame;
    return x0.map((uri, at) => ({ name: x0.length > 1 ? name.replace(/\.png$/, `-${at + 1}.png`) : name, bytes: bytesOf(uri) }));
  }

  const DO = {
    zip: () => save(zipped([...items].reverse().flatMap(files)), "results.zip"),
    clear: () => {
      drop(items.map((one) => one.key));
      items = [];
      settle();
      say("All results are removed.");
    },
    remove: () => {
      drop([chosen]);
      items = items.filter((one) => one.key !== chosen);
      settle();
    },
    // The result itself carries all settings, its mask included.
    use: () => {
      tell("settings", new File([bytesOf(item(chosen).view.frame.x0[0])], "settings.png", { type: "image/png" }));
      say("The settings are on their way.");
    },
    lab: () => {
      DO.use();
      show("lab");
    },
    "pin-A": () => pin("A"),
    "pin-B": () => pin("B"),
    swap: () => {
      [pins.A, pins.B] = [pins.B, pins.A];
      choose("pair");
    },
    difference: () => {
      pins.difference = !pins.difference;
      choose("pair");
    },
    unpin: () => {
      pins = { A: null, B: null };
      choose(null);
    },
  };

  element.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.do) DO[button.dataset.do]?.();
    const rating = Number(button?.dataset.do?.match(/^rate-(\d)$/)?.[1]);
    if (rating) {
      const one = item(chosen);
      one.rating = one.rating === rating ? 0 : rating;
      keep(one);
      draw();
    }
    if (!button?.dataset.key) return;
    const key = Number(button.dataset.key);
    choose(key === chosen ? null : key);
  });
  // The arrows walk through the cards, of which one is in the order of Tab.
  cards.addEventListener("keydown", (event) => {
    const all = [...cards.children];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    all.forEach((button) => (button.tabIndex = -1));
    const next = all[Math.min(all.length - 1, Math.max(0, to))];
    next.tabIndex = 0;
    next.focus();
  });
  const flips = { pointerdown: true, keydown: true, pointerup: false, pointerleave: false, pointercancel: false, keyup: false, focusout: false };
  for (const [kind, on] of Object.entries(flips)) {
    detail.addEventListener(kind, (event) => {
      if (!event.target.closest?.("[data-do=flip]") || (kind.startsWith("key") && ![" ", "Enter"].includes(event.key))) return;
      if (event.type === "pointerdown") event.target.setPointerCapture(event.pointerId);
      tell("peek", on);
    }, true);
  }

  function add(one) {
    if (item(one.key)) return;
    items.unshift(one);
    if (items.length > CAP) drop(items.splice(CAP).map((gone) => gone.key));
    settle();
  }

  hear(element, "finished", ({ record, ...view }) => {
    const one = { key: view.run, number: 1 + Math.max(0, ...items.map((other) => other.number)), at: Date.now(), record, view };
    if (item(one.key)) return;
    add(one);
    keep(one);
    cards.scrollLeft = 0;
    if (now.origin && now.origin.photo !== record.origin?.photo) tell("earlier", view.run);
  });
  hear(element, "live", () => {
    if (chosen === null) return;
    chosen = null;
    draw();
  });
  watch("value", () => {
    now = props.value ?? {};
    if (chosen !== null) draw();
  });
  kept().then((found) => {
    items = [...items, ...found.sort((one, other) => other.key - one.key)].slice(0, CAP);
    draw();
  });
}
