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

static void hash_turned(block_t *s, int turn, uint8_t *hashes) {
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

int block_hashes(block_t *s, int lanes, uint8_t hashes[8 * 32]) {
    RUN(lanes, product, s->DA, s->D, s->block, 64);
    RUN(lanes, product, s->B, s->DA, s->DT, 16);
    for (int turn = 0; turn < 4; turn++) hash_turned(s, turn, hashes);
    return quality_of(s, lanes);
}
