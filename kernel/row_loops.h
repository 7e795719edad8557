/* The loops over every byte and column of a picture; widths.h compiles them for each width of instructions.
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
