// Puts a saved receipt file into the field, so that nobody has to copy it by hand. The file itself is not sent.

const field = /** @type {HTMLTextAreaElement} */ (document.getElementById("receipt"));
const file = /** @type {HTMLInputElement} */ (document.getElementById("file"));

// A receipt of 100 pictures is 10 KB.
const LONGEST_RECEIPT = 64 * 1024;

document.getElementById("from-file").hidden = false;
file.addEventListener("change", async () => {
  const [chosen] = file.files;
  if (chosen === undefined) return;
  field.value = await chosen.slice(0, LONGEST_RECEIPT).text();
  file.value = "";
  field.focus();
});
