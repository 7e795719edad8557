/* Exact search among 256-bit fingerprints: everything within a radius, nothing missed.
 *
 * Freestanding: no libc, no allocation, no globals that change. docs/decisions/index.md says how it works and what
 * was measured; docs/spec/index-file.md says how a segment lies in a file. In short:
 *
 * A fingerprint's bits are scattered first, always in the same way, so that no chunk holds neighbouring frequencies of
 * a picture, which go together; distances stay. It is then 16 chunks of 16 bits, in a ring. A radius r is shared out as budgets, r + 1 in all. If x is within
 * r of q, going round the ring from some chunk c the differing bits stay below the budgets all the way (the cycle
 * lemma; Qin and Xiao, "Pigeonring", VLDB 2018). So for each chunk the rows are listed by its 16 bits, and beside
 * each row stand the next 16 bits and 8 more: two comparisons that need no look at the fingerprint itself reject all
 * but a few rows. Every number of `lanes` gives the same hits.
 */
#ifndef SEAWALL_SEARCH_H
#define SEAWALL_SEARCH_H

#include <stdint.h>

enum {
    SEARCH_CHUNKS = 16,
    SEARCH_BUCKETS = 1 << 16,
    SEARCH_BLANK = (1 << 24) - 1, /* a place that holds no row any more; also the most rows a segment may have */
    SEARCH_LIST_RADIUS = 56,      /* beyond it, and for few rows, comparing with every row is as good */
    SEARCH_BLOCK = 1 << 16        /* bytes of a file that have one checksum */
};

/* As PDQ_PORTABLE, PDQ_AVX2, PDQ_AVX512 (which here also asks for BITALG and VPOPCNTDQ). */
enum { SEARCH_PORTABLE = 0, SEARCH_AVX2 = 1, SEARCH_AVX512 = 2 };

/* Some rows, in the caller's memory or in a file mapped read-only. */
typedef struct {
    uint64_t rows;
    const uint64_t *ids;  /* rows; ascending, except where there are no lists */
    uint64_t *hashes;     /* rows x 4 */
    const uint8_t *dead;  /* rows; 1: removed, never answered */
    uint32_t *starts;     /* 16 x 65537: where in a chunk's list each value begins. NULL: no lists */
    uint16_t *next;       /* 16 x rows: bits of the next chunk. Whole lines of 64 bytes, aligned so */
    uint32_t *places;     /* 16 x rows: the row, and 8 bits of the chunk after the next above bit 24 */
    const uint8_t *file;  /* NULL: in memory. Else the arrays lie in blocks counted from here */
    const uint64_t *checksums; /* one a block */
    uint8_t *sound;            /* one a block: 1 once its checksum was found right */
} search_segment;

typedef struct {
    uint64_t id;
    uint32_t query, distance;
} search_hit;

typedef struct {
    search_hit *hits; /* in: room for `room` */
    uint64_t room;
    uint64_t found;  /* in and out: hits written so far, of whole queries only */
    uint64_t wanted; /* out: hits of the query that did not fit, 0 if all did */
    uint64_t done;   /* in and out: queries answered so far */
    int64_t damaged; /* out: 1 if a block's checksum or a row's number is wrong */
} search_answer;

/* The widest `lanes` this processor and its operating system can run. */
int search_widest_lanes(void);

/* Bytes as published into the words that everything below takes: bit j of 16-bit word i (little-endian) becomes bit i
 * of chunk (j + i (i + 1) / 2) mod 16. Chunk c is bits 16 (c mod 4) and up of word c / 4. */
void search_scatter(const uint8_t *hashes, uint64_t count, uint64_t *words);

/* By its lists or by comparing with every row: the same hits. SEARCH_QUICKEST chooses. */
enum { SEARCH_QUICKEST = 0, SEARCH_BY_LISTS = 1, SEARCH_BY_COMPARING = 2 };

/* Answer `queries` (4 words each) from answer->done up to `count`. Stops before a query whose hits do not fit
 * (then wanted > 0: bring that much room and call again), or at damage. Hits come ordered by query. */
void search_find(const search_segment *segment, const uint64_t *queries, uint64_t count, uint32_t radius, int lanes,
                 int way, search_answer *answer);

/* Fill one chunk's list: its part of starts, next and places. `scratch`: one word a row. */
void search_list_chunk(const search_segment *segment, uint32_t chunk, uint64_t *scratch);

/* The row of each id, -1 where there is none. Ids ascending; removed rows are found too. 0, or 1 for damage. */
int search_rows_of(const search_segment *segment, const uint64_t *ids, uint64_t count, int64_t *rows);

/* Wipe rows from the fingerprints and every list. In memory only; each once, marked dead before. */
void search_wipe(const search_segment *segment, const int64_t *rows, uint64_t count);

/* XXH64 with seed 0 of each block of `bytes`, the last one filled up with zeros. */
void search_checksums(const void *from, uint64_t bytes, uint64_t *checksums);

/* 1 if the bytes from `from` lie in sound blocks. Each block is checked once. */
int search_sound(const search_segment *segment, const void *from, uint64_t bytes);

/* 1 if `starts` can be followed without leaving the lists. */
int search_starts_hold(const uint32_t *starts, uint64_t rows);

#endif
