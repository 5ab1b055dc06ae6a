// Before the first paint: the remembered theme, or the system's. A file of its own, as the policy allows no inline script.
(function () {
  let chosen = null;
  try {
    chosen = localStorage.getItem("calotype-theme");
  } catch {
    // storage may be closed to us; the system's theme does
  }
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
