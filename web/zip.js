// Writes a zip file as it is read, for exports that are larger than memory. Bundled as vendor/zip.js.

export { downloadZip, makeZip, predictLength } from "client-zip";
