/* The exact index: see search.h for the idea and the use. */
#include "search.h"

#ifdef __x86_64__
#include <immintrin.h>

#include "x86.h"
#endif

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the index and its file are little-endian"
#endif

enum {
    PIECE = 512,       /* entries or rows compared in one go */
    ENTRIES = 2048,    /* that passed the first comparison and wait for the second */
    PROBES = 1024,     /* buckets that wait to be scanned */
    AHEAD = 48,        /* buckets between asking for memory and reading it: 12 is 30 % slower, 24 the same or a little */
    PREFETCHED = 1024, /* bytes of a bucket asked for; the processor itself goes on in longer ones */
    LARGEST_BALL = 697, /* 16-bit words within 3 bits of one, */
    LARGEST_LINES = 299 /* in so many lines of memory, if sixteen words share a line */
};

/* All words with at most so many ones. */
typedef struct {
    uint32_t size, lines;
    uint16_t flips[LARGEST_BALL], line[LARGEST_LINES];
    uint8_t weight[LARGEST_BALL];
} ball;

/* What depends on the radius alone. */
typedef struct {
    uint32_t radius;
    int least;                  /* of the budgets; they differ by at most one */
    int budget[SEARCH_CHUNKS];  /* a chunk counts while fewer bits differ than this */
    uint32_t two[SEARCH_CHUNKS], three[SEARCH_CHUNKS]; /* at most this many in two chunks; fewer than this in three */
    uint32_t probes;
    ball ball[2];               /* for the lesser and the greater budget */
    int rounds, first[SEARCH_CHUNKS + 1]; /* a round takes chunks as long as their probes find room */
} plan;

typedef struct {
    uint32_t from, to;
    uint8_t chunk, spent, limit; /* bits that differ in this chunk; most that may in the next */
} probe;

typedef struct {
    uint32_t at; /* in the chunk's list; later the row */
    uint8_t chunk, spent;
} entry;

/* One query in one segment. */
typedef struct {
    const search_segment *segment;
    const plan *plan;
    search_answer *answer;
    const uint64_t *query, *next_query; /* NULL: none */
    uint32_t number;
    uint64_t found;
    uint16_t chunk[SEARCH_CHUNKS], next[SEARCH_CHUNKS];
    uint8_t after[SEARCH_CHUNKS];
    uint32_t probes, entries;
    probe probe[PROBES];
    entry entry[ENTRIES];
} look_up;

static inline uint16_t chunk_of(const uint64_t *hash, int c) {
    c %= SEARCH_CHUNKS;
    return (uint16_t)(hash[c / 4] >> 16 * (c % 4));
}

