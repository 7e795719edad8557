/* PDQ as one linear operator an axis: see pdq.h for the use and docs/spec/fingerprint.md for the definition.
 *
 * Two box filters and the decimation to 64 samples make 64 fixed "bins" an axis, each a tent of at most 2w - 1 rows
 * that hardly overlap (one row at most, from 65 rows up). So each row is added, weighted, into the bin it is under;
 * when a bin is complete its columns are summed the same way. All in integers with one common denominator. */
#include "pdq.h"
#include "block.h"
#include "plane.h"

/* 255 times this still fits 16 bits. */
enum { ROUND_WEIGHT = 257 };

/* Half of a small processor's second cache. */
enum { CACHED_BYTES = 128 * 1024 };

#define LUMA(r, g, b) (299ull * (r) + 587ull * (g) + 114ull * (b))

/* One side of the picture: n pixels, box window w, and 64 bins (65 when w is even, see bin_of). */
typedef struct {
    uint32_t n, w, bins;
} axis_t;

/* The pixels under one sample: the sum of `boxes` boxes of `box` pixels, the first at `first`, each one further on. */
typedef struct {
    uint32_t first, box, boxes;
} bin_t;

static axis_t axis_of(uint32_t n) {
    const uint32_t w = (n + 127) / 128;
    return (axis_t){n, w, w % 2 ? 64 : 65};
}

/* Sample i averages the w box averages around its centre; each reaches w/2 ahead and w - 1 - w/2 back.
 * Only the last box of sample 63 leaves the picture, by one pixel, and only when w is even. It then has w - 1
 * pixels: sample 63 is kept apart as w - 1 whole boxes (bin 63) and that short one (bin 64). */
static inline bin_t bin_of(const axis_t *axis, uint32_t i) {
    const uint32_t n = axis->n, w = axis->w;
    if (i == 64) return (bin_t){n - w + 1, w - 1, 1};
    const uint32_t first = (2 * i + 1) * n / 128 - 2 * (w - 1 - w / 2);
    return (bin_t){first, w, i == 63 && axis->bins == 65 ? w - 1 : w};
}

/* The first pixel after a bin. */
static inline uint32_t end_of(const bin_t *bin) { return bin->first + bin->box + bin->boxes - 1; }

/* In how many of its boxes the bin's pixel `at` lies: 1, 2, 3... in the middle the most, ... 3, 2, 1. */
static inline uint32_t weight_at(const bin_t *bin, uint32_t at) {
    const uint32_t up = at - bin->first + 1, down = end_of(bin) - at;
    const uint32_t least = up < down ? up : down, most = bin->box < bin->boxes ? bin->box : bin->boxes;
    return least < most ? least : most;
}

/* Sample 63 over its common denominator, w * w * (w - 1). */
static uint64_t join_last(const axis_t *axis, uint64_t whole, uint64_t cut) {
    return (axis->w - 1) * whole + axis->w * cut;
}

static uint64_t denominator(const axis_t *axis, uint32_t i) {
    const uint64_t w = axis->w;
    return i == 63 && axis->bins == 65 ? w * w * (w - 1) : w * w;
}

/* Two bins can be open at once; bin b has slot b % 2. */
typedef struct {
    uint32_t weight; /* of the rows in the open round */
    uint32_t rows;   /* waiting in row[] */
    uint32_t row_weight[4];
    const uint8_t *row[4];
    uint16_t *round;
    uint32_t *planes;
} slot_t;

typedef struct {
    axis_t x, y;
    uint32_t channels, row_bytes, padded; /* padded: row_bytes rounded up to whole words of any width */
    uint32_t next_row, next_bin;
    int lanes;
    slot_t slot[3]; /* the third: the rows of the plane's next row of cells */
    plane_t *plane; /* or none */
    uint64_t *luma; /* of column x at x + 2: see sum_columns */
    uint64_t sums[65 * 64]; /* row bin, column sample */
    block_t block;
} pdq_t;

