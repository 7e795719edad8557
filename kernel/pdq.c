/* PDQ as one linear operator an axis: see pdq.h for the use and docs/spec/fingerprint.md for the definition.
 *
 * Two box filters and the decimation to 64 samples make 64 fixed "bins" an axis, each a tent of at most 2w - 1 rows
 * that hardly overlap (one row at most, from 65 rows up). So each row is added, weighted, into the bin it is under;
 * when a bin is complete its columns are summed the same way. All in integers with one common denominator. */
#include "pdq.h"
#include "cosines.h"

#ifdef __FAST_MATH__
#error "the fingerprint's float64 steps must be done exactly as written: build without -ffast-math"
#endif
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF /* gcc gets -ffp-contract=off from build.py */
#endif

/* 255 times this still fits 16 bits. */
enum { ROUND_WEIGHT = 257 };

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
    slot_t slot[2];
    uint64_t *luma; /* of column x at x + 2: see sum_columns */
    uint64_t sums[65 * 64]; /* row bin, column sample */
    double turned[16 * 16], sorted[16 * 16];
    _Alignas(64) double block[64 * 64], D[16 * 64], DT[64 * 16], DA[16 * 64], B[16 * 16];
} pdq_t;

/* A word of a row's last columns: in place if it may be read whole, else copied behind zeros. */
static inline const uint8_t *readable_tail(uint8_t *copy, const uint8_t *from, uint32_t x, uint32_t bytes,
                                           uint32_t word, const uint8_t *end) {
    if ((uint64_t)(end - from) >= word) return from;
    for (uint32_t k = 0; k < word; k++) copy[k] = x + k < bytes ? from[k] : 0;
    return copy;
}

#define WORDS(bytes)                                                                      \
    typedef uint16_t v16_##bytes __attribute__((vector_size(bytes), may_alias));          \
    typedef uint32_t v32_##bytes __attribute__((vector_size(bytes), may_alias));          \
    typedef double vf_##bytes __attribute__((vector_size(bytes), may_alias))

#ifdef __x86_64__
WORDS(64);
#define NAME(x) x##_avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define V v16_64
#define V32 v32_64
#define VF vf_64
#define EACH16(x) ((V){0} + (uint16_t)(x))
#define EACH32(x) ((V32){0} + (uint32_t)(x))
#define EACHF(x) ((VF){0} + (double)(x))
#define FACTOR(x) EACH16(x)
#define EVEN(v) (v)
#define ODD(v) ((v) >> 8)
#define EVEN_SUM(even, odd) ((even) - ((odd) << 8))
#include "lanes.h"

WORDS(32);
#define NAME(x) x##_avx2
#define TARGET __attribute__((target("avx2")))
#define V v16_32
#define V32 v32_32
#define VF vf_32
#define EACH16(x) ((V){0} + (uint16_t)(x))
#define EACH32(x) ((V32){0} + (uint32_t)(x))
#define EACHF(x) ((VF){0} + (double)(x))
#define FACTOR(x) EACH16(x)
#define EVEN(v) (v)
#define ODD(v) ((v) >> 8)
#define EVEN_SUM(even, odd) ((even) - ((odd) << 8))
#include "lanes.h"
#endif

/* What every build has: 128-bit words where the architecture promises them, else four lanes in a uint64_t. */
#define NAME(x) x##_portable
#define TARGET
#if defined(__x86_64__) || defined(__aarch64__) || defined(__wasm_simd128__)
WORDS(16);
#define V v16_16
#define V32 v32_16
#define VF vf_16
#define EACH16(x) ((V){0} + (uint16_t)(x))
#define EACH32(x) ((V32){0} + (uint32_t)(x))
#define EACHF(x) ((VF){0} + (double)(x))
#define FACTOR(x) EACH16(x)
#define EVEN(v) (v) /* lanes wrap at 2^16, which the odd sums times 2^8 explain */
#define ODD(v) ((v) >> 8)
#define EVEN_SUM(even, odd) ((even) - ((odd) << 8))
#else
typedef uint64_t __attribute__((may_alias)) word64;
#define V word64
#define V32 word64
#define VF double
#define EACH16(x) ((x) * 0x0001000100010001ull)
#define EACH32(x) ((x) * 0x0000000100000001ull)
#define EACHF(x) ((double)(x))
#define FACTOR(x) (x)
#define EVEN(v) ((v) & EACH16(0xff))
#define ODD(v) ((v) >> 8 & EACH16(0xff))
#define EVEN_SUM(even, odd) (even)
#endif
#include "lanes.h"

