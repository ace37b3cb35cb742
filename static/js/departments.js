// Dragging one department onto another opens its page with the new place chosen; nothing moves before that form is sent.
(() => {
  "use strict";
  const tree = document.querySelector("[data-tree]");
  if (!tree) return;
  let dragged = "";
  const rowOf = (event) => event.target.closest("[data-path]");
  const fits = (row) => row && dragged && row.dataset.path !== dragged && !row.dataset.path.startsWith(`${dragged}/`);
  tree.querySelectorAll("[data-path]").forEach((row) => { row.draggable = true; });
  tree.addEventListener("dragstart", (event) => { dragged = rowOf(event)?.dataset.path || ""; event.dataTransfer.effectAllowed = "move"; });
  tree.addEventListener("dragover", (event) => { if (fits(rowOf(event))) { event.preventDefault(); rowOf(event).classList.add("over"); } });
  tree.addEventListener("dragleave", (event) => { rowOf(event)?.classList.remove("over"); });
  tree.addEventListener("dragend", () => { dragged = ""; tree.querySelectorAll(".over").forEach((row) => row.classList.remove("over")); });
  tree.addEventListener("drop", (event) => {
    const row = rowOf(event);
    if (!fits(row)) return;
    event.preventDefault();
    const query = new URLSearchParams({ path: dragged, to: row.dataset.path });
    location.assign(`${tree.dataset.address}?${query}#move`);
  });
})();
