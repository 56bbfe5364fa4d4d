"use strict";
// A screen of letters: understands what Textual writes to a terminal, and draws it as plain text with colours.
// Knows nothing of the connection. Written without newer syntax, for the browsers of old tablets.

function Terminal(place) {
  this.place = place;
  this.decoder = new TextDecoder("utf-8");
  this.rest = "";
  this.cellWidth = 8;
  this.rowHeight = 16;
  this.resize(80, 24);
}

Terminal.PLAIN = { fg: "", bg: "", bold: false, dim: false, italic: false, under: false, strike: false, turned: false };
Terminal.BASIC = ["#000000", "#cd3131", "#0dbc79", "#e5e510", "#2472c8", "#bc3fbc", "#11a8cd", "#e5e5e5",
  "#666666", "#f14c4c", "#23d18b", "#f5f543", "#3b8eea", "#d670d6", "#29b8db", "#ffffff"];

// For each line of a box or a bar: rectangles in percent of the cell, [left, top, width, height]; null is a thin line.
Terminal.DRAWN = (function () {
  var h = [0, 50, 100, null], v = [50, 0, null, 100];
  var right = [50, 50, 50, null], left = [0, 50, 50, null], up = [50, 0, null, 50], down = [50, 50, null, 50];
  return {
    "─": [h], "│": [v], "┌": [right, down], "┐": [left, down], "└": [right, up], "┘": [left, up],
    "├": [v, right], "┤": [v, left], "┬": [h, down], "┴": [h, up], "┼": [h, v],
    "█": [[0, 0, 100, 100]], "▀": [[0, 0, 100, 50]], "▄": [[0, 50, 100, 50]], "▌": [[0, 0, 50, 100]], "▐": [[50, 0, 50, 100]],
    "▁": [[0, 87.5, 100, 12.5]], "▔": [[0, 0, 100, 12.5]], "▎": [[0, 0, 25, 100]], "▊": [[0, 0, 75, 100]]
  };
})();

// What was shown stays where it was: the app draws what changes with the size, and no more.
Terminal.prototype.resize = function (cols, rows) {
  var before = this.cells || [];
  this.cols = cols;
  this.rows = rows;
  this.clear();
  for (var n = 0; n < Math.min(rows, before.length); n++)
    for (var x = 0; x < Math.min(cols, before[n].length); x++) this.cells[n][x] = before[n][x];
  while (this.place.firstChild) this.place.removeChild(this.place.firstChild);
  this.lines = [];
  for (var y = 0; y < rows; y++) {
    this.lines.push(document.createElement("div"));
    this.place.appendChild(this.lines[y]);
  }
};

Terminal.prototype.clear = function () {
  this.x = this.y = 0;
  this.pen = Terminal.PLAIN;
  this.cells = [];
  this.dirty = {};
  for (var y = 0; y < this.rows; y++) this.cells.push(this.blank());
  for (y = 0; y < this.rows; y++) this.dirty[y] = true;
};

Terminal.prototype.blank = function () {
  var row = [];
  for (var x = 0; x < this.cols; x++) row.push({ text: " ", pen: Terminal.PLAIN, width: 1 });
  return row;
};

Terminal.prototype.text = function (y) {
  return (this.cells[y] || []).map(function (cell) { return cell.text; }).join("");
};

Terminal.prototype.write = function (bytes) {
  var all = this.rest + this.decoder.decode(bytes, { stream: true });
  this.rest = "";
  var i = 0;
  while (i < all.length) {
    var code = all.charCodeAt(i);
    if (code === 27) {
      var end = this.escape(all, i);
      if (end < 0) { this.rest = all.slice(i); break; }
      i = end;
    } else {
      var letter = code >= 0xd800 && code < 0xdc00 ? all.substr(i, 2) : all.charAt(i);
      if (code === 13) this.x = 0;
      else if (code === 10) this.y = Math.min(this.y + 1, this.rows - 1);
      else if (code >= 32) this.put(letter);
      i += letter.length;
    }
  }
  this.draw();
};

