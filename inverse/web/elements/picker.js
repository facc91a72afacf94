// Photo picker: drop, browse, paste anywhere on the page, or click an example.
import { hear, node, onPage, parts, tell } from "./kit.js";
import { keepFor } from "./session.js";
import { view } from "./view.js";

export default function picker({ element, props, trigger, watch, upload }, { megabytes, key }) {
  const [zone, input, thumb, words] = parts(element, ".inv-drop", "input[type=file]", ".inv-thumb", ".inv-drop-words");

  const say = (title, text) => {
    words.querySelector("b").textContent = title;
    words.querySelector("small").textContent = text;
  };

  // A photo of one's own is on the server for a while, and a reload finds it there.
  function choose(value) {
    keepFor("photo", value.path ?? null);
    keepFor("example", value.example ?? null);
    for (const pad of ["mask", "strokes"]) keepFor(pad, null);
    props.value = { ...value, simple: view() === "simple", at: Date.now() };
    trigger("upload");
  }

  let choices = 0; // an upload that ends after another choice was made comes too late
  async function send(file) {
    if (!file) return;
    const mine = ++choices;
    if (file.size > megabytes * 2 ** 20) return say(`This file is larger than ${megabytes} MB`, "Save the photo smaller, then choose it again.");
    const before = [words.querySelector("b").textContent, words.querySelector("small").textContent];
    say("Uploading…", file.name);
    try {
      const { path } = await upload(file);
      if (mine !== choices) return;
      choose({ path });
      say(...before); // the server's answer says more, or refuses the photo
    } catch {
      say("The upload failed", "Check the connection and the file's size, then choose the photo again.");
    }
  }

  // Of several the first is shown, so that it can be said what is to be done; the list of all is an element of its own.
  function take(files) {
    send(files[0]);
    if (files.length > 1) tell("photos", [...files]);
  }

  // One that was uploaded before, as the page was reloaded.
  hear(element, "photo", (path) => {
    choices++;
    choose({ path });
  });
  input.addEventListener("change", () => {
    take(input.files);
    input.value = "";
  });
  // The whole page takes what is dropped or pasted; a browser would leave the page for a dropped photo.
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  onPage(element, "dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    zone.classList.add("inv-over");
  });
  onPage(element, "dragleave", (event) => event.relatedTarget || zone.classList.remove("inv-over"));
  // JSON, and a PNG that was saved here: it says so in a text before its pixels. On the picker itself it counts as a photo.
  async function holdsSettings(file) {
    if (file.type === "application/json" || file.name.endsWith(".json")) return true;
    const start = new Uint8Array(await file.slice(0, 4096).arrayBuffer());
    return start[0] === 0x89 && String.fromCharCode(...start).includes(key);
  }
  onPage(element, "drop", async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    zone.classList.remove("inv-over");
    const files = [...event.dataTransfer.files]; // which the browser takes away once this waits
    if (files.length === 1 && !zone.contains(event.target) && (await holdsSettings(files[0]))) {
      tell("settings", files[0]);
    } else take(files);
  });
  onPage(element, "paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])][0];
    if (file) send(file);
  });
  element.addEventListener("click", (event) => {
    const button = event.target.closest("[data-example]");
    if (!button) return;
    choices++;
    choose({ example: button.dataset.example });
  });

  function show() {
    const value = props.value;
    if (!value?.thumb) return;
    thumb.replaceChildren(node("img", { src: value.thumb, alt: value.caption }));
    say(value.caption, "Choose, drop or paste another, or several");
  }
  watch("value", show);
  show();
}