static inline uint32_t count_ones(uint64_t x) {
    x -= x >> 1 & 0x5555555555555555ull;
    x = (x & 0x3333333333333333ull) + (x >> 2 & 0x3333333333333333ull);
    return (uint32_t)(((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full) * 0x0101010101010101ull >> 56);
}

/* Swap the bits of `mask` in a, moved down by `shift`, with those of b. */
static inline void swap_bits(uint64_t *a, uint64_t *b, int shift, uint64_t mask) {
    const uint64_t t = (*a >> shift ^ *b) & mask;
    *b ^= t;
    *a ^= t << shift;
}

static inline uint64_t swapped_within(uint64_t x, int shift, uint64_t mask) {
    const uint64_t t = (x ^ x >> shift) & mask;
    return x ^ t ^ t << shift;
}

/* Each 16-bit row turned by a triangular number, no two alike modulo 16; then the 16x16 bits transposed. */
static void scatter(const uint8_t *hash, uint64_t *w) {
    for (int q = 0; q < 4; q++) {
        w[q] = 0;
        for (int i = 4 * q; i < 4 * q + 4; i++) {
            const uint32_t row = (uint32_t)hash[2 * i] | (uint32_t)hash[2 * i + 1] << 8;
            const int by = i * (i + 1) / 2 % 16;
            w[q] |= (uint64_t)(uint16_t)(row << by | row >> (16 - by)) << 16 * (i % 4);
        }
    }
    swap_bits(&w[0], &w[2], 8, 0x00ff00ff00ff00ffull);
    swap_bits(&w[1], &w[3], 8, 0x00ff00ff00ff00ffull);
    swap_bits(&w[0], &w[1], 4, 0x0f0f0f0f0f0f0f0full);
    swap_bits(&w[2], &w[3], 4, 0x0f0f0f0f0f0f0f0full);
    for (int q = 0; q < 4; q++)
        w[q] = swapped_within(swapped_within(w[q], 30, 0x00000000ccccccccull), 15, 0x0000aaaa0000aaaaull);
}

void search_scatter(const uint8_t *hashes, uint64_t count, uint64_t *words) {
    for (uint64_t i = 0; i < count; i++) scatter(hashes + 32 * i, words + 4 * i);
}

/* ---- blocks of a file ---- */

static const uint64_t P1 = 0x9E3779B185EBCA87ull, P2 = 0xC2B2AE3D27D4EB4Full, P3 = 0x165667B19E3779F9ull,
                      P4 = 0x85EBCA77C2B2AE63ull;

static inline uint64_t turn(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }
static inline uint64_t stir(uint64_t lane, uint64_t word) { return turn(lane + word * P2, 31) * P1; }

/* XXH64, seed 0, of one block whose first `bytes` are at `from` and whose others are zero. */
static uint64_t checksum(const uint8_t *from, uint64_t bytes) {
    uint64_t lane[4] = {P1 + P2, P2, 0, 0 - P1}, word[4];
    uint64_t at = 0;
    for (; at + 32 <= bytes; at += 32) {
        __builtin_memcpy(word, from + at, 32);
        for (int i = 0; i < 4; i++) lane[i] = stir(lane[i], word[i]);
    }
    for (; at < SEARCH_BLOCK; at += 32) {
        for (int i = 0; i < 4; i++) word[i] = 0;
        for (uint64_t i = at; i < bytes; i++) word[(i - at) / 8] |= (uint64_t)from[i] << 8 * ((i - at) % 8);
        for (int i = 0; i < 4; i++) lane[i] = stir(lane[i], word[i]);
    }
    uint64_t sum = turn(lane[0], 1) + turn(lane[1], 7) + turn(lane[2], 12) + turn(lane[3], 18);
    for (int i = 0; i < 4; i++) sum = (sum ^ stir(0, lane[i])) * P1 + P4;
    sum += SEARCH_BLOCK;
    sum = (sum ^ sum >> 33) * P2;
    sum = (sum ^ sum >> 29) * P3;
    return sum ^ sum >> 32;
}

void search_checksums(const void *from, uint64_t bytes, uint64_t *checksums) {
    for (uint64_t at = 0; at < bytes; at += SEARCH_BLOCK) {
        const uint64_t left = bytes - at;
        *checksums++ = checksum((const uint8_t *)from + at, left < SEARCH_BLOCK ? left : SEARCH_BLOCK);
    }
}

/* Two threads may check the same block; both write the same. */
int search_sound(const search_segment *segment, const void *from, uint64_t bytes) {
    if (bytes == 0) return 1;
    const uint64_t at = (uint64_t)((const uint8_t *)from - segment->file);
    for (uint64_t b = at / SEARCH_BLOCK; b <= (at + bytes - 1) / SEARCH_BLOCK; b++) {
        if (__atomic_load_n(&segment->sound[b], __ATOMIC_RELAXED)) continue;
        if (checksum(segment->file + b * SEARCH_BLOCK, SEARCH_BLOCK) != segment->checksums[b]) return 0;
        __atomic_store_n(&segment->sound[b], 1, __ATOMIC_RELAXED);
    }
    return 1;
}

static inline int readable(look_up *s, const void *from, uint64_t bytes) {
    if (!s->segment->file || search_sound(s->segment, from, bytes)) return 1;
    s->answer->damaged = 1;
    return 0;
}

int search_starts_hold(const uint32_t *starts, uint64_t rows) {
    int holds = 1;
    for (int c = 0; c < SEARCH_CHUNKS; c++, starts += SEARCH_BUCKETS + 1) {
        for (uint32_t v = 0; v < SEARCH_BUCKETS; v++) holds &= starts[v] <= starts[v + 1];
        holds &= starts[0] == 0 && starts[SEARCH_BUCKETS] == rows;
    }
    return holds;
}

/* ---- the search ---- */

/* Asked after the fingerprint was read: a row is marked dead before it is wiped. */
static void report(look_up *s, uint32_t row, uint32_t distance) {
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n(&s->segment->dead[row], __ATOMIC_RELAXED)) return;
    if (!readable(s, s->segment->ids + row, 8)) return;
    if (s->found < s->answer->room)
        s->answer->hits[s->found] = (search_hit){s->segment->ids[row], s->number, distance};
    s->found++;
}

