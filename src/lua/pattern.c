/* The matcher: backtracking by recursion. Runs of single characters loop; what may repeat asks for the rest of the
 * pattern at each length, from the longest on ('*', '+', '?') or from the shortest ('-'). */
#include "lua/pattern.h"

#include <ctype.h>

#define ESCAPE '%'

static const char *rest(struct pattern_match *match, const char *s, const char *p);

enum {
    STEPS = 256,      /* between two calls of the match's 'work' */
    STEP_BYTES = 16,  /* that a loop passes count as one step */
};

void pattern_begin(struct pattern_match *match, struct bytes text, struct bytes pattern, pattern_work *work,
                   void *context)
{
    match->text = text.data;
    match->text_end = text.data + text.len;
    match->pattern = pattern.data;
    match->error = NULL;
    match->is_stopped = false;
    match->work = work;
    match->context = context;
    match->steps = STEPS;
    match->depth = match->level = 0;
}

const char *pattern_try(struct pattern_match *match, const char *at, const char *pattern)
{
    match->level = 0;
    match->depth = 0;
    return rest(match, at, pattern);
}

bool pattern_is_plain(struct bytes pattern)
{
    for (size_t i = 0; i < pattern.len && pattern.data[i]; i++)
        if (strchr("^$*+?.([%-", pattern.data[i]))
            return false;
    return true;
}

const char *pattern_find_plain(struct bytes text, struct bytes part)
{
    return part.len ? memmem(text.data, text.len, part.data, part.len) : text.data;
}

static const char *wrong(struct pattern_match *match, const char *message)
{
    if (!match->error)
        match->error = message;
    return NULL;
}

/* False: it is over. */
static bool count_steps(struct pattern_match *match, int64_t steps)
{
    match->steps -= steps;
    if (match->steps > 0)
        return true;
    steps = STEPS - match->steps;
    match->steps = STEPS;
    if (match->work(match->context, steps))
        return true;
    match->is_stopped = true;
    wrong(match, "stopped");
    return false;
}

static bool count_bytes(struct pattern_match *match, ptrdiff_t count)
{
    return count < STEP_BYTES || count_steps(match, count / STEP_BYTES);
}

/* Behind the single character, class or set that begins at 'p'. */
static const char *item_end(struct pattern_match *match, const char *p)
{
    char first = *p++;

    if (first == ESCAPE)
        return *p ? p + 1 : wrong(match, "malformed pattern (ends with '%')");
    if (first != '[')
        return p;
    if (*p == '^')
        p++;
    do { /* a ']' that comes first is one of the set */
        char c = *p;

        if (!c)
            return wrong(match, "malformed pattern (missing ']')");
        p++;
        if (c == ESCAPE && *p)
            p++;
    } while (*p != ']');
    return p + 1;
}

static bool is_in_class(unsigned char c, char class)
{
    bool is_in;

    switch (tolower((unsigned char)class)) {
    case 'a':
        is_in = isalpha(c);
        break;
    case 'c':
        is_in = iscntrl(c);
        break;
    case 'd':
        is_in = isdigit(c);
        break;
    case 'l':
        is_in = islower(c);
        break;
    case 'p':
        is_in = ispunct(c);
        break;
    case 's':
        is_in = isspace(c);
        break;
    case 'u':
        is_in = isupper(c);
        break;
    case 'w':
        is_in = isalnum(c);
        break;
    case 'x':
        is_in = isxdigit(c);
        break;
    case 'z':
        is_in = c == 0;
        break;
    default:
        return class == (char)c;
    }
    return isupper((unsigned char)class) ? !is_in : is_in;
}

/* 'p' is at the '[', 'last' at the ']'. */
static bool is_in_set(unsigned char c, const char *p, const char *last)
{
    bool is_negative = p[1] == '^';

    if (is_negative)
        p++;
    while (++p < last) {
        if (*p == ESCAPE) {
            p++;
            if (is_in_class(c, *p))
                return !is_negative;
        } else if (p[1] == '-' && p + 2 < last) {
            p += 2;
            if ((unsigned char)p[-2] <= c && c <= (unsigned char)*p)
                return !is_negative;
        } else if ((unsigned char)*p == c) {
            return !is_negative;
        }
    }
    return is_negative;
}

static bool is_item(unsigned char c, const char *p, const char *end)
{
    switch (*p) {
    case '.':
        return true;
    case ESCAPE:
        return is_in_class(c, p[1]);
    case '[':
        return is_in_set(c, p, end - 1);
    default:
        return (unsigned char)*p == c;
    }
}

/* %bxy */
static const char *balanced(struct pattern_match *match, const char *s, const char *p)
{
    const char *begin = s;
    size_t open = 1;

    if (!p[0] || !p[1])
        return wrong(match, "unbalanced pattern");
    if (s >= match->text_end || *s != p[0])
        return NULL;
    while (++s < match->text_end) {
        if (*s == p[1]) {
            if (--open == 0)
                return count_bytes(match, s - begin) ? s + 1 : NULL;
        } else if (*s == p[0]) {
            open++;
        }
    }
    count_bytes(match, s - begin);
    return NULL;
}

