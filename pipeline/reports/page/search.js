// Finding photos by words, and what the main column shows of them.

const SHEET_OF_HITS = 24;

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