#ifdef __x86_64__
#define NAME(x) x##_avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512bitalg,avx512vpopcntdq,popcnt,bmi")))
#define COUNT64(x) ((uint32_t)__builtin_popcountll(x))

/* Whole lines of memory, so that no other line is waited for. The first and the last are done without asking whether
 * they are the same one, which no processor could foresee. */
TARGET static inline uint32_t NAME(passing)(const uint16_t *next, uint32_t from, uint32_t to, uint16_t wanted,
                                            uint32_t limit, entry *kept) {
    const __m512i want = _mm512_set1_epi16((short)wanted), most = _mm512_set1_epi16((short)limit);
#define WITHIN(at) _mm512_cmple_epu16_mask(_mm512_popcnt_epi16(_mm512_xor_si512(_mm512_load_si512(next + (at)), want)), most)
    const uint32_t first = from & ~31u, last = (to - 1) & ~31u;
    const uint32_t tail = ~0u >> (31 - (to - 1 - last)), head = ~0u << (from - first);
    uint32_t passed = 0;
    uint64_t ends = WITHIN(first) & head & (first == last ? tail : ~0u);
    ends |= (uint64_t)(first == last ? 0 : WITHIN(last) & tail) << 32;
    for (; ends; ends &= ends - 1) {
        const uint32_t bit = (uint32_t)__builtin_ctzll(ends);
        kept[passed++].at = (bit < 32 ? first : last - 32) + bit;
    }
    for (uint32_t at = first + 32; at < last; at += 32)
        for (uint32_t m = WITHIN(at); m; m &= m - 1) kept[passed++].at = at + (uint32_t)__builtin_ctz(m);
#undef WITHIN
    return passed;
}

TARGET static inline uint32_t NAME(near)(const uint64_t *hashes, uint32_t n, const uint64_t *query, uint32_t radius,
                                         uint32_t *rows) {
    const __m512i q = _mm512_broadcast_i64x4(_mm256_loadu_si256((const void *)query));
    const __m512i most = _mm512_set1_epi64(radius);
    const __m512i low = _mm512_setr_epi64(0, 1, 4, 5, 8, 9, 12, 13), high = _mm512_setr_epi64(2, 3, 6, 7, 10, 11, 14, 15);
    uint32_t found = 0;
    for (uint32_t i = 0; i < n; i += 8) {
        __m512i sum[4]; /* two rows each, then four; a row's words side by side, then added */
        const uint32_t inside = n - i < 8 ? (1u << (n - i)) - 1 : 0xff;
        for (int k = 0; k < 4; k++) {
            const __mmask8 words = (__mmask8)((inside >> 2 * k & 1) * 0x0f | (inside >> 2 * k & 2) * 0x78);
            sum[k] = _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_maskz_loadu_epi64(words, hashes + 4 * i + 8 * k), q));
        }
        const __m512i a = _mm512_add_epi64(_mm512_unpacklo_epi64(sum[0], sum[1]), _mm512_unpackhi_epi64(sum[0], sum[1]));
        const __m512i b = _mm512_add_epi64(_mm512_unpacklo_epi64(sum[2], sum[3]), _mm512_unpackhi_epi64(sum[2], sum[3]));
        const __m512i all = _mm512_add_epi64(_mm512_permutex2var_epi64(a, low, b), _mm512_permutex2var_epi64(a, high, b));
        if (_mm512_cmple_epu64_mask(all, most))
            for (uint32_t k = 0; k < 8 && i + k < n; k++) {
                uint32_t d = 0;
                for (int w = 0; w < 4; w++) d += COUNT64(hashes[4 * (i + k) + w] ^ query[w]);
                if (d <= radius) rows[found++] = i + k;
            }
    }
    return found;
}
#include "search_lanes.h"

#define NAME(x) x##_avx2
#define TARGET __attribute__((target("avx2,popcnt,bmi")))
#define COUNT64(x) ((uint32_t)__builtin_popcountll(x))

