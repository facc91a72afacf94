// Pad over the photo: what is brushed is missing, and props.value.mask a PNG at the photo's size, white on black; or,
// where `colours` is true, it has the brush's colour, and the PNG is transparent where nothing is painted.
import { bitmap, cover } from "./bytes.js";
import { node, parts, save, uriOf } from "./kit.js";
import { SHAPES, sketch } from "./shapes.js";
import { keepFor } from "./session.js";

export default function mask({ element, props, trigger, watch, upload }, { limit, colours }) {
  const [canvas, size, file, colour] = parts(element, "canvas", "[type=range]", "[type=file]", "[type=color]");
  const [shapes, what, said] = parts(element, "select", ".inv-mask-head small", "[role=status]");
  const act = (name) => element.querySelector(`[data-do=${name}]`);
  const context = canvas.getContext("2d");
  const mask = node("canvas", { width: 0, height: 0 }); // until there is a photo nothing can be drawn
  const ink = mask.getContext("2d", { willReadFrequently: true });
  const tint = node("canvas");
  const photo = new Image();
  const undo = [];
  if (colours) size.value = 6; // a line says as much as an area
  let filename = "mask.png";
  let tool = "brush";
  let cursor = null;
  const sent = new Set();
  let last = null;

  function draw() {
    context.drawImage(photo, 0, 0, canvas.width, canvas.height);
    const paint = tint.getContext("2d");
    paint.globalCompositeOperation = "copy";
    paint.drawImage(mask, 0, 0);
    paint.globalCompositeOperation = "source-in";
    paint.fillStyle = "#e11d74";
    if (!colours) paint.fillRect(0, 0, tint.width, tint.height);
    context.globalAlpha = colours ? 1 : 0.72;
    context.drawImage(tint, 0, 0);
    context.globalAlpha = 1;
    if (cursor) {
      for (const [style, extra] of [["white", 1], ["black", 0]]) {
        context.strokeStyle = style;
        context.lineWidth = scale();
        context.beginPath();
        context.arc(...cursor, (Number(size.value) / 2) * scale() + extra * scale(), 0, 2 * Math.PI);
        context.stroke();
      }
    }
    act("undo").disabled = !undo.length;
  }

  const picture = ({ data, width, height }) => new ImageData(data, width, height);
  const pixelsOf = (context) => context.getImageData(0, 0, context.canvas.width, context.canvas.height);

  // What is drawn, at another size: nothing thin of a mask is lost, and no two colours are mixed.
  function fitted(found, width, height) {
    if (!colours) return picture(cover(found, width, height));
    const [from, to] = [node("canvas", { width: found.width, height: found.height }), node("canvas", { width, height })];
    from.getContext("2d").putImageData(found, 0, 0);
    const small = to.getContext("2d");
    small.imageSmoothingEnabled = false;
    small.drawImage(from, 0, 0, width, height);
    return pixelsOf(small);
  }

  let early = null; // what was drawn before the photo was there
  let drawn = null; // the mask at the size at which it was drawn: every other size is made from it
  function resize(width, height) {
    if (mask.width === width && mask.height === height) return;
    drawn ??= mask.width && mask.height ? pixelsOf(ink) : null;
    for (const each of [canvas, mask, tint]) [each.width, each.height] = [width, height];
    if (drawn) ink.putImageData(fitted(drawn, width, height), 0, 0);
    undo.length = 0;
  }

  async function png(source) {
    const { data, width, height } = pixelsOf(source);
    if (colours) return data.some((value, at) => at % 4 === 3 && value) ? source.canvas.toDataURL("image/png") : "";
    const bytes = await bitmap(width, height, (at) => data[4 * at + 3] > 127);
    return bytes ? uriOf(bytes, "image/png") : "";
  }
  // What is too detailed to send, as a mask of single random pixels is, is sent coarser, and that is said.
  async function encoded() {
    if (!mask.width) return "";
    let [width, height] = [mask.width, mask.height];
    let uri = await png(ink);
    said.textContent = "";
    while (uri.length > limit) {
      [width, height] = [Math.ceil(width / 2), Math.ceil(height / 2)];
      const small = node("canvas", { width, height }).getContext("2d");
      small.putImageData(fitted(pixelsOf(ink), width, height), 0, 0);
      uri = await png(small);
      said.textContent = `${colours ? "This picture" : "This mask"} has too much detail to be sent as it is, and is used a little coarser.`;
    }
    return uri;
  }

  // A brush paints the pixels at its edge in part: what it touches is missing, what the eraser touches is known. The
  // colour of a pixel that is hardly painted is rounded away.
  function settle(tool) {
    if (!mask.width) return;
    const found = pixelsOf(ink);
    const least = tool === "eraser" ? 255 : colours ? 128 : 1;
    for (let at = 3; at < found.data.length; at += 4) found.data[at] = found.data[at] >= least ? 255 : 0;
    ink.putImageData(found, 0, 0);
  }

  let commits = 0;
  async function commit() {
    const mine = ++commits;
    const uri = await encoded();
    if (mine !== commits) return; // another stroke has come since
    sent.add(uri);
    act("download").disabled = !uri;
    props.value = { mask: uri };
    keepFor(colours ? "strokes" : "mask", uri || null);
    trigger("release");
  }

  const remember = () => {
    drawn = null;
    undo.push(ink.getImageData(0, 0, mask.width, mask.height));
    if (undo.length > 20) undo.shift();
  };
  const scale = () => canvas.width / (canvas.getBoundingClientRect().width || canvas.width);
  const point = (event) => {
    const place = canvas.getBoundingClientRect();
    return [(event.clientX - place.left) * scale(), (event.clientY - place.top) * scale()];
  };
  function stroke([x, y]) {
    ink.globalCompositeOperation = tool === "brush" ? "source-over" : "destination-out";
    ink.strokeStyle = colours ? colour.value : "white";
    ink.lineCap = ink.lineJoin = "round";
    ink.lineWidth = Number(size.value) * scale();
    ink.beginPath();
    ink.moveTo(...(last ?? [x, y]));
    ink.lineTo(x, y);
    ink.stroke();
    ink.globalCompositeOperation = "source-over";
    last = [x, y];
    draw();
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (!mask.width || event.button) return;
    canvas.setPointerCapture(event.pointerId);
    remember();
    last = cursor = null;
    stroke(point(event));
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) stroke(point(each));
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, () => {
      if (!last) return;
      last = null;
      settle(tool);
      draw();
      commit();
    });
  }

  // The same by keyboard: a ring shows where the brush is.
  let rest = 0;
  canvas.addEventListener("keydown", (event) => {
    if (!mask.width) return;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const paints = event.key === " " || (move && event.shiftKey);
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") back();
    else if (move || paints) {
      cursor ??= [mask.width / 2, mask.height / 2];
      if (paints && !rest) remember();
      if (paints) stroke(cursor);
      const far = Math.max(mask.width, mask.height) / 40;
      if (move) cursor = [Math.min(mask.width, Math.max(0, cursor[0] + far * move[0])), Math.min(mask.height, Math.max(0, cursor[1] + far * move[1]))];
      if (paints) {
        stroke(cursor);
        clearTimeout(rest);
        rest = setTimeout(() => {
          rest = 0;
          commit();
        }, 400);
        settle(tool);
      }
      last = null;
      draw();
    } else return;
    event.preventDefault();
  });
  canvas.addEventListener("focus", () => {
    if (!mask.width || !canvas.matches(":focus-visible")) return;
    cursor ??= [mask.width / 2, mask.height / 2];
    draw();
  });
  canvas.addEventListener("blur", () => {
    cursor = null;
    draw();
  });

  function back() {
    if (!undo.length) return;
    ink.putImageData(undo.pop(), 0, 0);
    draw();
    commit();
  }
  function change(edit) {
    if (!mask.width) {
      early = edit;
      return;
    }
    remember();
    edit();
    settle();
    draw();
    commit();
  }
  const DO = {
    undo: back,
    clear: () => change(() => ink.clearRect(0, 0, mask.width, mask.height)),
    invert: () => change(() => {
      ink.globalCompositeOperation = "xor";
      ink.fillStyle = "white";
      ink.fillRect(0, 0, mask.width, mask.height);
      ink.globalCompositeOperation = "source-over";
    }),
    async find() {
      said.textContent = "Looking for scratches…";
      props.value = { mask: await encoded(), find: Date.now() };
      said.textContent = "";
      trigger("upload");
    },
    async download() {
      save(await png(ink), filename);
    },
  };
  element.querySelector(".inv-tools").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.tool) {
      tool = button.dataset.tool;
      for (const each of element.querySelectorAll("[data-tool]")) each.ariaPressed = String(each === button);
    } else DO[button.dataset.do]();
  });

  shapes.append(...Object.entries(SHAPES).map(([value, [textContent]]) => node("option", { value, textContent })));
  shapes.addEventListener("change", () => {
    const name = shapes.value;
    shapes.value = "";
    if (name) change(() => sketch(name, ink));
  });

  file.addEventListener("change", async () => {
    const [picture] = file.files;
    file.value = "";
    if (!picture) return;
    said.textContent = "Uploading…";
    try {
      const { path } = await upload(picture);
      props.value = { mask: await encoded(), path, at: Date.now() };
      trigger("upload");
    } catch {
      said.textContent = "The upload failed. Check the connection and the file's size, then choose it again.";
    }
  });

  // A mask picture from the server: grey values become opacity.
  async function load(uri) {
    const loaded = node("img", { src: uri });
    await loaded.decode();
    if (!mask.width) resize(loaded.width, loaded.height);
    remember();
    const own = node("canvas", { width: loaded.width, height: loaded.height }).getContext("2d");
    own.drawImage(loaded, 0, 0);
    const found = pixelsOf(own);
    for (let at = 0; !colours && at < found.data.length; at += 4) {
      found.data[at + 3] = found.data[at] > 127 ? 255 : 0;
      found.data.fill(255, at, at + 3);
    }
    ink.putImageData(fitted(found, mask.width, mask.height), 0, 0);
    draw();
    sent.add(uri);
  }

  // From the server come the photo, and the mask that it knows: one of ours, perhaps an older one, or an uploaded one.
  async function show() {
    const value = props.value ?? {};
    // At once, before anything is waited for: with the photo, the next request would be too large.
    if (value.photo) props.value = { ...value, photo: undefined };
    if (value.filename) {
      filename = value.filename;
      // What is missing of a damaged photo is seen on it; a shape would be made up.
      shapes.hidden = value.damaged;
      const words = colours
        ? ["a few strokes in the colours it should have", "where you paint, its own colours are known"]
        : ["brush over what is damaged, or upload your mask", "what you cover is missing"];
      what.textContent = words[value.damaged ? 0 : 1];
    }
    if (value.reset) {
      ink.clearRect(0, 0, mask.width, mask.height);
      drawn = null;
      sent.clear();
      undo.length = 0;
    }
    if (value.photo && value.photo !== photo.src) {
      photo.src = value.photo;
      await photo.decode();
      resize(photo.naturalWidth, photo.naturalHeight);
      draw();
      if (early) change(early);
      early = null;
    }
    if (value.mask && (value.load || !sent.has(value.mask))) await load(value.mask);
    if (value.load) commit();
    else if (value.photo || value.reset) {
      const uri = await encoded();
      sent.add(uri);
      act("download").disabled = !uri;
      props.value = { mask: uri };
    }
  }
  watch("value", show);
  show();
}
