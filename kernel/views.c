/* Any rectangle's fingerprint from the plane: see views.h for the use and docs/spec/windows.md for the definition.
 *
 * A sample of the 64x64 block is the mean of the cells under a tent, whose sides reach exactly halfway to the samples beside it.
 * So tents only touch, each cell counts once an axis (but where two tents meet), and rows are weighed and
 * added as bytes. Weights are whole and sum to 256 an axis: all sums are exact in any order. */
#include "views.h"
#include "block.h"
#include "pdq.h"
#include "windows.h"

typedef int32_t fours_t __attribute__((vector_size(16), may_alias));
typedef int16_t eights_t __attribute__((vector_size(16), aligned(2), may_alias));

/* Eight products, added two by two. */
static inline fours_t products(const int16_t *a, const int16_t *b) {
#ifdef __x86_64__ /* compilers do not find this instruction for so few */
    return (fours_t)__builtin_ia32_pmaddwd128(*(const eights_t *)a, *(const eights_t *)b);
#else
    const fours_t u = (fours_t) * (const eights_t *)a, v = (fours_t) * (const eights_t *)b;
    return (u << 16 >> 16) * (v << 16 >> 16) + (u >> 16) * (v >> 16);
#endif
}

#define LOOPS "view_loops.h"
#include "widths.h"

/* Places are counted in 1 / ONE of a cell. */
enum { ONE = 1 << 16, LEAST_CELLS = 5 };

/* One side of a rectangle: where each sample's tent begins, how many cells it may touch, and what they weigh. */
typedef struct {
    uint32_t first[64], taps;
    int16_t *weights; /* 64 times taps, zeros behind those that a tent touches */
} tents_t;

typedef struct {
    const plane_t *plane;
    int lanes;
    tents_t x, y;
    int16_t *row;
    _Alignas(64) int32_t sums[64];
    uint8_t hashes[8 * 32];
    block_t block;
} views_t;

static uint32_t aligned(uint64_t bytes) { return (bytes + 63) / 64 * 64; }

/* A tent over n cells in 64 samples touches two more than a 64th of them at most; rounded up for whole words. */
static uint32_t most_taps(uint32_t cells) { return (cells / 64 + 2 + 8) / 8 * 8; }

/* Room behind a row: for the last word written, and for the last tent's zeros. */
static uint32_t row_room(uint32_t cells) { return cells + 64 + most_taps(cells); }

uint32_t views_workspace_bytes(const plane_t *plane) {
    return aligned(sizeof(views_t)) + aligned(64 * 2 * most_taps(plane->width)) +
           aligned(64 * 2 * most_taps(plane->height)) + aligned(2 * row_room(plane->width));
}

void views_begin(void *workspace, const plane_t *plane, int lanes) {
    views_t *s = workspace;
    uint8_t *free = (uint8_t *)workspace + aligned(sizeof(views_t));
    s->plane = plane;
    s->lanes = lanes;
    s->x.weights = (int16_t *)free;
    free += aligned(64 * 2 * most_taps(plane->width));
    s->y.weights = (int16_t *)free;
    free += aligned(64 * 2 * most_taps(plane->height));
    s->row = (int16_t *)free;
    for (uint32_t x = 0; x < row_room(plane->width); x++) s->row[x] = 0;
    block_begin(&s->block);
}

/* How much of a tent, in 256ths, lies before a 65536th `at` of its base. */
static uint32_t tent_before(uint32_t at) {
    const uint32_t rest = 65536 - at;
    return at <= 32768 ? (at * at + (1 << 22)) >> 23 : 256 - ((rest * rest + (1 << 22)) >> 23);
}

/* Sixty-four tents side by side over from..to, fractions of a side of so many pixels; 0 if that is too narrow, or if
 * either is no number. */
static int set_tents(tents_t *s, double from, double to, uint32_t pixels, uint32_t step) {
    const double extent = (double)((uint64_t)pixels * ONE / step);
    if (from < 0) from = 0;
    if (to > 1) to = 1;
    if (!((to - from) * extent >= (double)LEAST_CELLS * ONE)) return 0;
    const uint64_t begin = (uint64_t)(from * extent + 0.5), end = (uint64_t)(to * extent + 0.5);
    const uint64_t base = (end - begin) / 64, inverse = (1ull << 40) / base;
    s->taps = (base / ONE + 2 + 7) / 8 * 8;
    int16_t *weight = s->weights;
    for (uint32_t i = 0; i < 64; i++) {
        const uint64_t a = begin + i * base;
        uint32_t k = 0, before = 0;
        s->first[i] = a / ONE;
        for (uint64_t edge = (a / ONE + 1) * ONE; before < 256; edge += ONE) {
            const uint32_t until = edge - a < base ? tent_before((edge - a) * inverse >> 24) : 256;
            weight[k++] = until - before;
            before = until;
        }
        while (k < s->taps) weight[k++] = 0;
        weight += s->taps;
    }
    return 1;
}

/* How many of a tent's taps are not zeros at its end. */
static uint32_t taps_used(const int16_t *weight, uint32_t taps) {
    while (taps > 1 && weight[taps - 1] == 0) taps--;
    return taps;
}

