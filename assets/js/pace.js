// What works goes on telling how far it is: the bell's socket says when to look; where there is none, a look each second does.
setInterval(() => {
  if (document.hidden || document.documentElement.hasAttribute("data-bell") || !document.querySelector("[data-paced]")) return;
  document.body.dispatchEvent(new CustomEvent("live:plan"));
}, 1000);