#ifdef __x86_64__
#define RUN(s, function, ...)                                            \
    ((s)->lanes == PDQ_AVX512 ? function##_avx512(__VA_ARGS__)           \
     : (s)->lanes == PDQ_AVX2 ? function##_avx2(__VA_ARGS__)             \
                              : function##_portable(__VA_ARGS__))
#else
#define RUN(s, function, ...) function##_portable(__VA_ARGS__)
#endif

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

static uint64_t aligned(uint64_t bytes) { return (bytes + 63) / 64 * 64; }

/* Room for the twelve bytes that hold a row's last four pixels. */
static uint32_t padded_row(uint32_t width, uint32_t channels) { return aligned(width * channels + 12); }

uint32_t pdq_workspace_bytes(uint32_t width, uint32_t height, uint32_t channels) {
    if (width < PDQ_MIN_SIDE || height < PDQ_MIN_SIDE || width > PDQ_MAX_SIDE || height > PDQ_MAX_SIDE) return 0;
    if ((uint64_t)width * height > PDQ_MAX_PIXELS) return 0;
    if (channels != 1 && channels != 3 && channels != 4) return 0;
    const uint64_t a_slot = padded_row(width, channels) * (sizeof(uint16_t) + sizeof(uint32_t));
    return aligned(sizeof(pdq_t)) + 2 * a_slot + aligned((width + 6) * sizeof(uint64_t));
}

static void clear(uint32_t *words, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) words[i] = 0;
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
    uint8_t *free = (uint8_t *)workspace + aligned(sizeof(pdq_t));
    for (int i = 0; i < 2; i++) {
        s->slot[i].weight = s->slot[i].rows = 0;
        s->slot[i].round = (uint16_t *)free;
        s->slot[i].planes = (uint32_t *)(free + s->padded * sizeof(uint16_t));
        free += s->padded * (sizeof(uint16_t) + sizeof(uint32_t));
        clear((uint32_t *)s->slot[i].round, s->padded / 2);
        clear(s->slot[i].planes, s->padded);
    }
    s->luma = (uint64_t *)free;
}

/* Add the rows that wait, up to four at once, to the open round. */
static void add_waiting_rows(pdq_t *s, slot_t *slot, const uint8_t *end) {
    if (slot->rows == 0) return;
    for (uint32_t r = slot->rows; r < 4; r++) slot->row[r] = slot->row[0], slot->row_weight[r] = 0;
    RUN(s, add_rows, (void *)slot->round, slot->row, slot->row_weight, s->row_bytes, end);
    slot->rows = 0;
}

