// Keeps the page of a job up to date until the job is over: asks for the page again and swaps the parts that
// have changed. What is said aloud stands in a part that stays and gets other words.
const EVERY_MS = 2_000;

function job() {
  return document.querySelector("[data-job]");
}

async function refresh() {
  const old = job();
  if (document.hidden || old.dataset.over) {
    return;
  }
  try {
    const answer = await fetch(location.href, { signal: AbortSignal.timeout(10_000) });
    if (answer.redirected) {
      location.reload();
    } else if (answer.ok) {
      swap(old, await answer.text());
    }
  } catch {
    // The next one may come.
  }
}

function swap(old, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("[data-job]");
  if (!fresh || fresh.dataset.job === old.dataset.job) {
    return;
  }
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const shown = old.querySelector(`[data-part="${part.dataset.part}"]`);
    const hadFocus = shown.contains(document.activeElement);
    shown.replaceChildren(...part.childNodes);
    if (hadFocus) {
      (shown.querySelector("button") ?? document.querySelector("#main")).focus({ preventScroll: true });
    }
  }
  old.dataset.job = fresh.dataset.job;
  if (fresh.dataset.over) {
    old.dataset.over = fresh.dataset.over;
  }
  old.dispatchEvent(new CustomEvent("esb:updated", { bubbles: true }));
}

async function tick() {
  await refresh();
  if (!job().dataset.over) {
    setTimeout(tick, EVERY_MS);
  }
}

setTimeout(tick, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
