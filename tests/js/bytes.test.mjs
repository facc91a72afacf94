// Checksums, archives and masks, against what other programs say of them.
import assert from "node:assert/strict";
import test from "node:test";
import { crc32 as reference, inflateSync } from "node:zlib";
import { bitmap, cover, crc32, zipped } from "../../inverse/web/elements/bytes.js";

const bytes = (text) => new TextEncoder().encode(text);

test("the checksum is that of the standard", () => {
  assert.equal(crc32(bytes("123456789")), 0xcbf43926);
  if (reference) assert.equal(crc32(bytes("Größe")), reference(bytes("Größe")));
});

test("an archive holds its files, where its directory says they are", async () => {
  const files = [{ name: "a.txt", bytes: bytes("one") }, { name: "größe.txt", bytes: bytes("second") }];
  const made = new Uint8Array(await zipped(files).arrayBuffer());
  const view = new DataView(made.buffer);
  const end = made.length - 22;
  assert.equal(view.getUint32(end, true), 0x06054b50);
  assert.equal(view.getUint16(end + 10, true), 2);
  let at = view.getUint32(end + 16, true);
  for (const { name, bytes: content } of files) {
    assert.equal(view.getUint32(at, true), 0x02014b50);
    const [length, title, offset] = [view.getUint32(at + 24, true), view.getUint16(at + 28, true), view.getUint32(at + 42, true)];
    assert.equal(view.getUint32(at + 16, true), crc32(content));
    assert.equal(new TextDecoder().decode(made.subarray(at + 46, at + 46 + title)), name);
    const start = offset + 30 + title;
    assert.deepEqual(made.subarray(start, start + length), content);
    at += 46 + title;
  }
  assert.equal(at, end);
});

test("a bitmap is a PNG of one bit a pixel", async () => {
  const white = new Set([0, 9, 11]); // of 10 x 2: the first and the last of row 0, the second of row 1
  const made = await bitmap(10, 2, (at) => white.has(at));
  const view = new DataView(made.buffer);
  assert.deepEqual([...made.subarray(1, 4)], [...bytes("PNG")]);
  assert.deepEqual([view.getUint32(16), view.getUint32(20), made[24], made[25]], [10, 2, 1, 0]);
  const length = view.getUint32(33);
  assert.equal(new TextDecoder().decode(made.subarray(37, 41)), "IDAT");
  assert.equal(view.getUint32(41 + length), crc32(made.subarray(37, 41 + length)));
  assert.deepEqual([...inflateSync(made.subarray(41, 41 + length))], [0, 0b10000000, 0b01000000, 0, 0b01000000, 0]);
  assert.equal(await bitmap(10, 2, () => false), null);
});

test("at another size, what a covered pixel touches is covered", () => {
  const pixels = (width, height, ...covered) => {
    const data = new Uint8ClampedArray(4 * width * height);
    for (const at of covered) data[4 * at + 3] = 255;
    return { data, width, height };
  };
  const found = ({ data }) => Array.from({ length: data.length / 4 }, (_, at) => at).filter((at) => data[4 * at + 3]);
  assert.deepEqual(found(cover(pixels(4, 4, 5), 2, 2)), [0]);
  assert.deepEqual(found(cover(pixels(3, 1, 1), 2, 1)), [0, 1]);
  assert.deepEqual(found(cover(pixels(1, 1, 0), 2, 2)), [0, 1, 2, 3]);
});
