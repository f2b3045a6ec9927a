/* How many errors of which code were answered. */
#include "engine/error_counts.h"

#include "engine_internal.h"

#include "base/mem.h"

#include <stdlib.h>

#define CODES_MAX 128 /* a script may make up codes */
#define CODE_MAX  64

struct error_count {
    uint64_t count;
    size_t len;
    char code[CODE_MAX];
};

struct error_counts {
    struct error_count *items[CODES_MAX];
    size_t size;
};

struct error_counts *error_counts_new(void) { return mem_alloc_zero(sizeof(struct error_counts)); }

void error_counts_clear(struct error_counts *counts)
{
    while (counts->size)
        mem_free(counts->items[--counts->size], sizeof(struct error_count));
}

void error_counts_free(struct error_counts *counts)
{
    error_counts_clear(counts);
    mem_free(counts, sizeof *counts);
}

void error_counts_add(struct error_counts *counts, const char *text)
{
    size_t len = strcspn(text, " ");
    struct error_count *item;

    if (len >= CODE_MAX)
        len = CODE_MAX - 1;
    for (size_t i = 0; i < counts->size; i++)
        if (counts->items[i]->len == len && !memcmp(counts->items[i]->code, text, len)) {
            counts->items[i]->count++;
            return;
        }
    if (counts->size == CODES_MAX)
        return;
    item = counts->items[counts->size++] = mem_alloc_zero(sizeof *item);
    item->count = 1;
    item->len = len;
    memcpy(item->code, text, len);
}

static int by_code(const void *a, const void *b)
{
    return strcmp((*(struct error_count *const *)a)->code, (*(struct error_count *const *)b)->code);
}

void error_counts_each(struct engine *engine,
                       void (*visit)(void *context, const char *code, uint64_t count), void *context)
{
    struct error_counts *counts = engine->error_counts;

    qsort(counts->items, counts->size, sizeof(struct error_count *), by_code);
    for (size_t i = 0; i < counts->size; i++)
        visit(context, counts->items[i]->code, counts->items[i]->count);
}
