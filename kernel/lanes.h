/* The loops over every byte, every column and the 64x64 block. pdq.c includes this file once for each width
 * of instructions, having defined:
 *
 *     NAME(x)    the function's name for this width
 *     TARGET     the attribute that lets the compiler use those instructions
 *     V, V32, VF words of the same size with 16-bit, 32-bit and double lanes: compiler vectors, or uint64_t and double
 *     EACH16(x), EACH32(x), EACHF(x)  such a word with x in every lane
 *     FACTOR(x)  what multiplies every lane by x
 *
 *     EVEN(v), ODD(v)        the even bytes of a word in 16-bit lanes, and the odd ones; EVEN may leave the odd bytes
 *     EVEN_SUM(even, odd)    above them, if this then takes their sums away
 *
 * A row of bytes is taken a word at a time and split into its even and its odd bytes, each widened to 16-bit
 * lanes, so one multiplication serves many columns. The weights of one round sum to at most ROUND_WEIGHT, so no
 * lane overflows and the uint64_t form never carries from one lane into the next.
 */

typedef V NAME(loose) __attribute__((aligned(1)));

/* round += weight[0] * row[0] + ... + weight[3] * row[3]. For each word of columns, `round` holds a word of
 * even and a word of odd sums. A word at the end of a row may reach into the next; columns beyond `bytes` are never
 * used. `end`: the first byte that may not be read. */
TARGET static void NAME(add_rows)(V *round, const uint8_t *const row[4], const uint32_t weight[4],
                                  uint32_t bytes, const uint8_t *end) {
    const uint8_t *r0 = row[0], *r1 = row[1], *r2 = row[2], *r3 = row[3];
    uint8_t tail[4][sizeof(V)];
    for (uint32_t x = 0; x < bytes; x += sizeof(V), round += 2) {
        if (bytes - x < sizeof(V)) {
            r0 = readable_tail(tail[0], r0, x, bytes, sizeof(V), end);
            r1 = readable_tail(tail[1], r1, x, bytes, sizeof(V), end);
            r2 = readable_tail(tail[2], r2, x, bytes, sizeof(V), end);
            r3 = readable_tail(tail[3], r3, x, bytes, sizeof(V), end);
        }
        const V v0 = *(const NAME(loose) *)r0, v1 = *(const NAME(loose) *)r1;
        const V v2 = *(const NAME(loose) *)r2, v3 = *(const NAME(loose) *)r3;
        round[0] += EVEN(v0) * FACTOR(weight[0]) + EVEN(v1) * FACTOR(weight[1]) + EVEN(v2) * FACTOR(weight[2]) +
                    EVEN(v3) * FACTOR(weight[3]);
        round[1] += ODD(v0) * FACTOR(weight[0]) + ODD(v1) * FACTOR(weight[1]) + ODD(v2) * FACTOR(weight[2]) +
                    ODD(v3) * FACTOR(weight[3]);
        r0 += sizeof(V), r1 += sizeof(V), r2 += sizeof(V), r3 += sizeof(V);
    }
}

/* Move a round's sums into four planes of 32-bit sums (plane k: columns k, k + 4, k + 8...) and clear the round. */
TARGET static void NAME(close_round)(V *round, V32 *planes, uint32_t plane_bytes, uint32_t bytes) {
    const V32 low = EACH32(0xffff);
    const uint32_t plane = plane_bytes / sizeof(V32);
    for (uint32_t x = 0; x < bytes; x += sizeof(V), round += 2, planes++) {
        const V32 even = (V32)EVEN_SUM(round[0], round[1]), odd = (V32)round[1];
        planes[0] += even & low;
        planes[plane] += odd & low;
        planes[2 * plane] += even >> 16 & low;
        planes[3 * plane] += odd >> 16 & low;
        round[0] = round[1] = EACH16(0);
    }
}

/* 1000 times the luma of each column, from its channels' sums: 0.299 red + 0.587 green + 0.114 blue. */
TARGET static void NAME(luma)(uint64_t *luma, const uint32_t *planes, uint32_t plane, uint32_t width,
                              uint32_t channels) {
    const uint32_t *p0 = planes, *p1 = planes + plane, *p2 = p1 + plane, *p3 = p2 + plane;
    if (channels == 4) {
        for (uint32_t x = 0; x < width; x++) luma[x] = LUMA(p0[x], p1[x], p2[x]);
        return;
    }
    for (uint32_t x = 0; x < width; x += 4, p0++, p1++, p2++, p3++, luma += 4) {
        if (channels == 1) {
            luma[0] = 1000ull * *p0, luma[1] = 1000ull * *p1, luma[2] = 1000ull * *p2, luma[3] = 1000ull * *p3;
        } else { /* four pixels are twelve bytes: three to a plane */
            luma[0] = LUMA(p0[0], p1[0], p2[0]);
            luma[1] = LUMA(p3[0], p0[1], p1[1]);
            luma[2] = LUMA(p2[1], p3[1], p0[2]);
            luma[3] = LUMA(p1[2], p2[2], p3[2]);
            p0 += 2, p1 += 2, p2 += 2, p3 += 2;
        }
    }
}

/* The sum of |trunc(100 (u - v) / 255)| over n pairs of neighbours. */
TARGET static int NAME(changes)(const double *u, const double *v, uint32_t n) {
    int sum = 0;
    for (uint32_t k = 0; k < n; k++) {
        const int change = (int)((u[k] - v[k]) * 100 / 255);
        sum += change < 0 ? -change : change;
    }
    return sum;
}

/* out (16 x n) = left (16 x 64) times right (64 x n), each sum in ascending k from 0. Four rows at once, so that one
 * sum's addition need not wait for the last. */
TARGET static void NAME(product)(double *out, const double *left, const double *right, uint32_t n) {
    for (uint32_t i = 0; i < 16; i += 4, left += 4 * 64, out += 4 * n)
        for (uint32_t j = 0; j < n; j += sizeof(VF) / sizeof(double)) {
            VF s0 = EACHF(0), s1 = s0, s2 = s0, s3 = s0;
            for (uint32_t k = 0; k < 64; k++) {
                const VF r = *(const VF *)(right + n * k + j);
                s0 += left[k] * r, s1 += left[64 + k] * r, s2 += left[128 + k] * r, s3 += left[192 + k] * r;
            }
            *(VF *)(out + j) = s0, *(VF *)(out + n + j) = s1;
            *(VF *)(out + 2 * n + j) = s2, *(VF *)(out + 3 * n + j) = s3;
        }
}

#undef NAME
#undef TARGET
#undef V
#undef V32
#undef VF
#undef EACH16
#undef EACH32
#undef EACHF
#undef FACTOR
#undef EVEN
#undef ODD
#undef EVEN_SUM
