// The view of a picture that is looked at closely.
import assert from "node:assert/strict";
import test from "node:test";
import { around, bounded, share } from "../../inverse/web/elements/zoom.js";

const seen = (view, at) => ({ x: (at.x - view.x) / view.zoom, y: (at.y - view.y) / view.zoom });
const close = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is ${b}`);
const zooms = [1, 1.5, 4, 16];

test("what is under the pointer stays there while it is enlarged", () => {
  for (const zoom of zooms) {
    for (const at of [{ x: 0.2, y: 0.9 }, { x: 0.5, y: 0.5 }]) {
      const before = bounded({ zoom, x: (1 - zoom) / 3, y: (1 - zoom) / 2 });
      const [one, other] = [seen(before, at), seen(around(before, 1.7 * zoom, at), at)];
      close(one.x, other.x);
      close(one.y, other.y);
    }
  }
});

test("no edge of a large picture comes into the frame, and a small one is in the middle", () => {
  for (const zoom of zooms) {
    for (const x of [-99, -0.3, 0, 5]) {
      const view = bounded({ zoom, x, y: -x });
      assert.ok(view.x <= 0 && view.x >= 1 - zoom && view.y <= 0 && view.y >= 1 - zoom);
    }
  }
  assert.deepEqual(bounded({ zoom: 0.5, x: -3, y: 9 }), { zoom: 0.5, x: 0.25, y: 0.25 });
  const back = around(around({ zoom: 1, x: 0, y: 0 }, 8, { x: 1, y: 0 }), 1, { x: 0, y: 1 });
  assert.ok(Math.abs(back.x) + Math.abs(back.y) === 0, "all of it again, wherever one was");
});

test("the divider cuts the picture where it stands in the frame", () => {
  assert.equal(share({ zoom: 1, x: 0 }, 0.3), 0.3);
  close(share({ zoom: 4, x: -1 }, 0.5), 0.375);
  assert.equal(share({ zoom: 0.5, x: 0.25 }, 0.1), 0, "left of a small one is nothing");
  assert.equal(share({ zoom: 0.5, x: 0.25 }, 0.9), 1);
});
