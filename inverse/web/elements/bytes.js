// Bytes and pixels, without the page: a checksum, ZIP archives, PNG of one bit a pixel, masks at another size.
const CRC = Uint32Array.from({ length: 256 }, (_, i) => {
  for (let bit = 0; bit < 8; bit++) i = i & 1 ? (i >>> 1) ^ 0xedb88320 : i >>> 1;
  return i;
});

export function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/* Fields of 1, 2 and 4 bytes: [[2, value], [4, value], ...]. */
function packed(fields, little = true) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of fields) {
    view[`setUint${8 * size}`](at, value, little);
    at += size;
  }
  return new Uint8Array(view.buffer);
}

/* A ZIP archive of files that are compressed already: PKWARE's APPNOTE.TXT, method 0, names in UTF-8. */
export function zipped(files) {
  const date = ((2020 - 1980) << 9) | (1 << 5) | 1;
  const [parts, directory] = [[], []];
  let offset = 0;
  for (const { name, bytes } of files) {
    const title = new TextEncoder().encode(name);
    // Version, flags (UTF-8), method, time, date, checksum, size packed and unpacked, lengths of name and extra field.
    const common = [[2, 20], [2, 0x800], [2, 0], [2, 0], [2, date], [4, crc32(bytes)], [4, bytes.length], [4, bytes.length], [2, title.length], [2, 0]];
    const head = packed([[4, 0x04034b50], ...common]);
    directory.push(packed([[4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), title);
    parts.push(head, title, bytes);
    offset += head.length + title.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = packed([[4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, size], [4, offset], [2, 0]]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

function chunk(kind, content) {
  const named = new Uint8Array([...new TextEncoder().encode(kind), ...content]);
  return [packed([[4, content.length]], false), named, packed([[4, crc32(named)]], false)];
}

/* A PNG of one bit a pixel, which no canvas writes by itself: a tenth of the size of one with colours. Null if all black. */
export async function bitmap(width, height, isWhite) {
  const row = 1 + ((width + 7) >> 3);
  const rows = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (isWhite(y * width + x)) rows[y * row + 1 + (x >> 3)] |= 128 >> (x & 7);
    }
  }
  if (!rows.some(Boolean)) return null;
  const stream = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const compressed = new Uint8Array(await new Response(stream).arrayBuffer());
  // Size, one bit of grey, and the only methods of compression, filtering and interlacing that are needed.
  const head = packed([[4, width], [4, height], [1, 1], [1, 0], [1, 0], [1, 0], [1, 0]], false);
  const parts = [chunk("IHDR", head), chunk("IDAT", compressed), chunk("IEND", [])].flat();
  return new Uint8Array(await new Blob([new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]), ...parts]).arrayBuffer());
}

/* The same PNG, which says how many pixels of it are an inch. */
export function dense(png, inch) {
  const head = 8 + 25; // its signature, and the chunk that comes first
  const metre = Math.round(inch / 0.0254);
  const parts = [png.slice(0, head), ...chunk("pHYs", packed([[4, metre], [4, metre], [1, 1]], false)), png.slice(head)];
  const made = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    made.set(part, at);
    at += part.length;
  }
  return made;
}

/* Pixels (RGBA) at another size: covered is what a covered one touches, so that nothing thin is lost. */
export function cover(from, width, height) {
  const to = { data: new Uint8ClampedArray(4 * width * height), width, height };
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
