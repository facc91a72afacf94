// A number with a slider: linear, logarithmic, or in whole steps. props.value holds the number; null while the box is empty.
import { explained, parts } from "./kit.js";

const TICKS = 1000;

/* Between values and the ticks of a slider. Where there is a word for no value, that is beyond the highest one. */
export function scale({ low, high, whole, log, without }) {
  const LAST = without ? 0.95 * TICKS : TICKS;
  // A logarithmic scale that starts at 0 gives 0 its own tick, and spans three decades above it.
  const floor = low > 0 ? low : high / 1e3;
  const digits = Math.max(0, 3 - Math.ceil(Math.log10(high - low)));

  const tidy = (value) => {
    if (whole) return Math.round(value);
    return log ? Number(value.toPrecision(2)) : Number(value.toFixed(digits));
  };
  const clamp = (value) => Math.min(high, Math.max(low, value));
  const toTick = (value) => {
    if (value === null) return TICKS;
    if (!log) return ((value - low) / (high - low)) * LAST;
    return value < floor ? 0 : (Math.log(value / floor) / Math.log(high / floor)) * LAST;
  };
  const fromTick = (tick) => {
    if (without && tick > (LAST + TICKS) / 2) return null;
    if (!log) return clamp(tidy(low + (tick / LAST) * (high - low)));
    return tick <= 0 ? low : clamp(tidy(floor * (high / floor) ** (tick / LAST)));
  };
  const allowed = (value) =>
    (without && value === null) ||
    (typeof value === "number" && value >= low && value <= high && (!whole || Number.isInteger(value)));
  return { floor, tidy, clamp, toTick, fromTick, allowed };
}

export default function number({ element, props, trigger, watch }, range) {
  const { low, high, whole, log, limits, unit, without, also: [factor, words] } = range;
  const [box, slider, also, fault] = parts(element, "input[type=number]", "input[type=range]", ".inv-also", ".inv-fault");
  const { floor, tidy, clamp, toTick, fromTick, allowed } = scale(range);
  box.placeholder = without;
  // Gradio turns no value into an empty text at times.
  const held = () => (props.value === "" || props.value === undefined ? null : props.value);

  function show() {
    const value = held();
    const good = allowed(value);
    box.setAttribute("aria-invalid", String(!good));
    fault.textContent = good ? "" : `${box.ariaLabel} must be ${limits}.`;
    if (factor) also.textContent = good ? `= ${(value * factor).toFixed(1)} ${words}` : "";
    if (slider && good) {
      slider.value = toTick(value);
      slider.style.setProperty("--filled", `${toTick(value) / (TICKS / 100)}%`);
      slider.setAttribute("aria-valuetext", value === null ? without : `${value} ${unit}`.trim());
    }
  }

  function set(value, rest) {
    props.value = value;
    show();
    trigger("input");
    if (rest) trigger("release");
  }

  function read() {
    box.value = props.value ?? "";
    show();
  }

  if (slider) {
    slider.min = 0;
    slider.max = TICKS;
    slider.step = whole && !log ? TICKS / (high - low) : 1;
    slider.addEventListener("input", () => {
      set(fromTick(Number(slider.value)), false);
      box.value = props.value ?? "";
    });
    slider.addEventListener("change", () => trigger("release"));
    slider.addEventListener("keydown", (event) => {
      const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (!direction) return;
      event.preventDefault();
      const value = held() ?? high;
      const step = whole ? Math.max(1, log ? Math.round(value / 10) : 1) : log ? value / 10 || floor : (high - low) / 100;
      const beyond = without && (held() === null ? direction > 0 : value + direction * step > high);
      set(beyond ? null : held() === null ? high : clamp(tidy(value + direction * step)), true);
      box.value = props.value ?? "";
    });
  }
  box.addEventListener("input", () => {
    const before = allowed(held());
    set(box.value === "" ? null : Number(box.value), false);
    if (allowed(held()) !== before) trigger("release"); // at once, so that nothing is started with it
  });
  box.addEventListener("change", () => trigger("release"));
  explained(element);
  watch("value", read);
  read();
}
