// A picture in a frame, looked at closely: wheel, pinch, drag, keys and buttons. Whatever lies over each other in the
// frame moves together, so that before and after, A and B, or a photo and what is painted on it, show the same place.
import { covering } from "./full.js";

const MOST = 16; // times the size that fits
const STEP = 1.5;
const NEAR = 22; // pixels from the divider, within which a drag moves that
const FITS = { zoom: 1, x: 0, y: 0 };

/* The view {zoom, x, y}: how many times the size that fits, and where the picture's corner is, in sizes of the frame. No
   edge of a picture that is larger than the frame is within it, and a smaller one is in its middle. */
export function bounded({ zoom, x, y }) {
  const within = (at) => (zoom < 1 ? (1 - zoom) / 2 : Math.min(0, Math.max(1 - zoom, at)));
  return { zoom, x: within(x), y: within(y) };
}

/* The same at another zoom, with what is at a place of the frame staying there. */
export function around(view, zoom, at = { x: 0.5, y: 0.5 }) {
  const by = zoom / view.zoom;
  return bounded({ zoom, x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by });
}

/* How much of the picture, from its left, is within a share of the frame. */
export const share = ({ zoom, x }, cut) => Math.min(1, Math.max(0, (cut - x) / zoom));

/* Pointers act on `surface`, and buttons are in `bar`; `pixels()` is how many the picture is wide, and `changed()` hears of
   every view. A `divider` is a range over the whole frame. `pans(event)` says whether what a pointer begins is a drag,
   and `pinched()` hears that two fingers begin, of which the first may have done something else. `cover` is what
   `covering` needs besides. */
export function zoomable({ element, stage, frame, surface = frame, bar, divider, pixels, changed, cover, pans, pinched }) {
  const label = bar.querySelector("[data-zoom=fit]");
  const fingers = new Map();
  let view = FITS;
  let held = null; // what a drag does: {from} of two fingers, or {at}, which pans or, with `cut`, moves the divider

  const exact = () => Math.min(MOST, pixels() / (frame.clientWidth * devicePixelRatio) || 1);
  const least = () => Math.min(1, exact());
  const limited = (zoom) => Math.min(MOST, Math.max(least(), Math.abs(zoom - 1) < 0.02 ? 1 : zoom));

  function apply(next) {
    view = next;
    for (const [name, value] of Object.entries({ zoom: view.zoom, x: view.x, y: view.y })) frame.style.setProperty(`--${name}`, value);
    stage.classList.toggle("inv-zoomed", view.zoom > 1);
    // So large that its pixels are seen, they are seen as they are.
    stage.classList.toggle("inv-close", view.zoom / exact() >= 3 && view.zoom > 1);
    label.textContent = view.zoom === 1 ? "Fit" : `${Math.round((100 * view.zoom) / exact())} %`;
    label.setAttribute("aria-label", view.zoom === 1 ? "All of the picture is shown" : `${label.textContent} of its pixels. Show all of it`);
    changed();
  }
  const zoomed = (zoom, at) => apply(around(view, limited(zoom), at));
  const moved = (x, y) => apply(bounded({ ...view, x: view.x + x, y: view.y + y }));
  const place = ({ clientX, clientY }) => {
    const { left, top, width, height } = frame.getBoundingClientRect();
    return { x: (clientX - left) / width, y: (clientY - top) / height };
  };
  const full = covering({ element, ...cover, changed(on) {
    cover.changed(on);
    apply(bounded(view));
  } });

  const DO = {
    in: () => zoomed(view.zoom * STEP),
    out: () => zoomed(view.zoom / STEP),
    fit: () => apply(FITS),
    exact: () => zoomed(exact()),
    full: () => full.set(!full.on),
  };
  const KEYS = { "+": "in", "=": "in", "-": "out", 0: "fit", 1: "exact", f: "full" };
  const ARROWS = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };

  bar.addEventListener("click", (event) => DO[event.target.closest("button")?.dataset.zoom]?.());
  element.addEventListener("keydown", (event) => {
    const typing = event.target.matches("select, input:not([type=range]):not([type=radio])");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !stage.querySelector("img")) return;
    const arrow = view.zoom > 1 && event.target === stage && ARROWS[event.key];
    if (arrow) moved(...arrow);
    else if (KEYS[event.key]) DO[KEYS[event.key]]();
    else return;
    event.preventDefault();
  });
  // A wheel alone scrolls the page, as long as nothing is enlarged; pinching on a touchpad comes as a wheel with Ctrl.
  stage.addEventListener("wheel", (event) => {
    if (!(event.ctrlKey || event.metaKey || view.zoom > 1 || full.on) || !frame.querySelector("img")) return;
    event.preventDefault();
    zoomed(view.zoom * Math.exp(-Math.max(-80, Math.min(80, event.deltaY)) / (event.ctrlKey ? 100 : 300)), place(event));
  }, { passive: false });

  function pinch() {
    const [a, b] = [...fingers.values()].map(place);
    return { at: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, apart: Math.hypot(a.x - b.x, a.y - b.y) };
  }
  surface.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, event);
    if (fingers.size === 2) {
      held = { from: pinch(), view, divider: held?.divider ?? divider?.value };
      pinched?.();
      return;
    }
    held = { divider: divider?.value, at: place(event), pans: pans ? pans(event) : view.zoom > 1 };
    if (!held.pans) return; // the divider's own, or the brush's
    const { left, width } = frame.getBoundingClientRect();
    held.cut = divider?.offsetParent && Math.abs(event.clientX - left - (divider.value / 100) * width) < NEAR;
    surface.setPointerCapture(event.pointerId);
  });
  surface.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId) || !held) return;
    fingers.set(event.pointerId, event);
    if (held.from && fingers.size === 2) {
      const now = pinch();
      if (divider) divider.value = held.divider; // the first finger had moved it
      const next = around(held.view, limited((held.view.zoom * now.apart) / held.from.apart), held.from.at);
      apply(bounded({ ...next, x: next.x + now.at.x - held.from.at.x, y: next.y + now.at.y - held.from.at.y }));
    } else if (held.pans) {
      const now = place(event);
      if (held.cut) {
        divider.value = 100 * now.x;
        changed();
      } else moved(now.x - held.at.x, now.y - held.at.y);
      held.at = now;
    }
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    surface.addEventListener(kind, (event) => {
      fingers.delete(event.pointerId);
      if (!fingers.size) held = null;
    });
  }

  return {
    reset: () => apply(FITS),
    clip: (cut) => share(view, cut),
    /* The view moves until a place of the picture, in shares of it, is within the frame. */
    reveal(at) {
      const off = (share, from) => Math.max(0, -(from + share * view.zoom)) + Math.min(0, 1 - from - share * view.zoom);
      moved(off(at.x, view.x), off(at.y, view.y));
    },
    closer: (event) => (view.zoom > 1 ? apply(FITS) : zoomed(Math.max(2, exact()), place(event))),
    get zoom() { return view.zoom; },
    get full() { return full.on; },
    /* Whether pointers move the view just now. */
    get moving() { return Boolean(held?.from || held?.pans); },
  };
}
