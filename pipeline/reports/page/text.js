// What the page holds, and text from outside made into elements.

// Columns of a photo's row, as html_page.py writes them.
const PATH = 0, LABEL = 1, CLUSTER = 2, STATUS = 3, TAKEN = 4, X = 5, Y = 6, CHUNK = 7;

const byId = (id) => document.getElementById(id);
const page = JSON.parse(byId("data").textContent);
const { clusters, photos } = page;

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
