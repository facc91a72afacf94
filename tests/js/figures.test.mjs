// Scales of sliders and curves, and words for figures and differences.
import assert from "node:assert/strict";
import test from "node:test";
import { score, written } from "../../inverse/web/elements/batch.js";
import { curveFigure, wrapped } from "../../inverse/web/elements/curve-figure.js";
import { differences } from "../../inverse/web/elements/differences.js";
import { scale } from "../../inverse/web/elements/number.js";
import { ticks } from "../../inverse/web/elements/ticks.js";

const range = { low: 0, high: 1, whole: false, log: false, without: "" };

test("a slider comes back to the value it stands for", () => {
  for (const changes of [{}, { low: 0.001, high: 100, log: true }, { log: true }, { low: 1, high: 1000, whole: true, log: true }, { without: "off" }]) {
    const { toTick, fromTick, allowed } = scale({ ...range, ...changes });
    for (let tick = 0; tick <= (changes.without ? 950 : 1000); tick += 10) {
      const value = fromTick(tick);
      assert.ok(allowed(value), `${value} of ${JSON.stringify(changes)}`);
      assert.equal(fromTick(toTick(value)), value);
    }
  }
});

test("a slider ends at the bounds, and beyond them where there may be no value", () => {
  const { toTick, fromTick, allowed } = scale({ ...range, without: "off" });
  assert.equal(fromTick(1000), null);
  assert.equal(toTick(null), 1000);
  assert.ok(allowed(null) && allowed(1) && !allowed(1.01) && !allowed(Number.NaN) && !allowed("0.5"));
  const whole = scale({ ...range, high: 10, whole: true });
  assert.ok(whole.allowed(10) && !whole.allowed(2.5) && !whole.allowed(null));
});

test("ticks are round and within the range", () => {
  assert.deepEqual(ticks(0.5, 3, true), [0.5, 1, 2]);
  assert.deepEqual(ticks(0.1, 1000, true), [0.1, 1, 10, 100, 1000]);
  assert.deepEqual(ticks(14, 34, false), [20, 30]);
});

test("figures have their digits and unit, and a residual is best at one", () => {
  assert.equal(written({ digits: 2, unit: " dB" }, 28.126), "28.13 dB");
  assert.equal(written({ digits: 0, unit: "" }, 30.4), "30");
  const worth = (best) => (value) => score({ best }, value);
  assert.ok(worth("one")(1.1) > worth("one")(0.5) && worth("one")(1.1) > worth("one")(2), "about 1 is right");
  assert.ok(worth("highest")(2) > worth("highest")(1) && worth("lowest")(1) > worth("lowest")(2));
});

test("two runs differ in what both have", () => {
  const run = (steps, changes = {}) => ({
    settings: { schema: 1, seed: 1, sigma_y: 0.05, task: { name: "a", parameters: {} }, solver: { name: "b", parameters: { steps } }, ...changes },
    origin: { photo: "x", picture: "" },
  });
  assert.deepEqual(differences(run(100), run(50)), ["noise levels 100 → 50"]);
  assert.deepEqual(differences(run(5), run(5, { sigma_y: null, seed: 4294967295 })), ["seed 1 → 4294967295", "noise 0.05 → none"]);
  assert.deepEqual(differences(run(5), { ...run(5), origin: { photo: "y" } }), ["another photo"]);
  assert.deepEqual(differences(run(5), run(5, { solver: { name: "c", parameters: { other: 1 } } })), ["solver b → c"]);
});

test("curves for print have every point, their unit and the whole caption", () => {
  const titles = { residual: "Data residual", psnr: "PSNR" };
  const points = [[1, 20, 12], [2, 0, 18], [3, 1.1, 25]];
  const caption = `Damaged here: <blur> & "noise"; ${"sigma_y 0.05, ".repeat(30)}`;
  const drawn = curveFigure({ points, relative: true, total: 3 }, titles, caption);
  assert.equal(drawn.match(/[ML][\d.]+ [\d.]+(?=[ML"])/g).length, 2 * points.length, "a residual of 0 has its place");
  assert.ok(drawn.includes("in units of the noise") && drawn.includes("PSNR, dB"));
  const said = [...drawn.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text).join(" ");
  assert.ok(said.includes("&#60;blur&#62; &#38; &#34;noise&#34;;") && !drawn.includes("<blur>"));
  assert.equal(said.split("sigma_y").length, 31);
  assert.ok(wrapped(caption).every((line) => line.length <= 112));
  const unknown = curveFigure({ points: points.map(([at, value]) => [at, value, null]), relative: true, total: 3 }, titles, "");
  assert.ok(!unknown.includes("PSNR"), "no truth, no curve");
});
