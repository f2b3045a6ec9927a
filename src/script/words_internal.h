/* The words of a script's first line, read as those of an inline command: with quotes and escapes. */
#ifndef TERN_SCRIPT_WORDS_INTERNAL_H
#define TERN_SCRIPT_WORDS_INTERNAL_H

#include "base/text.h"

#include <stdbool.h>

struct words {
    const char *at, *end;
    struct text word; /* the last one, without quotes; to be released */
};

/* The next word; 0 at the end, -1 when quotes do not fit. */
int words_next(struct words *words);
/* Whether quotes fit in all that is still to come. */
bool words_are_good(const struct words *words);

#endif
