// Mask pad: what is brushed over the photo is missing. props.value.mask is a PNG at the photo's size, white on black.
const canvas = element.querySelector("canvas");
const size = element.querySelector("[type=range]");
const context = canvas.getContext("2d");
const mask = document.createElement("canvas");
const ink = mask.getContext("2d", { willReadFrequently: true });
const tint = document.createElement("canvas");
const photo = new Image();
const undo = [];
let tool = "brush";
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
}

function resize(width, height) {
  if (mask.width === width && mask.height === height) return;
  const old = document.createElement("canvas");
  [old.width, old.height] = [mask.width, mask.height];
  if (old.width && old.height) old.getContext("2d").drawImage(mask, 0, 0);
  for (const each of [canvas, mask, tint]) [each.width, each.height] = [width, height];
  if (old.width && old.height) ink.drawImage(old, 0, 0, width, height);
  undo.length = 0;
}

// The mask is transparent where the photo is known; the PNG that is sent has black there.
function encoded() {
  const pixels = ink.getImageData(0, 0, mask.width, mask.height).data;
  if (!pixels.some((value, at) => at % 4 === 3 && value > 127)) return "";
  const sent = document.createElement("canvas");
  [sent.width, sent.height] = [mask.width, mask.height];
  const flat = sent.getContext("2d");
  flat.fillStyle = "black";
  flat.fillRect(0, 0, sent.width, sent.height);
  flat.drawImage(mask, 0, 0);
  return sent.toDataURL("image/png");
}

function commit() {
  const mask = encoded();
  sent.add(mask);
  props.value = { mask };
  trigger("release");
}

const remember = () => {
  undo.push(ink.getImageData(0, 0, mask.width, mask.height));
  if (undo.length > 20) undo.shift();
};
const point = (event) => {
  const place = canvas.getBoundingClientRect();
  const scale = canvas.width / place.width;
  return [(event.clientX - place.left) * scale, (event.clientY - place.top) * scale, scale];
};
function stroke([x, y, scale]) {
  ink.globalCompositeOperation = tool === "brush" ? "source-over" : "destination-out";
  ink.strokeStyle = "white";
  ink.lineCap = ink.lineJoin = "round";
  ink.lineWidth = Number(size.value) * scale;
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
  last = null;
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
element.querySelector(".inv-tools").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.tool) {
    tool = button.dataset.tool;
    for (const each of element.querySelectorAll("[data-tool]")) each.ariaPressed = String(each === button);
    return;
  }
  if (button.dataset.do === "clear") {
    remember();
    ink.clearRect(0, 0, mask.width, mask.height);
  } else if (undo.length) {
    ink.putImageData(undo.pop(), 0, 0);
  }
  draw();
  commit();
});

// A mask picture from the server: grey values become opacity.
async function load(uri) {
  const picture = Object.assign(new Image(), { src: uri });
  await picture.decode();
  if (!mask.width) resize(picture.width, picture.height);
  remember();
  ink.clearRect(0, 0, mask.width, mask.height);
  ink.drawImage(picture, 0, 0, mask.width, mask.height);
  const pixels = ink.getImageData(0, 0, mask.width, mask.height);
  for (let at = 0; at < pixels.data.length; at += 4) {
    pixels.data[at + 3] = pixels.data[at] > 127 ? 255 : 0;
    pixels.data.fill(255, at, at + 3);
  }
  ink.putImageData(pixels, 0, 0);
  draw();
  sent.add(uri);
}

// From the server come the photo, and the mask that it knows: one of ours, perhaps an older one, or an uploaded one.
async function show() {
  const value = props.value ?? {};
  if (value.reset) {
    ink.clearRect(0, 0, mask.width, mask.height);
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
  else if (value.photo || value.reset) props.value = { mask: encoded() };
}
watch("value", show);
show();
