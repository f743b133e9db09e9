// The sandbox's page: sends a photo in one of three ways, and shows the answers as they arrive.

const HOW = { tweet: "tweeted", tag: "tagged", message: "wrote" };
const PLATFORM = { x: "X", instagram: "Instagram" };
const POLL_MS = 1000;
const PATIENCE_MS = 60_000;

const find = (id) => document.getElementById(id);
const form = find("compose");
const chooser = find("photo");
const shown = new Map();
let photo = null;
let bot = { x: "the bot", instagram: "the bot", hashtag: "" };
let largest = 15 * 1024 * 1024;
let etag = "";
let first = true;

// -- Choosing a photo

function complain(message) {
  find("error").textContent = message;
  find("error").hidden = !message;
}

function choose(file) {
  complain("");
  if (file && file.type && !file.type.startsWith("image/")) {
    complain("That file is not a picture. A JPEG, PNG, WebP, HEIC or GIF is fine.");
    file = null;
  } else if (file && file.size > largest) {
    complain(`That photo is too large. Up to ${Math.floor(largest / 1024 / 1024)} MB is fine.`);
    file = null;
  }
  photo = file;
  chooser.value = "";
  showChosen();
}

function showChosen() {
  const preview = find("preview");
  if (preview.src) URL.revokeObjectURL(preview.src);
  preview.removeAttribute("src");
  preview.hidden = true;
  find("invitation").hidden = false;
  find("invitation").querySelector("strong").textContent = photo ? photo.name : "Choose a photo";
  find("remove").hidden = !photo;
  if (!photo) return;
  preview.alt = `Preview of ${photo.name}`;
  // Some browsers cannot show every picture (HEIC); its name stands there instead.
  preview.onload = () => { preview.hidden = false; find("invitation").hidden = true; };
  preview.src = URL.createObjectURL(photo);
}

chooser.addEventListener("change", () => { if (chooser.files[0]) choose(chooser.files[0]); });
find("remove").addEventListener("click", () => { choose(null); chooser.focus(); });
const drop = find("drop");
for (const kind of ["dragenter", "dragover"]) {
  drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
for (const kind of ["dragleave", "drop"]) {
  drop.addEventListener(kind, () => drop.classList.remove("over"));
}
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  const file = event.dataTransfer.files[0];
  if (file) choose(file);
});
document.addEventListener("paste", (event) => {
  const file = event.clipboardData.files[0];
  if (file) { event.preventDefault(); choose(file); }
});

// -- Sending

function explainWay() {
  const way = new FormData(form).get("way");
  find("text-hint").textContent = {
    tweet: `Goes out as “@${bot.x} …”; the answer comes as a reply with a picture.`,
    tag: `Goes out with #${bot.hashtag}; the answer comes as a comment.`,
    message: `Goes to @${bot.instagram}; the answer comes as text and picture.`,
  }[way];
}
form.addEventListener("change", explainWay);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  complain("");
  const data = new FormData();
  const fields = new FormData(form);
  data.set("way", fields.get("way"));
  data.set("text", fields.get("text"));
  if (photo) data.set("photo", photo, photo.name);
  find("send").disabled = true;
  try {
    const answer = await fetch("api/entries", { method: "POST", body: data });
    const body = await answer.json();
    if (!answer.ok) { complain(body.error); return; }
    choose(null);
    find("text").value = "";
    await refresh();
    // On a phone the feed begins below the form, where nobody would see the answer arrive.
    shown.get(body.id)?.card.scrollIntoView({ block: "nearest" });
  } catch {
    complain("The sandbox does not answer. Is it still running?");
  } finally {
    find("send").disabled = false;
  }
});

// -- The feed

function makeCard(entry) {
  const card = find("entry-template").content.firstElementChild.cloneNode(true);
  const post = card.querySelector(".post");
  const said = entry.way === "tweet" ? `@${bot.x} ${entry.text}` : entry.way === "tag" ? `${entry.text} #${bot.hashtag}` : entry.text;
  card.dataset.id = entry.id;
  card.setAttribute("aria-label", `@${entry.person} ${HOW[entry.way]}`);
  post.querySelector(".badge").textContent = PLATFORM[entry.platform];
  post.querySelector("strong").textContent = `@${entry.person}`;
  post.querySelector(".how").textContent = HOW[entry.way];
  const time = post.querySelector("time");
  time.dateTime = entry.posted_at;
  time.textContent = new Date(entry.posted_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  post.querySelector(".text").textContent = said.trim();
  const picture = post.querySelector(".photo");
  if (entry.photo) {
    picture.alt = `The photo that @${entry.person} sent`;
    picture.onerror = () => picture.replaceWith(makeStandIn());
    picture.src = entry.photo;
  } else {
    picture.remove();
  }
  card.querySelector(".answer strong").textContent = `@${bot[entry.platform]}`;
  return card;
}

// Some browsers cannot show every picture that the bot can read (HEIC).
function makeStandIn() {
  const note = document.createElement("p");
  note.className = "stand-in";
  note.textContent = "A photo that this browser cannot show; the bot can read it.";
  return note;
}

function showAnswer(card, entry) {
  const box = card.querySelector(".answer");
  const state = box.querySelector(".state");
  if (!entry.answer) {
    const late = Date.now() - Date.parse(entry.posted_at) > PATIENCE_MS;
    state.textContent = late ? "has not answered yet. Is the bot running? selfai demo starts it" : "is looking at it";
    return;
  }
  const before = box.dataset.state;
  box.dataset.state = "answered";
  state.textContent = "answered";
  box.querySelector(".text").textContent = entry.answer.text;
  const picture = box.querySelector(".photo");
  if (entry.answer.picture && picture.hidden) {
    picture.alt = "The best crop, with its score";
    picture.src = entry.answer.picture;
    picture.hidden = false;
  }
  if (before === "waiting" && !first) find("news").textContent = `Answer to @${entry.person}: ${entry.answer.text}`;
}

function show(feed) {
  if (bot.run && bot.run !== feed.bot.run) { location.reload(); return; }
  bot = feed.bot;
  largest = feed.largest_photo;
  explainWay();
  find("empty").hidden = feed.entries.length > 0;
  for (const entry of [...feed.entries].reverse()) {
    if (!shown.has(entry.id)) {
      const card = makeCard(entry);
      shown.set(entry.id, { card });
      find("entries").prepend(card);
    }
    shown.get(entry.id).entry = entry;
  }
  for (const { card, entry } of shown.values()) showAnswer(card, entry);
  first = false;
}

async function refresh() {
  try {
    const answer = await fetch("api/feed", { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
    find("away").hidden = true;
    if (answer.status === 200) {
      etag = answer.headers.get("ETag") ?? "";
      show(await answer.json());
    } else {
      for (const { card, entry } of shown.values()) showAnswer(card, entry);
    }
  } catch {
    find("away").hidden = false;
  }
}

async function keepFresh() {
  await refresh();
  setTimeout(keepFresh, POLL_MS);
}

keepFresh();
