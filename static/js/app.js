// What every page can use. Each feature starts from a data attribute and does nothing where it is absent.
(() => {
  "use strict";

  // A form is sent once; the button says that work is under way. Coming back by the back button frees it.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    const button = event.submitter || form.querySelector("button:not([type=button])");
    if (button) button.setAttribute("aria-busy", "true");
    // What answers with a file leaves the page where it is.
    if (form.dataset.download !== undefined) setTimeout(() => { delete form.dataset.sent; if (button) button.removeAttribute("aria-busy"); }, 3000);
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
    });
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest && event.target.closest("form[data-sent]");
    if (form) delete form.dataset.sent;
  });
  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector("input[name=csrfmiddlewaretoken]");
    if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token.value;
  });

  const copy = async (text) => {
    try { await navigator.clipboard.writeText(text); return true; } catch { /* no permission, or plain http */ }
    const area = document.createElement("textarea");
    area.value = text; area.className = "visually-hidden";
    document.body.append(area); area.select();
    const done = document.execCommand("copy"); area.remove();
    return done;
  };

  document.addEventListener("click", async (event) => {
    const at = (selector) => event.target.closest(selector);
    const opener = at("[data-dialog]");
    if (opener) { const dialog = document.getElementById(opener.dataset.dialog); if (dialog && dialog.showModal) { event.preventDefault(); dialog.showModal(); } return; }
    if (at("[data-close]")) { at("dialog")?.close(); return; }
    if (event.target.matches("dialog")) { event.target.close(); return; }
    if (at("[data-dismiss]")) { at("[data-toast], .notice")?.remove(); return; }
    const copier = at("[data-copy]");
    if (copier && await copy(copier.dataset.copy)) say(copier);
    const print = at("[data-print]");
    if (print) window.print();
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
  });

  // A copied button answers in its own words, then goes back to what it said.
  const say = (button) => {
    const words = button.querySelector("span");
    const use = button.querySelector("use");
    const before = [words && words.textContent, use && use.getAttribute("href")];
    if (words) words.textContent = button.dataset.done; else button.setAttribute("aria-label", button.dataset.done);
    if (use) use.setAttribute("href", before[1].replace(/#.*/, "#check"));
    setTimeout(() => { if (words) words.textContent = before[0]; if (use) use.setAttribute("href", before[1]); }, 1600);
  };

  const settle = (root) => {
    root.querySelectorAll?.("[data-toast]:not([data-toast=stay])").forEach((toast) => setTimeout(() => toast.remove(), 6000));
    root.querySelectorAll?.("select[data-submit], input[data-submit]").forEach((control) => control.addEventListener("change", () => control.form.requestSubmit()));
    root.querySelectorAll?.("[data-upload]").forEach((zone) => {
      const input = zone.querySelector("input");
      input.addEventListener("change", () => { zone.querySelector("[data-chosen]").textContent = input.files[0] ? input.files[0].name : ""; });
      for (const type of ["dragenter", "dragover"]) zone.addEventListener(type, () => zone.classList.add("over"));
      for (const type of ["dragleave", "drop"]) zone.addEventListener(type, () => zone.classList.remove("over"));
    });
    root.querySelectorAll?.("[data-check-all]").forEach((all) => {
      const boxes = () => all.closest("table").querySelectorAll("tbody input[type=checkbox]:not(:disabled)");
      all.addEventListener("change", () => boxes().forEach((box) => { box.checked = all.checked; box.dispatchEvent(new Event("change", { bubbles: true })); }));
    });
  };
  settle(document);
  document.addEventListener("htmx:load", (event) => settle(event.detail.elt));
})();
