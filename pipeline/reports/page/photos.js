// Photos as rows and as contact sheets.

const ROWS_A_PAGE = 200;

/** Return a photo's picture, null where the page holds none. */
function pictureOf(place) {
  const block = byId(`picture-${place}`);
  if (block === null) return null;
  // The label stands beside it, so a reader of the screen need not hear it twice.
  const image = make("img", { alt: "", decoding: "async", draggable: "false" });
  image.src = "data:image/jpeg;base64," + block.textContent;
  return image;
}

function labelOf(place, words = []) {
  const label = photos[place][LABEL];
  if (label === "") return make("span", { class: "label none" }, "No label");
  return quoted("span", "label", label, words);
}

/** Make a button that goes to a cluster, to the library where that is "". */
function link(cluster, ...content) {
  return make("button", { type: "button", class: "to", "data-go": cluster }, ...content);
}

function photoRow(place, words, cluster) {
  const photo = photos[place];
  const row = make("li", { class: "photo", tabindex: "-1", "data-photo": place });
  const leaf = photo[CLUSTER];
  const facts = make("span", { class: "facts" });
  if (photo[TAKEN] !== null) facts.append(make("time", {}, when(photo[TAKEN])));
  if (photo[CHUNK] !== "") facts.append(quoted("span", "chunk", photo[CHUNK]));
  if (photo[STATUS] !== "success") {
    facts.append(quoted("span", "status", photo[STATUS].replaceAll("_", " ")));
  }
  if (leaf in clusters && leaf !== cluster) facts.append(link(leaf, dot(leaf), titled(leaf)));
  row.append(labelOf(place, words), quoted("span", "path", photo[PATH], words), facts);
  return row;
}

/** Make a list that shows its first part and a button for more. */
function paged(list, places, size, makeRow, noun) {
  const box = make("div", { class: "paged" }, list);
  const left = make("p", { class: "left" });
  const more = make("button", { type: "button", class: "more" });
  let rows = 0;
  const grow = () => {
    const next = places.slice(rows, rows + size);
    list.append(...next.map(makeRow));
    rows += next.length;
    const rest = places.length - rows;
    left.textContent = rest > 0 ? `${count(rows)} of ${count(places.length)} ${noun}` : "";
    more.textContent = `Show ${count(Math.min(size, rest))} more`;
    more.hidden = rest === 0;
  };
  more.addEventListener("click", () => {
    const first = rows;
    grow();
    list.children[first].focus({ preventScroll: true });
  });
  grow();
  if (!more.hidden) box.append(make("div", { class: "further" }, left, more));
  return box;
}

function photoList(places, words, cluster) {
  const row = (place) => photoRow(place, words, cluster);
  return paged(make("ol", { class: "photos" }), places, ROWS_A_PAGE, row, "photos");
}

function contactSheet(places, words = []) {
  const sheet = make("ul", { class: "sheet" });
  for (const place of places) {
    const image = pictureOf(place);
    if (image === null) continue;
    const frame = make("div", { class: "frame" }, image);
    const figure = make("figure", {}, frame, make("figcaption", {}, labelOf(place, words)));
    const path = shown(photos[place][PATH]);
    sheet.append(make("li", { "data-photo": place, title: path }, figure));
  }
  return sheet.childElementCount > 0 ? sheet : null;
}

function section(heading, ...content) {
  return make("section", {}, make("h3", {}, heading), ...content);
}
