// Buttons within markup that the server writes: what one copies, and which tab one opens, stands in its attributes.
import { copied, flash } from "../elements/kit.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies], [data-opens]");
  if (!button) return;
  const { copies, opens } = button.dataset;
  if (opens) [...document.querySelectorAll("#tabs [role=tab]")].find((tab) => tab.textContent.trim() === opens)?.click();
  if (!copies) return;
  const done = await copied(document.getElementById(copies).textContent, button.parentElement);
  flash(button.parentElement.querySelector(".inv-said"), done ? "Copied." : "This browser does not let the page copy.");
});
