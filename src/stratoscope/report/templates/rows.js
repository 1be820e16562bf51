// Builds the whole table when it is opened: of a large run it is most of the page, and few look at it.
(() => {
  "use strict";
  const body = document.getElementById("whole");
  const build = () => {
    const rows = JSON.parse(document.getElementById("rows").textContent);
    const made = document.createDocumentFragment();
    for (const row of rows) {
      const line = document.createElement("tr");
      for (const cell of row) line.append(Object.assign(document.createElement("td"), { textContent: cell }));
      made.append(line);
    }
    body.append(made);
  };
  body.closest("details").addEventListener("toggle", build, { once: true });
})();
