// Chart or table: one at a time, remembered for the visit. Arrow keys walk the points of a chart.
import { enhance } from "./live.js";

function show(card, view) {
  for (const part of card.querySelectorAll("[data-chart-view]")) part.hidden = part.dataset.chartView !== view;
  for (const link of card.querySelectorAll("[data-show]")) {
    if (link.dataset.show === view) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

enhance((scope) => {
  for (const card of scope.querySelectorAll("[data-chart-card]")) show(card, "chart");
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-chart-switch] [data-show]");
  if (!link) return;
  event.preventDefault();
  show(link.closest("[data-chart-card]"), link.dataset.show);
});

document.addEventListener("keydown", (event) => {
  const point = event.target.closest?.("[data-points] > g");
  if (!point) return;
  const points = [...point.parentNode.children];
  const at = points.indexOf(point);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: points.length - 1 }[event.key];
  if (to === undefined || !points[to]) return;
  event.preventDefault();
  point.setAttribute("tabindex", "-1");
  points[to].setAttribute("tabindex", "0");
  points[to].focus();
});
