// The shop works without this file. It tells Balie what the page knows: the cart, and who is signed in.
(() => {
  const { balieCart, balieToken } = document.body.dataset;
  const button = document.querySelector("[data-balie-open]");
  if (!balieCart && !balieToken && !button) return;
  window.Balie ||= function () { (window.Balie.q ||= []).push(arguments); };
  if (balieToken) window.Balie("identify", { token: balieToken });
  if (balieCart) window.Balie("set", { cart: JSON.parse(balieCart) });
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => window.Balie("open"));
})();
