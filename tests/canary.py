"""Sees a script that runs in a browser, one that tries to, and markup that strangers' text became."""

HOOK = """(() => {
  const tell = (how, what) => window.balieCanary?.(how, String(what).slice(0, 300));
  for (const name of ["alert", "confirm", "prompt", "print", "open"])
    window[name] = (...what) => { tell(name, what.join(" ")); return null; };
  document.addEventListener("securitypolicyviolation", (event) =>
    tell("policy", `${event.violatedDirective} ${event.blockedURI} ${event.sample}`), true);
})()"""

# What our own pages never hold, whatever people write: they build nodes, not markup.
SCAN = """() => {
  const found = [], roots = [document];
  const harmless = /^(https?|mailto|blob|tel):|^data:image\\//;
  while (roots.length) {
    for (const element of roots.pop().querySelectorAll("*")) {
      if (element.shadowRoot) roots.push(element.shadowRoot);
      const name = element.localName;
      if (/^(object|embed|applet|base|marquee|frameset|math|isindex)$/.test(name)) found.push(name);
      if (name === "script" && !element.src && element.type !== "application/json")
        found.push("script " + element.text.slice(0, 80));
      if (name === "meta" && element.httpEquiv) found.push("meta " + element.httpEquiv);
      for (const { name: key, value } of element.attributes) {
        if (/^on/.test(key) || key === "srcdoc") found.push(`${name} ${key}=${value.slice(0, 80)}`);
        if (/^(href|src|action|formaction|xlink:href|data|poster|background)$/.test(key)) {
          let address = value;
          try { address = new URL(value, location.href).href; } catch {}
          if (!harmless.test(address)) found.push(`${name} ${key}=${value.slice(0, 80)}`);
        }
      }
      if (name === "a" && element.target === "_blank" && !/noopener/.test(element.rel))
        found.push("a without noopener");
    }
  }
  return found;
}"""


class Canary:
    """Watches every page and frame of a browser context. `seen` is what no page of ours should do."""

    def __init__(self, homes):
        """`homes`: the addresses from which everything that is loaded must come."""
        self._homes = (*homes, "blob:", "data:", "about:")
        self.seen = []

    async def watch(self, context):
        """Look on from now on, before any script of a page runs."""
        await context.expose_binding("balieCanary", self._told)
        await context.add_init_script(HOOK)
        context.on("request", self._asked)
        context.on("dialog", lambda dialog: self.seen.append(("dialog", dialog.message)))
        return self

    def _told(self, source, how, what):
        self.seen.append((how, what, source["page"].url[:80]))

    def _asked(self, request):
        if not request.url.startswith(self._homes):
            self.seen.append(("request", request.url[:200]))

    async def scan(self, page):
        """Look through what stands on a page, frames and shadows included."""
        for frame in page.frames:
            if frame.url.startswith("about:"):
                continue
            found = await frame.evaluate(SCAN)
            self.seen += [("markup", each, frame.url[:80]) for each in found]
