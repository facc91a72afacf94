// Words beside a button; while it cannot be pressed, they say why, and its tooltip does, too.
export default function reason({ element, props, watch }, { button: id }) {
  const words = element.querySelector("p");
  function show() {
    words.innerHTML = props.value ?? ""; // made on the server, where what a visitor typed was escaped
    const refused = words.querySelector(".inv-refused");
    words.classList.toggle("inv-refusal", Boolean(refused));
    const button = document.getElementById(id);
    if (!button) return;
    button.title = refused?.textContent ?? "";
    button.setAttribute("aria-describedby", element.closest("[id]").id);
  }
  watch("value", show);
  show();
}
