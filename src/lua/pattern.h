/* Lua's patterns, on bytes. Of the folder's own.
 *
 *     struct pattern_match match;
 *     pattern_begin(&match, text, pattern);
 *     end = pattern_try(&match, at, match.pattern);      where the match ends, NULL: none, or match.error
 *
 * A pattern ends at its first zero byte, as in Lua 5.1. Both texts are followed by a zero byte. */
#ifndef TERN_LUA_PATTERN_H
#define TERN_LUA_PATTERN_H

#include "base/bytes.h"

#define PATTERN_CAPTURES 32

/* How deep a match may nest: one level for each item that can repeat, and for each parenthesis. */
#define PATTERN_DEPTH_MAX 12000

struct pattern_capture {
    const char *start;
    ptrdiff_t len; /* or one of these: */
#define CAPTURE_IS_OPEN     (-1)
#define CAPTURE_IS_POSITION (-2)
};

struct pattern_match {
    const char *text, *text_end;
    const char *pattern;
    const char *error; /* the message, when the pattern is wrong */
    int depth;
    int level; /* captures so far */
    struct pattern_capture captures[PATTERN_CAPTURES];
};

void pattern_begin(struct pattern_match *match, struct bytes text, struct bytes pattern);
/* Tries at one place; forgets the captures of the try before. */
const char *pattern_try(struct pattern_match *match, const char *at, const char *pattern);
/* True when nothing in the pattern is more than itself. */
bool pattern_is_plain(struct bytes pattern);
/* Where 'part' begins in 'text', or NULL. */
const char *pattern_find_plain(struct bytes text, struct bytes part);

#endif
