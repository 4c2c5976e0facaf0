"use strict";
// Charts are drawn already; the first pointer, touch or focus on one makes it interactive, at the width that it has.
(function () {
  var text = document.getElementById("runtime");
  function runtime() {
    if (text && !window.vegaEmbed) {
      var script = document.createElement("script");
      script.textContent = text.textContent;
      document.head.appendChild(script);
    }
    return window.vegaEmbed;
  }
  function wake(chart) {
    if (chart.dataset.awake) return;
    chart.dataset.awake = "yes";
    var embed = runtime();
    if (!embed) return;
    var spec = JSON.parse(chart.nextElementSibling.textContent);
    spec.width = Math.floor(chart.clientWidth);
    spec.config.legend.columns = Math.max(1, Math.floor(spec.width / 130));
    var live = document.createElement("div");
    var dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    embed(live, spec, { renderer: "svg", actions: false, tooltip: { theme: dark ? "dark" : "light" } }).then(function () {
      chart.replaceChildren(live);
    }).catch(function () { /* the drawn chart stays */ });
  }
  document.querySelectorAll(".chart").forEach(function (chart) {
    if (!text) return;
    chart.tabIndex = 0;
    chart.setAttribute("role", "group");
    chart.setAttribute("aria-label", "Chart: " + chart.dataset.name);
    ["pointerenter", "touchstart", "focus"].forEach(function (kind) {
      chart.addEventListener(kind, function () { wake(chart); }, { once: true, passive: true });
    });
  });
  var links = Array.from(document.querySelectorAll("nav a"));
  if ("IntersectionObserver" in window) {
    var seen = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        var link = links.find(function (one) { return one.hash === "#" + entry.target.id; });
        if (!link || !entry.isIntersecting) return;
        links.forEach(function (one) { one.removeAttribute("aria-current"); });
        link.setAttribute("aria-current", "true");
      });
    }, { rootMargin: "-20% 0px -70% 0px" });
    links.forEach(function (link) { var to = document.getElementById(link.hash.slice(1)); if (to) seen.observe(to); });
  }
})();
