"use strict";
{
  // Columns of a photo's row, as html_page.py writes them.
  const PATH = 0, LABEL = 1, CLUSTER = 2, STATUS = 3, TAKEN = 4, X = 5, Y = 6, CHUNK = 7;
  const ROWS_A_PAGE = 200;
  const CARDS_A_PAGE = 60;
  const SHEET_OF_HITS = 24;
  const MOST_LABELS = 16;
  const HUES = 14;
  const GREY = new Set(["unclustered", "no caption"]);

  const byId = (id) => document.getElementById(id);
  const page = JSON.parse(byId("data").textContent);
  const { clusters, photos } = page;

  // ---- Text ----------------------------------------------------------------------------------

  const PLAIN = /^[\x20-\x7e]*$/;
  const ESCAPES = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

  /** Return text in which controls, bidirectional marks and lone surrogates can be seen. */
  function shown(text) {
    if (PLAIN.test(text)) return text;
    return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (char) => {
      const code = char.codePointAt(0);
      if (code === 0x200c || code === 0x200d) return char; // joiners shape scripts and emoji
      const hex = code.toString(16);
      if (code < 0x100) return ESCAPES[char] ?? "\\x" + hex.padStart(2, "0");
      return code < 0x10000 ? "\\u" + hex.padStart(4, "0") : "\\U" + hex.padStart(8, "0");
    });
  }

  /** Return text without accents and case. */
  function fold(text) {
    if (PLAIN.test(text)) return text.toLowerCase();
    return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  }

  const count = (number) => number.toLocaleString("en");
  const photosIn = (number) => `${count(number)} ${number === 1 ? "photo" : "photos"}`;
  const when = (taken) => shown(taken.slice(0, 16).replace("T", " "));

  /** Make an element; its children are elements or text, never markup. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null));
    return element;
  }

  /** Make an element that holds text from outside, kept apart from the direction around it. */
  function quoted(tag, className, text, words = []) {
    const element = make(tag, { class: className, dir: "auto" });
    const safe = shown(text);
    let at = 0;
    for (const [start, end] of spans(safe, words)) {
      element.append(safe.slice(at, start), make("mark", {}, safe.slice(start, end)));
      at = end;
    }
    element.append(safe.slice(at));
    return element;
  }

  /** Return where the words stand in a text, in order and without overlap. */
  function spans(text, words) {
    if (words.length === 0) return [];
    let folded = "";
    const origin = []; // for each unit of the folded text, the character it came from
    let place = 0;
    for (const char of text) {
      const part = fold(char);
      for (let unit = 0; unit < part.length; unit++) origin.push([place, place + char.length]);
      if (part === "" && origin.length > 0) origin.at(-1)[1] = place + char.length;
      folded += part;
      place += char.length;
    }
    const found = [];
    for (const word of words) {
      for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + word.length)) {
        found.push([origin[at][0], origin[at + word.length - 1][1]]);
      }
    }
    found.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
    const apart = [];
    for (const span of found) {
      if (apart.length > 0 && span[0] < apart.at(-1)[1]) {
        apart.at(-1)[1] = Math.max(apart.at(-1)[1], span[1]);
      } else {
        apart.push(span);
      }
    }
    return apart;
  }

  // ---- The tree of clusters ------------------------------------------------------------------

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

  const dot = (cluster) =>
    make("span", { class: `dot hue-${hueName(cluster)}`, "aria-hidden": "true" });
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

  // ---- Photos --------------------------------------------------------------------------------

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

  // ---- What the main column shows ------------------------------------------------------------

  function card(cluster) {
    const { size, exemplar, span, sheet, keywords } = clusters[cluster];
    const strip = make("span", { class: "strip", "aria-hidden": "true" });
    for (const place of sheet.slice(0, 4)) strip.append(pictureOf(place) ?? "");
    const words = exemplar || keywords.join(", ");
    const number = make("span", { class: "size" }, count(size));
    const button = make(
      "button",
      { type: "button", class: "card", "data-go": cluster },
      strip.childElementCount > 0 ? strip : null,
      make("span", { class: "line" }, dot(cluster), titled(cluster, "title"), number),
      words === "" ? null : quoted("span", "words", words),
      span === "" ? null : quoted("span", "span", span),
    );
    return make("li", {}, button);
  }

  const cards = (places) =>
    paged(make("ul", { class: "cards" }), places, CARDS_A_PAGE, card, "clusters");

  function libraryView() {
    const heading = make("h2", { tabindex: "-1" }, "The whole library");
    if (photos.length === 0) {
      return [heading, make("p", { class: "empty" }, "There are no photos in this library yet.")];
    }
    const groups = `${count(roots.length)} ${roots.length === 1 ? "cluster" : "clusters"}`;
    const facts = make("p", { class: "lead" }, `${photosIn(photos.length)} in ${groups}`);
    if (roots.length === 0) return [heading, facts, photoList([...photos.keys()], [], null)];
    return [heading, facts, cards(roots)];
  }

  function clusterView(cluster) {
    const { size, keywords, exemplar, span, sheet } = clusters[cluster];
    const parts = [];
    const above = pathOf(cluster).slice(0, -1).map((place) => link(place, titled(place)));
    const trail = { class: "trail", "aria-label": "Where this cluster is" };
    parts.push(make("nav", trail, link("", "Library"), ...above));
    parts.push(make("h2", { tabindex: "-1" }, dot(cluster), titled(cluster)));

    const facts = make("dl", { class: "figures" });
    const fact = (name, value) =>
      facts.append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
    fact("Photos", count(size));
    if (cohesionOf(cluster) !== null) fact("Cohesion", cohesionOf(cluster));
    if (span !== "") fact("Taken", shown(span));
    parts.push(facts);
    if (exemplar !== "") {
      parts.push(make("blockquote", { class: "exemplar" }, quoted("p", "", exemplar)));
    }
    if (keywords.length > 0) {
      const list = make("ul", { class: "words", "aria-label": "Keywords; each starts a search" });
      for (const word of keywords) {
        const button = { type: "button", "data-query": word };
        list.append(make("li", {}, make("button", button, quoted("span", "", word))));
      }
      parts.push(list);
    }
    if (children[cluster].length > 0) parts.push(section("Inside", cards(children[cluster])));
    const pictures = contactSheet(sheet);
    if (pictures !== null) parts.push(section("Contact sheet", pictures));
    const places = within(cluster);
    if (places.length > 0) parts.push(section("All photos", photoList(places, [], cluster)));
    return parts;
  }

  function searchView(query, words, hits) {
    const quote = make("q", {}, quoted("span", "", query));
    const heading = make("h2", { tabindex: "-1" }, quote);
    if (hits.length === 0) {
      const nothing = "No photo has all these words in its label or path.";
      return [heading, make("p", { class: "empty" }, nothing)];
    }
    const total = `${photosIn(hits.length)} of ${count(photos.length)}`;
    const lead = make("p", { class: "lead" }, total);
    const pictured = [];
    for (const place of hits) {
      if (pictured.length === SHEET_OF_HITS) break;
      if (byId(`picture-${place}`) !== null) pictured.push(place);
    }
    const sheet = contactSheet(pictured, words);
    return [heading, lead, sheet, photoList(hits, words, null)].filter((part) => part !== null);
  }

  // ---- Search --------------------------------------------------------------------------------

  let folded = null; // made at the first search

  function search(words) {
    folded ??= photos.map((photo) => fold(shown(`${photo[LABEL]} `) + shown(photo[PATH])));
    const hits = [];
    for (let place = 0; place < folded.length; place++) {
      const text = folded[place];
      if (words.every((word) => text.includes(word))) hits.push(place);
    }
    return hits;
  }

  // ---- The map -------------------------------------------------------------------------------

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

  // ---- From the address to the screen and back -----------------------------------------------

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
}
