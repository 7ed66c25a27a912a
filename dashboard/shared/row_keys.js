// J and K move through the rows of a list, Enter opens one, / goes to the search.
// A row is opened by a link, which the browser opens with Enter by itself.
export default function ({ data, parentElement }) {
  const stop = new AbortController();
  const isTyping = (target) =>
    target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  const listLinks = () => [...document.querySelectorAll(`.st-key-${data.rows} a[href]`)];

  const step = (by) => {
    const links = listLinks();
    if (!links.length) return;
    const current = links.indexOf(document.activeElement);
    const next = current < 0 ? (by > 0 ? 0 : links.length - 1) : current + by;
    const link = links[Math.min(Math.max(next, 0), links.length - 1)];
    link.focus({ focusVisible: true });
    link.scrollIntoView({ block: "nearest" });
  };
  const actions = {
    j: () => step(1),
    k: () => step(-1),
    "/": () => document.querySelector(`.st-key-${data.search} input`)?.focus(),
  };
  document.addEventListener(
    "keydown",
    (event) => {
      const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
      const action = actions[event.key];
      if (!data.on || !action || !isPlain || isTyping(event.target)) return;
      event.preventDefault();
      action();
    },
    { signal: stop.signal },
  );
  parentElement.toggleAttribute("data-listens", true); // for tests: a key has an effect now
  return () => stop.abort();
}
