/* Words with quotes, as redis-cli and the configuration have them. */
#include "base/words.h"

#include <ctype.h>

static bool ends_word(const struct words *words) { return words->at == words->end || isspace((unsigned char)*words->at); }

static void add(struct words *words, char c) { text_add(&words->word, (struct bytes){&c, 1}); }

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char words_unescape(const char **at, const char *end)
{
    static const char from[] = "nrtba", to[] = "\n\r\t\b\a";
    char c = *(*at)++;
    const char *digits = *at, *found = c ? strchr(from, c) : NULL;
    int high, low;

    if (c == 'x' && end - digits >= 2 && (high = hex_value(digits[0])) >= 0 && (low = hex_value(digits[1])) >= 0) {
        *at += 2;
        return (char)(high << 4 | low);
    }
    return found ? to[found - from] : c;
}

/* False when the quote is not closed, or its end does not end the word. */
static bool take_quoted(struct words *words, char quote)
{
    while (words->at < words->end) {
        char c = *words->at++;

        if (c == quote)
            return ends_word(words);
        if (c == '\\' && words->at < words->end && (quote == '"' || *words->at == '\''))
            add(words, quote == '"' ? words_unescape(&words->at, words->end) : *words->at++);
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
