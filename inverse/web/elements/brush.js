// A brush on a sheet, by mouse, pen, finger and keys; a ring shows where it is and how large. Its size is in pixels of the
// screen: the closer one looks, the finer it paints.

const FAINTEST = 0.1; // of the size, however lightly a pen touches
const ERASER = 5; // the button that the other end of a pen is
const RESTS = 400; // ms after which what the keys painted is a stroke
const KEYS = "keys";
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/* How wide it paints: a pen as it is pressed, and what tells no pressure its whole size. */
export const breadth = (size, { pointerType, pressure }) => (pointerType === "pen" ? size * Math.max(FAINTEST, pressure) : size);

/* `tool()` is {size, erases, colour}; `busy(event)` says whether a pointer does something else; `painted()` hears of every
   stroke that changed something, and `reveal(at)` where the keys went, in shares of the photo. */
export function brush({ pad, canvas, sheet, tool, busy, painted, reveal }) {
  const ring = pad.querySelector(".inv-ring");
  const { ink } = sheet;
  let stroke = null; // {by, tool, frame, place, last, sides}: where pad and photo are, and the sides of what it touched
  let cursor = null; // of the keys, in pixels of the photo
  let rest = 0;

  const place = () => canvas.getBoundingClientRect();
  const scale = ({ width }) => sheet.width / (width || 1);
  const on = (at, { clientX, clientY }) => [(clientX - at.left) * scale(at), (clientY - at.top) * scale(at)];

  function circle(x, y) {
    const at = stroke?.frame ?? pad.getBoundingClientRect();
    ring.hidden = false;
    ring.style.width = `${tool().size}px`;
    ring.style.translate = `${x - at.left}px ${y - at.top}px`;
  }
  function showKeys() {
    if (!cursor) return;
    const at = place();
    circle(at.left + cursor[0] / scale(at), at.top + cursor[1] / scale(at));
  }

  function begin(by, changes = {}) {
    finish();
    const sides = [Infinity, Infinity, -Infinity, -Infinity];
    // Measured once: each measurement would lay the page out again.
    stroke = { by, tool: { ...tool(), ...changes }, frame: pad.getBoundingClientRect(), place: place(), last: null, sides };
  }
  function to([x, y], wide) {
    const { tool, last } = stroke;
    const width = wide * scale(stroke.place);
    ink.globalCompositeOperation = tool.erases ? "destination-out" : "source-over";
    ink.strokeStyle = tool.colour;
    ink.lineCap = ink.lineJoin = "round";
    ink.lineWidth = width;
    ink.beginPath();
    ink.moveTo(...(last ?? [x, y]));
    ink.lineTo(x, y);
    ink.stroke();
    ink.globalCompositeOperation = "source-over";
    const reach = width / 2 + 1;
    for (const [u, v] of [last ?? [x, y], [x, y]]) {
      const [left, top, right, bottom] = stroke.sides;
      stroke.sides = [Math.min(left, u - reach), Math.min(top, v - reach), Math.max(right, u + reach), Math.max(bottom, v + reach)];
    }
    stroke.last = [x, y];
  }
  function end(keeps) {
    clearTimeout(rest);
    const { tool, sides } = stroke;
    stroke = null;
    const box = sheet.within(...sides);
    if (!box) return;
    if (!keeps) sheet.drop(box);
    else if (sheet.settle(box, { erased: tool.erases })) painted();
  }
  const finish = () => stroke && end(true);

  pad.addEventListener("pointerdown", (event) => {
    if (!sheet.width || busy(event) || ![0, ERASER].includes(event.button) || typeof stroke?.by === "number") return;
    pad.setPointerCapture(event.pointerId);
    cursor = null;
    begin(event.pointerId, event.button === ERASER ? { erases: true } : {});
    to(on(stroke.place, event), breadth(stroke.tool.size, event));
    ring.hidden = event.pointerType === "touch";
  });
  pad.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "touch" && sheet.width && !cursor) circle(event.clientX, event.clientY);
    if (stroke?.by !== event.pointerId) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const each of between.length ? between : [event]) to(on(stroke.place, each), breadth(stroke.tool.size, each));
  });
  pad.addEventListener("pointerup", ({ pointerId }) => stroke?.by === pointerId && end(true));
  pad.addEventListener("pointercancel", ({ pointerId }) => stroke?.by === pointerId && end(false));
  pad.addEventListener("pointerleave", () => (ring.hidden = !cursor));

  const middle = () => {
    const [at, seen] = [place(), pad.getBoundingClientRect()];
    return inside(on(at, { clientX: seen.left + seen.width / 2, clientY: seen.top + seen.height / 2 }));
  };
  const inside = ([x, y]) => [Math.min(sheet.width, Math.max(0, x)), Math.min(sheet.height, Math.max(0, y))];
  canvas.addEventListener("keydown", (event) => {
    if (!sheet.width || event.ctrlKey || event.metaKey || event.altKey || typeof stroke?.by === "number") return;
    const move = ARROWS[event.key];
    const paints = (event.key === " " && cursor) || (move && event.shiftKey);
    if (!move && !paints) return;
    event.preventDefault();
    cursor ??= middle();
    if (paints && !stroke) begin(KEYS);
    if (paints) to(cursor, stroke.tool.size);
    const step = (scale(place()) * Math.max(pad.clientWidth, pad.clientHeight)) / 40;
    if (move) cursor = inside([cursor[0] + step * move[0], cursor[1] + step * move[1]]);
    if (paints) {
      to(cursor, stroke.tool.size);
      clearTimeout(rest);
      rest = setTimeout(finish, RESTS);
    }
    reveal({ x: cursor[0] / sheet.width, y: cursor[1] / sheet.height });
    showKeys();
  });
  canvas.addEventListener("focus", () => {
    if (!sheet.width || !canvas.matches(":focus-visible")) return;
    cursor ??= middle();
    showKeys();
  });
  canvas.addEventListener("blur", () => {
    finish();
    cursor = null;
    ring.hidden = true;
  });

  return {
    finish,
    /* What is being painted is not meant: two fingers look closer. */
    cancel: () => stroke && end(false),
    /* The photo is elsewhere on the screen now, or the brush has another size. */
    moved() {
      if (stroke) Object.assign(stroke, { frame: pad.getBoundingClientRect(), place: place() });
      if (!ring.hidden) ring.style.width = `${tool().size}px`;
      showKeys();
    },
    get keyed() { return cursor !== null; },
  };
}
