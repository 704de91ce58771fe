// From the address to the screen and back; the page starts here.

const box = byId("query");
const narrow = matchMedia("(max-width: 58rem)");
let typing = 0;

function go(state, replace = false) {
  const hash = "#" + new URLSearchParams(state);
  if ((location.hash || "#") === hash) return;
  if (replace) history.replaceState(null, "", hash);
  else history.pushState(null, "", hash);
  show();
  // On a narrow page the photos are far below what was tapped.
  if (narrow.matches && chosen !== null) byId("content").scrollIntoView();
}

function readHash() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const query = (asked.get("q") ?? "").trim();
  const number = asked.get("c") ?? "";
  const known = query === "" && /^\d{1,9}$/.test(number) && Number(number) < clusters.length;
  return { query, cluster: known ? Number(number) : null };
}

function show() {
  const { query, cluster } = readHash();
  const words = fold(shown(query)).split(/\s+/u).filter((word) => word !== "");
  if (document.activeElement !== box || box.value.trim() !== query) box.value = query;
  chosen = cluster;
  let parts;
  let found = "";
  if (words.length > 0) {
    const hits = search(words);
    parts = searchView(query, words, hits);
    found = hits.length === 0 ? "No photos found" : `${photosIn(hits.length)} found`;
    highlight(hits, []);
  } else if (cluster !== null) {
    parts = clusterView(cluster);
    found = `${titleOf(cluster)}, ${photosIn(clusters[cluster].size)}`;
    highlight(within(cluster), children[cluster]);
  } else {
    parts = libraryView();
    highlight(null, roots);
  }
  byId("found").textContent = found;
  byId("view").replaceChildren(...parts);
  markChosen(cluster);
  byId("content").scrollTop = 0;
}

window.addEventListener("hashchange", () => {
  clearTimeout(typing);
  show();
});

box.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    const query = box.value.trim();
    // The first letter is a step in the history, the others belong to it.
    if (query === "") go({});
    else go({ q: query }, readHash().query !== "");
  }, 120);
});

byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  const query = box.value.trim();
  if (query !== "") go({ q: query }, readHash().query !== "");
  if (narrow.matches) byId("content").scrollIntoView();
});

document.addEventListener("keydown", (event) => {
  const alone = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key === "/" && alone && document.activeElement !== box) {
    event.preventDefault();
    box.focus();
    box.select();
  }
});

byId("content").addEventListener("click", (event) => {
  const button = event.target.closest("[data-go], [data-query]");
  if (button === null) return;
  if (button.dataset.query !== undefined) go({ q: button.dataset.query });
  else go(button.dataset.go === "" ? {} : { c: button.dataset.go });
  if (!narrow.matches) byId("content").focus({ preventScroll: true });
});

// A photo under the pointer shows where it lies on the map.
const pointOf = new Map(placed.map((place, at) => [place, at]));
byId("content").addEventListener("pointerover", (event) => {
  const photo = event.target.closest("[data-photo]");
  if (photo === null || event.pointerType === "touch" || narrow.matches) return;
  under = pointOf.get(Number(photo.dataset.photo)) ?? -1;
  tip.hidden = true;
  if (!stale && placed.length > 0) paintPointer();
});
byId("content").addEventListener("pointerleave", () => point(-1));

byId("home").addEventListener("click", () => go({}));
byId("skip").addEventListener("click", () => byId("content").focus());

byId("home").textContent = shown(page.title) || "Photo library";
const about = [page.made, page.summary].filter((text) => text !== "");
byId("about").append(...about.map((text) => quoted("span", "", text)));
document.title = shown(page.title) || "Photo library";
byId("legend").textContent = clusters.length === 0 ? "none" : "photos, dates, cohesion";

tree.append(...roots.map((root) => treeItem(root, 1)));
if (roots.length === 1) expand(roots[0]);
if (roots.length > 0) rove(items.get(roots[0]), false);
startMap();
show();