// Return where an escape sequence ends, or -1 when the rest of it has not come yet.
Terminal.prototype.escape = function (all, i) {
  var kind = all.charAt(i + 1);
  if (kind === "") return -1;
  if (kind === "]") {
    var bell = all.indexOf("\x07", i), st = all.indexOf("\x1b\\", i + 2);
    if (bell < 0 && st < 0) return -1;
    return bell >= 0 && (st < 0 || bell < st) ? bell + 1 : st + 2;
  }
  if (kind !== "[") return i + 2;
  for (var j = i + 2; j < all.length; j++) {
    var code = all.charCodeAt(j);
    if (code >= 0x40 && code <= 0x7e) {
      this.control(all.slice(i + 2, j), all.charAt(j));
      return j + 1;
    }
  }
  return -1;
};

Terminal.prototype.control = function (given, kind) {
  if (kind === "m") { this.style(given); return; }
  if (/[^0-9;]/.test(given)) return;
  var numbers = given.split(";").map(function (n) { return parseInt(n, 10) || 0; });
  var first = numbers[0] || 1;
  if (kind === "H" || kind === "f") {
    this.y = Math.min(first, this.rows) - 1;
    this.x = Math.min(numbers[1] || 1, this.cols) - 1;
  } else if (kind === "A") this.y = Math.max(this.y - first, 0);
  else if (kind === "B") this.y = Math.min(this.y + first, this.rows - 1);
  else if (kind === "C") this.x = Math.min(this.x + first, this.cols - 1);
  else if (kind === "D") this.x = Math.max(this.x - first, 0);
  else if (kind === "G") this.x = Math.min(first, this.cols) - 1;
  else if (kind === "J" && numbers[0] === 2) { var pen = this.pen; this.clear(); this.pen = pen; }
  else if (kind === "K") {
    for (var x = this.x; x < this.cols; x++) this.cells[this.y][x] = { text: " ", pen: this.pen, width: 1 };
    this.dirty[this.y] = true;
  }
};

Terminal.prototype.style = function (given) {
  var codes = given.split(/[;:]/).map(function (n) { return parseInt(n, 10) || 0; });
  var pen = {}, name;
  for (name in this.pen) pen[name] = this.pen[name];
  for (var i = 0; i < codes.length; i++) {
    var c = codes[i];
    if (c === 0) for (name in Terminal.PLAIN) pen[name] = Terminal.PLAIN[name];
    else if (c === 1) pen.bold = true;
    else if (c === 2) pen.dim = true;
    else if (c === 3) pen.italic = true;
    else if (c === 4) pen.under = true;
    else if (c === 7) pen.turned = true;
    else if (c === 9) pen.strike = true;
    else if (c === 22) pen.bold = pen.dim = false;
    else if (c === 23) pen.italic = false;
    else if (c === 24) pen.under = false;
    else if (c === 27) pen.turned = false;
    else if (c === 29) pen.strike = false;
    else if (c === 38 || c === 48) {
      var colour = "";
      if (codes[i + 1] === 2) { colour = "rgb(" + codes.slice(i + 2, i + 5).join(",") + ")"; i += 4; }
      else if (codes[i + 1] === 5) { colour = Terminal.indexed(codes[i + 2]); i += 2; }
      pen[c === 38 ? "fg" : "bg"] = colour;
    } else if (c === 39) pen.fg = "";
    else if (c === 49) pen.bg = "";
    else if (c >= 30 && c <= 37) pen.fg = Terminal.BASIC[c - 30];
    else if (c >= 40 && c <= 47) pen.bg = Terminal.BASIC[c - 40];
    else if (c >= 90 && c <= 97) pen.fg = Terminal.BASIC[c - 82];
    else if (c >= 100 && c <= 107) pen.bg = Terminal.BASIC[c - 92];
  }
  this.pen = pen;
};

