/* The 64x64 block of lumas that every fingerprint goes through, and what is made of it. */
#ifndef SEAWALL_BLOCK_H
#define SEAWALL_BLOCK_H

#include <stdint.h>

typedef struct {
    double turned[16 * 16], sorted[16 * 16];
    _Alignas(64) double block[64 * 64], D[16 * 64], DT[64 * 16], DA[16 * 64], B[16 * 16];
} block_t;

/* Once for a block's memory, before its first hashes. */
void block_begin(block_t *s);

/* `block` holds lumas, 0 to 255: write eight hashes in the order of pdq.h and return the quality, 0 to 100. */
int block_hashes(block_t *s, int lanes, uint8_t hashes[8 * 32]);

#endif
