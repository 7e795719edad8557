/* The loops over every cell under a view; widths.h compiles them for each width of instructions. */

typedef uint8_t NAME(bytes) __attribute__((vector_size(WORD_BYTES / 2), aligned(1), may_alias));
typedef uint16_t NAME(sums) __attribute__((vector_size(WORD_BYTES), may_alias));
typedef NAME(sums) NAME(loose_sums) __attribute__((aligned(2)));

/* out[x] = weight[0] * row 0 [x] + weight[1] * row 1 [x] + ..., less 2^15: weights that sum to 256 leave room in 16 bits
 * with a sign. Writes whole words, so up to one beyond `columns`, and reads as far. */
TARGET static void NAME(weigh_rows)(int16_t *out, const uint8_t *cells, uint64_t stride, const int16_t *weight,
                                    uint32_t rows, uint32_t columns) {
    enum { LANES = WORD_BYTES / 2 };
    for (uint32_t x = 0; x < columns; x += 2 * LANES) {
        NAME(sums) low = (NAME(sums)){0} + 0x8000, high = low;
        const uint8_t *from = cells + x;
        for (uint32_t r = 0; r < rows; r++, from += stride) {
            low += __builtin_convertvector(*(const NAME(bytes) *)from, NAME(sums)) * (uint16_t)weight[r];
            high += __builtin_convertvector(*(const NAME(bytes) *)(from + LANES), NAME(sums)) * (uint16_t)weight[r];
        }
        *(NAME(loose_sums) *)(out + x) = low, *(NAME(loose_sums) *)(out + x + LANES) = high;
    }
}

/* For each of 64 samples the sum of its columns by their weights, `taps` (a multiple of 8) for each. */
TARGET static void NAME(weigh_columns)(int32_t sums[64], const int16_t *row, const uint32_t first[64],
                                       const int16_t *weight, uint32_t taps) {
    int32_t parts[64][4] __attribute__((aligned(16)));
    for (int j = 0; j < 64; j++) {
        const int16_t *from = row + first[j];
        fours_t sum = {0};
        for (uint32_t k = 0; k < taps; k += 8) sum += products(from + k, weight + k);
        *(fours_t *)parts[j] = sum;
        weight += taps;
    }
    for (int j = 0; j < 64; j++) sums[j] = parts[j][0] + parts[j][1] + parts[j][2] + parts[j][3];
}
