// Draw a rectangle on the picture of a refused photograph, by mouse, pen or touch.
// The picture is Streamlit's own. The sliders above it do the same with the keyboard.
export default function ({ setTriggerValue }) {
  const stop = new AbortController();
  let picture = null, start = null, mark = null;

  const findPicture = (target) => target.closest?.(".st-key-crop-picture")?.querySelector("img");
  const place = (event) => {
    const box = picture.getBoundingClientRect();
    const share = (value, from, length) => Math.min(1, Math.max(0, (value - from) / length));
    return [share(event.clientX, box.left, box.width), share(event.clientY, box.top, box.height)];
  };
  const listen = (name, handle, options = {}) =>
    document.addEventListener(name, handle, { signal: stop.signal, ...options });
  const end = () => {
    mark?.remove();
    picture = start = mark = null;
  };

  listen("pointerdown", (event) => {
    picture = findPicture(event.target);
    if (!picture || event.button) return end();
    event.preventDefault();
    start = place(event);
    mark = document.createElement("div");
    mark.style.cssText = "position:fixed;border:2px dashed #fff;outline:1px solid #000;pointer-events:none;z-index:9";
    picture.parentElement.append(mark);
  });
  listen("pointermove", (event) => {
    if (!start) return;
    const box = picture.getBoundingClientRect(), now = place(event);
    const [left, right] = [start[0], now[0]].sort((a, b) => a - b);
    const [top, bottom] = [start[1], now[1]].sort((a, b) => a - b);
    // Dialogs can be the origin of fixed places, so the place is corrected once it is known.
    mark.style.left = mark.style.top = "0";
    const origin = mark.getBoundingClientRect();
    mark.style.left = `${box.left + left * box.width - origin.left}px`;
    mark.style.top = `${box.top + top * box.height - origin.top}px`;
    mark.style.width = `${(right - left) * box.width}px`;
    mark.style.height = `${(bottom - top) * box.height}px`;
  });
  listen("pointerup", (event) => {
    if (!start) return;
    const now = place(event);
    const sides = [0, 1].map((axis) =>
      [start[axis], now[axis]].sort((a, b) => a - b).map((side) => Math.round(100 * side)),
    );
    end();
    // A click is no rectangle.
    if (sides.every(([low, high]) => high - low >= 5)) setTriggerValue("drawn", sides);
  });
  listen("pointercancel", end);
  listen("dragstart", (event) => findPicture(event.target) && event.preventDefault());
  return () => stop.abort();
}
