/* Words with quotes and escapes: of the first line of a script, and of a line of the configuration.
 *
 *     plain            as it stands
 *     "a\n\x41\"b"     \n \r \t \b \a, two hexadecimal digits, any other byte for itself
 *     'it\'s'          one escape
 *
 * A quoted part ends its word. */
#ifndef TERN_BASE_WORDS_H
#define TERN_BASE_WORDS_H

#include "base/text.h"

#include <stdbool.h>

struct words {
    const char *at, *end;
    struct text word; /* the last one, without quotes; to be released */
};

/* The next word, never longer than what it is read from; 0 at the end, -1 when quotes do not fit. */
int words_next(struct words *words);
/* Whether quotes fit in all that is still to come. */
bool words_are_good(const struct words *words);

/* The byte that stands for the escape at '*at', which is behind a backslash and before 'end'; moves '*at' behind it. */
char words_unescape(const char **at, const char *end);

#endif