Terminal.indexed = function (n) {
  if (n < 16) return Terminal.BASIC[n] || "";
  if (n >= 232) { var grey = 8 + 10 * (n - 232); return "rgb(" + [grey, grey, grey].join(",") + ")"; }
  var step = function (v) { return v ? 55 + 40 * v : 0; };
  n -= 16;
  return "rgb(" + [step(Math.floor(n / 36)), step(Math.floor(n / 6) % 6), step(n % 6)].join(",") + ")";
};

Terminal.width = function (letter) {
  var c = letter.codePointAt(0);
  if ((c >= 0x300 && c <= 0x36f) || c === 0x200d || (c >= 0xfe00 && c <= 0xfe0f)) return 0;
  var wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
    (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) || (c >= 0x1f300 && c <= 0x1faff);
  return wide ? 2 : 1;
};

Terminal.prototype.put = function (letter) {
  var width = Terminal.width(letter), row = this.cells[this.y];
  if (width === 0) { if (this.x > 0) row[this.x - 1].text += letter; return; }
  if (this.x + width > this.cols) return;
  row[this.x] = { text: letter, pen: this.pen, width: width };
  if (width === 2) row[this.x + 1] = { text: "", pen: this.pen, width: 0 };
  this.x += width;
  this.dirty[this.y] = true;
};

Terminal.prototype.draw = function () {
  var self = this;
  if (this.waiting) return;
  this.waiting = true;
  (window.requestAnimationFrame || function (f) { setTimeout(f, 30); })(function () {
    self.waiting = false;
    for (var y in self.dirty) if (self.lines[y]) self.drawRow(+y);
    self.dirty = {};
  });
};

Terminal.prototype.drawRow = function (y) {
  var line = document.createElement("div"), run = null;
  line.style.height = line.style.lineHeight = this.rowHeight + "px";
  for (var x = 0; x < this.cols; x++) {
    var cell = this.cells[y][x];
    if (!cell.width) continue;
    // A letter that this font may lack, or hold wider, gets its own place; what boxes are made of is drawn.
    var odd = cell.text.length > 1 || cell.text.charCodeAt(0) > 0x24f;
    if (!odd && run && run.pen === cell.pen) { run.text += cell.text; run.cells++; continue; }
    if (run) this.add(line, run);
    run = { text: cell.text, pen: cell.pen, odd: odd, cells: cell.width };
    if (odd) { this.add(line, run); run = null; }
  }
  if (run) this.add(line, run);
  this.place.replaceChild(line, this.lines[y]);
  this.lines[y] = line;
};

Terminal.prototype.add = function (line, run) {
  var span = document.createElement("span"), pen = run.pen;
  var fg = pen.turned ? pen.bg || "#12161c" : pen.fg, bg = pen.turned ? pen.fg || "#e6e6e6" : pen.bg;
  span.textContent = run.text;
  span.style.width = run.cells * this.cellWidth + "px";
  if (fg) span.style.color = fg;
  if (bg) span.style.backgroundColor = bg;
  if (pen.bold) span.style.fontWeight = "bold";
  if (pen.dim) span.style.opacity = "0.7";
  if (pen.italic) span.style.fontStyle = "italic";
  if (pen.under || pen.strike) span.style.textDecoration = (pen.under ? "underline " : "") + (pen.strike ? "line-through" : "");
  if (run.odd) {
    span.className = "odd";
    var shapes = Terminal.DRAWN[run.text];
    if (shapes) this.shape(span, shapes, fg || "#e6e6e6");
  }
  line.appendChild(span);
};

Terminal.prototype.shape = function (span, shapes, colour) {
  span.className = "drawn";
  span.style.color = "transparent";
  shapes.forEach(function (s) {
    var part = document.createElement("i");
    part.style.left = s[0] + "%";
    part.style.top = s[1] + "%";
    part.style.width = s[2] === null ? "1px" : s[2] + "%";
    part.style.height = s[3] === null ? "1px" : s[3] + "%";
    part.style.backgroundColor = colour;
    span.appendChild(part);
  });
};
