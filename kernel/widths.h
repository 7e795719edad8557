/* Includes LOOPS, a file of loops, once for each width of instructions, and defines RUN, which calls one of them by
 * the machine's width. The macros that such a file writes with:
 *
 *     NAME(x)    the function's name for this width
 *     TARGET     the attribute that lets the compiler use those instructions
 *     WORD_BYTES how wide a word is
 *     V, V32, VF words of the same size with 16-bit, 32-bit and double lanes: compiler vectors, or uint64_t and double
 *     EACH16(x), EACH32(x), EACHF(x)  such a word with x in every lane
 *     FACTOR(x)  what multiplies every lane by x
 *
 *     EVEN(v), ODD(v)        the even bytes of a word in 16-bit lanes, and the odd ones; EVEN may leave the odd bytes
 *     EVEN_SUM(even, odd)    above them, if this then takes their sums away
 */
#include "pdq.h"

#define WORDS(bytes)                                                                      \
    typedef uint16_t v16_##bytes __attribute__((vector_size(bytes), may_alias));          \
    typedef uint32_t v32_##bytes __attribute__((vector_size(bytes), may_alias));          \
    typedef double vf_##bytes __attribute__((vector_size(bytes), may_alias))

#ifdef __x86_64__
WORDS(64);
#define WORD_BYTES 64
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
#include LOOPS
#include "narrower.h"

WORDS(32);
#define WORD_BYTES 32
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
#include LOOPS
#include "narrower.h"
#endif

/* What every build has: 128-bit words where the architecture promises them, else four lanes in a uint64_t. */
#define WORD_BYTES 16
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
#include LOOPS
#include "narrower.h"

#ifdef __x86_64__
#define RUN(lanes, function, ...)                                            \
    ((lanes) == PDQ_AVX512 ? function##_avx512(__VA_ARGS__)           \
     : (lanes) == PDQ_AVX2 ? function##_avx2(__VA_ARGS__)             \
                              : function##_portable(__VA_ARGS__))
#else
#define RUN(lanes, function, ...) ((void)(lanes), function##_portable(__VA_ARGS__))
#endif
