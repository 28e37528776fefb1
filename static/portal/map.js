// The map preview: a picture of the order's own map service that can be moved and zoomed.
"use strict";

const MAP_STEPS = { left: [-0.3, 0], right: [0.3, 0], up: [0, 0.3], down: [0, -0.3] };

const startMap = (map) => {
  const picture = map.querySelector("[data-map-picture]");
  const choice = map.querySelector("[data-map-layer]");
  const failed = map.querySelector("[data-map-failed]");
  const width = Number(map.dataset.width);
  const height = Number(map.dataset.height);
  const chosen = () => choice.options[choice.selectedIndex];
  const whole = () => chosen().dataset.box.split(",").map(Number);
  let box = whole();

  const draw = () => {
    const query = new URLSearchParams({ layer: chosen().value, box: box.map((edge) => edge.toFixed(2)).join(","), width, height });
    picture.src = `${map.dataset.source}?${query}`;
    picture.alt = chosen().dataset.title;
  };
  const zoom = (factor) => {
    const [left, bottom, right, top] = box;
    const [middle, centre] = [(left + right) / 2, (bottom + top) / 2];
    const [across, up] = [((right - left) * factor) / 2, ((top - bottom) * factor) / 2];
    box = [middle - across, centre - up, middle + across, centre + up];
    draw();
  };
  const move = (across, up) => {
    const [left, bottom, right, top] = box;
    const [east, north] = [(right - left) * across, (top - bottom) * up];
    box = [left + east, bottom + north, right + east, top + north];
    draw();
  };

  picture.addEventListener("error", () => { failed.hidden = false; });
  picture.addEventListener("load", () => { failed.hidden = true; });
  if (picture.complete && !picture.naturalWidth) failed.hidden = false;
  choice.addEventListener("change", () => { box = whole(); draw(); });
  map.addEventListener("click", (event) => {
    const step = event.target.closest("[data-map-move]")?.dataset.mapMove;
    if (step === "in") zoom(0.5);
    else if (step === "out") zoom(2);
    else if (step === "reset") { box = whole(); draw(); }
    else if (step) move(...MAP_STEPS[step]);
  });

  let start = null;
  picture.addEventListener("pointerdown", (event) => {
    start = [event.clientX, event.clientY];
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointerup", (event) => {
    if (!start) return;
    const [across, up] = [(start[0] - event.clientX) / picture.clientWidth, (event.clientY - start[1]) / picture.clientHeight];
    start = null;
    if (Math.abs(across) + Math.abs(up) > 0.01) move(across, up);
  });
};

document.addEventListener("htmx:load", (event) => event.detail.elt.parentElement?.querySelectorAll("[data-map]:not([data-started])").forEach((map) => { map.dataset.started = ""; startMap(map); }));
