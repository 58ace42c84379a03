"use strict";
// The page can be read without this. It adds: choosing cells, deep links into what is folded, and keys.
const cells = [...document.querySelectorAll("details.cell")];
const links = [...document.querySelectorAll("a.square")];
const squares = [...document.querySelectorAll(".grid .square")];
// What is shown as long as one of its squares is.
const holders = [...document.querySelectorAll(".grid tbody tr, .failures > li")];
const byId = new Map(cells.map((cell) => [cell.id, cell]));
const linked = (link) => byId.get(decodeURIComponent(link.hash.slice(1)));
const form = document.querySelector("form.filter");
const search = form.elements.text;
const output = form.querySelector("output");

// What is written in a cell is put together once, at the first search.
const texts = new Map();
const textOf = (cell) => {
  // Digits of a dump are no words.
  const words = () => [...cell.children].filter((part) => !part.matches(".dump, .map")).map((part) => part.textContent);
  if (!texts.has(cell)) texts.set(cell, [cell.id, ...words()].join(" ").toLowerCase());
  return texts.get(cell);
};

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const axes = [...form.elements].filter((element) => element.tagName === "SELECT" && element.value);
  let shown = 0;
  for (const cell of cells) {
    const fits =
      axes.every((axis) => cell.dataset[axis.name] === axis.value) &&
      words.every((word) => textOf(cell).includes(word));
    cell.hidden = !fits;
    shown += fits;
  }
  for (const link of links) link.hidden = linked(link)?.hidden ?? false;
  for (const holder of holders) holder.hidden = !holder.querySelector(".square:not([hidden])");
  const all = shown === cells.length;
  output.textContent = all ? `${shown} cells` : `${shown} of ${cells.length} cells`;
  roam();
}

// A link may lead into something that is folded, or not chosen.
function follow() {
  const cell = byId.get(decodeURIComponent(location.hash.slice(1)));
  if (!cell) return;
  if (cell.hidden) {
    form.reset();
    filter();
  }
  cell.open = true;
  cell.scrollIntoView();
  cell.querySelector("summary").focus({ preventScroll: true });
}

// Of the grid's squares one is reached by Tab, the others by arrows.
function roam(current) {
  const visible = squares.filter((square) => !square.hidden);
  for (const square of squares) square.tabIndex = -1;
  const first = current ?? visible[0];
  if (first) first.tabIndex = 0;
}

function move(from, key) {
  const visible = squares.filter((square) => !square.hidden);
  const at = visible.indexOf(from);
  if (key === "ArrowLeft") return visible[at - 1];
  if (key === "ArrowRight") return visible[at + 1];
  const down = key === "ArrowDown";
  const box = from.getBoundingClientRect();
  const beyond = visible.filter((square) => {
    const other = square.getBoundingClientRect();
    return down ? other.top > box.top + 2 : other.top < box.top - 2;
  });
  const distance = (square) => {
    const other = square.getBoundingClientRect();
    return Math.abs(other.top - box.top) * 100 + Math.abs(other.left - box.left);
  };
  return beyond.sort((one, other) => distance(one) - distance(other))[0];
}

function step(by) {
  const failures = cells.filter((cell) => !cell.hidden && cell.matches(".mismatch, .infra"));
  const at = failures.findIndex((cell) => cell.contains(document.activeElement));
  const next = failures[at < 0 ? (by > 0 ? 0 : failures.length - 1) : at + by];
  if (!next) return;
  next.open = true;
  next.scrollIntoView();
  next.querySelector("summary").focus({ preventScroll: true });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input, select");
  if (event.key === "Escape" && typing) {
    event.target.blur();
  } else if (typing) {
    return;
  } else if (event.key === "/") {
    event.preventDefault();
    search.focus();
  } else if (event.key === "n") {
    step(1);
  } else if (event.key === "p") {
    step(-1);
  } else if (event.key.startsWith("Arrow") && event.target.matches(".grid .square")) {
    const next = move(event.target, event.key);
    if (!next) return;
    event.preventDefault();
    roam(next);
    next.focus();
  }
});
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
// The elements have their first values only after the event.
form.addEventListener("reset", () => setTimeout(filter));
window.addEventListener("hashchange", follow);
// A link to where one is already changes nothing, and still leads there.
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (link && link.hash === location.hash) follow();
});
form.hidden = false;
document.querySelector(".keys").hidden = false;
filter();
follow();
