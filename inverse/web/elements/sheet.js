// What is painted over a photo, pixel by pixel at the photo's size: a pixel is painted or it is not. The canvas shows it;
// `pixels` holds it, once a change is settled, and from that a change is taken back.
import { bitmap, cover } from "./bytes.js";
import { node, uriOf } from "./kit.js";
import { changes, crop, paste, within } from "./undo.js";

const MOST = 64e6; // bytes of changes that can be taken back: ten of all of a large photo, thousands of strokes
const MASK = [225, 29, 116]; // how a mask is shown

/* The same memory, a pixel at a time. */
const words = (data) => new Uint32Array(data.buffer, data.byteOffset, data.length / 4);

/* Painted in part is not painted, or it is: every pixel whose opacity is `least` or more. A mask has one colour. */
export function settled({ data }, least, colour) {
  const whole = words(data);
  const [one] = words(Uint8ClampedArray.of(...(colour ?? [0, 0, 0]), 255));
  for (let at = 0; at < whole.length; at++) {
    if (data[4 * at + 3] < least) whole[at] = 0;
    else if (colour) whole[at] = one;
    else data[4 * at + 3] = 255;
  }
}

/* Whether two patches of the same place differ. */
function differ(one, other) {
  const [before, after] = [words(one.data), words(other.data)];
  return before.some((pixel, at) => pixel !== after[at]);
}

const picture = ({ data, width, height }) => new ImageData(data, width, height);
const contextOf = (width, height) => node("canvas", { width, height }).getContext("2d");

/* The pixels at another size: nothing thin of a mask is lost, and no two colours are mixed. */
function fitted(found, width, height, colours) {
  if (found.width === width && found.height === height) return found;
  if (!colours) return cover(found, width, height);
  const [from, to] = [contextOf(found.width, found.height), contextOf(width, height)];
  from.putImageData(picture(found), 0, 0);
  to.imageSmoothingEnabled = false;
  to.drawImage(from.canvas, 0, 0, width, height);
  return to.getImageData(0, 0, width, height);
}

async function png(found, colours) {
  const { data, width, height } = found;
  if (!colours) {
    const bytes = await bitmap(width, height, (at) => data[4 * at + 3] > 127);
    return bytes ? uriOf(bytes, "image/png") : "";
  }
  if (!data.some((value, at) => at % 4 === 3 && value)) return "";
  const context = contextOf(width, height);
  context.putImageData(picture(found), 0, 0);
  return context.canvas.toDataURL("image/png");
}

/* `changed()` hears when something can be taken back that could not be, or no longer. */
export function sheet({ canvas, colours, changed }) {
  const ink = canvas.getContext("2d");
  let pixels = { width: 0, height: 0, data: new Uint8ClampedArray(0) }; // until there is a photo nothing can be painted
  let drawn = null; // as it was painted, at the size at which it was: every other size is made from it
  const kept = changes((patch) => {
    const before = crop(pixels, patch);
    paste(pixels, patch);
    show(patch);
    return before;
  }, MOST);

  const show = (patch) => ink.putImageData(picture(patch), patch.left, patch.top);
  const everything = () => within(pixels, 0, 0, pixels.width, pixels.height);

  /* What is on the canvas, in this rectangle, is a change. An eraser takes all that it touches, a brush of a mask paints
     it; the colour of a pixel that is hardly painted is rounded away. */
  function settle(box, { erased = false } = {}) {
    const after = { ...box, data: ink.getImageData(box.left, box.top, box.width, box.height).data };
    settled(after, erased ? 255 : colours ? 128 : 1, colours ? null : MASK);
    show(after);
    const before = crop(pixels, box);
    if (!differ(before, after)) return false;
    paste(pixels, after);
    kept.add(before);
    drawn = null;
    changed();
    return true;
  }
  function move(way) {
    if (!kept[way]()) return false;
    drawn = null;
    changed();
    return true;
  }

  return {
    ink,
    colour: `rgb(${MASK})`,
    get width() { return pixels.width; },
    get height() { return pixels.height; },
    get undoable() { return kept.undoable; },
    get redoable() { return kept.redoable; },
    undo: () => move("undo"),
    redo: () => move("redo"),
    within: (...sides) => within(pixels, ...sides),
    settle,
    /* What is on the canvas in this rectangle, and not settled, is no change. */
    drop: (box) => show(crop(pixels, box)),
    /* All of it, edited by the canvas's own means. */
    edit(edit) {
      ink.fillStyle = ink.strokeStyle = `rgb(${MASK})`;
      edit(ink, pixels.width, pixels.height);
      return settle(everything());
    },
    /* A picture as what is painted, grey values being opacity in a mask. */
    load(image) {
      const { width, height } = image;
      const own = contextOf(width, height);
      own.drawImage(image, 0, 0);
      const found = own.getImageData(0, 0, width, height);
      for (let at = 0; !colours && at < found.data.length; at += 4) found.data[at + 3] = found.data[at] > 127 ? 255 : 0;
      show({ ...everything(), data: fitted(found, pixels.width, pixels.height, colours).data });
      settle(everything());
    },
    resize(width, height) {
      if (pixels.width === width && pixels.height === height) return;
      drawn ??= pixels.width ? pixels : null;
      [canvas.width, canvas.height] = [width, height];
      pixels = { width, height, data: new Uint8ClampedArray(4 * width * height) };
      if (drawn) {
        paste(pixels, { left: 0, top: 0, ...fitted(drawn, width, height, colours), width, height });
        settled(pixels, 128, colours ? null : MASK);
        show(crop(pixels, everything()));
      }
      kept.forget();
      changed();
    },
    /* Nothing is painted, and nothing can be taken back. */
    empty() {
      pixels.data.fill(0);
      if (pixels.width) show(crop(pixels, everything()));
      drawn = null;
      kept.forget();
      changed();
    },
    png: () => png(pixels, colours),
    /* A PNG of at most `most` characters, and whether it had to be made coarser for that: a mask of single random pixels. */
    async encoded(most) {
      if (!pixels.width) return ["", false];
      let [width, height] = [pixels.width, pixels.height];
      let uri = await png(pixels, colours);
      while (uri.length > most) {
        [width, height] = [Math.ceil(width / 2), Math.ceil(height / 2)];
        uri = await png(fitted(pixels, width, height, colours), colours);
      }
      return [uri, width < pixels.width];
    },
  };
}
