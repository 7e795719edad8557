/* The loops over the 64x64 block; widths.h compiles them for each width of instructions. */

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