/* The ones of each byte. */
TARGET static inline __m256i NAME(ones)(__m256i x) {
    const __m256i each = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2,
                                          2, 3, 2, 3, 3, 4);
    const __m256i nibble = _mm256_set1_epi8(15);
    return _mm256_add_epi8(_mm256_shuffle_epi8(each, _mm256_and_si256(x, nibble)),
                           _mm256_shuffle_epi8(each, _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble)));
}

TARGET static inline uint32_t NAME(passing)(const uint16_t *next, uint32_t from, uint32_t to, uint16_t wanted,
                                            uint32_t limit, entry *kept) {
    const __m256i want = _mm256_set1_epi16((short)wanted), above = _mm256_set1_epi16((short)(limit + 1));
    uint32_t passed = 0;
    for (uint32_t at = from & ~15u; at < to; at += 16) {
        const __m256i ones = NAME(ones)(_mm256_xor_si256(_mm256_load_si256((const void *)(next + at)), want));
        const __m256i apart = _mm256_maddubs_epi16(ones, _mm256_set1_epi8(1));
        uint32_t m = (uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi16(above, apart)) & 0x55555555;
        if (at < from) m &= ~0u << 2 * (from - at);
        if (to - at < 16) m &= (1u << 2 * (to - at)) - 1;
        for (; m; m &= m - 1) kept[passed++].at = at + (uint32_t)__builtin_ctz(m) / 2;
    }
    return passed;
}

TARGET static inline uint32_t NAME(near)(const uint64_t *hashes, uint32_t n, const uint64_t *query, uint32_t radius,
                                         uint32_t *rows) {
    const __m256i q = _mm256_loadu_si256((const void *)query);
    uint32_t found = 0;
    for (uint32_t i = 0; i < n; i++) {
        const __m256i apart = _mm256_xor_si256(_mm256_loadu_si256((const void *)(hashes + 4 * i)), q);
        const __m256i sums = _mm256_sad_epu8(NAME(ones)(apart), _mm256_setzero_si256());
        const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
        rows[found] = i;
        found += (uint32_t)(_mm_cvtsi128_si64(two) + _mm_extract_epi64(two, 1)) <= radius;
    }
    return found;
}
#include "search_lanes.h"
#endif

/* What every build has: eight 16-bit lanes in compiler vectors, and plain words. */
#define NAME(x) x##_portable
#define TARGET
#define COUNT64(x) count_ones(x)

typedef uint16_t v16 __attribute__((vector_size(16), may_alias));
typedef uint64_t v64 __attribute__((vector_size(16), may_alias));

static inline uint32_t NAME(passing)(const uint16_t *next, uint32_t from, uint32_t to, uint16_t wanted,
                                     uint32_t limit, entry *kept) {
    uint32_t passed = 0;
    for (uint32_t at = from & ~7u; at < to; at += 8) {
        v16 x = *(const v16 *)(next + at) ^ wanted;
        x -= x >> 1 & 0x5555;
        x = (x & 0x3333) + (x >> 2 & 0x3333);
        x = (x + (x >> 4)) & 0x0f0f;
        x = (x + (x >> 8)) & 0x1f;
        const v16 passes = (v16)(x <= (uint16_t)limit);
        const v64 any = (v64)passes;
        if (any[0] | any[1])
            for (uint32_t k = 0; k < 8; k++)
                if (passes[k] && at + k >= from && at + k < to) kept[passed++].at = at + k;
    }
    return passed;
}

static inline uint32_t NAME(near)(const uint64_t *hashes, uint32_t n, const uint64_t *query, uint32_t radius,
                                  uint32_t *rows) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t *const hash = hashes + 4 * i;
        const uint32_t half = count_ones(hash[0] ^ query[0]) + count_ones(hash[1] ^ query[1]);
        if (half > radius) continue;
        rows[found] = i;
        found += half + count_ones(hash[2] ^ query[2]) + count_ones(hash[3] ^ query[3]) <= radius;
    }
    return found;
}
#include "search_lanes.h"

int search_widest_lanes(void) {
#ifdef __x86_64__
    const int features = x86_features();
    if (features & X86_AVX512_COUNTS) return SEARCH_AVX512;
    if (features & X86_AVX2) return SEARCH_AVX2;
#endif
    return SEARCH_PORTABLE;
}

