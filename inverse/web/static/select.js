// One of several words, with its help behind a question mark. props.value holds the word.
const box = element.querySelector("select");
const help = element.querySelector(".inv-help");
const ask = element.querySelector(".inv-ask");
const show = () => (box.value = props.value ?? "");
box.addEventListener("change", () => {
  props.value = box.value;
  trigger("release");
});
ask.addEventListener("click", () => {
  help.hidden = !help.hidden;
  ask.setAttribute("aria-expanded", String(!help.hidden));
});
watch("value", show);
show();
