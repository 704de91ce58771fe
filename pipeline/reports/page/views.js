// What the main column shows of the library and of a cluster.

const CARDS_A_PAGE = 60;

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
