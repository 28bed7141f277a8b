// Keeps a board up to date while it is looked at: hears of each new revision, asks for the page again and
// swaps what changed. Where nothing can be heard (no place, an old proxy) it asks now and then.
const UNHEARD_MS = 30_000;
// Also while it hears: a new day is no revision, and a dead connection does not say that it is dead.
const HEARD_MS = 300_000;
// Many boards hear at the same instant and should not all ask at once.
const SPREAD_MS = 400;

const note = document.querySelector("[data-live-note]");
let events = null;
// The last revision heard of; null while nothing is heard.
let told = null;
let asked = Date.now();
let isAsking = false;
let soon = null;

function shown() {
  return document.querySelector("[data-live]");
}

function listen() {
  events?.close();
  told = null;
  events = new EventSource("/events");
  events.addEventListener("board", (event) => {
    told = JSON.parse(event.data).revision;
    if (told === Number(shown()?.dataset.revision)) {
      tell(true);
    } else {
      refreshSoon();
    }
  });
  // The browser connects anew by itself, unless it was refused. The page tells whether the board answers.
  events.addEventListener("error", () => {
    if (told !== null) {
      told = null;
      refreshSoon();
    }
  });
}

function refreshSoon() {
  soon ??= setTimeout(refresh, Math.random() * SPREAD_MS);
}

async function refresh() {
  clearTimeout(soon);
  soon = null;
  const old = shown();
  if (isAsking || document.hidden || !old) {
    return;
  }
  isAsking = true;
  asked = Date.now();
  let isFresh = false;
  try {
    const answer = await fetch(location.href, {
      headers: { "If-None-Match": old.dataset.tag },
      signal: AbortSignal.timeout(UNHEARD_MS / 2),
    });
    if (answer.ok) {
      swap(old, await answer.text());
    }
    isFresh = answer.ok || answer.status === 304;
  } catch {
    // Not fresh: the note says so.
  } finally {
    isAsking = false;
  }
  tell(isFresh);
  // It may have changed once more meanwhile.
  if (isFresh && told > Number(shown()?.dataset.revision)) {
    refreshSoon();
  }
}

function swap(old, html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const fresh = page.querySelector("[data-live]");
  // A page of another kind (the first machine, a retired area): take it as a whole.
  if (!fresh || Boolean(page.querySelector(".filter")) !== Boolean(document.querySelector(".filter"))) {
    location.reload();
    return;
  }
  const focused = old.contains(document.activeElement) && document.activeElement.getAttribute("href");
  old.replaceWith(fresh);
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

function turn() {
  if (document.hidden) {
    events?.close();
    told = null;
  } else {
    listen();
    refresh();
  }
}

function tick() {
  if (!document.hidden && (told === null || Date.now() - asked >= HEARD_MS)) {
    turn();
  }
}

if (!document.hidden) {
  listen();
}
setInterval(tick, UNHEARD_MS);
document.addEventListener("visibilitychange", turn);
