// The shop works without this file. It tells Balie what the page knows: the cart, what just happened, and who is signed in.
(() => {
  const { balieCart, balieMoment, balieToken } = document.body.dataset;
  const button = document.querySelector("[data-balie-open]");
  if (!balieCart && !balieMoment && !balieToken && !button) return;
  window.Balie ||= function () { (window.Balie.q ||= []).push(arguments); };
  if (balieToken) window.Balie("identify", { token: balieToken });
  if (balieCart) window.Balie("set", { cart: JSON.parse(balieCart) });
  if (balieMoment) window.Balie("track", ...JSON.parse(balieMoment));
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => window.Balie("open"));
})();