/* A word of a row's last columns: in place if it may be read whole, else copied behind zeros. */
static inline const uint8_t *readable_tail(uint8_t *copy, const uint8_t *from, uint32_t x, uint32_t bytes,
                                           uint32_t word, const uint8_t *end) {
    if ((uint64_t)(end - from) >= word) return from;
    for (uint32_t k = 0; k < word; k++) copy[k] = x + k < bytes ? from[k] : 0;
    return copy;
}

#define LOOPS "row_loops.h"
#include "widths.h"

int pdq_widest_lanes(void) {
#ifdef __x86_64__
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return PDQ_AVX512;
    if (__builtin_cpu_supports("avx2")) return PDQ_AVX2;
#endif
    return PDQ_PORTABLE;
}

static uint32_t cells_of(uint32_t pixels, uint32_t step) { return (pixels + step - 1) / step; }

static uint64_t aligned(uint64_t bytes) { return (bytes + 63) / 64 * 64; }

/* Room for the twelve bytes that hold a row's last four pixels. */
static uint32_t padded_row(uint32_t width, uint32_t channels) { return aligned(width * channels + 12); }

uint32_t pdq_workspace_bytes(uint32_t width, uint32_t height, uint32_t channels) {
    if (width < PDQ_MIN_SIDE || height < PDQ_MIN_SIDE || width > PDQ_MAX_SIDE || height > PDQ_MAX_SIDE) return 0;
    if ((uint64_t)width * height > PDQ_MAX_PIXELS) return 0;
    if (channels != 1 && channels != 3 && channels != 4) return 0;
    const uint64_t a_slot = padded_row(width, channels) * (sizeof(uint16_t) + sizeof(uint32_t));
    return aligned(sizeof(pdq_t)) + 3 * a_slot + aligned((width + 6) * sizeof(uint64_t));
}

static void clear(uint32_t *words, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) words[i] = 0;
}

static void clear_slot(const pdq_t *s, slot_t *slot) {
    clear((uint32_t *)slot->round, s->padded / 2);
    clear(slot->planes, s->padded);
}

void pdq_begin(void *workspace, uint32_t width, uint32_t height, uint32_t channels, int lanes) {
    pdq_t *s = workspace;
    s->x = axis_of(width);
    s->y = axis_of(height);
    s->channels = channels;
    s->row_bytes = width * channels;
    s->padded = padded_row(width, channels);
    s->next_row = s->next_bin = 0;
    s->lanes = lanes;
    s->plane = 0;
    uint8_t *free = (uint8_t *)workspace + aligned(sizeof(pdq_t));
    for (int i = 0; i < 3; i++) {
        s->slot[i].weight = s->slot[i].rows = 0;
        s->slot[i].round = (uint16_t *)free;
        s->slot[i].planes = (uint32_t *)(free + s->padded * sizeof(uint16_t));
        free += s->padded * (sizeof(uint16_t) + sizeof(uint32_t));
        if (i < 2) clear_slot(s, &s->slot[i]);
    }
    s->luma = (uint64_t *)free;
}

uint32_t plane_bytes(uint32_t width, uint32_t height) {
    if (width == 0 || height == 0 || width > PDQ_MAX_SIDE || height > PDQ_MAX_SIDE) return 0;
    if ((uint64_t)width * height > PDQ_MAX_PIXELS) return 0;
    const uint32_t step = plane_step(width, height);
    return aligned(sizeof(plane_t) + (uint64_t)cells_of(width, step) * cells_of(height, step) + PLANE_MARGIN);
}

void plane_begin(plane_t *plane, uint32_t width, uint32_t height) {
    plane->picture_width = width;
    plane->picture_height = height;
    plane->step = plane_step(width, height);
    plane->width = cells_of(width, plane->step);
    plane->height = cells_of(height, plane->step);
    for (int i = 0; i < PLANE_MARGIN; i++) plane->cells[plane->width * plane->height + i] = 0;
}

