/* Fingerprints of parts of a picture, from its plane (plane.h). docs/spec/windows.md says what is computed.
 *
 * Freestanding as pdq.h: the caller brings the memory. A view costs tens of microseconds, whatever the picture's size.
 */
#ifndef SEAWALL_VIEWS_H
#define SEAWALL_VIEWS_H

#include <stdint.h>

#include "plane.h"

enum {
    WINDOWS = 126,       /* slots of windows1: windows.h */
    WINDOW_BYTES = 33,   /* a hash and its quality */
    WINDOW_QUALITY = 30, /* a plainer window's slot is all zero */
};

/* Bytes of workspace for views of that plane, aligned to 64 by the caller. */
uint32_t views_workspace_bytes(const plane_t *plane);

/* Once for a workspace and a plane, before the first views. `lanes` as in pdq.h. */
void views_begin(void *workspace, const plane_t *plane, int lanes);

/* n rectangles x0, y0, x1, y1 as fractions of the picture, cut off at its edges. For each: eight hashes of 32 bytes in
 * the order of pdq.h, and the quality; zeros for a rectangle narrower or lower than five cells. */
void views_of(void *workspace, const double *rectangles, uint32_t n, uint8_t *hashes, uint8_t *qualities);

/* windows1: WINDOWS times WINDOW_BYTES. */
void windows_of(void *workspace, uint8_t *windows);

/* The rectangles of windows.h, four fractions each. */
void windows_rectangles(double *rectangles);

/* Fill `to`, begun with the same size, with the picture turned anticlockwise about its middle, in the same frame. Outside
 * it the nearest cell of the edge stands. cosine and sine in 2^-30. */
void plane_turned(plane_t *to, const plane_t *from, int64_t cosine, int64_t sine);

#endif