/* Words of at most `most` ones in ascending order, so that neighbouring buckets are read one after the other. */
static void fill_ball(ball *b, int most) {
    b->flips[0] = b->weight[0] = 0;
    b->size = most >= 0;
    b->lines = 0;
    for (int bit = 0; bit < 16; bit++)
        for (uint32_t i = 0, before = b->size; i < before; i++)
            if (b->weight[i] < most) {
                b->flips[b->size] = (uint16_t)(b->flips[i] | 1 << bit);
                b->weight[b->size++] = (uint8_t)(b->weight[i] + 1);
            }
    for (uint32_t i = 0; i < b->size; i++)
        if (b->flips[i] % 16 == 0) b->line[b->lines++] = b->flips[i];
}

static void make_plan(plan *p, uint32_t radius) {
    p->radius = radius;
    p->probes = ~0u;
    if (radius > SEARCH_LIST_RADIUS) return;
    const int total = (int)radius + 1;
    p->least = total / SEARCH_CHUNKS;
    p->probes = 0;
    for (int k = 0; k < 2; k++) fill_ball(&p->ball[k], p->least + k - 1);
    /* Evenly round the ring: a chunk of many probes is then followed by one that leaves less to spend. */
    for (int c = 0; c < SEARCH_CHUNKS; c++) {
        p->budget[c] = (c + 1) * total / SEARCH_CHUNKS - c * total / SEARCH_CHUNKS;
    }
    uint32_t waiting = 0;
    p->rounds = p->first[0] = 0;
    for (int c = 0; c < SEARCH_CHUNKS; c++) {
        const uint32_t size = p->ball[p->budget[c] - p->least].size;
        if (waiting + size > PROBES) p->first[++p->rounds] = c, waiting = 0;
        waiting += size;
        p->probes += size;
    }
    p->first[++p->rounds] = SEARCH_CHUNKS;
    for (int c = 0; c < SEARCH_CHUNKS; c++) {
        const int two = p->budget[c] + p->budget[(c + 1) % SEARCH_CHUNKS];
        p->two[c] = (uint32_t)(two - 1);
        p->three[c] = (uint32_t)(two + p->budget[(c + 2) % SEARCH_CHUNKS]);
    }
}

static void begin(look_up *s, uint64_t number, const uint64_t *query, int is_last) {
    s->query = query;
    s->next_query = is_last ? 0 : query + 4;
    s->number = (uint32_t)number;
    s->found = s->answer->found;
    s->probes = s->entries = 0;
    for (int c = 0; c < SEARCH_CHUNKS; c++) {
        s->chunk[c] = chunk_of(query, c);
        s->next[c] = chunk_of(query, c + 1);
        s->after[c] = (uint8_t)chunk_of(query, c + 2);
    }
}

