// Mask pad: what is brushed over the photo is missing. props.value.mask is a PNG at the photo's size, white on black.
const canvas = element.querySelector("canvas");
const size = element.querySelector("[type=range]");
const file = element.querySelector("[type=file]");
const shapes = element.querySelector("select");
const what = element.querySelector(".inv-mask-head small");
const said = element.querySelector("[role=status]");
const act = (name) => element.querySelector(`[data-do=${name}]`);
const context = canvas.getContext("2d");
const mask = document.createElement("canvas");
const ink = mask.getContext("2d", { willReadFrequently: true });
const tint = document.createElement("canvas");
const photo = new Image();
const undo = [];
const LIMIT = 40_000; // characters; the server takes requests of 64 kB, and the other settings need room
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
  paint.fillRect(0, 0, tint.width, tint.height);
  context.globalAlpha = 0.72;
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

// Pixels at another size: covered is what a covered one touches, so that nothing thin is lost.
function cover(from, width, height) {
  const to = new ImageData(width, height);
  for (let y = 0; y < from.height; y++) {
    for (let x = 0; x < from.width; x++) {
      if (from.data[4 * (y * from.width + x) + 3] < 128) continue;
      const [left, right] = [Math.floor((x * width) / from.width), Math.ceil(((x + 1) * width) / from.width)];
      for (let row = Math.floor((y * height) / from.height); row < ((y + 1) * height) / from.height; row++) {
        to.data.fill(255, 4 * (row * width + left), 4 * (row * width + right));
      }
    }
  }
  return to;
}
const pixelsOf = (context) => context.getImageData(0, 0, context.canvas.width, context.canvas.height);

let drawn = null; // the mask at the size at which it was drawn: every other size is made from it
function resize(width, height) {
  if (mask.width === width && mask.height === height) return;
  drawn ??= mask.width && mask.height ? pixelsOf(ink) : null;
  for (const each of [canvas, mask, tint]) [each.width, each.height] = [width, height];
  if (drawn) ink.putImageData(cover(drawn, width, height), 0, 0);
  undo.length = 0;
}

// The mask as a PNG of one bit a pixel, which no canvas writes by itself: a tenth of the size of one with colours.
const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});
function chunk(kind, content) {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set([...kind].map((letter) => letter.charCodeAt(0)), 4);
  bytes.set(content, 8);
  let crc = ~0;
  for (const byte of bytes.subarray(4, 8 + content.length)) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  view.setUint32(8 + content.length, ~crc >>> 0);
  return bytes;
}
async function png(source, width, height) {
  const pixels = source.getImageData(0, 0, width, height).data;
  const row = 1 + ((width + 7) >> 3);
  const rows = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (pixels[4 * (y * width + x) + 3] > 127) rows[y * row + 1 + (x >> 3)] |= 128 >> (x & 7);
    }
  }
  if (!rows.some(Boolean)) return "";
  const stream = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head[8] = 1; // bits of a pixel, which is grey
  const parts = [[137, 80, 78, 71, 13, 10, 26, 10], chunk("IHDR", head), chunk("IDAT", packed), chunk("IEND", [])];
  const text = parts.flatMap((part) => [...part]).map((byte) => String.fromCharCode(byte)).join("");
  return `data:image/png;base64,${btoa(text)}`;
}
// What is too detailed to send, as a mask of single random pixels is, is sent coarser, and that is said.
async function encoded() {
  if (!mask.width) return "";
  let [width, height] = [mask.width, mask.height];
  let uri = await png(ink, width, height);
  said.textContent = "";
  while (uri.length > LIMIT) {
    [width, height] = [Math.ceil(width / 2), Math.ceil(height / 2)];
    const small = document.createElement("canvas");
    [small.width, small.height] = [width, height];
    small.getContext("2d").putImageData(cover(pixelsOf(ink), width, height), 0, 0);
    uri = await png(small.getContext("2d"), width, height);
    said.textContent = "This mask has too much detail to be sent as it is, and is used a little coarser.";
  }
  return uri;
}

let commits = 0;
async function commit() {
  const mine = ++commits;
  const uri = await encoded();
  if (mine !== commits) return; // another stroke has come since
  sent.add(uri);
  act("download").disabled = !uri;
  props.value = { mask: uri };
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
  ink.strokeStyle = "white";
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
  if (!mask.width) return;
  remember();
  edit();
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
  async download() {
    const link = document.createElement("a");
    link.href = await png(ink, mask.width, mask.height);
    link.download = filename;
    link.click();
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

// Shapes to start from. Their chance is the same every time, so that a mask can be had again.
const SHAPES = {
  box: (w, h) => ink.fillRect(w * 0.3, h * 0.3, w * 0.4, h * 0.4),
  disk(w, h) {
    ink.arc(w / 2, h / 2, Math.min(w, h) * 0.24, 0, 2 * Math.PI);
    ink.fill();
  },
  frame(w, h) {
    const edge = Math.min(w, h) * 0.15;
    ink.rect(0, 0, w, h);
    ink.rect(edge, edge, w - 2 * edge, h - 2 * edge);
    ink.fill("evenodd");
  },
  scratches(w, h, chance) {
    ink.lineWidth = Math.max(1.5, Math.min(w, h) / 90);
    for (let n = 0; n < 14; n++) {
      const x = chance() * w;
      ink.moveTo(x, chance() * h * 0.5);
      ink.quadraticCurveTo(x + (chance() - 0.5) * w * 0.3, h * 0.5, x + (chance() - 0.5) * w * 0.3, h * (0.5 + chance() * 0.5));
    }
    ink.stroke();
  },
  text(w, h) {
    ink.font = `bold ${h / 9}px sans-serif`;
    ink.textAlign = "center";
    for (let line = 1; line <= 5; line++) ink.fillText("words over a photo", w / 2, (line * h) / 5.5, w * 0.94);
  },
  dots(w, h, chance) {
    for (let n = 0; n < 160; n++) {
      const [x, y, radius] = [chance() * w, chance() * h, (0.3 + chance()) * Math.min(w, h) / 80];
      ink.moveTo(x + radius, y);
      ink.arc(x, y, radius, 0, 2 * Math.PI);
    }
    ink.fill();
  },
};
shapes.addEventListener("change", () => {
  const shape = SHAPES[shapes.value];
  shapes.value = "";
  if (!shape) return;
  let seed = 7;
  const chance = () => (seed = (seed * 16807) % 2147483647) / 2147483647; // Park and Miller 1988
  change(() => {
    ink.fillStyle = ink.strokeStyle = "white";
    ink.lineCap = "round";
    ink.beginPath();
    shape(mask.width, mask.height, chance);
  });
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
  } catch (error) {
    said.textContent = "The upload failed. Check the connection and the file's size, then choose it again.";
  }
});

// A mask picture from the server: grey values become opacity.
async function load(uri) {
  const picture = Object.assign(new Image(), { src: uri });
  await picture.decode();
  if (!mask.width) resize(picture.width, picture.height);
  remember();
  const own = document.createElement("canvas");
  [own.width, own.height] = [picture.width, picture.height];
  own.getContext("2d").drawImage(picture, 0, 0);
  const found = pixelsOf(own.getContext("2d"));
  for (let at = 0; at < found.data.length; at += 4) {
    found.data[at + 3] = found.data[at] > 127 ? 255 : 0;
    found.data.fill(255, at, at + 3);
  }
  ink.putImageData(cover(found, mask.width, mask.height), 0, 0);
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
    what.textContent = value.damaged ? "brush over what is damaged, or upload your mask" : "what you cover is missing";
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
