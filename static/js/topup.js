// The top-up form: groups a number as it is typed, cleans what is pasted, names the carrier, follows the chosen face.
// All of it is comfort: without this script the form asks the same and the server decides.
(() => {
  "use strict";

  // Prefixes are advice (numbers move between carriers), never a reason to refuse. Same table as benefits/catalogue/kinds.
  const TABLE = {
    telecom: "133 149 153 162 173 177 180 181 189 190 191 193 199 1700 1701 1702 1349",
    mobile: "134 135 136 137 138 139 147 148 150 151 152 157 158 159 165 172 178 182 183 184 187 188 195 197 198 1703 1705 1706",
    unicom: "130 131 132 145 146 155 156 166 167 171 175 176 185 186 196 1704 1707 1708 1709",
    broadnet: "192",
  };
  const CARRIER = new Map();
  for (const [name, prefixes] of Object.entries(TABLE)) prefixes.split(" ").forEach((prefix) => CARRIER.set(prefix, name));
  const carrierOf = (digits) => CARRIER.get(digits.slice(0, 4)) || CARRIER.get(digits.slice(0, 3)) || "";

  const clean = (text) => {
    let digits = text.normalize("NFKC").replace(/\D/g, "");
    if (digits.length > 11) digits = digits.replace(/^(0086|86)(?=1[3-9])/, "");
    return digits.slice(0, 11);
  };
  const group = (digits) => [digits.slice(0, 3), digits.slice(3, 7), digits.slice(7)].filter(Boolean).join(" ");

  document.querySelectorAll("[data-phone]").forEach((box) => {
    const input = box.querySelector("input.phone");
    const hint = box.querySelector("[data-carrier]");
    const own = box.dataset.own || "";
    const names = { mobile: box.dataset.mobile, unicom: box.dataset.unicom, telecom: box.dataset.telecom, broadnet: box.dataset.broadnet };
    const advice = box.dataset.advice || "";
    let asked = clean(input.value);

    const show = (digits) => {
      const mine = box.querySelector("[data-own-mark]");
      const other = box.querySelector("[data-other-mark]");
      if (mine) mine.hidden = digits !== own;
      if (other) other.hidden = digits.length < 11 || digits === own;
      document.querySelectorAll("[data-own-text]").forEach((words) => { words.textContent = digits === own ? words.dataset.ownText : words.dataset.otherText; });
      const carrier = names[carrierOf(digits)];
      if (hint) hint.textContent = digits.length >= 3 && carrier ? (digits.length >= 7 ? `${carrier} ${advice}` : carrier) : (hint.dataset.rest || "");
      if (digits.length === 11) {
        input.setCustomValidity("");
        input.removeAttribute("aria-invalid");
        if (digits !== asked) { asked = digits; box.dispatchEvent(new CustomEvent("phone:known", { bubbles: true, detail: { digits } })); }
      }
    };

    const regroup = () => {
      const before = clean(input.value.slice(0, input.selectionStart ?? input.value.length)).length;
      const digits = clean(input.value);
      input.value = group(digits);
      let at = before;
      if (before > 3) at += 1;
      if (before > 7) at += 1;
      if (document.activeElement === input) input.setSelectionRange(at, at);
      show(digits);
    };
    input.addEventListener("input", regroup);
    input.addEventListener("paste", (event) => {
      const text = event.clipboardData && event.clipboardData.getData("text");
      if (!text) return;
      const digits = clean(text);
      if (digits.length !== 11) return;
      event.preventDefault();
      input.value = group(digits);
      show(digits);
    });
    box.querySelectorAll("[data-number]").forEach((button) => button.addEventListener("click", () => {
      input.value = group(clean(button.dataset.number));
      show(clean(input.value));
    }));
    if (input.value) { input.value = group(clean(input.value)); show(clean(input.value)); }
  });

  // Another number or carrier has other faces: the server draws them anew. By POST, so that no number is in an address.
  const reprice = async (extra) => {
    const faces = document.querySelector("[data-reprice]");
    const form = faces && faces.closest("form");
    if (!form) return;
    const chosen = form.querySelector("[data-faces] input:checked");
    const body = new FormData(form);
    if (chosen) body.set("label", chosen.dataset.label);
    for (const [name, value] of Object.entries(extra)) body.set(name, value);
    faces.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(faces.dataset.reprice, { method: "POST", body });
      if (answer.ok && !answer.redirected) { faces.innerHTML = await answer.text(); follow(); }
    } catch { /* offline: the faces shown stay, the server checks again */ }
    faces.removeAttribute("aria-busy");
  };
  document.addEventListener("phone:known", () => { if (document.querySelector("[data-carrier-choice]")) reprice({}); });
  document.addEventListener("click", (event) => {
    const carrier = event.target.closest("[data-carrier-choice]");
    if (carrier) { event.preventDefault(); reprice({ carrier: carrier.value }).then(() => document.querySelector(`[data-carrier-choice][value=${carrier.value}]`)?.focus()); }
  });

  const follow = () => {
    const chosen = document.querySelector("[data-faces] input:checked");
    const fill = (name, text) => document.querySelectorAll(`[data-show=${name}]`).forEach((place) => { place.textContent = text; });
    document.querySelectorAll("[data-confirm]").forEach((button) => { button.disabled = !chosen; });
    if (!chosen) { fill("price", "—"); return; }
    fill("label", chosen.dataset.label);
    fill("price", chosen.dataset.price);
    fill("after", chosen.dataset.after);
  };
  document.addEventListener("change", (event) => { if (event.target.closest("[data-faces]")) follow(); });
  follow();
})();
