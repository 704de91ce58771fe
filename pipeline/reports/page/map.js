// The map: where points and titles stand, and how they are drawn.

const MOST_LABELS = 16;

const canvas = byId("canvas");
const context = canvas.getContext("2d");
const ground = document.createElement("canvas"); // all but what follows the pointer
const plot = byId("plot");
const tip = byId("tip");
const placed = [];
photos.forEach((photo, place) => {
  if (photo[X] !== null && photo[Y] !== null) placed.push(place);
});
const xs = new Float64Array(placed.length);
const ys = new Float64Array(placed.length);
const roomOf = new Map(); // where the title of a cluster stands
const view = { zoom: 1, x: 0, y: 0 };
const size = { width: 0, height: 0, ratio: 1 };
let extent = { width: 1, height: 1 };
let lit = null; // for each photo whether it is highlighted; null: all are
let litCount = 0;
let named = roots;
let under = -1; // the point under the pointer
let stale = false;

function measurePoints() {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const place of placed) {
    left = Math.min(left, photos[place][X]);
    right = Math.max(right, photos[place][X]);
    low = Math.min(low, photos[place][Y]);
    high = Math.max(high, photos[place][Y]);
  }
  // Half of each before the sum: the ends of the number range may not overflow.
  const [width, height] = [right / 2 - left / 2, high / 2 - low / 2];
  const unit = Math.max(width, height) || 1;
  placed.forEach((place, point) => {
    xs[point] = (photos[place][X] / 2 - (left / 4 + right / 4)) / unit;
    ys[point] = -(photos[place][Y] / 2 - (low / 4 + high / 4)) / unit;
  });
  extent = { width: width / unit || 0.01, height: height / unit || 0.01 };
}

const scale = () =>
  view.zoom * Math.min((size.width - 32) / extent.width, (size.height - 32) / extent.height);
const across = (point, by) => (xs[point] - view.x) * by + size.width / 2;
const down = (point, by) => (ys[point] - view.y) * by + size.height / 2;
const isLit = (point) => lit === null || lit[placed[point]] === 1;
const hueAt = (point) => hueName(photos[placed[point]][CLUSTER]);
const isGrey = (point) => hueAt(point) === "grey";

/** Return an image as a plain object: asking the browser's own for its size takes long. */
function pixels({ width, height, data }) {
  return { width, height, data, words: new Uint32Array(data.buffer) };
}

/** Draw a disc once; return its pixels, to be copied to each of its points. */
function disc(radius, colour, alpha) {
  const side = Math.ceil(radius * 2) + 2;
  const stamp = document.createElement("canvas");
  stamp.width = stamp.height = side;
  const pen = stamp.getContext("2d", { willReadFrequently: true });
  pen.globalAlpha = alpha;
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(side / 2, side / 2, radius, 0, 2 * Math.PI);
  pen.fill();
  return pixels(pen.getImageData(0, 0, side, side));
}

/** Lay a stamp over an image; by hand, since tens of thousands of drawing calls take too long. */
function lay(stamp, image, left, top) {
  const from = stamp.data;
  const to = image.data;
  const bottom = Math.min(stamp.height, image.height - top);
  const right = Math.min(stamp.width, image.width - left);
  for (let row = Math.max(0, -top); row < bottom; row++) {
    let source = row * stamp.width + Math.max(0, -left);
    let target = (top + row) * image.width + Math.max(0, left);
    for (let column = Math.max(0, -left); column < right; column++, source++, target++) {
      const alpha = from[4 * source + 3];
      if (alpha === 0) continue;
      const below = to[4 * target + 3];
      if (alpha === 255 || below === 0) {
        image.words[target] = stamp.words[source];
        continue;
      }
      const seen = (below * (255 - alpha)) / 255;
      const part = alpha / (alpha + seen);
      for (let at = 4 * target, by = 4 * (source - target); at < 4 * target + 3; at++) {
        to[at] += (from[at + by] - to[at]) * part;
      }
      to[4 * target + 3] = alpha + seen;
    }
  }
}

function drawPoints(pen, style) {
  const by = scale();
  const whole = pen.createImageData(ground.width, ground.height);
  const image = pixels(whole);
  const many = Math.min(4.5, Math.max(1.15, 130 / Math.sqrt(placed.length)));
  const radius = many * Math.min(2.5, Math.sqrt(view.zoom)) * size.ratio;
  const alpha = placed.length > 8000 ? 1 : 0.85;
  const stamps = new Map(); // each colour is drawn in one size
  const stampOf = (name, big, strength) => {
    if (!stamps.has(name)) {
      const colour = style.getPropertyValue(`--hue-${name}`);
      stamps.set(name, disc(radius * big, colour, strength));
    }
    return stamps.get(name);
  };
  const draw = (wanted, look) => {
    for (let point = 0; point < placed.length; point++) {
      if (!wanted(point)) continue;
      const x = across(point, by) * size.ratio;
      const y = down(point, by) * size.ratio;
      const stamp = look(point);
      lay(stamp, image, Math.round(x - stamp.width / 2), Math.round(y - stamp.height / 2));
    }
  };
  const coloured = (big, strength) => (point) => stampOf(hueAt(point), big, strength);
  if (lit === null) {
    draw((point) => isGrey(point), coloured(1, alpha));
    draw((point) => !isGrey(point), coloured(1, alpha));
  } else {
    draw((point) => !isLit(point), () => stampOf("off", 1, alpha));
    draw(isLit, coloured(litCount < 400 ? 1.6 : 1.15, 1));
  }
  pen.putImageData(whole, 0, 0);
}

