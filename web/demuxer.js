// What the picture page's worker needs to take a video file apart, and to digest it: docs/spec/video.md.
export { createMD5, createSHA256 } from "hash-wasm";
export { BlobSource, EncodedPacketSink, Input, Logging, MATROSKA, MP4, QTFF, WEBM } from "mediabunny";
