"use strict";
// A map of one picture: moved and scaled while the hand is on it, asked for again when it rests.
const HOME = { x: 600000, y: 6049900, width: 11800, height: 7300 };
const CRS = "EPSG:25831";
const map = document.getElementById("map");
const picture = document.getElementById("picture");
const told = document.getElementById("told");
const view = { x: HOME.x, y: HOME.y, step: 10 };
let drawn = { ...view };
let resting = 0;
let atHome = true;

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const fullStep = () => Math.max(HOME.width / map.clientWidth, HOME.height / map.clientHeight);

function box(at = view) {
  const w = (map.clientWidth * at.step) / 2;
  const h = (map.clientHeight * at.step) / 2;
  return [at.x - w, at.y - h, at.x + w, at.y + h].join(",");
}

function address(extra) {
  const query = { service: "WMS", version: "1.3.0", styles: "", crs: CRS, bbox: box(), ...extra };
  return "/wms?" + new URLSearchParams(query);
}

// The old picture stands in for the new one, shifted and scaled to where it belongs.
function shift() {
  const grow = drawn.step / view.step;
  const left = (drawn.x - view.x) / view.step + (map.clientWidth * (1 - grow)) / 2;
  const top = (view.y - drawn.y) / view.step + (map.clientHeight * (1 - grow)) / 2;
  picture.style.transform = `translate(${left}px, ${top}px) scale(${grow})`;
  showScale();
  clearTimeout(resting);
  resting = setTimeout(draw, 220);
}

async function draw() {
  const asked = { ...view };
  const sharp = Math.min(window.devicePixelRatio || 1, 2);
  const next = new Image();
  next.src = address({
    request: "GetMap", layers: "island", format: "image/png", map_resolution: Math.round(96 * sharp),
    width: Math.round(map.clientWidth * sharp), height: Math.round(map.clientHeight * sharp),
  });
  try { await next.decode(); } catch { return; }
  if (asked.x !== view.x || asked.y !== view.y || asked.step !== view.step) return;
  picture.src = next.src;
  drawn = asked;
  picture.style.transform = "";
}

function showScale() {
  const rough = view.step * 110;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const metres = [5, 2, 1].map((n) => n * unit).find((n) => n <= rough);
  document.getElementById("bar").style.width = `${metres / view.step}px`;
  document.getElementById("length").textContent = metres < 1000 ? `${metres} m` : `${metres / 1000} km`;
}

function zoom(factor, px = map.clientWidth / 2, py = map.clientHeight / 2) {
  atHome = false;
  const step = clamp(view.step * factor, 0.2, fullStep() * 3);
  const dx = px - map.clientWidth / 2;
  const dy = py - map.clientHeight / 2;
  view.x += dx * (view.step - step);
  view.y -= dy * (view.step - step);
  view.step = step;
  told.hidden = true;
  shift();
}

function move(dx, dy) {
  atHome = false;
  view.x -= dx * view.step;
  view.y += dy * view.step;
  shift();
}

function goHome() {
  atHome = true;
  Object.assign(view, { x: HOME.x, y: HOME.y, step: fullStep() });
  shift();
}

// The map server writes GeoJSON for one layer at a time, so the layers are asked from the top down.
async function find(px, py) {
  for (const layers of ["places", "buildings", "parcels", "roads", "water", "landuse"]) {
    const answer = await fetch(address({
      request: "GetFeatureInfo", layers, query_layers: layers, info_format: "geojson", feature_count: 1,
      width: map.clientWidth, height: map.clientHeight, i: Math.round(px), j: Math.round(py),
    }));
    if (!answer.headers.get("Content-Type").includes("json")) continue;
    const found = (await answer.json()).features[0];
    if (found) return found.properties;
  }
  return null;
}

