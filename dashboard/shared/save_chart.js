// Save a chart as PNG or SVG: two items of its download menu. Plotly draws a chart as several SVG
// layers of one size, one above the other; they are joined, on the background of the page.
const SCALE = 2; // pixels of the PNG per pixel of the page

function joinLayers(chart) {
  const layers = [...chart.querySelectorAll("svg.main-svg")];
  const { width, height } = layers[0].getBoundingClientRect();
  const whole = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  whole.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  whole.setAttribute("width", width);
  whole.setAttribute("height", height);
  whole.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const ground = document.createElementNS(whole.namespaceURI, "rect");
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", findGround(chart));
  whole.append(ground, ...layers.map((layer) => layer.cloneNode(true)));
  whole.querySelectorAll("svg").forEach((layer) => (layer.style.background = "none"));
  // Plotly leaves empty layers for the pointer, which an image does not need.
  whole.querySelectorAll(".hoverlayer, .draglayer").forEach((layer) => layer.remove());
  return { text: new XMLSerializer().serializeToString(whole), width, height };
}

function findGround(element) {
  for (let each = element; each; each = each.parentElement) {
    const colour = getComputedStyle(each).backgroundColor;
    if (!["rgba(0, 0, 0, 0)", "transparent"].includes(colour)) return colour;
  }
  return "white";
}

function save(blob, fileName) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function drawPng({ text, width, height }) {
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * SCALE);
  canvas.height = Math.round(height * SCALE);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

export default function ({ data, parentElement }) {
  const find = () => document.querySelector(`.st-key-chart-${CSS.escape(data.name)} .js-plotly-plot`);
  const actions = {
    PNG: async () => save(await drawPng(joinLayers(find())), `${data.name}.png`),
    SVG: () => save(new Blob([joinLayers(find()).text], { type: "image/svg+xml" }), `${data.name}.svg`),
  };
  const items = Object.entries(actions).map(([kind, act]) => {
    const item = document.createElement("button");
    item.type = "button";
    item.className = "save-chart";
    item.textContent = kind;
    item.addEventListener("click", act);
    return item;
  });
  parentElement.replaceChildren(...items);
  return () => parentElement.replaceChildren();
}
