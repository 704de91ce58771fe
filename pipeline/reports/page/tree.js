// The tree of clusters.

const HUES = 14;
const GREY = new Set(["unclustered", "no caption"]);

const children = clusters.map(() => []);
const roots = [];
const rootOf = new Int32Array(clusters.length);
const endOf = new Int32Array(clusters.length); // where a cluster's descendants end
clusters.forEach((cluster, place) => {
  if (cluster.parent === null) roots.push(place);
  else children[cluster.parent].push(place);
  rootOf[place] = cluster.parent === null ? place : rootOf[cluster.parent];
});
for (let place = clusters.length - 1; place >= 0; place--) {
  endOf[place] = children[place].reduce((end, child) => Math.max(end, endOf[child]), place + 1);
}

/** Return clusters by size, without those that are drawn in grey. */
function largestFirst(places) {
  const kept = places.filter((place) => !GREY.has(clusters[place].title));
  return kept.sort((a, b) => clusters[b].size - clusters[a].size || a - b);
}

// The largest groups get colours that differ most.
const hueOf = new Map();
largestFirst(roots).forEach((place, rank) => hueOf.set(place, rank % HUES));
const hueName = (place) => hueOf.get(rootOf[place]) ?? "grey";
const titleOf = (place) => shown(clusters[place].title) || "untitled";

/** Whether a photo is in a cluster or below it. */
const isIn = (photo, cluster) => photo[CLUSTER] >= cluster && photo[CLUSTER] < endOf[cluster];

function within(cluster) {
  const places = [];
  photos.forEach((photo, place) => {
    if (isIn(photo, cluster)) places.push(place);
  });
  return places;
}

function pathOf(cluster) {
  const path = [];
  for (let at = cluster; at !== null; at = clusters[at].parent) path.unshift(at);
  return path;
}

function dot(cluster) {
  const element = make("span", { class: "dot", "aria-hidden": "true" });
  element.style.background = `var(--hue-${hueName(cluster)})`;
  return element;
}

const titled = (cluster, className = "") =>
  quoted("span", className, clusters[cluster].title || "untitled");
const cohesionOf = (cluster) => clusters[cluster].cohesion?.toFixed(2) ?? null;

const tree = byId("tree");
const items = new Map(); // the items made so far; children are made when first seen
let chosen = null;

function treeItem(cluster, level) {
  const { size, keywords, span } = clusters[cluster];
  const inner = children[cluster].length > 0;
  const cohesion = cohesionOf(cluster);
  const facts = [];
  if (span !== "") facts.push(shown(span));
  if (cohesion !== null) facts.push(`cohesion ${cohesion}`);
  const spoken = [titleOf(cluster), photosIn(size), ...facts];
  const item = make("li", {
    role: "treeitem",
    tabindex: "-1",
    "aria-level": level,
    "aria-expanded": inner ? "false" : null,
    "aria-selected": "false",
    "aria-label": spoken.join(", "),
    "data-cluster": cluster,
  });
  const row = make(
    "div",
    { class: "row" },
    make("span", { class: inner ? "twist" : "twist leaf", "aria-hidden": "true" }),
    dot(cluster),
    titled(cluster, "title"),
    make("span", { class: "size" }, count(size)),
    quoted("span", "keywords", keywords.join(", ")),
    make("span", { class: "facts" }, ...facts.map((fact) => make("span", {}, fact))),
  );
  row.style.setProperty("--level", level);
  item.append(row);
  items.set(cluster, item);
  return item;
}

function expand(cluster, open = true) {
  const item = items.get(cluster);
  if (children[cluster].length === 0) return;
  item.setAttribute("aria-expanded", String(open));
  let group = item.querySelector(":scope > ul");
  if (group === null) {
    const level = Number(item.getAttribute("aria-level")) + 1;
    const below = children[cluster].map((child) => treeItem(child, level));
    group = make("ul", { role: "group" }, ...below);
    item.append(group);
  }
  group.hidden = !open;
}

const isOpen = (item) => item.getAttribute("aria-expanded") === "true";
const clusterOf = (item) => Number(item.dataset.cluster);

function visibleItems() {
  const all = [...tree.querySelectorAll('[role="treeitem"]')];
  return all.filter((item) => item.closest("[hidden]") === null);
}

/** Make one item the tree's only tab stop. */
function rove(item, focus) {
  for (const old of tree.querySelectorAll('[tabindex="0"]')) old.tabIndex = -1;
  item.tabIndex = 0;
  if (focus) item.focus();
}

function markChosen(cluster) {
  const before = tree.querySelectorAll('[aria-selected="true"]');
  for (const old of before) old.setAttribute("aria-selected", "false");
  if (cluster === null) return;
  for (const above of pathOf(cluster).slice(0, -1)) expand(above);
  const item = items.get(cluster);
  item.setAttribute("aria-selected", "true");
  rove(item, false);
  // Only the tree scrolls; the page stays where the reader is.
  const row = item.firstElementChild.getBoundingClientRect();
  const frame = tree.getBoundingClientRect();
  if (row.top < frame.top || row.bottom > frame.bottom) {
    tree.scrollTop += row.top - frame.top - frame.height / 3;
  }
}

tree.addEventListener("click", (event) => {
  const item = event.target.closest('[role="treeitem"]');
  if (item === null) return;
  const cluster = clusterOf(item);
  if (event.target.classList.contains("twist") && children[cluster].length > 0) {
    expand(cluster, !isOpen(item));
    rove(item, true);
  } else {
    if (chosen === cluster && children[cluster].length > 0) expand(cluster, !isOpen(item));
    else expand(cluster);
    rove(item, true);
    go({ c: cluster });
  }
});

tree.addEventListener("keydown", (event) => {
  const item = event.target.closest('[role="treeitem"]');
  if (item === null || event.ctrlKey || event.metaKey || event.altKey) return;
  const cluster = clusterOf(item);
  const seen = visibleItems();
  const at = seen.indexOf(item);
  const parent = clusters[cluster].parent;
  let next = null;
  if (event.key === "ArrowDown") next = seen[at + 1] ?? item;
  else if (event.key === "ArrowUp") next = seen[at - 1] ?? item;
  else if (event.key === "Home") next = seen[0];
  else if (event.key === "End") next = seen.at(-1);
  else if (event.key === "ArrowRight" && children[cluster].length > 0) {
    if (isOpen(item)) next = items.get(children[cluster][0]);
    else expand(cluster);
  } else if (event.key === "ArrowLeft") {
    if (isOpen(item)) expand(cluster, false);
    else if (parent !== null) next = items.get(parent);
  } else if (event.key === "Enter" || event.key === " ") go({ c: cluster });
  else return;
  event.preventDefault();
  if (next !== null) rove(next, true);
});
