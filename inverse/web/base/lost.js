// While something runs, the server is asked now and then whether it is still the one that runs it: Gradio's stream says
// nothing when the server is gone, or was started again.
import { BUSY, tell } from "../elements/kit.js";

const WORKING = BUSY.map((phase) => `[data-phase=${phase}]`).join();
const EVERY = 3000; // milliseconds
const PATIENCE = 10_000;
const LOST = "The server was started again, and what ran there ended with it. Reload the page: your settings and finished results are kept, the photo is not.";
const SILENT = "The server does not answer. Check the connection; if this stays, reload the page later.";
let served = null; // which server this page is of

async function whose() {
  const { root, api_prefix: prefix } = window.gradio_config;
  const answer = await fetch(`${root}${prefix}/app_id`, { signal: AbortSignal.timeout(PATIENCE), cache: "no-store" });
  if (!answer.ok) throw new Error(answer.status);
  return answer.text(); // its number is too long for one
}

async function look() {
  const busy = document.querySelector(WORKING);
  if (busy || served === null) {
    try {
      const found = await whose();
      served ??= found;
      if (found !== served) tell("lost", LOST);
    } catch {
      if (busy) tell("silent", SILENT);
    }
  }
  setTimeout(look, EVERY);
}
setTimeout(look, EVERY); // the page has more to do at first
