// Where an axis has its marks.

/* Ticks within the range: powers of ten and their halves for the logarithm, round numbers otherwise. */
export function ticks(low, high, log) {
  if (log) {
    const decades = Array.from({ length: 12 }, (_, i) => 10 ** (i - 5));
    const all = high / low > 30 ? decades : decades.flatMap((d) => [d, 2 * d, 5 * d]);
    return all.filter((value) => value >= low * 0.999 && value <= high * 1.001);
  }
  const rough = (high - low) / 3;
  const base = 10 ** Math.floor(Math.log10(rough));
  const gap = [1, 2, 5, 10].map((factor) => factor * base).find((candidate) => candidate >= rough);
  return Array.from({ length: 8 }, (_, i) => Number((Math.ceil(low / gap) * gap + i * gap).toPrecision(6))).filter((value) => value <= high);
}
