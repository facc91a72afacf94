// What is taken back and made again, whatever was painted.
import assert from "node:assert/strict";
import test from "node:test";
import { breadth } from "../../inverse/web/elements/brush.js";
import { settled } from "../../inverse/web/elements/sheet.js";
import { changes, crop, paste, within } from "../../inverse/web/elements/undo.js";

function chances(seed) {
  let state = seed;
  return (below) => (state = (state * 16807) % 2147483647) % below; // Park and Miller 1988
}
const picture = (width, height) => ({ width, height, data: new Uint8ClampedArray(4 * width * height) });

/* A picture on which rectangles of single random pixels are painted, and what there is to take back. */
function painted(seed, most = 1e9) {
  const chance = chances(seed);
  const shown = picture(5 + chance(20), 5 + chance(20));
  const kept = changes((patch) => {
    const before = crop(shown, patch);
    paste(shown, patch);
    return before;
  }, most);
  function paint() {
    const [x, y] = [chance(shown.width) - 2.5, chance(shown.height) - 2.5];
    const box = within(shown, x, y, x + 3 + chance(9), y + 3 + chance(9));
    kept.add(crop(shown, box));
    paste(shown, { ...box, data: Uint8ClampedArray.from({ length: 4 * box.width * box.height }, () => chance(256)) });
  }
  return { chance, shown, kept, paint, now: () => shown.data.slice() };
}

test("what was painted is taken back exactly, and made again exactly", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const { chance, kept, paint, now } = painted(seed);
    const states = [now()];
    let at = 0;
    for (let turn = 0; turn < 60; turn++) {
      const act = chance(3);
      if (act === 0) {
        paint();
        states.splice(++at, Infinity, now()); // nothing that was taken back can be made again
      } else if (act === 1) assert.equal(kept.undo(), at > 0 && Boolean(at--));
      else assert.equal(kept.redo(), at < states.length - 1 && Boolean(++at));
      assert.deepEqual(now(), states[at]);
      assert.deepEqual([kept.undoable, kept.redoable], [at > 0, at < states.length - 1]);
    }
    while (kept.undo());
    assert.deepEqual(now(), states[0]);
    while (kept.redo());
    assert.deepEqual(now(), states.at(-1));
  }
});

test("memory is bounded, and the newest change can be taken back whatever its size", () => {
  for (const most of [0, 500, 3000]) {
    const sizes = []; // of what is taken back, the newest first
    const kept = changes((patch) => {
      sizes.push(patch.data.length);
      return patch;
    }, most);
    const add = (bytes) => kept.add({ data: new Uint8ClampedArray(bytes) });
    for (let at = 1; at <= 40; at++) add((at * 97) % 450);
    while (kept.undo());
    const held = sizes.reduce((sum, bytes) => sum + bytes, 0);
    assert.equal(sizes[0], (40 * 97) % 450);
    assert.ok(held <= Math.max(most, sizes[0]), `${held} bytes of ${most}`);
    assert.ok(most < 3000 || held > most - 450, "and no more is forgotten than must be");
    add(10_000);
    assert.deepEqual([kept.undo(), kept.undo(), kept.redo(), kept.redo()], [true, false, true, false]);
    kept.forget();
    assert.deepEqual([kept.undo(), kept.redo()], [false, false]);
  }
});

test("a rectangle is whole pixels within the picture, or nothing", () => {
  const of = { width: 10, height: 6 };
  assert.deepEqual(within(of, 1.9, -3, 4.1, 2), { left: 1, top: 0, width: 4, height: 2 });
  assert.deepEqual(within(of, -9, -9, 99, 99), { left: 0, top: 0, width: 10, height: 6 });
  for (const beside of [[-5, 0, 0, 6], [10, 0, 20, 6], [0, -4, 10, -1], [0, 6, 10, 9]]) assert.equal(within(of, ...beside), null);
});

test("a pixel is painted or it is not, and a mask has one colour", () => {
  const half = () => ({ data: Uint8ClampedArray.from([9, 8, 7, 0, 9, 8, 7, 1, 9, 8, 7, 127, 9, 8, 7, 128, 9, 8, 7, 255]) });
  const after = (least, colour) => {
    const pixels = half();
    settled(pixels, least, colour);
    return [0, 1, 2, 3, 4].map((at) => [...pixels.data.slice(4 * at, 4 * at + 4)]);
  };
  const [none, own, red] = [[0, 0, 0, 0], [9, 8, 7, 255], [200, 0, 0, 255]];
  assert.deepEqual(after(1, [200, 0, 0]), [none, red, red, red, red], "what a brush touches is missing");
  assert.deepEqual(after(255, [200, 0, 0]), [none, none, none, none, red], "what an eraser touches is known");
  assert.deepEqual(after(128, null), [none, none, none, own, own], "a colour that is hardly there is rounded away");
});

test("a pen paints as wide as it is pressed, and what tells no pressure its whole size", () => {
  const wide = [0, 0.1, 0.5, 1].map((pressure) => breadth(40, { pointerType: "pen", pressure }));
  assert.ok(wide[0] > 0 && wide.every((each, at) => at === 0 || each >= wide[at - 1]) && wide[2] < 40 && wide[3] === 40);
  for (const pointerType of ["mouse", "touch"]) assert.equal(breadth(40, { pointerType, pressure: 0.5 }), 40);
});
