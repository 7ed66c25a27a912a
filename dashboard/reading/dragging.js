// Drag the picture of a row of the list onto another row: both become one lesion.
// The rows are Streamlit's own; their keys are in the names of their classes.
export default function ({ parentElement, setTriggerValue }) {
  const ROW = /st-key-lesion-row-(\d+)/;
  const stop = new AbortController();
  let dragged = null;

  const findRow = (target) => target.closest?.('[class*="st-key-lesion-row-"]') ?? null;
  const readKey = (row) => Number(ROW.exec(row.className)[1]);
  const mark = (marked) =>
    document
      .querySelectorAll('[class*="st-key-lesion-row-"]')
      .forEach((row) => row.classList.toggle("drop-here", row === marked));
  const listen = (name, handle) =>
    document.addEventListener(name, handle, { signal: stop.signal });

  listen("dragstart", (event) => {
    dragged = findRow(event.target);
  });
  listen("dragover", (event) => {
    const row = findRow(event.target);
    if (!dragged || row === dragged) return mark(null);
    if (row) event.preventDefault(); // allows the drop
    mark(row);
  });
  listen("drop", (event) => {
    const row = findRow(event.target);
    if (!dragged || !row || row === dragged) return;
    event.preventDefault();
    setTriggerValue("dropped", [readKey(dragged), readKey(row)]);
  });
  listen("dragend", () => {
    dragged = null;
    mark(null);
  });
  parentElement.toggleAttribute("data-listens", true); // for tests: a drag has an effect now
  return () => stop.abort();
}
