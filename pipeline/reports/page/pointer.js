// The map under a pointer: what lies there, zooming and dragging.

/** Return the point nearest to a place on the canvas, highlighted ones first; -1 for none. */
function nearest(x, y, reach) {
  const by = scale();
  let [best, bestFar, any, anyFar] = [-1, reach * reach, -1, reach * reach];
  for (let each = 0; each < placed.length; each++) {
    const [dx, dy] = [across(each, by) - x, down(each, by) - y];
    const far = dx * dx + dy * dy;
    if (far < anyFar) [any, anyFar] = [each, far];
    if (far < bestFar && isLit(each)) [best, bestFar] = [each, far];
  }
  return best >= 0 ? best : any;
}

/** Ring a point and say what it is; -1 for none. */
function point(at) {
  if (at === under) return;
  under = at;
  canvas.classList.toggle("on", at >= 0);
  tip.hidden = at < 0;
  if (at >= 0) {
    const place = placed[at];
    const cluster = photos[place][CLUSTER];
    const image = pictureOf(place);
    const words = make("div", {}, labelOf(place), quoted("span", "path", photos[place][PATH]));
    if (cluster in clusters) {
      words.append(make("span", { class: "of" }, dot(cluster), titled(cluster)));
    }
    tip.replaceChildren(...[image, words].filter((part) => part !== null));
    const by = scale();
    const [x, y] = [across(at, by), down(at, by)];
    const [wide, high] = [tip.offsetWidth, tip.offsetHeight];
    const left = Math.max(6, Math.min(x - wide / 2, size.width - wide - 6));
    // Above the point, below it where there is no room above.
    const top = y - high - 12 > 0 ? y - high - 12 : y + 14;
    tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }
  if (!stale) paintPointer();
}

function zoomBy(factor, x = size.width / 2, y = size.height / 2) {
  const before = scale();
  view.zoom = Math.max(1, Math.min(40, view.zoom * factor));
  const after = scale();
  view.x += (x - size.width / 2) * (1 / before - 1 / after);
  view.y += (y - size.height / 2) * (1 / before - 1 / after);
  keepInSight();
  point(-1);
  repaint();
}

function keepInSight() {
  if (view.zoom === 1) [view.x, view.y] = [0, 0];
  view.x = Math.max(-extent.width / 2, Math.min(extent.width / 2, view.x));
  view.y = Math.max(-extent.height / 2, Math.min(extent.height / 2, view.y));
}

/** Zoom in by a button: towards what is highlighted, if anything is. */
function zoomIn() {
  const where = chosen === null ? null : room(chosen);
  if (view.zoom === 1 && where !== null) [view.x, view.y] = [where.x, where.y];
  view.zoom = Math.min(40, view.zoom * 1.6);
  keepInSight();
  point(-1);
  repaint();
}

function startMap() {
  if (placed.length === 0) {
    plot.hidden = byId("zoom").hidden = true;
    return;
  }
  measurePoints();
  new ResizeObserver(fitCanvas).observe(plot);
  window.addEventListener("resize", fitCanvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  byId("zoom-in").addEventListener("click", zoomIn);
  byId("zoom-out").addEventListener("click", () => zoomBy(1 / 1.6));
  byId("zoom-fit").addEventListener("click", () => zoomBy(0));

  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    drag = { x: event.offsetX, y: event.offsetY, viewX: view.x, viewY: view.y, moved: false };
    if (view.zoom > 1) canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const far = drag === null ? 0 : Math.hypot(event.offsetX - drag.x, event.offsetY - drag.y);
    if (far > 4) drag.moved = true;
    if (drag?.moved && view.zoom > 1) {
      const by = scale();
      view.x = drag.viewX - (event.offsetX - drag.x) / by;
      view.y = drag.viewY - (event.offsetY - drag.y) / by;
      keepInSight();
      point(-1);
      repaint();
    } else if (event.pointerType !== "touch") {
      point(nearest(event.offsetX, event.offsetY, 14));
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    const tapped = drag !== null && !drag.moved;
    drag = null;
    if (!tapped) return;
    const before = under;
    const at = nearest(event.offsetX, event.offsetY, event.pointerType === "touch" ? 28 : 14);
    point(at);
    // A finger cannot hover: its first tap shows the photo, its second goes to the cluster.
    if (at < 0 || (event.pointerType === "touch" && before !== at)) return;
    const cluster = photos[placed[at]][CLUSTER];
    if (cluster in clusters) go({ c: cluster });
  });
  canvas.addEventListener("pointercancel", () => (drag = null));
  canvas.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch") point(-1);
  });
  canvas.addEventListener("wheel", (event) => {
    // A bare wheel scrolls the page; with Ctrl, or by pinching, it zooms.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoomBy(Math.exp(-event.deltaY / 200), event.offsetX, event.offsetY);
  }, { passive: false });
}
