"use strict";
// Unfolds what is compressed in the page, filters, and moves through the table by arrow keys. Everything that it puts
// into the page was escaped when the report was made.
(() => {
  const blocks = new Map();
  for (const block of document.querySelectorAll("script[data-of]")) blocks.set(block.dataset.of, block);

  const unpack = async (scenario) => {
    const block = blocks.get(scenario);
    if (!block) return {};
    block.unpacked ??= (async () => {
      const bytes = Uint8Array.from(atob(block.textContent), (c) => c.charCodeAt(0));
      const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      return JSON.parse(await new Response(plain).text());
    })();
    return block.unpacked;
  };

  const fill = async (row) => {
    if (row.dataset.filled) return;
    row.dataset.filled = "yes";
    const fragments = await unpack(row.closest("section").dataset.scenario);
    const body = document.createElement("div");
    body.className = "body";
    body.innerHTML = fragments[row.id] ?? "";
    row.append(body);
  };

  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details.row") && event.target.open) fill(event.target);
  }, true);

  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    target.closest("section")?.removeAttribute("hidden");
    if (target.matches("details.row")) target.open = true;
    target.scrollIntoView();
    (target.querySelector("summary") ?? target).focus?.({ preventScroll: true });
  };
  addEventListener("hashchange", follow);

  // Search and filter.
  const form = document.querySelector("form.filter");
  if (!form) { if (location.hash) follow(); return; }
  const search = document.getElementById("search");
  const only = document.getElementById("only");
  const shown = document.getElementById("shown");
  const grid = document.getElementById("grid");
  const sections = [...document.querySelectorAll("section.scenario")];
  const lines = new Map([...grid.querySelectorAll("tr[data-scenario]")].map((line) => [line.dataset.scenario, line]));
  const folders = [...grid.querySelectorAll("tr.folder")];
  const words = new Map(sections.map((section) => {
    const summaries = [...section.querySelectorAll("h3, p, summary")];
    return [section, summaries.map((part) => part.textContent).join(" ").toLowerCase()];
  }));
  const filter = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const section of sections) {
      const fits = wanted.every((word) => words.get(section).includes(word))
        && (!only.checked || "notable" in section.dataset);
      section.hidden = !fits;
      lines.get(section.dataset.scenario).hidden = !fits;
      count += fits;
    }
    for (const folder of folders) {
      let line = folder.nextElementSibling;
      while (line && !line.matches(".folder") && line.hidden) line = line.nextElementSibling;
      folder.hidden = !line || line.matches(".folder");
    }
    shown.textContent = `${count} of ${sections.length} scenarios`;
  };
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
  filter();

  // One stop for the whole table: arrow keys move inside it.
  for (const link of grid.querySelectorAll("a")) link.tabIndex = -1;
  const first = grid.querySelector("a");
  if (first) first.tabIndex = 0;
  grid.addEventListener("keydown", (event) => {
    const here = event.target.closest("th, td");
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!here || !step) return;
    event.preventDefault();
    let line = here.parentElement, column = here.cellIndex + step[1];
    do {
      if (step[0] > 0) line = line.nextElementSibling;
      if (step[0] < 0) line = line.previousElementSibling;
    } while (line && (line.hidden || line.matches(".folder")));
    const next = line?.cells[column]?.querySelector("a");
    if (!next) return;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  addEventListener("keydown", (event) => {
    const types = event.target.matches?.("input, textarea, select");
    if (event.key === "/" && !types) { event.preventDefault(); search.focus(); }
    if (event.key === "Escape" && event.target === search) { search.value = ""; filter(); search.blur(); }
  });

  if (location.hash) follow();
})();