static int view(views_t *s, const double rectangle[4], uint8_t hashes[8 * 32]) {
    const plane_t *plane = s->plane;
    for (int i = 0; i < 8 * 32; i++) hashes[i] = 0;
    if (!set_tents(&s->x, rectangle[0], rectangle[2], plane->picture_width, plane->step)) return 0;
    if (!set_tents(&s->y, rectangle[1], rectangle[3], plane->picture_height, plane->step)) return 0;
    const uint32_t left = s->x.first[0], columns = s->x.first[63] + s->x.taps - left;
    const uint32_t there = columns < plane->width - left ? columns : plane->width - left;
    for (int j = 0; j < 64; j++) s->x.first[j] -= left;
    for (int i = 0; i < 64; i++) {
        const int16_t *weight = s->y.weights + i * s->y.taps;
        const uint8_t *cells = plane->cells + (uint64_t)s->y.first[i] * plane->width + left;
        RUN(s->lanes, weigh_rows, s->row, cells, plane->width, weight, taps_used(weight, s->y.taps), there);
        RUN(s->lanes, weigh_columns, s->sums, s->row, s->x.first, s->x.weights, s->x.taps);
        for (int j = 0; j < 64; j++) s->block.block[64 * i + j] = (s->sums[j] + 256 * 32768) / 65536.0;
    }
    return block_hashes(&s->block, s->lanes, hashes);
}

void views_of(void *workspace, const double *rectangles, uint32_t n, uint8_t *hashes, uint8_t *qualities) {
    for (uint32_t i = 0; i < n; i++) qualities[i] = view(workspace, rectangles + 4 * i, hashes + 8 * 32 * i);
}

void windows_rectangles(double *rectangles) {
    for (int i = 0; i < 4 * WINDOWS; i++) rectangles[i] = WINDOW_SIDES[i / 4][i % 4] / 65536.0;
}

void windows_of(void *workspace, uint8_t *windows) {
    views_t *s = workspace;
    for (int slot = 0; slot < WINDOWS; slot++, windows += WINDOW_BYTES) {
        double rectangle[4];
        for (int i = 0; i < 4; i++) rectangle[i] = WINDOW_SIDES[slot][i] / 65536.0;
        const int quality = view(s, rectangle, s->hashes), told = quality >= WINDOW_QUALITY;
        for (int i = 0; i < 32; i++) windows[i] = told ? s->hashes[i] : 0;
        windows[32] = told ? quality : 0;
    }
}

/* The four cells around a place in 2^-46 of a cell, and how far it is between them in 2^-8; outside, the nearest. */
static inline uint8_t between_any(const plane_t *plane, int64_t u, int64_t v) {
    const int64_t p = u >> 38 & 255, q = v >> 38 & 255, right = plane->width - 1, bottom = plane->height - 1;
    int64_t x = u >> 46, y = v >> 46, next_x = x + 1, next_y = y + 1;
    x = x < 0 ? 0 : x < right ? x : right, next_x = next_x < 0 ? 0 : next_x < right ? next_x : right;
    y = y < 0 ? 0 : y < bottom ? y : bottom, next_y = next_y < 0 ? 0 : next_y < bottom ? next_y : bottom;
    const uint8_t *above = plane->cells + y * plane->width, *below = plane->cells + next_y * plane->width;
    return ((above[x] * (256 - p) + above[next_x] * p) * (256 - q) + (below[x] * (256 - p) + below[next_x] * p) * q +
            (1 << 15)) >> 16;
}

/* The same where all four exist; above and below are weighed at once, in two halves of a word. */
static inline uint8_t between(const plane_t *plane, int64_t u, int64_t v) {
    const uint32_t p = u >> 38 & 255, q = v >> 38 & 255;
    const uint8_t *above = plane->cells + (v >> 46) * plane->width + (u >> 46), *below = above + plane->width;
    const uint32_t both = (above[0] | below[0] << 16) * (256 - p) + (above[1] | below[1] << 16) * p;
    return ((both & 0xffff) * (256 - q) + (both >> 16) * q + (1 << 15)) >> 16;
}

static inline int has_four(const plane_t *plane, int64_t u, int64_t v) {
    return u >= 0 && v >= 0 && (u >> 46) + 1 < plane->width && (v >> 46) + 1 < plane->height;
}

void plane_turned(plane_t *to, const plane_t *from, int64_t cosine, int64_t sine) {
    const int64_t middle_x = (int64_t)from->picture_width * (ONE / 2) / from->step;
    const int64_t middle_y = (int64_t)from->picture_height * (ONE / 2) / from->step;
    const int64_t du = cosine * ONE, dv = sine * ONE;
    for (uint32_t y = 0; y < to->height; y++) {
        const int64_t across = ONE / 2 - middle_x, down = (int64_t)y * ONE + ONE / 2 - middle_y;
        /* the place in the old plane whose middle falls on this row's first cell's */
        const int64_t u = across * cosine - down * sine + (middle_x - ONE / 2) * (1ll << 30);
        const int64_t v = across * sine + down * cosine + (middle_y - ONE / 2) * (1ll << 30);
        uint8_t *cells = to->cells + (uint64_t)y * to->width;
        int64_t x = 0, end = to->width; /* a line crosses a rectangle once: inside is from x up to end */
        for (; x < end && !has_four(from, u + x * du, v + x * dv); x++)
            cells[x] = between_any(from, u + x * du, v + x * dv);
        for (; end > x && !has_four(from, u + (end - 1) * du, v + (end - 1) * dv); end--)
            cells[end - 1] = between_any(from, u + (end - 1) * du, v + (end - 1) * dv);
        for (; x < end; x++) cells[x] = between(from, u + x * du, v + x * dv);
    }
}
