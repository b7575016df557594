// The page of an offer: says that somebody has seen it, and saves the words as they are written.
// Without it the page does the same by its Save button.
"use strict";
(() => {
  const form = document.getElementById("words");
  if (!form) return;
  let waiting = 0;
  let queue = Promise.resolve();
  const inTurn = work => {
    waiting += 1;
    queue = queue.then(work).catch(() => {}).finally(() => { waiting -= 1; });
  };

  // What is still on its way is waited for, so that the answer is to the words as they stand.
  form.addEventListener("submit", event => {
    if (!waiting) return;
    event.preventDefault();
    queue.then(() => form.requestSubmit(event.submitter));
  });
  inTurn(() => fetch(form.dataset.seen, { method: "POST" }));
  if (!("saves" in form.dataset)) return;

  const status = document.getElementById("saved");
  const obstacle = document.getElementById("obstacle");
  const frame = document.querySelector(".preview iframe");

  const show = answer => {
    form.elements.fingerprint.value = answer.fingerprint;
    for (const [name, place] of Object.entries(answer.places)) {
      form.elements[`was-${name}`].value = place.mark;
      const items = place.problems.map(text => Object.assign(document.createElement("li"), { textContent: text }));
      document.getElementById(`wrong-${name}`).replaceChildren(...items);
    }
    if (obstacle) {
      obstacle.hidden = !answer.obstacle;
      obstacle.lastElementChild.textContent = answer.obstacle;
    }
    if (frame) frame.src = frame.src;
  };

  const save = async area => {
    const body = new FormData();
    body.set("do", "save");
    for (const name of ["version", "fingerprint"]) body.set(name, form.elements[name].value);
    body.set(area.name, area.value);
    const was = form.elements[area.name.replace("slot-", "was-")];
    body.set(was.name, was.value);
    status.textContent = "";
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    const answer = await response.json();
    if (response.ok) show(answer);
    status.textContent = answer.said;
  };

  for (const area of form.querySelectorAll("textarea")) {
    let timer = 0;
    let saved = area.value;
    const due = () => {
      clearTimeout(timer);
      if (area.value === saved) return;
      saved = area.value;
      inTurn(() => save(area));
    };
    area.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(due, 1500);
    });
    area.addEventListener("change", due);
  }
})();
