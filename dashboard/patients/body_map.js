// Points of the body map open their lesion as its link in the list does. While a lesion is placed, a click on
// the figure places it; with the focus on its marker, arrow keys move it and the space bar changes
// between front and back. The map itself is plain HTML of the page, which each run may replace.
const STEP = 0.01, LARGE_STEP = 0.05, WAIT_MS = 250;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
// Kept when a run of the page mounts the script again. `local` is where the marker is before the page
// knows it.
let wait = 0, isFocused = false, local = null, form = "";

export default function ({ data, parentElement, setTriggerValue }) {
  if (form !== data.form) [form, local, isFocused] = [data.form, null, false];
  const stop = new AbortController();
  const findMap = () => document.querySelector(".st-key-body-map .body-map");
  const findMarker = () => document.querySelector(".st-key-body-map .map-marker");
  const keep = (share) => Math.min(1, Math.max(0, Math.round(1000 * share) / 1000));

  const listen = (name, handle) => document.addEventListener(name, handle, { signal: stop.signal });
  const put = (marker, { view, x, y }) => {
    findMap().querySelector(`.body-plane[data-view="${view}"]`).append(marker);
    Object.assign(marker.dataset, { x, y });
    Object.assign(marker.style, { left: `${100 * x}%`, top: `${100 * y}%` });
  };

  listen("click", (event) => {
    const map = findMap();
    if (!map?.contains(event.target) || event.button) return;
    const link = event.target.closest("a.map-point");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      const inList = document.querySelector(`.st-key-lesion-row-${link.dataset.lesion} a[href]`);
      if (!inList) return; // the browser follows the link
      event.preventDefault();
      inList.click(); // within the session
      return;
    }
    const plane = event.target.closest(".body-plane");
    if (!plane || !map.matches(".placing") || event.target.closest(".map-marker")) return;
    const box = plane.getBoundingClientRect();
    local = {
      view: plane.dataset.view,
      x: keep((event.clientX - box.left) / box.width),
      y: keep((event.clientY - box.top) / box.height),
    };
    const marker = findMarker();
    if (marker) put(marker, local);
    setTriggerValue("placed", local);
  });

  listen("keydown", (event) => {
    const marker = event.target.closest?.(".map-marker");
    const move = MOVES[event.key];
    if (!marker || event.ctrlKey || event.metaKey || event.altKey || !(move || event.key === " ")) return;
    event.preventDefault();
    const step = event.shiftKey ? LARGE_STEP : STEP, [right, down] = move ?? [0, 0];
    const { view } = marker.closest(".body-plane").dataset;
    local = {
      view: move ? view : { front: "back", back: "front" }[view],
      x: keep(Number(marker.dataset.x) + step * right),
      y: keep(Number(marker.dataset.y) + step * down),
    };
    put(marker, local);
    marker.focus();
    clearTimeout(wait); // a run of the page per key would lag behind
    wait = setTimeout(() => setTriggerValue("placed", local), WAIT_MS);
  });

  // A run of the page replaces the marker; the focus goes on with the new one.
  listen("focusin", (event) => { isFocused = Boolean(event.target.closest?.(".map-marker")); });
  const observer = new MutationObserver(() => {
    const marker = findMarker();
    if (marker && local && (Number(marker.dataset.x) !== local.x || Number(marker.dataset.y) !== local.y)) put(marker, local);
    if (marker && isFocused && document.activeElement === document.body) marker.focus();
  });
  observer.observe(document.querySelector(".st-key-body-map") ?? document.body, { childList: true, subtree: true });

  parentElement.toggleAttribute("data-listens", true); // for tests: a key has an effect now
  return () => {
    stop.abort();
    observer.disconnect();
  };
}
