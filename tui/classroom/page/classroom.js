"use strict";
// The page of a pupil: connects, comes back by itself, and brings keys, taps and a line of text to the app.
(function () {
  // terminal.js did not come, or this was asked for twice and came twice: see loading.js.
  if (!window.Terminal || window.amautaStarted) return;
  window.amautaStarted = true;
  function by(id) { return document.getElementById(id); }
  var body = document.body, screen = by("screen"), catcher = by("catch"), line = by("line"), say = by("say");
  if (!window.WebSocket || !window.TextDecoder || !window.PointerEvent) { tell(body.dataset.old, false); return; }

  var terminal = new Terminal(screen);
  var touch = window.matchMedia && window.matchMedia("(pointer: coarse)").matches;
  var socket = null, pause = 500, ended = false, typing = false;
  by("keys").hidden = !touch;

  // Who this tab is: the same app again after the connection was lost or the page was loaded anew.
  function freshKey() {
    var bytes = new Uint8Array(16);
    window.crypto.getRandomValues(bytes);
    return Array.prototype.map.call(bytes, function (b) { return ("0" + b.toString(16)).slice(-2); }).join("");
  }
  function key() {
    var mine = sessionStorage.getItem("amauta");
    if (!mine) { mine = freshKey(); sessionStorage.setItem("amauta", mine); }
    return mine;
  }

  function tell(text, again) {
    by("told").textContent = text;
    by("again").hidden = !again;
    by("veil").className = text ? "" : "off";
  }

  function send(message) {
    if (socket && socket.readyState === 1) socket.send(JSON.stringify(message));
  }
  function keys(text) { if (text) send(["keys", text]); }

  function connect() {
    var address = location.href.replace(/^http/, "ws").replace(/[?#].*$/, "").replace(/[^/]*$/, "") + "app";
    var mine = socket = new WebSocket(address);
    mine.binaryType = "arraybuffer";
    mine.onopen = function () {
      pause = 500;
      fit();
      terminal.clear();
      terminal.rest = "";
      terminal.decoder = new TextDecoder("utf-8");
      send(["hello", key(), terminal.cols, terminal.rows]);
    };
    mine.onmessage = function (event) {
      if (mine !== socket) return;
      if (typeof event.data !== "string") { tell("", false); terminal.write(event.data); return; }
      var told = JSON.parse(event.data);
      if (told.type === "typing") { typing = told.on; showLine(); }
      if (told.type === "end") {
        ended = true;
        if (told.fresh) sessionStorage.removeItem("amauta");
        typing = false;
        showLine();
        tell(told.text, true);
      }
    };
    mine.onclose = function (event) {
      if (mine !== socket || ended) return;
      if (event.reason === "elsewhere") { ended = true; tell(body.dataset.elsewhere, true); return; }
      tell(body.dataset.lost, false);
      setTimeout(connect, pause);
      pause = Math.min(pause * 2, 8000);
    };
  }
  by("again").onclick = function () {
    ended = false;
    tell(body.dataset.opening, false);
    connect();
  };

  // How wide a letter is; browsers round it for some sizes.
  function letter(size) {
    var probe = document.createElement("span");
    probe.style.fontSize = size + "px";
    probe.textContent = "MMMMMMMMMMMMMMMMMMMM";
    screen.appendChild(probe);
    var width = probe.getBoundingClientRect().width / 20;
    screen.removeChild(probe);
    return width;
  }

  // The largest letters with which enough of them fit: 80 in a line where there is room, 44 on a phone.
  function fit() {
    var view = window.visualViewport, height = view ? view.height : window.innerHeight, width = window.innerWidth;
    body.style.height = height + "px";
    var bars = (line.hidden ? 0 : line.offsetHeight) + (touch ? by("keys").offsetHeight : 0);
    var wanted = width >= 560 ? 80 : 44;
    var size = Math.max(9, Math.min(22, width / wanted / letter(100) * 100, Math.max(11, (height - bars) / 24 / 1.25)));
    size = Math.floor(size * 4) / 4;
    terminal.cellWidth = letter(size);
    terminal.rowHeight = Math.round(size * 1.25);
    screen.style.fontSize = size + "px";
    var cols = Math.max(20, Math.min(120, Math.floor(width / terminal.cellWidth + 0.01)));
    var rows = Math.max(8, Math.min(60, Math.floor((height - bars) / terminal.rowHeight)));
    screen.style.width = Math.ceil(cols * terminal.cellWidth) + "px";
    if (cols !== terminal.cols || rows !== terminal.rows) {
      terminal.resize(cols, rows);
      send(["size", cols, rows]);
    }
  }
  var fitting = null;
  function fitSoon() { clearTimeout(fitting); fitting = setTimeout(fit, 120); }
  window.addEventListener("resize", fitSoon);
  if (window.visualViewport) window.visualViewport.addEventListener("resize", fitSoon);

  function showLine() {
    var shown = touch && typing;
    if (line.hidden === !shown) return;
    if (!shown) say.blur();
    line.hidden = !shown;
    fit();
  }
  line.onsubmit = function (event) {
    event.preventDefault();
    keys(say.value + "\r");
    say.value = "";
    // The answer needs the room that the keyboard takes.
    say.blur();
  };

  var NAMED = {
    Enter: "\r", Backspace: "\x7f", Tab: "\t", Escape: "\x1b", ArrowUp: "\x1b[A", ArrowDown: "\x1b[B", ArrowRight: "\x1b[C",
    ArrowLeft: "\x1b[D", Home: "\x1b[H", End: "\x1b[F", PageUp: "\x1b[5~", PageDown: "\x1b[6~", Delete: "\x1b[3~",
    F1: "\x1bOP", F2: "\x1bOQ", F3: "\x1bOR", F4: "\x1bOS", F6: "\x1b[17~", F7: "\x1b[18~", F8: "\x1b[19~", F10: "\x1b[21~"
  };
  var SHOWN = { Esc: "Escape", "↑↓": "ArrowDown", "←→": "ArrowRight", PgUp: "PageUp", PgDn: "PageDown" };

  document.addEventListener("keydown", function (event) {
    if (document.activeElement === say || event.isComposing || event.altKey || event.metaKey) return;
    if (event.ctrlKey && /^[aekuw]$/.test(event.key)) { event.preventDefault(); keys(String.fromCharCode(event.key.charCodeAt(0) & 31)); return; }
    if (event.ctrlKey) return;
    if (!by("veil").className) { if (event.key === "Enter" && !by("again").hidden) by("again").click(); return; }
    var text = event.key === "Tab" && event.shiftKey ? "\x1b[Z" : NAMED[event.key];
    if (text) { event.preventDefault(); keys(text); }
    else if (document.activeElement !== catcher && event.key.length === 1) { event.preventDefault(); keys(event.key); }
  });

  // Letters come through a hidden field, so that accents typed with two keys arrive whole.
  function caught(event) {
    if (event.type === "input" && event.isComposing) return;
    keys(catcher.value.replace(/\s*\n\s*/g, " "));
    catcher.value = "";
  }
  catcher.addEventListener("input", caught);
  catcher.addEventListener("compositionend", caught);
  if (!touch) {
    catcher.focus();
    window.addEventListener("focus", function () { catcher.focus(); });
  }

  by("keys").addEventListener("click", function (event) {
    var name = event.target.getAttribute("data-key");
    if (name) keys(NAMED[name]);
  });

  // Taps and clicks; a finger that moves scrolls.
  var from = null, scrolled = false;
  function cell(event) {
    var box = screen.getBoundingClientRect();
    return {
      x: Math.max(0, Math.min(terminal.cols - 1, Math.floor((event.clientX - box.left) / terminal.cellWidth))),
      y: Math.max(0, Math.min(terminal.rows - 1, Math.floor((event.clientY - box.top) / terminal.rowHeight)))
    };
  }
  function mouse(code, at, end) { keys("\x1b[<" + code + ";" + (at.x + 1) + ";" + (at.y + 1) + end); }
  // The last lines say what keys do: a key, a hard space, a label. In a narrow window the label may be on the next line.
  var KEY = "(F\\d\\d?|Esc|Enter|Tab|\u2191\u2193|\u2190\u2192|PgUp|PgDn)";
  function keyAt(at) {
    if (at.y < terminal.rows - 4) return "";
    var text = terminal.text(at.y), found, pattern = new RegExp(KEY + "(\\u00a0[^ ]+|\\s*$)", "g");
    while ((found = pattern.exec(text))) {
      if (at.x >= found.index && at.x < found.index + found[0].length) return bytes(found[1]);
    }
    var before = new RegExp(KEY + "\\s*$").exec(terminal.text(at.y - 1)), label = /^\s*\S+/.exec(text);
    return before && label && at.x < label[0].length && !new RegExp("^\\s*" + KEY).test(text) ? bytes(before[1]) : "";
  }
  function bytes(key) { return NAMED[SHOWN[key] || key] || ""; }
  screen.addEventListener("pointerdown", function (event) { from = event; scrolled = false; });
  screen.addEventListener("pointermove", function (event) {
    if (!from || event.pointerType === "mouse") return;
    var rows = Math.trunc((event.clientY - from.clientY) / terminal.rowHeight);
    if (!rows) return;
    scrolled = true;
    var at = cell(event);
    for (var n = Math.abs(rows); n > 0; n--) mouse(rows > 0 ? 64 : 65, at, "M");
    from = event;
  });
  screen.addEventListener("pointerup", function (event) {
    var selected = window.getSelection && String(window.getSelection());
    if (from && !scrolled && !selected) {
      var at = cell(event), named = keyAt(at);
      if (named) keys(named);
      else { mouse(0, at, "M"); mouse(0, at, "m"); }
    }
    from = null;
    if (!touch && !selected) catcher.focus();
  });
  screen.addEventListener("pointercancel", function () { from = null; });
  screen.addEventListener("wheel", function (event) { mouse(event.deltaY < 0 ? 64 : 65, cell(event), "M"); });

  fit();
  connect();
})();
