/* From the 64x64 block of lumas to eight hashes and the quality: docs/spec/fingerprint.md, section 2, 5 to 8. */
#include "block.h"
#include "cosines.h"
#include "pdq.h"

#ifdef __FAST_MATH__
#error "the fingerprint's float64 steps must be done exactly as written: build without -ffast-math"
#endif
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF /* gcc gets -ffp-contract=off from build.py */
#endif

#define LOOPS "block_loops.h"
#include "widths.h"

/* How much the picture changes from sample to sample, 0 (flat) to 100. */
static int quality_of(const block_t *s, int lanes) {
    int sum = RUN(lanes, changes, s->block, s->block + 64, 63 * 64);
    for (int i = 0; i < 64; i++) sum += RUN(lanes, changes, s->block + 64 * i, s->block + 64 * i + 1, 63);
    return sum / 90 < 100 ? sum / 90 : 100;
}

/* D[i][j] = sqrt(2/64) cos(pi/128 (i + 1)(2j + 1)), i < 16, j < 64, and its transpose. */
void block_begin(block_t *s) {
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 64; j++) {
            int m = (i + 1) * (2 * j + 1) % 256;
            if (m > 128) m = 256 - m;
            s->D[64 * i + j] = s->DT[16 * j + i] = m < 64 ? COSINES[m] : -COSINES[128 - m];
        }
}

/* The 128th smallest of 256. Nothing here branches on a value, which no processor could foresee. */
static double lower_median(double *v) {
    int low = 0, high = 256;
    for (;;) {
        const double pivot = v[(low + high) / 2];
        int below = low;
        for (int i = low; i < high; i++) { /* those below the pivot to the front */
            const double t = v[i];
            v[i] = v[below];
            v[below] = t;
            below += t < pivot;
        }
        if (below > 127) {
            high = below;
            continue;
        }
        int upto = below;
        for (int i = below; i < high; i++) { /* then its equals */
            const double t = v[i];
            v[i] = v[upto];
            v[upto] = t;
            upto += t <= pivot;
        }
        if (upto > 127) return pivot;
        low = upto;
    }
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

/* Bit 16 i + j, the highest first. */
static void write_bits(uint8_t *hash, const uint16_t bits[16]) {
    for (int i = 0; i < 16; i++) {
        hash[30 - 2 * i] = bits[i] >> 8;
        hash[31 - 2 * i] = bits[i];
    }
}

/* Bit j of row i and bit i of row j change places: in squares of 8 x 8 bits, then 4 x 4, 2 x 2, 1 x 1. */
static void transpose(uint16_t bits[16]) {
    for (uint32_t side = 8, mask = 0x00ff; side; side /= 2, mask ^= mask << side)
        for (uint32_t i = 0; i < 16; i = (i + side + 1) & ~side) {
            const uint32_t differ = (bits[i] >> side ^ bits[i + side]) & mask;
            bits[i] ^= differ << side;
            bits[i + side] ^= differ;
        }
}

static void hash_turned(block_t *s, int turn, uint8_t *hashes) {
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 16; j++) {
            const int negate = (i * TURNS[turn].by_i + j * TURNS[turn].by_j + TURNS[turn].odd) % 2;
            const double b = s->B[16 * i + j];
            s->turned[16 * i + j] = s->sorted[16 * i + j] = negate ? -b : b;
        }
    const double median = lower_median(s->sorted);
    uint16_t bits[16];
    for (int i = 0; i < 16; i++) {
        uint32_t row = 0;
        for (int j = 0; j < 16; j++) row |= (uint32_t)(s->turned[16 * i + j] > median) << j;
        bits[i] = row;
    }
    write_bits(hashes + 32 * TURNS[turn].hash, bits);
    transpose(bits);
    write_bits(hashes + 32 * TURNS[turn].hash_transposed, bits);
}

int block_hashes(block_t *s, int lanes, uint8_t hashes[8 * 32]) {
    RUN(lanes, product, s->DA, s->D, s->block, 64);
    RUN(lanes, product, s->B, s->DA, s->DT, 16);
    for (int turn = 0; turn < 4; turn++) hash_turned(s, turn, hashes);
    return quality_of(s, lanes);
}
