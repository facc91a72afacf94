// The verdict: a line a finding, its level as a mark and a word, and a button that asks for what may help.
import assert from "node:assert/strict";
import test from "node:test";
import verdict from "../../inverse/web/elements/verdict.js";

/* As much of a page as the element needs. */
class Part {
  children = [];
  dataset = {};
  heard = {};
  constructor(name) {
    this.name = name;
  }
  append(...more) {
    this.children.push(...more);
  }
  replaceChildren(...more) {
    this.children = more;
  }
  addEventListener(kind, listener) {
    this.heard[kind] = listener;
  }
  get text() {
    return this.textContent ?? this.children.map((each) => each.text ?? each).join("");
  }
  all(name) {
    return this.children.flatMap((each) => (each instanceof Part ? [...(each.name === name ? [each] : []), ...each.all(name)] : []));
  }
}
globalThis.document = { createElement: (name) => new Part(name) };

const marks = { good: ["✓", "Good"], doubt: ["?", "Doubtful"], bad: ["✕", "Bad"] };
const fits = { kind: "fitted", level: "good", text: "It fits.", remedy: null };
const ripples = { kind: "ripples", level: "doubt", text: "<b>Ripples.</b>", remedy: { label: "Try 1.5", changes: { "task.std": 1.5 } } };

function shown(value) {
  const list = new Part("ul");
  const props = { value };
  const fired = [];
  let update;
  const element = { querySelector: () => list };
  verdict({ element, props, trigger: (name) => fired.push(name), watch: (_, again) => (update = again) }, { marks });
  return { list, props, fired, update: () => update() };
}

test("every finding is a line with its mark, and its level in words", () => {
  const { list } = shown({ findings: [fits, ripples], asked: null });
  assert.deepEqual(list.children.map((each) => each.dataset.level), ["good", "doubt"]);
  assert.deepEqual(list.children.map((each) => each.children[0].text), ["✓", "?"]);
  assert.ok(list.children[0].children[0].ariaHidden === "true" && list.children[0].text.includes("Good: It fits."));
  assert.ok(list.children[1].text.includes("<b>Ripples.</b>"), "text, and not markup");
  assert.equal(list.all("b").length, 0);
});

test("only what may help has a button, which asks for its changes", () => {
  const { list, props, fired } = shown({ findings: [fits, ripples], asked: null });
  const [button, ...others] = list.all("button");
  assert.ok(button.textContent === "Try 1.5" && !others.length && !fired.length);
  button.heard.click();
  assert.deepEqual(fired, ["release"]);
  assert.deepEqual(props.value, { findings: [fits, ripples], asked: { "task.std": 1.5 } });
});

test("another run's findings take the place of the last ones, and none leave nothing", () => {
  const { list, props, update } = shown(null);
  assert.ok(list.hidden && !list.children.length);
  props.value = { findings: [ripples], asked: null };
  update();
  assert.ok(!list.hidden && list.children.length === 1);
  props.value = { findings: [], asked: null };
  update();
  assert.ok(list.hidden && !list.children.length);
});