static const char *longest_first(struct pattern_match *match, const char *s, const char *p, const char *end)
{
    ptrdiff_t count = 0;

    while (s + count < match->text_end && is_item((unsigned char)s[count], p, end))
        count++;
    if (!count_bytes(match, count))
        return NULL;
    for (; count >= 0; count--) {
        const char *found = rest(match, s + count, end + 1);

        if (found || match->error)
            return found;
    }
    return NULL;
}

static const char *shortest_first(struct pattern_match *match, const char *s, const char *p, const char *end)
{
    for (;; s++) {
        const char *found = rest(match, s, end + 1);

        if (found || match->error)
            return found;
        if (s >= match->text_end || !is_item((unsigned char)*s, p, end))
            return NULL;
    }
}

static const char *open_capture(struct pattern_match *match, const char *s, const char *p, ptrdiff_t len)
{
    const char *found;

    if (match->level >= PATTERN_CAPTURES)
        return wrong(match, "too many captures");
    match->captures[match->level++] = (struct pattern_capture){s, len};
    found = rest(match, s, p);
    if (!found)
        match->level--;
    return found;
}

static const char *close_capture(struct pattern_match *match, const char *s, const char *p)
{
    int at = match->level - 1;
    const char *found;

    while (at >= 0 && match->captures[at].len != CAPTURE_IS_OPEN)
        at--;
    if (at < 0)
        return wrong(match, "invalid pattern capture");
    match->captures[at].len = s - match->captures[at].start;
    found = rest(match, s, p);
    if (!found)
        match->captures[at].len = CAPTURE_IS_OPEN;
    return found;
}

/* %1: the same bytes again. */
static const char *same_capture(struct pattern_match *match, const char *s, char digit)
{
    int at = digit - '1';
    const struct pattern_capture *capture;

    if (at < 0 || at >= match->level || match->captures[at].len == CAPTURE_IS_OPEN)
        return wrong(match, "invalid capture index");
    capture = &match->captures[at];
    /* a position is longer than any text */
    if ((size_t)(match->text_end - s) < (size_t)capture->len || memcmp(capture->start, s, (size_t)capture->len) != 0)
        return NULL;
    if (!count_bytes(match, capture->len))
        return NULL;
    return s + capture->len;
}

static bool is_frontier(const struct pattern_match *match, const char *s, const char *p, const char *end)
{
    unsigned char before = s == match->text ? 0 : (unsigned char)s[-1];

    return !is_in_set(before, p, end - 1) && is_in_set((unsigned char)*s, p, end - 1);
}

static const char *rest_at_depth(struct pattern_match *match, const char *s, const char *p)
{
    for (;;) {
        const char *end;
        bool is_here;

        if (!*p)
            return s;
        if (*p == '(')
            return p[1] == ')' ? open_capture(match, s, p + 2, CAPTURE_IS_POSITION)
                               : open_capture(match, s, p + 1, CAPTURE_IS_OPEN);
        if (*p == ')')
            return close_capture(match, s, p + 1);
        if (*p == '$' && !p[1])
            return s == match->text_end ? s : NULL;
        if (*p == ESCAPE && p[1] == 'b') {
            if (!(s = balanced(match, s, p + 2)))
                return NULL;
            p += 4;
            continue;
        }
        if (*p == ESCAPE && p[1] == 'f') {
            p += 2;
            if (*p != '[')
                return wrong(match, "missing '[' after '%f' in pattern");
            if (!(end = item_end(match, p)) || !is_frontier(match, s, p, end))
                return NULL;
            p = end;
            continue;
        }
        if (*p == ESCAPE && isdigit((unsigned char)p[1])) {
            if (!(s = same_capture(match, s, p[1])))
                return NULL;
            p += 2;
            continue;
        }
        if (!(end = item_end(match, p)))
            return NULL;
        is_here = s < match->text_end && is_item((unsigned char)*s, p, end);
        switch (*end) {
        case '*':
            return longest_first(match, s, p, end);
        case '+':
            return is_here ? longest_first(match, s + 1, p, end) : NULL;
        case '-':
            return shortest_first(match, s, p, end);
        case '?':
            if (is_here) {
                const char *found = rest(match, s + 1, end + 1);

                if (found || match->error)
                    return found;
            }
            p = end + 1;
            break;
        default:
            if (!is_here)
                return NULL;
            s++;
            p = end;
        }
    }
}

static const char *rest(struct pattern_match *match, const char *s, const char *p)
{
    const char *end;

    if (match->depth >= PATTERN_DEPTH_MAX)
        return wrong(match, "pattern too complex");
    if (--match->steps <= 0 && !count_steps(match, 0))
        return NULL;
    match->depth++;
    end = rest_at_depth(match, s, p);
    match->depth--;
    return end;
}
