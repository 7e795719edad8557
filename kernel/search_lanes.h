/* The search for one query, compiled once for each width of instructions. search.c includes this file having defined
 *
 *     NAME(x), TARGET   as in lanes.h
 *     COUNT64(x)        the ones of a 64-bit word
 *
 * and, before it, NAME(passing) and NAME(near): the two loops that differ from width to width.
 */

/* Where `row` belongs if it is a hit: compare whole, ask last whether it lives, and report it from one chunk only.
 * Many chunks may lead to a row; the one that counts begins the rotation in which the budgets always hold. */
TARGET static void NAME(judge)(look_up *s, uint32_t row, int chunk) {
    const uint64_t *hash = s->segment->hashes + 4 * (uint64_t)row;
    uint64_t apart[4];
    uint32_t distance = 0;
    for (int i = 0; i < 4; i++) apart[i] = hash[i] ^ s->query[i], distance += COUNT64(apart[i]);
    if (distance > s->plan->radius) return;
    if (chunk >= 0) {
        int sum = 0, highest = 0, first = 0;
        for (int c = 0; c < SEARCH_CHUNKS - 1; c++) {
            sum += (int)COUNT64(apart[c / 4] >> 16 * (c % 4) & 0xffff) - s->plan->budget[c];
            if (sum >= highest) highest = sum, first = c + 1;
        }
        if (first != chunk) return;
    }
    report(s, row, distance);
}

/* Follow the entries that passed the first comparison: the second, then the fingerprint itself. */
TARGET static void NAME(follow)(look_up *s) {
    const search_segment *g = s->segment;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->entries; i++) {
        const entry e = s->entry[i];
        const uint32_t *place = g->places + e.at;
        if (!readable(s, place, sizeof *place)) return;
        const uint32_t row = *place & SEARCH_BLANK;
        if (COUNT64(s->after[e.chunk] ^ *place >> 24) + e.spent >= s->plan->three[e.chunk] || row == SEARCH_BLANK)
            continue;
        if (row >= g->rows || !readable(s, g->hashes + 4 * (uint64_t)row, 32)) {
            s->answer->damaged = 1;
            return;
        }
        __builtin_prefetch(g->hashes + 4 * (uint64_t)row);
        s->entry[kept++] = (entry){row, e.chunk, 0};
    }
    for (uint32_t i = 0; i < kept; i++) NAME(judge)(s, s->entry[i].at, s->entry[i].chunk);
    s->entries = 0;
}

/* Compare the next chunk of every entry of a bucket; keep those that are within its limit. */
TARGET static void NAME(scan)(look_up *s, const probe *p) {
    const uint16_t wanted = s->next[p->chunk];
    for (uint32_t from = p->from; from < p->to;) {
        const uint32_t to = p->to - from < PIECE ? p->to : from + PIECE;
        if (s->entries + PIECE > ENTRIES) NAME(follow)(s);
        entry *const kept = s->entry + s->entries;
        const uint32_t passed = NAME(passing)(s->segment->next, from, to, wanted, p->limit, kept);
        for (uint32_t i = 0; i < passed; i++) {
            kept[i].chunk = p->chunk;
            kept[i].spent = (uint8_t)(p->spent + COUNT64((uint16_t)(s->segment->next[kept[i].at] ^ wanted)));
            __builtin_prefetch(s->segment->places + kept[i].at);
        }
        s->entries += passed;
        from = to;
    }
}

/* Scan the buckets that wait, each one's lines asked for AHEAD buckets before. */
TARGET static void NAME(scan_waiting)(look_up *s) {
    for (uint32_t i = 0; i < s->probes + AHEAD; i++) {
        if (i < s->probes) {
            const probe *p = s->probe + i;
            const uint16_t *const from = s->segment->next + p->from, *const to = s->segment->next + p->to;
            if (s->segment->file && !readable(s, from, 2 * (p->to - p->from))) return;
            __builtin_prefetch(from);
            for (const uint16_t *line = from + 32; line < to - 32; line += 32) __builtin_prefetch(line);
            __builtin_prefetch(to - 1);
        }
        if (i >= AHEAD) NAME(scan)(s, s->probe + i - AHEAD);
    }
    s->probes = 0;
}

TARGET static void NAME(fill_probes)(look_up *s, int c) {
    const ball *const ball = &s->plan->ball[s->plan->budget[c] - s->plan->least];
    const uint32_t *const starts = s->segment->starts + c * (SEARCH_BUCKETS + 1);
    const uint32_t base = (uint32_t)(c * s->segment->rows);
    probe *p = s->probe + s->probes;
    for (uint32_t i = 0; i < ball->size; i++, p++) {
        const uint32_t *const start = starts + (s->chunk[c] ^ ball->flips[i]);
        p->from = base + start[0];
        p->to = base + start[1];
        p->chunk = (uint8_t)c;
        p->spent = ball->weight[i];
        p->limit = (uint8_t)(s->plan->two[c] - ball->weight[i]);
    }
    s->probes += ball->size;
}

/* Ask for where `query` will look its probes up, a round before it does. Inlined, or gcc takes a function that only
 * prefetches for one that does nothing. */
TARGET static inline __attribute__((always_inline)) void NAME(ask_for_starts)(const look_up *s, const uint64_t *query, int round) {
    for (int c = s->plan->first[round]; c < s->plan->first[round + 1]; c++) {
        const ball *const ball = &s->plan->ball[s->plan->budget[c] - s->plan->least];
        const uint32_t *const starts = s->segment->starts + c * (SEARCH_BUCKETS + 1);
        const uint16_t value = chunk_of(query, c);
        for (uint32_t i = 0; i < ball->lines; i++) __builtin_prefetch(starts + (value ^ ball->line[i]));
    }
}

/* Every row whose chunks could hold the query within the budgets. */
TARGET static void NAME(find_by_lists)(look_up *s) {
    const plan *const plan = s->plan;
    for (int round = 0; round < plan->rounds && !s->answer->damaged; round++) {
        for (int c = plan->first[round]; c < plan->first[round + 1]; c++) NAME(fill_probes)(s, c);
        if (round + 1 < plan->rounds) NAME(ask_for_starts)(s, s->query, round + 1);
        else if (s->next_query) NAME(ask_for_starts)(s, s->next_query, 0);
        NAME(scan_waiting)(s);
    }
    NAME(follow)(s);
}

/* Compare with every row. */
TARGET static void NAME(find_by_comparing)(look_up *s) {
    uint32_t rows[PIECE];
    for (uint64_t from = 0; from < s->segment->rows; from += PIECE) {
        const uint64_t left = s->segment->rows - from;
        const uint32_t n = left < PIECE ? (uint32_t)left : PIECE;
        const uint64_t *const hashes = s->segment->hashes + 4 * from;
        if (!readable(s, hashes, 32ull * n)) return;
        const uint32_t near = NAME(near)(hashes, n, s->query, s->plan->radius, rows);
        for (uint32_t i = 0; i < near; i++) NAME(judge)(s, (uint32_t)from + rows[i], -1);
    }
}

#undef NAME
#undef TARGET
#undef COUNT64
