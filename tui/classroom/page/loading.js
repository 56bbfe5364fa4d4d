"use strict";
// Stands in the page itself: what of the page did not come (a phone lost the network) is asked for again until it is there.
(function () {
  var pause = 1000, waiting = null;
  function again() {
    clearTimeout(waiting);
    waiting = null;
    pause = Math.min(pause * 2, 8000);
    if (!window.amautaStarted) load("script", "terminal.js", function () { load("script", "classroom.js"); });
  }
  function load(kind, name, next) {
    var part = document.createElement(kind);
    if (kind === "link") part.rel = "stylesheet";
    part[kind === "link" ? "href" : "src"] = name;
    part.onload = next || null;
    document.head.appendChild(part);
  }
  function tell() {
    if (!window.amautaStarted) document.getElementById("told").textContent = document.body.dataset.missing;
  }
  function missed() {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", tell);
    else tell();
    if (waiting === null) waiting = setTimeout(again, pause);
  }
  window.addEventListener("error", function (event) {
    var part = event.target;
    if (part.tagName === "SCRIPT") missed();
    if (part.tagName === "LINK") setTimeout(load, pause, "link", "classroom.css");
  }, true);
  window.addEventListener("online", function () { if (waiting !== null) again(); });
  // A request that nobody answers does not fail for minutes.
  setTimeout(function () { if (!window.amautaStarted) missed(); }, 20000);
})();
