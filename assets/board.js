// Keeps a board up to date: asks for the page again while it is looked at, and swaps what changed.
const EVERY_MS = 30_000;
const note = document.querySelector("[data-live-note]");
let asking = false;

async function refresh() {
  const shown = document.querySelector("[data-live]");
  if (asking || document.hidden || !shown) {
    return;
  }
  asking = true;
  try {
    const answer = await fetch(location.href, {
      headers: { "If-None-Match": shown.dataset.tag },
      signal: AbortSignal.timeout(EVERY_MS / 2),
    });
    if (answer.ok) {
      swap(shown, await answer.text());
    }
    tell(answer.ok || answer.status === 304);
  } catch {
    tell(false);
  } finally {
    asking = false;
  }
}

function swap(shown, html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const fresh = page.querySelector("[data-live]");
  // A page of another kind (the first machine, a retired area): take it as a whole.
  if (!fresh || Boolean(page.querySelector(".filter")) !== Boolean(document.querySelector(".filter"))) {
    location.reload();
    return;
  }
  const focused = shown.contains(document.activeElement) && document.activeElement.getAttribute("href");
  shown.replaceWith(fresh);
  if (focused) {
    fresh.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
  fresh.dispatchEvent(new CustomEvent("esb:updated", { bubbles: true }));
}

function tell(isFresh) {
  if (note) {
    note.hidden = isFresh;
  }
}

setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
