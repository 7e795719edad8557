/* What this x86-64 processor and its operating system can run. __builtin_cpu_supports would say the same, but what
 * stands behind it when zig builds a library says no to everything. */
#ifndef SEAWALL_X86_H
#define SEAWALL_X86_H

#include <cpuid.h>

enum { X86_AVX2 = 1, X86_AVX512 = 2, X86_AVX512_COUNTS = 4 };

/* X86_AVX2: with POPCNT and BMI1. X86_AVX512: F, BW, DQ, VL. X86_AVX512_COUNTS: BITALG, VPOPCNTDQ. */
static int x86_features(void) {
    unsigned a, b, c, d, saved = 0, high;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
    const int counts = c >> 23 & 1;
    if (c >> 27 & 1) __asm__("xgetbv" : "=a"(saved), "=d"(high) : "c"(0)); /* registers the system keeps for us */
    if ((saved & 0x06) != 0x06 || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    const unsigned avx512 = 1u << 16 | 1u << 30 | 1u << 17 | 1u << 31;
    int features = counts && (b >> 3 & 1) && (b >> 5 & 1) ? X86_AVX2 : 0;
    if (features && (saved & 0xe6) == 0xe6 && (b & avx512) == avx512) features |= X86_AVX512;
    if ((features & X86_AVX512) && (c >> 12 & 1) && (c >> 14 & 1)) features |= X86_AVX512_COUNTS;
    return features;
}

#endif