function middle(numbers) {
  numbers.sort();
  return numbers[numbers.length >> 1];
}

/** Return where a cluster's title stands: the median of its points. */
function room(cluster) {
  if (!roomOf.has(cluster)) {
    const points = [];
    placed.forEach((place, point) => {
      if (isIn(photos[place], cluster)) points.push(point);
    });
    roomOf.set(cluster, points.length === 0 ? null : {
      x: middle(Float64Array.from(points, (point) => xs[point])),
      y: middle(Float64Array.from(points, (point) => ys[point])),
    });
  }
  return roomOf.get(cluster);
}

function drawTitles(pen, style) {
  const by = scale();
  const taken = [];
  pen.save();
  pen.scale(size.ratio, size.ratio);
  pen.font = "600 11.5px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  pen.lineWidth = 3.5;
  for (const cluster of largestFirst(named).slice(0, 60)) {
    if (taken.length === MOST_LABELS) break;
    const where = room(cluster);
    if (where === null) continue;
    const title = titleOf(cluster);
    const text = title.length > 26 ? [...title].slice(0, 25).join("").trimEnd() + "…" : title;
    const half = pen.measureText(text).width / 2 + 4;
    let x = (where.x - view.x) * by + size.width / 2;
    let y = (where.y - view.y) * by + size.height / 2;
    if (x < 0 || y < 0 || x > size.width || y > size.height) continue;
    x = Math.max(half, Math.min(size.width - half, x));
    y = Math.max(11, Math.min(size.height - 11, y));
    const covers = (other) =>
      Math.abs(other.x - x) < other.half + half && Math.abs(other.y - y) < 17;
    if (taken.some(covers)) continue;
    taken.push({ x, y, half });
    pen.strokeStyle = style.getPropertyValue("--halo");
    pen.fillStyle = style.getPropertyValue("--ink");
    pen.strokeText(text, x, y);
    pen.fillText(text, x, y);
  }
  pen.restore();
}

function paint() {
  stale = false;
  if (size.width === 0 || placed.length === 0) return;
  const style = getComputedStyle(document.documentElement);
  const pen = ground.getContext("2d");
  drawPoints(pen, style);
  drawTitles(pen, style);
  canvas.style.touchAction = view.zoom > 1 ? "none" : "pan-y";
  byId("zoom-out").disabled = byId("zoom-fit").disabled = view.zoom === 1;
  paintPointer();
}

function paintPointer() {
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.drawImage(ground, 0, 0);
  if (under < 0) return;
  const by = scale();
  const [x, y] = [across(under, by), down(under, by)];
  context.lineWidth = 2 * size.ratio;
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--ink");
  context.beginPath();
  context.arc(x * size.ratio, y * size.ratio, 6 * size.ratio, 0, 2 * Math.PI);
  context.stroke();
}

function repaint() {
  if (stale) return;
  stale = true;
  requestAnimationFrame(paint);
}

function fitCanvas() {
  const box = plot.getBoundingClientRect();
  const ratio = Math.min(3, window.devicePixelRatio || 1);
  if (box.width === size.width && box.height === size.height && ratio === size.ratio) return;
  Object.assign(size, { width: box.width, height: box.height, ratio });
  for (const each of [canvas, ground]) {
    each.width = Math.max(1, Math.round(box.width * ratio));
    each.height = Math.max(1, Math.round(box.height * ratio));
  }
  point(-1);
  repaint();
}

function highlight(places, titles) {
  lit = null;
  litCount = 0;
  if (places !== null) {
    lit = new Uint8Array(photos.length);
    for (const place of places) lit[place] = 1;
    for (const place of placed) litCount += lit[place];
  }
  named = titles;
  point(-1);
  repaint();
  noteMap();
}

function noteMap() {
  const missing = photos.length - placed.length;
  let note = `${photosIn(placed.length)}; what is alike lies close.`;
  if (lit !== null) note = `${count(litCount)} of ${photosIn(placed.length)} highlighted.`;
  if (missing > 0) {
    note += ` ${count(missing)} without a place ${missing === 1 ? "is" : "are"} left out.`;
  }
  if (placed.length === 0) note = "No photo has a place on the map.";
  if (photos.length === 0) note = "There is nothing to place yet.";
  byId("map-note").textContent = note;
}