#ifdef __x86_64__
#define RUN(lanes, function, ...)                                    \
    ((lanes) == SEARCH_AVX512 ? function##_avx512(__VA_ARGS__)       \
     : (lanes) == SEARCH_AVX2 ? function##_avx2(__VA_ARGS__)         \
                              : function##_portable(__VA_ARGS__))
#else
#define RUN(lanes, function, ...) ((void)(lanes), function##_portable(__VA_ARGS__))
#endif

/* Rows compared in the time one bucket takes. */
enum { ROWS_A_PROBE = 24 };

void search_find(const search_segment *segment, const uint64_t *queries, uint64_t count, uint32_t radius, int lanes,
                 int way, search_answer *answer) {
    plan plan;
    look_up s;
    make_plan(&plan, radius);
    s.segment = segment;
    s.plan = &plan;
    s.answer = answer;
    answer->wanted = 0;
    answer->damaged = 0;
    const int worth_it = way == SEARCH_BY_LISTS || segment->rows > (uint64_t)ROWS_A_PROBE * plan.probes;
    const int by_lists = segment->starts && radius <= SEARCH_LIST_RADIUS && way != SEARCH_BY_COMPARING && worth_it;
    for (; answer->done < count; answer->done++) {
        begin(&s, answer->done, queries + 4 * answer->done, answer->done + 1 == count);
        if (by_lists) RUN(lanes, find_by_lists, &s);
        else RUN(lanes, find_by_comparing, &s);
        if (answer->damaged) return;
        if (s.found > answer->room) {
            answer->wanted = s.found - answer->found;
            return;
        }
        answer->found = s.found;
    }
}

/* ---- building and changing ---- */

/* A row's entry before it is sorted: the chunk, the next, 8 bits of the one after, and the row. */
static inline uint64_t entry_of(const uint64_t *hash, uint32_t chunk, uint64_t row) {
    return (uint64_t)chunk_of(hash, (int)chunk) << 48 | (uint64_t)chunk_of(hash, (int)chunk + 1) << 32 |
           (uint64_t)(chunk_of(hash, (int)chunk + 2) & 0xff) << 24 | row;
}

/* Sorted in two steps, by the high byte of the chunk into scratch and then wholly, so that both write to few places
 * at a time. */
void search_list_chunk(const search_segment *segment, uint32_t chunk, uint64_t *scratch) {
    const uint64_t rows = segment->rows;
    uint32_t *const starts = segment->starts + chunk * (SEARCH_BUCKETS + 1);
    uint16_t *const next = segment->next + chunk * rows;
    uint32_t *const places = segment->places + chunk * rows;
    uint32_t high[256];
    for (uint32_t v = 0; v <= SEARCH_BUCKETS; v++) starts[v] = 0;
    for (uint64_t r = 0; r < rows; r++) starts[chunk_of(segment->hashes + 4 * r, (int)chunk)]++;
    for (uint32_t v = 0, sum = 0; v <= SEARCH_BUCKETS; v++) {
        if (v % 256 == 0 && v < SEARCH_BUCKETS) high[v / 256] = sum;
        starts[v] = sum += starts[v];
    }
    for (uint64_t r = 0; r < rows; r++) {
        const uint64_t e = entry_of(segment->hashes + 4 * r, chunk, r);
        scratch[high[e >> 56]++] = e;
    }
    for (uint64_t i = rows; i-- > 0;) { /* starts[v] is the end of bucket v, and walks to its beginning */
        const uint32_t at = --starts[scratch[i] >> 48];
        next[at] = (uint16_t)(scratch[i] >> 32);
        places[at] = (uint32_t)scratch[i];
    }
}

int search_rows_of(const search_segment *segment, const uint64_t *ids, uint64_t count, int64_t *rows) {
    for (uint64_t i = 0; i < count; i++) {
        uint64_t low = 0, high = segment->rows;
        while (low < high) {
            const uint64_t middle = (low + high) / 2;
            if (segment->file && !search_sound(segment, segment->ids + middle, 8)) return 1;
            if (segment->ids[middle] < ids[i]) low = middle + 1;
            else high = middle;
        }
        rows[i] = low < segment->rows && segment->ids[low] == ids[i] ? (int64_t)low : -1;
    }
    return 0;
}

static void blank(const search_segment *segment, uint64_t at) {
    segment->places[at] = SEARCH_BLANK;
    segment->next[at] = 0;
}

/* Bucket by bucket; or, where that would be longer because many rows share one, the whole list at once. */
static void wipe_from_list(const search_segment *segment, uint32_t chunk, const int64_t *rows, uint64_t count) {
    const uint32_t *const starts = segment->starts + chunk * (SEARCH_BUCKETS + 1);
    const uint64_t base = chunk * segment->rows;
    uint64_t steps = 0;
    for (uint64_t i = 0; i < count; i++) {
        const uint16_t bucket = chunk_of(segment->hashes + 4 * rows[i], (int)chunk);
        steps += starts[bucket + 1] - starts[bucket];
    }
    if (steps > segment->rows) {
        for (uint64_t at = base; at < base + segment->rows; at++) {
            const uint32_t row = segment->places[at] & SEARCH_BLANK;
            if (row != SEARCH_BLANK && segment->dead[row]) blank(segment, at);
        }
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = base + starts[chunk_of(segment->hashes + 4 * rows[i], (int)chunk)];
        while ((segment->places[at] & SEARCH_BLANK) != (uint64_t)rows[i]) at++;
        blank(segment, at);
    }
}

void search_wipe(const search_segment *segment, const int64_t *rows, uint64_t count) {
    __atomic_thread_fence(__ATOMIC_RELEASE); /* no search may see a row wiped and not dead */
    for (uint32_t c = 0; segment->starts && c < SEARCH_CHUNKS; c++) wipe_from_list(segment, c, rows, count);
    for (uint64_t i = 0; i < count; i++)
        for (int w = 0; w < 4; w++) segment->hashes[4 * rows[i] + w] = 0;
}
