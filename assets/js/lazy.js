// <… data-load="<module url>" data-style="<css url>"> fetches a bundle when such an element is on the page and calls its default export with it.
const started = new WeakSet();

function start(root) {
  const found = root.matches?.("[data-load]") ? [root] : [];
  for (const element of [...found, ...(root.querySelectorAll?.("[data-load]") ?? [])]) {
    if (started.has(element)) continue;
    started.add(element);
    if (element.dataset.style && !document.querySelector(`link[href="${element.dataset.style}"]`)) {
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = element.dataset.style;
      document.head.append(link);
    }
    import(element.dataset.load).then((module) => module.default?.(element));
  }
}

start(document.body);
document.addEventListener("htmx:load", (event) => start(event.detail.elt));
