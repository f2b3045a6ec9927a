/* Lua's patterns, on bytes. Of the folder's own.
 *
 *     struct pattern_match match;
 *     pattern_begin(&match, text, pattern, work, context);
 *     end = pattern_try(&match, at, match.pattern);      where the match ends, NULL: none, or match.error
 *
 * A pattern ends at its first zero byte, as in Lua 5.1. Both texts are followed by a zero byte. */
#ifndef TERN_LUA_PATTERN_H
#define TERN_LUA_PATTERN_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define PATTERN_CAPTURES 32

/* How deep a match may nest: one level for each item that can repeat, and for each parenthesis. */
#define PATTERN_DEPTH_MAX 12000

/* Some patterns take for ever on some texts. So this is called now and then with how much was done since; false ends it. */
typedef bool pattern_work(void *context, int64_t steps);

struct pattern_capture {
    const char *start;
    ptrdiff_t len; /* or one of these: */
#define CAPTURE_IS_OPEN     (-1)
#define CAPTURE_IS_POSITION (-2)
};

struct pattern_match {
    const char *text, *text_end;
    const char *pattern;
    const char *error; /* the message, when the pattern is wrong or 'work' has stopped it */
    bool is_stopped;   /* ... by 'work' */
    pattern_work *work;
    void *context;
    int64_t steps; /* until 'work' is asked */
    int depth;
    int level; /* captures so far */
    struct pattern_capture captures[PATTERN_CAPTURES];
};

void pattern_begin(struct pattern_match *match, struct bytes text, struct bytes pattern, pattern_work *work,
                   void *context);
/* Tries at one place; forgets the captures of the try before. */
const char *pattern_try(struct pattern_match *match, const char *at, const char *pattern);
/* True when nothing in the pattern is more than itself. */
bool pattern_is_plain(struct bytes pattern);
/* Where 'part' begins in 'text', or NULL. */
const char *pattern_find_plain(struct bytes text, struct bytes part);

#endif
