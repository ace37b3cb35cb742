// Roster imports: cells that are corrected like in a spreadsheet, and the progress of an upload. Without it forms do the same.
(() => {
  "use strict";

  const cells = () => [...document.querySelectorAll("[data-cell]")];
  const column = (cell) => cell.name.replace(/^cell-\d+-/, "");
  const rowOf = (cell) => cell.closest("tr");

  // The next cell to correct below or above: of the same column where the row has one, else its first.
  const beside = (cell, step) => {
    const all = cells();
    const rows = [...new Set(all.map(rowOf))];
    const row = rows[rows.indexOf(rowOf(cell)) + step];
    if (!row) return null;
    const there = all.filter((one) => rowOf(one) === row);
    return there.find((one) => column(one) === column(cell)) || there[0];
  };
  let isDone = false; // Enter was pressed in the last cell
  const go = (cell) => { cell.focus(); cell.select?.(); };

  document.addEventListener("keydown", (event) => {
    const cell = event.target.closest?.("[data-cell]");
    if (!cell || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") { cell.value = cell.defaultValue; cell.select(); event.preventDefault(); return; }
    const step = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = beside(cell, step);
    if (next) go(next);
    else if (event.key === "Enter") { isDone = true; cell.blur(); (document.querySelector("[data-recheck]") || document.querySelector("#import_bar .end :is(a, button):last-child"))?.focus(); }
  });

  // A refusal is told in a toast, and what is on the page stays.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target } = event.detail;
    if (target?.id === "upload" && [400, 409, 422, 429].includes(xhr.status)) { event.detail.shouldSwap = true; event.detail.isError = false; return; }
    if (xhr.status < 400 || !event.target.closest?.("#import_rows")) return;
    const box = document.createElement("template");
    box.innerHTML = xhr.responseText;
    const toast = box.content.querySelector("[data-toast]");
    if (toast) document.getElementById("toasts").append(toast);
  });
  // The last cell was corrected by Enter: the way on is the check, as soon as the bar offers it.
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target?.id === "import_bar" && isDone && document.activeElement === document.body) { isDone = false; document.querySelector("[data-recheck]")?.focus(); }
  });

  // Upload: refuse at once what is too large, and show how much has gone out.
  const form = () => document.querySelector("[data-roster-upload]");
  const tell = (text) => { const line = form().querySelector("[data-upload-error]"); line.textContent = text; line.hidden = !text; };
  const isTooLarge = () => { const file = form().querySelector("input[type=file]").files[0]; return file && file.size > Number(form().dataset.bytes); };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-roster-upload] input[type=file]")) tell(isTooLarge() ? form().dataset.tooLarge : "");
  });
  document.addEventListener("htmx:confirm", (event) => {
    if (event.target.matches("[data-roster-upload]") && isTooLarge()) { event.preventDefault(); tell(form().dataset.tooLarge); delete form().dataset.sent; }
  });
  document.addEventListener("htmx:xhr:progress", (event) => {
    const box = form()?.querySelector("[data-upload-progress]");
    if (!box || !event.detail.lengthComputable) return;
    const percent = Math.round((100 * event.detail.loaded) / event.detail.total);
    box.hidden = false;
    box.querySelector("progress").value = percent;
    box.querySelector("[data-upload-percent]").textContent = `${percent} %`;
  });
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, () => { if (form()) { tell(form().dataset.broken); form().querySelector("[data-upload-progress]").hidden = true; } });
  }
})();
