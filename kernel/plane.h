/* The plane: a picture's lumas, small enough (about a million) that a thousand views of it cost little.
 * docs/spec/windows.md says what it holds; pdq.h fills it, views.h looks at it. */
#ifndef SEAWALL_PLANE_H
#define SEAWALL_PLANE_H

#include <stdint.h>

/* A cell is the mean luma of step x step pixels; those of the last column and row may have fewer. The step is the
 * least that leaves at most this many cells (measured: docs/spec/windows.md). */
enum { PLANE_CELLS = 1 << 20 };

/* How many bytes after its last cell a plane's memory must have, which words of any width may read. */
enum { PLANE_MARGIN = 64 };

typedef struct {
    uint32_t picture_width, picture_height, step; /* pixels */
    uint32_t width, height;                       /* cells */
    uint32_t unused[11];
    uint8_t cells[];
} plane_t;

static inline uint32_t plane_step(uint32_t width, uint32_t height) {
    uint32_t step = 1;
    while ((uint64_t)width * height > (uint64_t)PLANE_CELLS * step * step) step++;
    return step;
}

#endif
