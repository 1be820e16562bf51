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
      const names = line.stages;
      made.push({
        x: line.x, y: line.y, customdata: names, name: words(short(line.name)), mode: line.control ? "lines" : "lines+markers",
        line: { color: tint, width: line.control ? 1.3 : 2, dash: line.dash }, marker: { size: 6 }, type: "scatter",
        text: line.x.map((_, i) => `<b>${words(names[i])}</b><br>${words(line.name)}: ${said(line, i)}`
          + (line.notes && line.notes[i] ? `<br>${words(line.notes[i].slice(0, 90))}` : "")),
        hovertemplate: "%{text}<extra></extra>",
      });
    }
    return made;
  }

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

  // A figure of panels: each is a drawing of its own, so that they stand beside each other where there is room.
  function panelTraces(panel) {
    if (panel.heat) return [panelHeat(panel.heat, panel.y.names, panel.x.names)];
    const made = [];
    for (const line of panel.lines) {
      if (!shown(line)) continue;
      const tint = colour(line.colour);
      if (state.bands && line.low.some(end => end !== null)) made.push(band(line, tint));
      const own = !panel.x.names.length && known.has(line.name) ? line.name : "";
      const names = line.x.map(x => own || panel.x.names[x] || "");
      made.push({
        x: line.x, y: line.y, customdata: names, name: words(short(line.name)), mode: line.marks, type: "scatter",
        line: { color: tint, width: line.control ? 1.3 : 1.8, dash: line.dash }, marker: { size: 5, color: tint },
        showlegend: line.name !== "", opacity: state.stage && own && own !== state.stage ? 0.2 : 1,
        text: line.x.map((x, i) => `<b>${words(names[i] || panel.x.label + " " + number(x))}</b><br>`
          + `${line.name && line.name !== names[i] ? words(line.name) + ": " : ""}${said(line, i)}`
          + (names[i] && !panel.x.names.length ? `<br>${words(panel.x.label)}: ${number(x)}` : "")),
        hovertemplate: "%{text}<extra></extra>",
      });
    }
    return made;
  }

  function panelHeat(heat, rows, columns) {
    const text = heat.value.map((row, i) => row.map((value, j) =>
      `<b>${words(rows[i])}</b> and <b>${words(columns[j])}</b><br>${words(heat.label)}: ${number(value)}`));
    const gap = rows.length < 30 ? 1 : 0;
    return { type: "heatmap", z: heat.value, text, hovertemplate: "%{text}<extra></extra>", colorscale: "Cividis", zmin: heat.range[0],
             zmax: heat.range[1], colorbar: { thickness: 8, outlinewidth: 0 }, xgap: gap, ygap: gap };
  }

  // A label beside a panel has the height of the panel, so a long one is broken near its middle.
  const folded = label => {
    const gaps = label.length > 26 ? [...label].flatMap((one, i) => one === " " ? [i] : []) : [];
    const at = gaps.sort((a, b) => Math.abs(a - label.length / 2) - Math.abs(b - label.length / 2))[0];
    return at === undefined ? words(label) : words(label.slice(0, at)) + "<br>" + words(label.slice(at + 1));
  };

  function panelAxis(axis, heat) {
    const every = Math.ceil(axis.names.length / 12), last = axis.names.length - 1;
    const at = axis.names.map((_, i) => i).filter(i => (last - i) % every === 0);
    const ends = axis.log ? axis.range.map(Math.log10) : axis.range;
    return {
      color: colour("soft"), gridcolor: colour("rule"), linecolor: colour("rule"), zeroline: false, automargin: true, range: ends,
      ...(axis.log ? { type: "log", ...(axis.log === 2 ? { dtick: Math.log10(2) } : {}) } : {}), title: { text: folded(axis.label), font: { size: 11, color: colour("soft") }, standoff: 6 },
      ...(axis.names.length ? { tickvals: at, ticktext: at.map(i => words(short(axis.names[i]))), tickangle: -40 } : {}),
      ...(heat ? { showgrid: false } : {}),
    };
  }

  function panelLayout(panel, alone) {
    const line = { color: colour("link"), width: 1.5, dash: "dot" };
    const shapes = panel.levels.filter(() => state.controls).map(level => ({
      type: "line", ...(level.along === "y" ? { xref: "paper", x0: 0, x1: 1, y0: level.at, y1: level.at }
                                             : { yref: "paper", y0: 0, y1: 1, x0: level.at, x1: level.at }),
      line: { color: colour(level.colour), width: 1, dash: level.dash } }));
    const chosen = state.stage ? panel.x.names.indexOf(state.stage) : -1;
    if (chosen >= 0) shapes.push({ type: "line", x0: chosen, x1: chosen, yref: "paper", y0: 0, y1: 1, line });
    const legend = !panel.heat && panel.legend && panel.lines.filter(one => one.name).length > 1;
    return {
      height: (alone ? 390 : panel.heat ? 300 : 260) + (legend ? 26 + 19 * Math.ceil(panel.lines.filter(one => one.name).length / 2) : 0),
      margin: { l: 46, r: 8, t: 30, b: 40 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest",
      font: { family: getComputedStyle(document.body).fontFamily, size: 11, color: colour("ink") }, shapes,
      title: { text: words(panel.title), font: { size: 12.5 }, x: 0, xanchor: "left", y: 0.985, yanchor: "top" },
      xaxis: panelAxis(panel.x, panel.heat), yaxis: { ...panelAxis(panel.y, panel.heat), tickangle: 0 },
      showlegend: legend, legend: { orientation: "h", y: -0.42, yanchor: "top", font: { size: 10.5 } },
      hoverlabel: { align: "left", bgcolor: colour("panel"), bordercolor: colour("rule"), font: { color: colour("ink") } },
    };
  }

  function drawPanels(figure) {
    const { place, data } = figure;
    data.panels.forEach((panel, i) => {
      const names = one => JSON.stringify(one.lines.map(line => line.name));
      panel.legend = i === 0 || names(panel) !== names(data.panels[i - 1]);
      const own = place.children[i] || place.appendChild(Object.assign(document.createElement("div"), { className: "panel" }));
      const ready = Plotly.react(own, panelTraces(panel), panelLayout(panel, data.panels.length === 1), { displayModeBar: false, responsive: true });
      if (!own.heard) { own.heard = true; ready.then(() => own.on("plotly_click", event => clicked(data, event.points[0]))); }
    });
    figure.drawn = true;
  }

  function ticks(data) {
    if (data.kind === "matrix") return { tickvals: data.columns.map((_, j) => j), ticktext: data.columns.map(name => words(short(name))) };
    const owners = new Set(data.stages.map(stage => stage.hierarchy));
    if (owners.size > 1 || data.stages.length > 40) return { range: [-0.03, 1.03], tickangle: 0 };
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
      title: { text: narrow ? words(data.label).replace("  (", "<br>(") : words(data.label), font: { size: 13 }, x: 0, xanchor: "left", y: narrow ? 0.95 : 0.985, yanchor: "top" },
      xaxis: { ...soft, zeroline: false, tickangle: -40, ...ticks(data), title: { text: words(matrix ? data.second : data.axis), font: { size: 11, color: colour("soft") } } },
      yaxis: matrix ? { ...soft, autorange: "reversed", tickvals: data.rows.map((_, i) => i), ticktext: data.rows.map(name => words(short(name))) }
                    : { ...soft, rangemode: "tozero" },
      legend: { orientation: "h", y: -0.34, font: { size: 11 } }, showlegend: !matrix && data.lines.length > 1 && data.lines.length < 24,
      shapes: marks(data), hoverlabel: { align: "left", bgcolor: colour("panel"), bordercolor: colour("rule"), font: { color: colour("ink") } },
    };
  }

  // The library is most of the page: it is run when the first figure comes near, after all else can be read.
  function loadLibrary() {
    const library = document.getElementById("library");
    if (!library) return;
    document.head.append(Object.assign(document.createElement("script"), { textContent: library.textContent }));
    library.remove();
  }

  function draw(figure) {
    loadLibrary();
    const { place, data } = figure;
    place.closest("figure").classList.add("is-live");
    if (data.kind === "panels") return drawPanels(figure);
    const ready = Plotly.react(place, data.kind === "matrix" ? heat(data) : traces(data), layout(data, place.clientWidth < 420),
                               { displayModeBar: false, responsive: true });
    figure.drawn = true;
    if (!figure.heard) { figure.heard = true; ready.then(() => place.on("plotly_click", event => clicked(data, event.points[0]))); }
  }

  function clicked(data, point) {
    const stage = data.kind === "matrix" ? data.rows[point.y] : point.customdata || (data.panels || []).flatMap(one => one.heat ? one.y.names : [])[point.y];
    if (known.has(stage)) choose(stage === state.stage ? "" : stage);
  }

  function choose(stage) {
    state.stage = stage;
    tool("stage").value = stage;
    const told = !stage ? [] : figures.filter(one => one.data.kind === "curves").flatMap(({ data }) =>
      data.lines.filter(line => !line.control && line.stages.includes(stage)).slice(0, 1)
        .map(line => `${data.label.split("  (")[0]} ${said(line, line.stages.indexOf(stage))}`));
    if (stage) for (const { data } of figures.filter(one => one.data.kind === "panels")) for (const panel of data.panels) {
      const at = panel.x.names.indexOf(stage), line = panel.lines.find(one => one.name && !one.control && one.x.includes(at));
      if (line && told.length < 12) told.push(`${panel.title} ${said(line, line.x.indexOf(at))}`);
    }
    tool("said").textContent = told.length ? `${stage}: ${told.join("; ")}` : stage;
    for (const row of document.querySelectorAll("#numbers ~ .scroll tbody tr"))
      row.classList.toggle("chosen", stage !== "" && [...row.cells].some(cell => cell.textContent === stage));
    refresh();
  }

  const refresh = () => figures.filter(one => one.drawn).forEach(draw);

  const known = new Set(figures.flatMap(({ data }) => data.kind === "curves" ? data.stages.map(stage => stage.name)
    : data.kind === "matrix" ? [...data.rows, ...data.columns] : data.stages || []));

  // Lines of panels can be hidden where several panels have them.
  const several = panels => {
    const counts = new Map();
    for (const panel of panels) for (const name of new Set(panel.lines.map(owner)))
      counts.set(name, (counts.get(name) || 0) + 1);
    return [...counts].filter(([name, count]) => count > 1 && name && !(known.has(name) && panels.every(panel => !panel.x.names.length))).map(([name]) => name);
  };

  function fill() {
    for (const name of known) tool("stage").append(new Option(name, name));
    const names = new Set(figures.flatMap(({ data }) => data.kind === "matrix" ? [] : data.kind === "panels" ? several(data.panels)
      : data.lines.filter(line => !line.control && line.group !== "").map(owner)));
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
  function whole(figure) {
    if (figure.data.kind === "panels") return figure.data.panels.forEach((panel, i) => Plotly.relayout(figure.place.children[i],
      { "xaxis.range": panelAxis(panel.x).range, "yaxis.range": panelAxis(panel.y).range }));
    Plotly.relayout(figure.place, figure.data.kind === "curves" ? { "xaxis.range": [-0.03, 1.03], "yaxis.autorange": true }
      : { "xaxis.autorange": true, "yaxis.autorange": figure.data.kind === "matrix" ? "reversed" : true });
  }

  tool("zoom").addEventListener("click", () => figures.filter(one => one.drawn).forEach(whole));
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
  }), { rootMargin: "400px" });
  const watch = () => requestAnimationFrame(() => setTimeout(() => figures.forEach(figure => near.observe(figure.place.closest("figure")))));
  if (document.readyState === "complete") watch(); else addEventListener("load", watch);
})();
