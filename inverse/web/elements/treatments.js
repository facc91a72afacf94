// A part of the photo as it is and as treatments leave it; where the part lies is shown on the photo, and moved there.
import { late, node, parts, progress, unanswered } from "./kit.js";

const STEP = 0.05;
const ARROWS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
const within = (low, value, high) => Math.min(Math.max(value, low), high);

export default function treatments({ element, props, trigger, watch }) {
  const [bar, message, ways] = parts(element, ".inv-progress", ".inv-message", ".inv-ways");
  let [shown, laid, ready, frame] = [{}, null, [], null];

  const picture = () => node("span", { className: "inv-way-picture" });
  function fill(holder, src, alt) {
    const image = holder.querySelector("img") ?? holder.appendChild(new Image());
    image.alt = alt;
    if (image.src !== src) image.src = src;
  }

  /* Where the part lies: [left, top, right, bottom], shares of the photo. Its middle is what the server is told. */
  function lie([left, top, right, bottom]) {
    shown.part = [left, top, right, bottom];
    Object.assign(frame.style, { left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * (right - left)}%`, height: `${100 * (bottom - top)}%` });
  }
  function move(x, y) {
    const [left, top, right, bottom] = shown.part;
    const [width, height] = [right - left, bottom - top];
    const [newLeft, newTop] = [within(0, x - width / 2, 1 - width), within(0, y - height / 2, 1 - height)];
    lie([newLeft, newTop, newLeft + width, newTop + height]);
  }
  function moved() {
    const [left, top, right, bottom] = shown.part;
    props.value = { at: [(left + right) / 2, (top + bottom) / 2], moved: Date.now() };
    trigger("release");
    message.textContent = "Press Try it on a crop once more to try it there.";
  }
  function place() {
    frame = node("i");
    const map = node("div", { className: "inv-place", tabIndex: 0, role: "application", title: "Drag the square to try it elsewhere",
      ariaLabel: "The part of the photo on which it is tried. Arrow keys move it." },
      node("img", { src: shown.photo, alt: "", draggable: false }), frame);
    const follow = ({ clientX, clientY }) => {
      const box = map.getBoundingClientRect();
      move((clientX - box.left) / box.width, (clientY - box.top) / box.height);
    };
    map.addEventListener("pointerdown", (event) => {
      map.setPointerCapture(event.pointerId);
      follow(event);
    });
    map.addEventListener("pointermove", (event) => map.hasPointerCapture(event.pointerId) && follow(event));
    map.addEventListener("pointerup", moved);
    map.addEventListener("keydown", (event) => {
      const by = ARROWS[event.key];
      if (!by) return;
      event.preventDefault();
      const [left, top, right, bottom] = shown.part;
      move((left + right) / 2 + by[0], (top + bottom) / 2 + by[1]);
      moved();
    });
    lie(shown.part);
    return node("div", { className: "inv-way" }, map, node("b", { textContent: "Where" }), node("span", { textContent: "Drag the square elsewhere." }));
  }

  function lay() {
    const before = picture();
    fill(before, shown.before, "The part of the photo as it is");
    ready = shown.treatments.map(({ name, words }, index) => {
      const note = node("span");
      const button = node("button", { type: "button", className: "inv-way", disabled: true, ariaPressed: "false" },
        picture(), node("b", { textContent: name }), node("span", { textContent: words }), note);
      button.addEventListener("click", () => {
        for (const other of ready) other.button.ariaPressed = String(other.button === button);
        props.value = { adopt: index, at: Date.now() };
        trigger("select");
        message.textContent = `${name} is what the page is set to now.`;
      });
      return { button, note };
    });
    ways.replaceChildren(place(), node("figure", { className: "inv-way" }, before, node("b", { textContent: "Before" })), ...ready.map(({ button }) => button));
  }

  function draw() {
    ready.forEach(({ button, note }, index) => {
      const { name } = shown.treatments[index];
      const done = shown.cells.find((each) => each.index === index);
      const live = !done && shown.live.find((each) => each.index === index);
      const src = (done || live)?.src;
      if (src) fill(button.firstElementChild, src, `The part, ${name}`);
      button.disabled = !done || Boolean(done.failure);
      button.classList.toggle("inv-live", Boolean(live));
      note.textContent = done?.failure || shown.notes?.[index] || "";
      note.hidden = !note.textContent;
    });
  }

  function receive() {
    const value = props.value ?? {};
    if ("adopt" in value || "moved" in value || late(value, shown, "id")) return;
    element.dataset.phase = value.phase ?? "idle";
    message.textContent = value.message ?? "";
    if (!value.treatments) {
      // What was tried before stays while the next one waits; another photo takes it off.
      if (element.dataset.phase === "idle") [shown, laid] = [{}, ways.replaceChildren() ?? null];
      progress(bar, 0);
      return;
    }
    shown = { ...value, live: (value.phase === "running" && value.live) || [] };
    if (laid !== value.id) {
      laid = value.id;
      lay();
    }
    const shares = shown.live.map((each) => each.step / each.total);
    progress(bar, (100 * (shown.cells.length + shares.reduce((a, b) => a + b, 0))) / shown.count);
    if (value.phase === "done") message.textContent += " Click the one that you like best.";
    draw();
  }
  watch("value", receive);
  receive();

  unanswered(element, message, () => ["waiting", "running"].includes(element.dataset.phase), () => {
    element.dataset.phase = "failed";
    if (!shown.treatments) return;
    shown = { ...shown, phase: "failed", live: [] };
    draw();
  });
}
