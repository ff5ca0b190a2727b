// The frame: the phone's drawer closes on Escape, the desktop's rail is remembered.
const drawer = document.getElementById("nav-open");
const rail = document.getElementById("nav-rail");

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && drawer?.checked) { drawer.checked = false; drawer.focus(); }
});
drawer?.addEventListener("change", () => { if (drawer.checked) document.querySelector(".sidenav a")?.focus({ preventScroll: true }); });
rail?.addEventListener("change", () => { document.cookie = `nav=${rail.checked ? "rail" : "full"}; path=/; max-age=31536000; samesite=lax`; });
addEventListener("pageshow", () => { if (drawer) drawer.checked = false; });