static void close_round(pdq_t *s, slot_t *slot, const uint8_t *end) {
    add_waiting_rows(s, slot, end);
    RUN(s, close_round, (void *)slot->round, (void *)slot->planes, s->padded, s->row_bytes);
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

/* A bin has all its rows: keep its 64 column sums and clear its slot. */
static void finish_bin(pdq_t *s, uint32_t bin, const uint8_t *end) {
    slot_t *slot = &s->slot[bin % 2];
    close_round(s, slot, end);
    RUN(s, luma, s->luma + 2, slot->planes, s->padded / 4, s->x.n, s->channels);
    sum_columns(s, s->sums + 64 * bin);
    clear(slot->planes, s->padded);
}

void pdq_rows(void *workspace, const uint8_t *rows, uint32_t n) {
    pdq_t *s = workspace;
    const uint32_t from = s->next_row;
    const uint32_t to = n < s->y.n - from ? from + n : s->y.n;
    const uint8_t *end = rows + (uint64_t)(to - from) * s->row_bytes;
    for (uint32_t b = s->next_bin; b < s->y.bins; b++) {
        const bin_t bin = bin_of(&s->y, b);
        const uint32_t last = end_of(&bin);
        if (bin.first >= to) break;
        for (uint32_t r = bin.first > from ? bin.first : from; r < last && r < to; r++)
            add_row(s, &s->slot[b % 2], rows + (uint64_t)(r - from) * s->row_bytes,
                    weight_at(&bin, r), end);
        if (last <= to) {
            finish_bin(s, b, end);
            s->next_bin = b + 1;
        } else {
            add_waiting_rows(s, &s->slot[b % 2], end);
        }
    }
    s->next_row = to;
}

/* The 64x64 block of lumas, 0 to 255: the only rounding so far, one division each. */
static void fill_block(pdq_t *s) {
    if (s->y.bins == 65)
        for (int j = 0; j < 64; j++)
            s->sums[64 * 63 + j] = join_last(&s->y, s->sums[64 * 63 + j], s->sums[64 * 64 + j]);
    for (int i = 0; i < 64; i++)
        for (int j = 0; j < 64; j++)
            s->block[64 * i + j] = (double)(int64_t)s->sums[64 * i + j] /
                                   (double)(int64_t)(1000 * denominator(&s->y, i) * denominator(&s->x, j));
}

/* How much the picture changes from sample to sample, 0 (flat) to 100. */
static int quality_of(pdq_t *s) {
    int sum = RUN(s, changes, s->block, s->block + 64, 63 * 64);
    for (int i = 0; i < 64; i++) sum += RUN(s, changes, s->block + 64 * i, s->block + 64 * i + 1, 63);
    return sum / 90 < 100 ? sum / 90 : 100;
}

/* D[i][j] = sqrt(2/64) cos(pi/128 (i + 1)(2j + 1)), i < 16, j < 64, and its transpose. */
static void fill_cosines(pdq_t *s) {
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 64; j++) {
            int m = (i + 1) * (2 * j + 1) % 256;
            if (m > 128) m = 256 - m;
            s->D[64 * i + j] = s->DT[16 * j + i] = m < 64 ? COSINES[m] : -COSINES[128 - m];
        }
}

/* The 128th smallest of 256: Hoare's selection. */
static double lower_median(double *v) {
    int low = 0, high = 255;
    while (low < high) {
        const double pivot = v[(low + high) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot) i++;
            while (v[j] > pivot) j--;
            if (i <= j) {
                const double t = v[i];
                v[i++] = v[j];
                v[j--] = t;
            }
        }
        if (127 <= j) high = j;
        else if (127 >= i) low = i;
        else break;
    }
    return v[127];
}

/* The eight turns of a picture turn B: B[i][j] is negated where i * by_i + j * by_j + odd is odd, then transposed or
 * not. Transposing changes no median, so four medians serve eight hashes. */
static const struct {
    int by_i, by_j, odd, hash, hash_transposed;
} TURNS[4] = {
    {0, 0, 0, PDQ_IDENTITY, PDQ_TRANSPOSE},
    {0, 1, 1, PDQ_FLIP_Y, PDQ_ROT90},
    {1, 0, 1, PDQ_FLIP_X, PDQ_ROT270},
    {1, 1, 0, PDQ_ROT180, PDQ_ANTITRANSPOSE},
};

static void hash_turned(pdq_t *s, int turn, uint8_t *hashes) {
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 16; j++) {
            const int negate = (i * TURNS[turn].by_i + j * TURNS[turn].by_j + TURNS[turn].odd) % 2;
            const double b = s->B[16 * i + j];
            s->turned[16 * i + j] = s->sorted[16 * i + j] = negate ? -b : b;
        }
    const double median = lower_median(s->sorted);
    uint8_t *hash = hashes + 32 * TURNS[turn].hash, *transposed = hashes + 32 * TURNS[turn].hash_transposed;
    for (int k = 0; k < 32; k++) hash[k] = transposed[k] = 0;
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 16; j++) { /* bit 16 i + j, the highest first */
            const int bit = s->turned[16 * i + j] > median;
            hash[31 - (16 * i + j) / 8] |= bit << j % 8;
            transposed[31 - (16 * j + i) / 8] |= bit << i % 8;
        }
}

int pdq_finish(void *workspace, uint8_t hashes[8 * 32]) {
    pdq_t *s = workspace;
    if (s->next_row < s->y.n) return -1;
    fill_block(s);
    fill_cosines(s);
    RUN(s, product, s->DA, s->D, s->block, 64);
    RUN(s, product, s->B, s->DA, s->DT, 16);
    for (int turn = 0; turn < 4; turn++) hash_turned(s, turn, hashes);
    return quality_of(s);
}
