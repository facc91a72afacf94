// Runs in the page's head, before Gradio. The page is English, whatever the browser speaks: from this, Gradio takes the
// words of its own parts, and the language that it writes on the document.
for (const [name, value] of [["language", "en"], ["languages", Object.freeze(["en"])]]) {
  Object.defineProperty(navigator, name, { configurable: true, get: () => value });
}
// Simple or Lab, as the address says, this tab before a reload, or the last visit. A link with settings is the Lab's.
(() => {
  const asked = new URL(location).searchParams;
  const known = (name) => ["simple", "lab"].find((each) => each === name);
  let view = known(asked.get("view")) ?? (asked.has("c") ? "lab" : undefined);
  try {
    view ??= known(sessionStorage["inverse-view"]) ?? known(localStorage["inverse-view"]) ?? "simple";
    sessionStorage["inverse-view"] = view;
  } catch {
    // Private windows may forbid it.
  }
  document.documentElement.dataset.view = view ?? "simple";
})();
// Gradio builds the page piece by piece, and every piece pushes others about. It is seen when it is complete: the
// pictures are there, and the settings that the browser kept; or a while later, if an answer does not come.
(() => {
  const root = document.documentElement;
  let patience = null;
  const seen = () => {
    root.classList.remove("inv-opening");
    pieces.disconnect();
  };
  const pieces = new MutationObserver(() => {
    if (patience === null && document.querySelector("[data-part=measured] img")) patience = setTimeout(seen, 2500);
  });
  root.classList.add("inv-opening");
  pieces.observe(root, { childList: true, subtree: true });
  document.addEventListener("inverse-settled", () => requestAnimationFrame(seen), { once: true });
  setTimeout(seen, 20_000);
})();
// Elements are modules. They are fetched beside Gradio's own, which ask for them by name as they come; one that is here
// already begins at once, so that nothing of it is painted before.
(() => {
  const at = new URL(document.currentScript.dataset.modules, document.baseURI);
  const here = {};
  const module = async (name) => (here[name] ??= await import(new URL(`elements/${name}.js`, at)));
  window.inverse = {
    module,
    mount(name, tools, given) {
      if (here[name]) here[name].default(tools, given);
      else module(name).then(({ default: begin }) => begin(tools, given));
    },
  };
  for (const name of ["page", "lost", "said"]) import(new URL(`base/${name}.js`, at));
})();
