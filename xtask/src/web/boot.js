// Loads the application. A file of its own, because the content security policy forbids scripts inside the page.
import init from "__GLUE__";

const note = document.getElementById("boot");

init({ module_or_path: "__WASM__" }).then(
  () => {
    note?.remove();
    // The style of the pages that are fetched later, as they are.
    const later = document.createElement("link");
    later.rel = "stylesheet";
    later.href = "__CSS__";
    document.head.append(later);
  },
  (error) => {
    console.error(error);
    if (!note) return;
    note.textContent =
      "Tocsin could not start in this browser; reload the page. Pages still reach you by phone, mail and chat.";
    note.setAttribute("role", "alert");
  },
);
