// Pad over the photo: what is brushed is missing, and props.value.mask a PNG at the photo's size, white on black; or,
// where `colours` is true, it has the brush's colour, and the PNG is transparent where nothing is painted. The same pad
// over the whole screen is an editor.
import { brush } from "./brush.js";
import { flash, hear, node, onPage, parts, save } from "./kit.js";
import { lies } from "./problem.js";
import { SHAPES, sketch } from "./shapes.js";
import { keepFor } from "./session.js";
import { sheet as sheetOn } from "./sheet.js";
import { zoomable } from "./zoom.js";

const GROWS = 1.2; // a brush, by a key

export default function mask({ element, props, trigger, watch, upload }, { limit, colours }) {
  const [pad, frame, canvas, size, file, colour] = parts(element, ".inv-pad", ".inv-sheet", "canvas", "[type=range]", "[type=file]", "[type=color]");
  const [shapes, what, said, bar] = parts(element, "select", ".inv-mask-head small", "[role=status]", ".inv-closer");
  const act = (name) => element.querySelector(`[data-do=${name}]`);
  const coarse = `${colours ? "This picture" : "This mask"} has too much detail to be sent as it is, and is used a little coarser.`;
  if (colours) size.value = 6; // a line says as much as an area
  let filename = "mask.png";
  let erases = false;
  let moves = false; // while Space is held
  let photo = null;
  let early = null; // what was drawn before the photo was there
  const sent = new Set();

  function enable(name, can) {
    const button = act(name);
    if (!can && button === document.activeElement) canvas.focus({ preventScroll: true }); // a disabled one cannot have it
    button.disabled = !can;
  }
  const sheet = sheetOn({ canvas, colours, changed() {
    enable("undo", sheet.undoable);
    enable("redo", sheet.redoable);
  } });
  const zoom = zoomable({
    element, stage: pad, frame, surface: pad, bar, pixels: () => sheet.width,
    changed: () => hand.moved(),
    pans: (event) => moves || event.button === 1,
    pinched: () => hand.cancel(),
    cover: {
      label: colours ? "Colours, over the whole screen" : "Mask, over the whole screen", screen: true,
      said: (words) => flash(said, words),
      changed(on) {
        hand.finish();
        bar.querySelector("[data-zoom=full] span").textContent = on ? "Done" : "Full screen";
        if (on) canvas.focus({ preventScroll: true });
        else zoom.reset();
      },
    },
  });
  const hand = brush({
    pad, canvas, sheet,
    tool: () => ({ size: Number(size.value), erases, colour: colours ? colour.value : sheet.colour }),
    busy: () => zoom.moving,
    painted: commit,
    reveal: (at) => zoom.zoom > 1 && zoom.reveal(at),
  });

  // What is too detailed to send, as a mask of single random pixels is, is sent coarser, and that is said.
  async function encoded() {
    const [uri, coarser] = await sheet.encoded(limit);
    if (coarser) said.textContent = coarse;
    else if (said.textContent === coarse) said.textContent = "";
    return uri;
  }
  let commits = 0;
  async function commit() {
    const mine = ++commits;
    const uri = await encoded();
    if (mine !== commits) return; // another stroke has come since
    sent.add(uri);
    enable("download", Boolean(uri));
    props.value = { mask: uri };
    keepFor(colours ? "strokes" : "mask", uri || null);
    trigger("release");
  }
  function change(edit) {
    hand.finish();
    if (!sheet.width) early = edit;
    else if (sheet.edit(edit)) commit();
  }
  function step(way) {
    hand.finish();
    if (sheet[way]()) commit();
  }

  const DO = {
    undo: () => step("undo"),
    redo: () => step("redo"),
    clear: () => change((ink, width, height) => ink.clearRect(0, 0, width, height)),
    invert: () => change((ink, width, height) => {
      ink.globalCompositeOperation = "xor";
      ink.fillRect(0, 0, width, height);
      ink.globalCompositeOperation = "source-over";
    }),
    async find() {
      hand.finish();
      flash(said, "Looking for scratches…");
      props.value = { mask: await encoded(), find: Date.now() };
      trigger("upload");
    },
    async download() {
      hand.finish();
      save(await sheet.png(), filename);
    },
  };
  function choose(tool) {
    hand.finish();
    erases = tool === "eraser";
    for (const each of element.querySelectorAll("[data-tool]")) each.ariaPressed = String(each.dataset.tool === tool);
  }
  function grow(by) {
    const wanted = Number(size.value) * by;
    size.value = by > 1 ? Math.ceil(wanted) : Math.floor(wanted);
    hand.moved();
  }
  element.querySelector(".inv-tools").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.tool) choose(button.dataset.tool);
    else DO[button.dataset.do]();
    if (zoom.full && event.detail) canvas.focus({ preventScroll: true }); // by pointer: Space is to move, not to press it again
  });
  size.addEventListener("input", hand.moved);

  const KEYS = { "[": () => grow(1 / GROWS), "]": () => grow(GROWS), b: () => choose("brush"), e: () => choose("eraser") };
  const WITH_CONTROL = { z: "undo", Z: "redo", y: "redo" };
  element.addEventListener("keydown", (event) => {
    const { key, shiftKey } = event;
    if (event.defaultPrevented || event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      const way = WITH_CONTROL[shiftKey ? key.toUpperCase() : key.toLowerCase()];
      if (!way) return;
      step(way);
    } else if (event.target.matches("select, [type=file], [type=color]")) return;
    else if (key === " " && !event.target.matches("button") && !hand.keyed) move(true);
    else if (KEYS[key]) KEYS[key]();
    else return;
    event.preventDefault();
  });
  function move(held) {
    moves = held;
    pad.classList.toggle("inv-moves", held);
  }
  onPage(element, "keyup", (event) => event.key === " " && move(false));
  onPage(element, "blur", () => move(false), window); // the key may be released in another window
  pad.addEventListener("mousedown", (event) => event.button === 1 && event.preventDefault()); // it would scroll by itself

  shapes.append(...Object.entries(SHAPES).map(([value, [textContent]]) => node("option", { value, textContent })));
  shapes.addEventListener("change", () => {
    const name = shapes.value;
    shapes.value = "";
    if (name) change((ink) => sketch(name, ink));
  });
  file.addEventListener("change", async () => {
    const [picture] = file.files;
    file.value = "";
    if (!picture) return;
    said.textContent = "Uploading…";
    try {
      const { path } = await upload(picture);
      flash(said, "Uploading…");
      props.value = { mask: await encoded(), path, at: Date.now() };
      trigger("upload");
    } catch {
      said.textContent = "The upload failed. Check the connection and the file's size, then choose it again.";
    }
  });

  async function load(uri) {
    const loaded = node("img", { src: uri });
    await loaded.decode();
    hand.finish();
    sheet.resize(loaded.width, loaded.height); // it may be ahead of its photo
    sheet.load(loaded);
    sent.add(uri);
  }
  async function place(uri) {
    photo ??= frame.insertBefore(node("img", { alt: "" }), canvas);
    photo.src = uri;
    await photo.decode();
    const { naturalWidth: width, naturalHeight: height } = photo;
    if (width * sheet.height !== height * sheet.width) zoom.reset();
    pad.style.setProperty("--ratio", width / height);
    hand.finish();
    sheet.resize(width, height);
    if (early) change(early);
    early = null;
  }

  async function lay() {
    const given = lies();
    if (given?.kind !== (colours ? "strokes" : "mask")) return;
    filename = given.filename;
    // What is missing of a damaged photo is seen on it; a shape would be made up.
    shapes.hidden = given.damaged;
    const words = colours
      ? ["a few strokes in the colours it should have", "where you paint, its own colours are known"]
      : ["brush over what is damaged, or upload your mask", "what you cover is missing"];
    what.textContent = words[given.damaged ? 0 : 1];
    if (given.photo === photo?.src) return;
    await place(given.photo);
    await hold();
  }
  // What is painted, at the size of the photo that now lies under it.
  async function hold() {
    const uri = await encoded();
    sent.add(uri);
    enable("download", Boolean(uri));
    props.value = { mask: uri };
  }

  // From the server comes a mask: one that it found, or that was uploaded or kept.
  async function show() {
    const value = props.value ?? {};
    if (value.reset) {
      hand.cancel();
      sheet.empty();
      sent.clear();
    }
    if (value.mask && (value.load || !sent.has(value.mask))) await load(value.mask);
    if (value.load) commit();
    else if (value.reset) await hold();
  }
  hear(element, "under", lay);
  watch("value", show);
  lay();
  show();
}
