/* Errors that were answered, by code (the first word of their text). */
#ifndef TERN_ENGINE_ERROR_COUNTS_H
#define TERN_ENGINE_ERROR_COUNTS_H

#include <stdint.h>

struct engine;

/* In the order of codes. */
void error_counts_each(struct engine *engine,
                       void (*visit)(void *context, const char *code, uint64_t count), void *context);

#endif