void pdq_keep_plane(void *workspace, void *plane) {
    pdq_t *s = workspace;
    s->plane = plane;
    plane_begin(s->plane, s->x.n, s->y.n);
    clear_slot(s, &s->slot[2]);
}

/* Add the rows that wait, up to four at once, to the open round. */
static void add_waiting_rows(pdq_t *s, slot_t *slot, const uint8_t *end) {
    if (slot->rows == 0) return;
    for (uint32_t r = slot->rows; r < 4; r++) slot->row[r] = slot->row[0], slot->row_weight[r] = 0;
    RUN(s->lanes, add_rows, (void *)slot->round, slot->row, slot->row_weight, s->row_bytes, end);
    slot->rows = 0;
}

static void close_round(pdq_t *s, slot_t *slot, const uint8_t *end) {
    add_waiting_rows(s, slot, end);
    RUN(s->lanes, close_round, (void *)slot->round, (void *)slot->planes, s->padded, s->row_bytes);
    slot->weight = 0;
}

static void add_row(pdq_t *s, slot_t *slot, const uint8_t *row, uint32_t weight, const uint8_t *end) {
    while (weight) {
        const uint32_t part = weight < ROUND_WEIGHT ? weight : ROUND_WEIGHT;
        if (slot->weight + part > ROUND_WEIGHT) close_round(s, slot, end);
        slot->row[slot->rows] = row;
        slot->row_weight[slot->rows++] = part;
        slot->weight += part;
        weight -= part;
        if (slot->rows == 4) add_waiting_rows(s, slot, end);
    }
}

/* The columns' lumas under each of the 64 samples, weighted. With P[k] = the sum over t < k of the sum of the first t
 * lumas, b boxes of a pixels from f on sum to P[f + a + b] - P[f + a] - P[f + b] + P[f]. P may wrap at 2^64, the
 * result does not reach it. */
static void sum_columns(pdq_t *s, uint64_t *sums) {
    uint64_t *P = s->luma, sum = 0, sum_of_sums = 0;
    P[0] = P[1] = 0;
    for (uint32_t x = 0; x < s->x.n; x++) { /* P[x + 2] takes the place of luma x, no longer needed */
        sum += P[x + 2];
        sum_of_sums += sum;
        P[x + 2] = sum_of_sums;
    }
    for (uint32_t j = 0; j < s->x.bins; j++) {
        const bin_t bin = bin_of(&s->x, j);
        const uint64_t *from = P + bin.first;
        const uint64_t under = from[bin.box + bin.boxes] - from[bin.box] - from[bin.boxes] + from[0];
        if (j < 64) sums[j] = under;
        else sums[63] = join_last(&s->x, sums[63], under);
    }
}

/* n cells, each the sum of the next `width` lumas by `divisor`, rounded to the nearest. A sum is at most 255 divisors;
 * the divisor is at most 1000 * 16 * 16, so 52 bits of its inverse leave no error. */
static void sum_cells(uint8_t *cells, const uint64_t *luma, uint32_t n, uint32_t width, uint32_t divisor) {
    const uint64_t inverse = ((1ull << 52) + divisor - 1) / divisor;
    for (uint32_t i = 0; i < n; i++, luma += width) {
        uint64_t sum = divisor / 2;
        for (uint32_t k = 0; k < width; k++) sum += luma[k];
        cells[i] = sum * inverse >> 52;
    }
}

/* A bin has all its rows: keep its 64 column sums and clear its slot. */
static void finish_bin(pdq_t *s, uint32_t bin, const uint8_t *end) {
    slot_t *slot = &s->slot[bin % 2];
    close_round(s, slot, end);
    RUN(s->lanes, luma, s->luma + 2, slot->planes, s->padded / 4, s->x.n, s->channels);
    sum_columns(s, s->sums + 64 * bin);
    clear(slot->planes, s->padded);
}

