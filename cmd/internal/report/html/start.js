// Runs before anything is drawn: no flash of the other theme, nor of what is for browsers without scripts.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  try {
    const theme = localStorage.getItem("fnaudit-theme");
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  } catch { /* storage can be forbidden; the system's theme is used then */ }
})();
