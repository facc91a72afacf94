// What was changed, to be taken back and made again: each change is the pixels of one rectangle as they were before it.

/* Pictures are {width, height, data} of RGBA, as ImageData is; a patch also says where it lies: {left, top}. */
export function crop({ width, data }, box) {
  const patch = { ...box, data: new Uint8ClampedArray(4 * box.width * box.height) };
  for (let row = 0; row < box.height; row++) {
    const from = 4 * ((box.top + row) * width + box.left);
    patch.data.set(data.subarray(from, from + 4 * box.width), 4 * row * box.width);
  }
  return patch;
}

export function paste({ width, data }, patch) {
  for (let row = 0; row < patch.height; row++) {
    const line = patch.data.subarray(4 * row * patch.width, 4 * (row + 1) * patch.width);
    data.set(line, 4 * ((patch.top + row) * width + patch.left));
  }
}

/* The whole pixels of a picture that a rectangle touches; null if it lies beside it. */
export function within({ width, height }, left, top, right, bottom) {
  const [x, y] = [Math.max(0, Math.floor(left)), Math.max(0, Math.floor(top))];
  const [w, h] = [Math.min(width, Math.ceil(right)) - x, Math.min(height, Math.ceil(bottom)) - y];
  return w > 0 && h > 0 ? { left: x, top: y, width: w, height: h } : null;
}

/* `swap(patch)` puts pixels in their place, and returns those that were there. No more than `most` bytes are kept, the
   oldest changes being forgotten first; the newest can always be taken back. */
export function changes(swap, most) {
  const [done, undone] = [[], []];
  const size = () => [...done, ...undone].reduce((sum, { data }) => sum + data.byteLength, 0);
  const move = (from, to) => from.length > 0 && to.push(swap(from.pop())) > 0;
  return {
    add(before) {
      undone.length = 0;
      done.push(before);
      while (done.length > 1 && size() > most) done.shift();
    },
    undo: () => move(done, undone),
    redo: () => move(undone, done),
    forget() {
      done.length = undone.length = 0;
    },
    get undoable() { return done.length > 0; },
    get redoable() { return undone.length > 0; },
  };
}