/* Add rows `from` up to `to`, the first of which is `rows`, to the bins they lie under. */
static void add_to_bins(pdq_t *s, const uint8_t *rows, uint32_t from, uint32_t to, const uint8_t *end) {
    for (uint32_t b = s->next_bin; b < s->y.bins; b++) {
        const bin_t bin = bin_of(&s->y, b);
        const uint32_t last = end_of(&bin);
        if (bin.first >= to) break;
        for (uint32_t r = bin.first > from ? bin.first : from; r < last && r < to; r++)
            add_row(s, &s->slot[b % 2], rows + (uint64_t)(r - from) * s->row_bytes, weight_at(&bin, r), end);
        if (last <= to) {
            finish_bin(s, b, end);
            s->next_bin = b + 1;
        } else {
            add_waiting_rows(s, &s->slot[b % 2], end);
        }
    }
}

/* `rows` rows lie in the third slot: write a row of cells, each the nearest whole luma, and clear the slot. */
static void finish_cells(pdq_t *s, uint8_t *cells, uint32_t rows, const uint8_t *end) {
    slot_t *slot = &s->slot[2];
    const uint32_t step = s->plane->step;
    close_round(s, slot, end);
    RUN(s->lanes, luma, s->luma, slot->planes, s->padded / 4, s->x.n, s->channels);
    clear(slot->planes, s->padded);
    const uint32_t whole = s->x.n / step;
    sum_cells(cells, s->luma, whole, step, 1000 * step * rows);
    if (whole < s->plane->width) {
        const uint32_t left = s->x.n - whole * step;
        sum_cells(cells + whole, s->luma + (uint64_t)whole * step, 1, left, 1000 * left * rows);
    }
}

/* Add those rows to the plane. */
static void add_to_plane(pdq_t *s, const uint8_t *rows, uint32_t from, uint32_t to, const uint8_t *end) {
    const uint32_t step = s->plane->step;
    for (uint32_t r = from; r < to; r++) {
        add_row(s, &s->slot[2], rows + (uint64_t)(r - from) * s->row_bytes, 1, end);
        if ((r + 1) % step == 0 || r + 1 == s->y.n)
            finish_cells(s, s->plane->cells + (uint64_t)(r / step) * s->plane->width, r % step + 1, end);
    }
    add_waiting_rows(s, &s->slot[2], end);
}

void pdq_rows(void *workspace, const uint8_t *rows, uint32_t n) {
    pdq_t *s = workspace;
    const uint32_t to = n < s->y.n - s->next_row ? s->next_row + n : s->y.n;
    const uint8_t *end = rows + (uint64_t)(to - s->next_row) * s->row_bytes;
    const uint32_t most = s->plane ? 1 + CACHED_BYTES / s->row_bytes : to; /* both read them while they are near */
    while (s->next_row < to) {
        const uint32_t from = s->next_row, until = to - from < most ? to : from + most;
        add_to_bins(s, rows, from, until, end);
        if (s->plane) add_to_plane(s, rows, from, until, end);
        rows += (uint64_t)(until - from) * s->row_bytes;
        s->next_row = until;
    }
}

/* The 64x64 block of lumas, 0 to 255: the only rounding so far, one division each. */
static void fill_block(pdq_t *s) {
    if (s->y.bins == 65)
        for (int j = 0; j < 64; j++)
            s->sums[64 * 63 + j] = join_last(&s->y, s->sums[64 * 63 + j], s->sums[64 * 64 + j]);
    for (int i = 0; i < 64; i++)
        for (int j = 0; j < 64; j++)
            s->block.block[64 * i + j] = (double)(int64_t)s->sums[64 * i + j] /
                                   (double)(int64_t)(1000 * denominator(&s->y, i) * denominator(&s->x, j));
}

int pdq_finish(void *workspace, uint8_t hashes[8 * 32]) {
    pdq_t *s = workspace;
    if (s->next_row < s->y.n) return -1;
    fill_block(s);
    block_begin(&s->block);
    return block_hashes(&s->block, s->lanes, hashes);
}
