// Shows each moment in the reader's own zone; without it pages show the zone of the place.
const shape = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.valueOf())) {
      time.title = time.title || time.textContent;
      time.textContent = shape.format(moment);
    }
  }
}

localise(document);
document.addEventListener("esb:updated", (event) => localise(event.target));
