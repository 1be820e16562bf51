// Draws the figures of the page from the data that stand beside them; without it the still drawings remain.
(() => {
  "use strict";
  const root = document.documentElement;
  const figures = [...document.querySelectorAll("[data-live]")].map(place => ({
    place, data: JSON.parse(document.getElementById("live-" + place.dataset.live).textContent),
  }));
  const state = { stage: "", controls: true, bands: true, hidden: new Set() };
  const tool = name => document.getElementById("tool-" + name);
  const colour = name => getComputedStyle(root).getPropertyValue("--" + name).trim() || name;
  const words = text => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const short = text => text.length > 26 ? text.slice(0, 12) + "…" + text.slice(-12) : text;
  const number = value => value === null ? "no value" : String(Number(value.toPrecision(3)));
  const shown = line => !(line.control && !state.controls) && !state.hidden.has(owner(line));
  const owner = line => line.group === undefined ? line.name : line.group || line.name;
  const faint = hex => /^#[0-9a-f]{6}$/i.test(hex) ? hex + "2e" : hex;

  function said(line, i) {
    const ends = line.low[i] === null ? "" : ` [${number(line.low[i])}, ${number(line.high[i])}]`;
    const counted = line.n ? `, n = ${line.n[i]}` : "";
    return number(line.y[i]) + ends + counted;
  }

  function band(line, tint) {
    const x = [], y = [];
    let start = 0;
    for (let i = 0; i <= line.x.length; i++) {
      if (i < line.x.length && line.low[i] !== null && line.high[i] !== null) continue;
      for (let j = start; j < i; j++) { x.push(line.x[j]); y.push(line.low[j]); }
      for (let j = i - 1; j >= start; j--) { x.push(line.x[j]); y.push(line.high[j]); }
      if (i > start) { x.push(null); y.push(null); }
      start = i + 1;
    }
    return { x, y, fill: "toself", fillcolor: faint(tint), line: { width: 0 }, mode: "lines", hoverinfo: "skip",
             showlegend: false, type: "scatter" };
  }

  function traces(data) {
    const made = [];
    for (const line of data.lines) {
      if (!shown(line)) continue;
      const tint = colour(line.colour);
      if (state.bands) made.push(band(line, tint));
      const names = line.stages || line.x.map(() => line.stage);
      const at = data.kind === "scales" ? line.x.map(x => `, n1 = ${x}`) : names.map(() => "");
      made.push({
        x: line.x, y: line.y, customdata: names, name: words(short(line.name)), mode: line.control ? "lines" : "lines+markers",
        line: { color: tint, width: line.control ? 1.3 : 2, dash: line.dash }, marker: { size: 6 }, type: "scatter",
        text: line.x.map((_, i) => `<b>${words(names[i])}</b>${at[i]}<br>${words(line.name)}: ${said(line, i)}`
          + (line.notes && line.notes[i] ? `<br>${words(line.notes[i].slice(0, 90))}` : "")),
        hovertemplate: "%{text}<extra></extra>", opacity: dimmed(data, names) ? 0.25 : 1,
      });
    }
    return made;
  }

  const dimmed = (data, names) => data.kind === "scales" && state.stage && names[0] !== state.stage
    && data.lines.some(line => line.stage === state.stage);

  function heat(data) {
    const text = data.value.map((row, i) => row.map((value, j) => `<b>${words(data.rows[i])}</b> and <b>${words(data.columns[j])}</b>`
      + `<br>${words(data.label)}: ${number(value)}` + (data.low[i][j] === null ? "" : ` [${number(data.low[i][j])}, ${number(data.high[i][j])}]`)
      + `<br>best in ${Math.round(100 * (data.share[i][j] || 0))} % of ${data.drawn || "draws"}`));
    const reach = Math.max(1e-9, ...data.value.flat().filter(one => one !== null).map(Math.abs));
    return [{ type: "heatmap", z: data.value, x: data.columns.map((_, j) => j), y: data.rows.map((_, i) => i), text,
              hovertemplate: "%{text}<extra></extra>", zmin: -reach, zmax: reach, colorscale: [[0, "#2d004b"], [0.25, "#8073ac"], [0.5, "#f7f7f7"], [0.75, "#e08214"], [1, "#7f3b08"]],
              colorbar: { thickness: 10, outlinewidth: 0 }, xgap: 1, ygap: 1 }, best(data)];
  }

  function best(data) {
    const rows = data.columns.map((_, j) => data.value.reduce((top, row, i) =>
      row[j] !== null && (top < 0 || row[j] > data.value[top][j]) ? i : top, -1));
    const there = data.columns.map((_, j) => j).filter(j => rows[j] >= 0);
    return { type: "scatter", mode: "markers", x: there, y: there.map(j => rows[j]), hoverinfo: "skip", showlegend: false,
             marker: { symbol: "circle-open", size: there.map(j => 11 + 8 * (data.share[rows[j]][j] || 0)), color: "#ffffff",
                       line: { width: 2, color: "#ffffff" } } };
  }

  function ticks(data) {
    if (data.kind === "matrix") return { tickvals: data.columns.map((_, j) => j), ticktext: data.columns.map(name => words(short(name))) };
    if (data.kind === "scales") return { type: "log", dtick: Math.log10(2) };
    const owners = new Set(data.stages.map(stage => stage.hierarchy));
    if (owners.size > 1 || data.stages.length > 40) return { range: [-0.03, 1.03] };
    return { tickvals: data.stages.map(stage => stage.x), ticktext: data.stages.map(stage => words(short(stage.name))), range: [-0.03, 1.03] };
  }

  function marks(data) {
    if (!state.stage) return [];
    const line = { color: colour("link"), width: 1.5, dash: "dot" };
    if (data.kind === "curves") return data.stages.filter(stage => stage.name === state.stage)
      .map(stage => ({ type: "line", x0: stage.x, x1: stage.x, yref: "paper", y0: 0, y1: 1, line }));
    if (data.kind !== "matrix") return [];
    const row = data.rows.indexOf(state.stage), column = data.columns.indexOf(state.stage);
    return [row < 0 ? null : { type: "rect", xref: "paper", x0: 0, x1: 1, y0: row - 0.5, y1: row + 0.5, line },
            column < 0 ? null : { type: "rect", yref: "paper", y0: 0, y1: 1, x0: column - 0.5, x1: column + 0.5, line }].filter(Boolean);
  }

  function layout(data, narrow) {
    const soft = { color: colour("soft"), gridcolor: colour("rule"), linecolor: colour("rule"), zerolinecolor: colour("rule"), automargin: true };
    const matrix = data.kind === "matrix";
    return {
      height: matrix ? Math.min(760, 150 + 22 * data.rows.length) : 390, margin: { l: 44, r: 8, t: narrow ? 50 : 34, b: 44 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest", dragmode: "zoom",
      font: { family: getComputedStyle(document.body).fontFamily, size: narrow ? 10.5 : 12, color: colour("ink") },
      title: { text: narrow ? words(data.label).replace("  (", "<br>(") : words(data.label), font: { size: 13 }, x: 0, xanchor: "left", y: 0.985, yanchor: "top" },
      xaxis: { ...soft, zeroline: false, ...ticks(data), tickangle: -40, title: { text: words(matrix ? data.second : data.axis), font: { size: 11, color: colour("soft") } } },
      yaxis: matrix ? { ...soft, autorange: "reversed", tickvals: data.rows.map((_, i) => i), ticktext: data.rows.map(name => words(short(name))) }
                    : { ...soft, rangemode: "tozero" },
      legend: { orientation: "h", y: -0.34, font: { size: 11 } }, showlegend: !matrix && data.lines.length > 1 && data.lines.length < 24,
      shapes: marks(data), hoverlabel: { align: "left", bgcolor: colour("panel"), bordercolor: colour("rule"), font: { color: colour("ink") } },
    };
  }

  function draw(figure) {
    const { place, data } = figure;
    place.closest("figure").classList.add("is-live");
    const ready = Plotly.react(place, data.kind === "matrix" ? heat(data) : traces(data), layout(data, place.clientWidth < 420),
                               { displayModeBar: false, responsive: true });
    figure.drawn = true;
    if (!figure.heard) { figure.heard = true; ready.then(() => place.on("plotly_click", event => clicked(data, event.points[0]))); }
  }

  function clicked(data, point) {
    const stage = data.kind === "matrix" ? data.rows[point.y] : point.customdata;
    choose(stage === state.stage ? "" : stage);
  }

  function choose(stage) {
    state.stage = stage;
    tool("stage").value = stage;
    const told = !stage ? [] : figures.filter(one => one.data.kind === "curves").flatMap(({ data }) =>
      data.lines.filter(line => !line.control && line.stages.includes(stage)).slice(0, 1)
        .map(line => `${data.label.split("  (")[0]} ${said(line, line.stages.indexOf(stage))}`));
    tool("said").textContent = told.length ? `${stage}: ${told.join("; ")}` : stage;
    for (const row of document.querySelectorAll("#numbers ~ .scroll tbody tr"))
      row.classList.toggle("chosen", stage !== "" && [...row.cells].some(cell => cell.textContent === stage));
    refresh();
  }

  const refresh = () => figures.filter(one => one.drawn).forEach(draw);

  function fill() {
    const stages = new Set(figures.flatMap(({ data }) => data.kind === "curves" ? data.stages.map(stage => stage.name)
      : data.kind === "matrix" ? [...data.rows, ...data.columns] : []));
    for (const name of stages) tool("stage").append(new Option(name, name));
    const names = new Set(figures.filter(one => one.data.kind !== "matrix")
      .flatMap(({ data }) => data.lines.filter(line => !line.control && line.group !== "").map(owner)));
    if (names.size < 2 || names.size > 12) return;
    for (const name of names) {
      const label = document.createElement("label"), box = document.createElement("input");
      box.type = "checkbox"; box.checked = true;
      box.addEventListener("change", () => { state.hidden[box.checked ? "delete" : "add"](name); refresh(); });
      label.append(box, " " + short(name));
      tool("lines").append(label);
    }
  }

  tool("stage").addEventListener("change", event => choose(event.target.value));
  tool("controls").addEventListener("change", event => { state.controls = event.target.checked; refresh(); });
  tool("bands").addEventListener("change", event => { state.bands = event.target.checked; refresh(); });
  tool("zoom").addEventListener("click", () => figures.filter(one => one.drawn).forEach(one =>
    Plotly.relayout(one.place, one.data.kind === "curves" ? { "xaxis.range": [-0.03, 1.03], "yaxis.autorange": true }
                                                          : { "xaxis.autorange": true, "yaxis.autorange": one.data.kind === "matrix" ? "reversed" : true })));
  tool("theme").addEventListener("change", event => {
    if (event.target.value) root.dataset.theme = event.target.value; else delete root.dataset.theme;
    refresh();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);
  fill();
  document.querySelector(".tools").hidden = false;
  // A figure is drawn when it comes near the screen, so that a long report opens at once.
  const near = new IntersectionObserver(seen => seen.filter(one => one.isIntersecting).forEach(one => {
    near.unobserve(one.target);
    draw(figures.find(figure => figure.place.closest("figure") === one.target));
  }), { rootMargin: "600px" });
  figures.forEach(figure => near.observe(figure.place.closest("figure")));
})();
