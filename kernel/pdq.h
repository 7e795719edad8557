/* PDQ fingerprints of pictures, rows in, hashes out. docs/spec/fingerprint.md says what is computed and why.
 *
 * Freestanding: no libc, no allocation, no globals that change. The caller brings the memory:
 *
 *     uint32_t bytes = pdq_workspace_bytes(width, height, channels);     0: this kernel refuses that picture
 *     pdq_begin(workspace, width, height, channels, lanes);
 *     pdq_rows(workspace, rows, n);                                      as often as you like, top to bottom
 *     int quality = pdq_finish(workspace, hashes);                       8 hashes of 32 bytes, quality 0-100
 *
 * Every build and every `lanes` gives the same bits: integers up to the 64x64 block (exact in any order),
 * then float64 in a fixed order, never contracted to fused multiply-add.
 */
#ifndef SEAWALL_PDQ_H
#define SEAWALL_PDQ_H

#include <stdint.h>

/* Sides below 5 have no hash in any published PDQ. Above these limits the integer sums could overflow. */
enum { PDQ_MIN_SIDE = 5, PDQ_MAX_SIDE = 65535, PDQ_MAX_PIXELS = 1 << 28 };

/* How wide the machine's instructions are. Narrower always works where wider does. */
enum { PDQ_PORTABLE = 0, PDQ_AVX2 = 1, PDQ_AVX512 = 2 };

/* The eight hashes, in the order pdq_finish writes them. */
enum { PDQ_IDENTITY, PDQ_ROT90, PDQ_ROT180, PDQ_ROT270, PDQ_FLIP_X, PDQ_FLIP_Y, PDQ_TRANSPOSE, PDQ_ANTITRANSPOSE };

/* The widest `lanes` this processor and its operating system can run. */
int pdq_widest_lanes(void);

/* Bytes of workspace a picture needs (18 a column and channel, 8 a column, and about 115 KiB), or 0 if it is refused:
 * a side outside PDQ_MIN_SIDE..PDQ_MAX_SIDE, more than PDQ_MAX_PIXELS, or channels other than
 * 1 (gray), 3 (red, green, blue) and 4 (the fourth is ignored: composite on white first). */
uint32_t pdq_workspace_bytes(uint32_t width, uint32_t height, uint32_t channels);

/* `workspace`: aligned to 64 bytes, of at least pdq_workspace_bytes. Contents before do not matter. */
void pdq_begin(void *workspace, uint32_t width, uint32_t height, uint32_t channels, int lanes);

/* Bytes of memory for the plane (plane.h) of a picture of that size, at most about 1 MiB; 0: refused. */
uint32_t plane_bytes(uint32_t width, uint32_t height);

/* Directly after pdq_begin: fill `plane` (aligned to 64, of plane_bytes) from the same rows. Whole after the last row. */
void pdq_keep_plane(void *workspace, void *plane);

/* The next `n` rows, 8 bits a channel, channels interleaved, no padding between rows.
 * Rows beyond the picture's height are ignored. How rows are split over calls changes nothing. */
void pdq_rows(void *workspace, const uint8_t *rows, uint32_t n);

/* Write 8 hashes of 32 bytes, first byte = first two hex digits, and return the quality, 0 to 100;
 * -1 (and nothing written) if rows are missing. The workspace can then begin another picture. */
int pdq_finish(void *workspace, uint8_t hashes[8 * 32]);

#endif
