// Shows only what has all words of the search in it. Without this the page is complete as well.
"use strict";
const find = document.getElementById("find");
const entries = Array.from(document.querySelectorAll("details"), (entry) => ({
  entry,
  text: entry.textContent.toLowerCase(),
}));
const sections = Array.from(document.querySelectorAll("main > section"));
function search() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const { entry, text } of entries) {
    entry.hidden = !words.every((word) => text.includes(word));
  }
  for (const section of sections) {
    section.hidden = !section.querySelector("details:not([hidden])");
  }
}
// What a link leads to is to be seen.
function open() {
  const entry = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (entry instanceof HTMLDetailsElement) {
    entry.hidden = false;
    entry.open = true;
    entry.closest("section").hidden = false;
    entry.scrollIntoView();
  }
}
find.hidden = false;
find.addEventListener("input", search);
addEventListener("hashchange", open);
search();
open();
