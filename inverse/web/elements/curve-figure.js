// The curves of a run as a figure of a paper: an SVG as wide as a page of text, with a caption that says every setting.
import { ticks } from "./ticks.js";

export const WIDTH = 680; // pixels of CSS, 1/96 inch each: 180 mm
const [GAP, HEIGHT, LEFT, RIGHT, TOP, BOTTOM, LINE] = [20, 190, 40, 6, 26, 30, 15];
const [INK, QUIET, FAINT, ACCENT] = ["#1e293b", "#475569", "#e2e8f0", "#0f766e"];
const LONGEST = 112; // characters of a line of 11 pixels

const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.codePointAt(0)};`);

/* The words in lines of so many characters. */
export function wrapped(text, longest = LONGEST) {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (lines.at(-1) && longer.length > longest) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

const words = (x, y, text, more = "") => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(text)}</text>`;
const line = (path, colour, more = "") => `<path d="${path}" fill="none" stroke="${colour}" ${more}/>`;

function plot({ title, points, log, relative, total }, left, width) {
  const [x0, x1, y0, y1] = [left + LEFT, left + width - RIGHT, HEIGHT - BOTTOM, TOP];
  const values = points.map(([, value]) => value).concat(log && relative ? [1] : []);
  let [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = Math.max(0.08 * (high - low), 0.5);
  [low, high] = log ? [low / 1.3, high * 1.3] : [low - margin, high + margin];
  const scale = log ? Math.log : (value) => value;
  const x = (at) => x0 + ((at - 1) / Math.max(1, total - 1)) * (x1 - x0);
  const y = (value) => y0 - ((scale(value) - scale(low)) / (scale(high) - scale(low))) * (y0 - y1);
  const parts = [words(left, 13, title, 'font-weight="700"')];
  for (const value of ticks(low, high, log)) {
    parts.push(line(`M${x0} ${y(value).toFixed(1)}H${x1}`, FAINT), words(x0 - 6, y(value) + 4, String(value), `text-anchor="end" fill="${QUIET}"`));
  }
  if (log && relative) parts.push(line(`M${x0} ${y(1).toFixed(1)}H${x1}`, QUIET, 'stroke-dasharray="5 4"'));
  parts.push(line(`M${x0} ${y1}V${y0}H${x1}`, QUIET));
  const path = points.map(([at, value], i) => `${i ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  parts.push(line(path, ACCENT, 'stroke-width="2" stroke-linejoin="round"'));
  const foot = `text-anchor="middle" fill="${QUIET}"`;
  parts.push(words(x0, y0 + 15, "1", foot), words(x1, y0 + 15, String(total), foot), words((x0 + x1) / 2, y0 + 26, "update", foot));
  return parts.join("");
}

/* `curve` is {points: [[update, ...a value of each title, or null]], total, relative}; `titles` are by name, of which the
   residual is drawn on a logarithmic scale, on which the noise's own level is a dashed line. */
export function curveFigure(curve, titles, caption) {
  const plots = Object.entries(titles).map(([name, title], at) => {
    const log = name === "residual";
    const points = curve.points.filter((point) => point[at + 1] != null).map((point) => [point[0], log ? Math.max(point[at + 1], 1e-4) : point[at + 1]]);
    const unit = log ? (curve.relative ? ", in units of the noise" : "") : ", dB";
    return { title: `${title}${unit}`, points, log, relative: curve.relative, total: curve.total };
  }).filter(({ points }) => points.length);
  const width = (WIDTH - GAP) / 2;
  const below = wrapped(caption);
  const height = HEIGHT + 14 + LINE * below.length;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="11" fill="${INK}">`
    + `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`
    + plots.map((each, at) => plot(each, at * (width + GAP), width)).join("")
    + below.map((text, at) => words(0, HEIGHT + 18 + LINE * at, text)).join("")
    + "</svg>";
}