async function tell(px, py) {
  const facts = await find(px, py);
  told.hidden = !facts;
  if (!facts) return;
  const title = document.createElement("b");
  title.textContent = facts.name || [facts.settlement, facts.number].filter(Boolean).join(" ") || facts.kind || facts.usage;
  const rest = Object.entries(facts).filter(([key, value]) => value !== "" && value !== null && !["id", "name", "rank", "parcel_id"].includes(key));
  told.replaceChildren(title, rest.map(([key, value]) => `${key.replace("_", " ")}: ${value}`).join(" · "));
}

const fingers = new Map();
let travelled = 0;
map.addEventListener("pointerdown", (event) => {
  if (event.target.closest("button, output")) return;
  map.setPointerCapture(event.pointerId);
  if (!fingers.size) travelled = 0;
  fingers.set(event.pointerId, [event.clientX, event.clientY]);
  map.classList.add("held");
});
map.addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  const [dx, dy] = [event.clientX - before[0], event.clientY - before[1]];
  travelled += Math.abs(dx) + Math.abs(dy);
  const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
  if (other) {
    const frame = map.getBoundingClientRect();
    const span = (x, y) => Math.hypot(x - other[0], y - other[1]) || 1;
    zoom(span(...before) / span(event.clientX, event.clientY), other[0] - frame.left, other[1] - frame.top);
  } else move(dx, dy);
  fingers.set(event.pointerId, [event.clientX, event.clientY]);
});
for (const end of ["pointerup", "pointercancel"]) {
  map.addEventListener(end, (event) => {
    if (!fingers.delete(event.pointerId)) return;
    map.classList.toggle("held", fingers.size > 0);
    const frame = map.getBoundingClientRect();
    if (end === "pointerup" && travelled < 6) tell(event.clientX - frame.left, event.clientY - frame.top);
  });
}
map.addEventListener("wheel", (event) => {
  event.preventDefault();
  const frame = map.getBoundingClientRect();
  zoom(1.0015 ** event.deltaY, event.clientX - frame.left, event.clientY - frame.top);
}, { passive: false });
map.addEventListener("keydown", (event) => {
  if (event.target !== map) return;
  const keys = {
    "+": () => zoom(0.6), "=": () => zoom(0.6), "-": () => zoom(1.7), Home: goHome, Escape: () => { told.hidden = true; },
    ArrowLeft: () => move(80, 0), ArrowRight: () => move(-80, 0), ArrowUp: () => move(0, 80), ArrowDown: () => move(0, -80),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
document.getElementById("in").addEventListener("click", () => zoom(0.5));
document.getElementById("out").addEventListener("click", () => zoom(2));
document.getElementById("home").addEventListener("click", goHome);
window.addEventListener("resize", () => (atHome ? goHome() : shift()));

for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    const code = button.previousElementSibling;
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    } catch {
      getSelection().selectAllChildren(code);
    }
  });
}

async function listRecords() {
  const list = document.getElementById("records");
  const answer = await fetch("/csw?" + new URLSearchParams({
    service: "CSW", version: "2.0.2", request: "GetRecords", typenames: "csw:Record", resulttype: "results", elementsetname: "full", maxrecords: "50",
  }));
  if (!answer.ok) throw new Error(answer.statusText);
  const xml = new DOMParser().parseFromString(await answer.text(), "application/xml");
  const text = (record, name) => record.getElementsByTagNameNS("*", name)[0]?.textContent ?? "";
  const items = [...xml.getElementsByTagNameNS("*", "Record")].map((record) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    const note = document.createElement("span");
    link.href = "/csw?" + new URLSearchParams({ service: "CSW", version: "2.0.2", request: "GetRecordById", elementsetname: "full", id: text(record, "identifier") });
    link.textContent = text(record, "title");
    note.textContent = text(record, "abstract");
    item.append(link, note);
    return item;
  });
  list.replaceChildren(...items);
}

goHome();
listRecords().catch(() => { document.getElementById("records").textContent = "The catalogue does not answer just now."; });
