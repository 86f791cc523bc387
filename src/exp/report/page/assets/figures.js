// The figures of a single run: as wide as the page, or in full size.

for (const button of document.querySelectorAll("#figures button")) {
  const figure = button.closest("figure");
  button.hidden = false;
  button.addEventListener("click", () => {
    const full = figure.classList.toggle("full");
    button.setAttribute("aria-pressed", String(full));
  });
}
