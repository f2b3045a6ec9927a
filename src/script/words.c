/* Words with quotes, as redis-cli and inline commands have them. */
#include "words_internal.h"

#include <ctype.h>
#include <stdio.h>

static bool ends_word(const struct words *words) { return words->at == words->end || isspace((unsigned char)*words->at); }

static void add(struct words *words, char c) { text_add(&words->word, (struct bytes){&c, 1}); }

static char escaped(struct words *words)
{
    static const char from[] = "nrtba", to[] = "\n\r\t\b\a";
    char c = *words->at++;
    const char *found = strchr(from, c);
    unsigned code;

    if (c == 'x' && words->end - words->at >= 2 && isxdigit((unsigned char)words->at[0]) &&
        isxdigit((unsigned char)words->at[1]) && sscanf(words->at, "%2x", &code) == 1) {
        words->at += 2;
        return (char)code;
    }
    return c && found ? to[found - from] : c;
}

/* False when the quote is not closed, or its end does not end the word. */
static bool take_quoted(struct words *words, char quote)
{
    while (words->at < words->end) {
        char c = *words->at++;

        if (c == quote)
            return ends_word(words);
        if (c == '\\' && words->at < words->end && (quote == '"' || *words->at == '\''))
            add(words, quote == '"' ? escaped(words) : *words->at++);
        else
            add(words, c);
    }
    return false;
}

int words_next(struct words *words)
{
    words->word.len = 0;
    while (words->at < words->end && isspace((unsigned char)*words->at))
        words->at++;
    if (words->at == words->end)
        return 0;
    while (!ends_word(words)) {
        char c = *words->at++;

        if (c == '"' || c == '\'')
            return take_quoted(words, c) ? 1 : -1;
        add(words, c);
    }
    return 1;
}

bool words_are_good(const struct words *words)
{
    struct words rest = {.at = words->at, .end = words->end};
    int found;

    do
        found = words_next(&rest);
    while (found > 0);
    text_release(&rest.word);
    return found == 0;
}
