/* Redis's glob, with its oddities:
 *
 *   [a      a class without end goes to the end of the pattern; [a-] has the range a to ], and no
 * end [z-a]   is [a-z]; bytes above 127 count as negative, as in Redis
 *   []      matches nothing, [^] anything
 *   \       at the end stands for itself
 *   ""      is matched by the empty pattern only, not by "*" (KEYS and SCAN look for that one
 * first)
 *
 * Redis tries each place for each star and stops trying when the rest was tried to the end; here it
 * is one loop: a star takes as little as it can, and a mismatch lets the last star take one byte
 * more. Earlier stars need no second try: all that they could give to the part between them and the
 * last star was given by the first match of that part. So each byte of the text is compared with at
 * most the elements behind one star: O(pattern * text). */
#include "base/bytes.h"

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool same(char a, char b, bool ignore_case)
{
    return a == b || (ignore_case && lower(a) == lower(b));
}

/* Redis swaps before it ignores case, so that [Z-a] then holds nothing. */
static bool in_range(signed char first, signed char last, signed char c, bool ignore_case)
{
    if (first > last) {
        signed char swap = first;
        first = last;
        last = swap;
    }
    if (ignore_case)
        return lower(c) >= lower(first) && lower(c) <= lower(last);
    return c >= first && c <= last;
}

/* The class behind the '[' at pattern[*at]; moves *at behind its ']'. */
static bool class_matches(struct bytes pattern, size_t *at, char c, bool ignore_case)
{
    const char *data = pattern.data;
    size_t i = *at + 1;
    bool is_negated = i < pattern.len && data[i] == '^', is_member = false;

    for (i += is_negated; i < pattern.len && data[i] != ']'; i++) {
        size_t left = pattern.len - i;
        if (data[i] == '\\' && left >= 2) {
            is_member |= data[++i] == c; /* Redis does not ignore the case of these */
        } else if (left >= 3 && data[i + 1] == '-') {
            is_member |= in_range((signed char)data[i], (signed char)data[i + 2], (signed char)c,
                                  ignore_case);
            i += 2;
        } else {
            is_member |= same(data[i], c, ignore_case);
        }
    }
    *at = i < pattern.len ? i + 1 : i;
    return is_member != is_negated;
}

/* Whether 'c' matches the element at pattern[*at], which is no star; moves *at behind it. */
static bool element_matches(struct bytes pattern, size_t *at, char c, bool ignore_case)
{
    char first = pattern.data[*at];

    if (first == '[')
        return class_matches(pattern, at, c, ignore_case);
    if (first == '\\' && *at + 1 < pattern.len)
        *at += 1;
    char wanted = pattern.data[*at];
    *at += 1;
    return first == '?' || same(wanted, c, ignore_case);
}

bool bytes_match(struct bytes pattern, struct bytes text, bool ignore_case)
{
    size_t at = 0, text_at = 0;
    size_t after_star = 0, star_end = 0; /* what follows the last star, what it took so far */

    if (text.len == 0)
        return pattern.len == 0;
    while (text_at < text.len) {
        if (at < pattern.len && pattern.data[at] == '*') {
            if (++at == pattern.len)
                return true;
            after_star = at;
            star_end = text_at;
        } else if (at < pattern.len &&
                   element_matches(pattern, &at, text.data[text_at], ignore_case)) {
            text_at++;
        } else if (after_star) {
            at = after_star;
            text_at = ++star_end;
        } else {
            return false;
        }
    }
    while (at < pattern.len && pattern.data[at] == '*')
        at++;
    return at == pattern.len;
}
