/* The first line of a script, which names the engine and says what the script does:
 *
 *     #!lua flags=no-writes,allow-stale
 *
 * Its words are read as those of an inline command: with quotes. */
#include "script/script_cache.h"

#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>

struct words {
    const char *at, *end;
    struct text word; /* the last one, without quotes */
};

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

/* The next word; 0 at the end, -1 when quotes do not fit. */
static int next_word(struct words *words)
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

static const char *unexpected(char *error, size_t size, const char *what, struct bytes word)
{
    snprintf(error, size, "%s: %.*s", what, (int)(word.len < 128 ? word.len : 128), word.len ? word.data : "");
    return error;
}

static const char *take_flags(struct bytes list, unsigned *flags, char *error, size_t error_size)
{
    while (list.data) {
        const char *comma = list.len ? memchr(list.data, ',', list.len) : NULL;
        struct bytes name = {list.data, comma ? (size_t)(comma - list.data) : list.len};
        unsigned flag = script_flag(name);

        if (!flag)
            return unexpected(error, error_size, "ERR Unexpected flag in script shebang", name);
        *flags |= flag;
        list = comma ? (struct bytes){comma + 1, list.len - name.len - 1} : (struct bytes){NULL, 0};
    }
    return NULL;
}

#define FLAGS "flags="

static const char *take_option(struct bytes word, unsigned *flags, char *error, size_t error_size)
{
    size_t skipped = sizeof FLAGS - 1;

    if (word.len < skipped || memcmp(word.data, FLAGS, skipped) != 0)
        return unexpected(error, error_size, "ERR Unknown lua shebang option", word);
    if (word.len == skipped)
        return NULL;
    return take_flags((struct bytes){word.data + skipped, word.len - skipped}, flags, error, error_size);
}

/* That quotes fit in the whole line is seen before any of its words is looked at. */
static bool has_good_quotes(struct words words)
{
    int found;

    words.word = (struct text){0};
    do
        found = next_word(&words);
    while (found > 0);
    text_release(&words.word);
    return found == 0;
}

static const char *take_line(struct bytes line, unsigned *flags, char *error, size_t error_size)
{
    struct words words = {.at = line.data, .end = line.data + line.len};
    const char *failure = NULL;

    if (!has_good_quotes(words))
        return "ERR Invalid engine in script shebang";
    next_word(&words);
    if (!bytes_equal(text_bytes(&words.word), BYTES("#!lua")))
        failure = unexpected(error, error_size, "ERR Unexpected engine in script shebang", text_bytes(&words.word));
    while (!failure && next_word(&words) > 0)
        failure = take_option(text_bytes(&words.word), flags, error, error_size);
    text_release(&words.word);
    return failure;
}

const char *shebang_parse(struct bytes source, unsigned *flags, struct bytes *body, char *error, size_t error_size)
{
    const char *end;

    *body = source;
    *flags = SCRIPT_SAYS_NOTHING;
    if (source.len < 2 || memcmp(source.data, "#!", 2) != 0)
        return NULL;
    end = memchr(source.data, '\n', source.len);
    if (!end)
        return "ERR Invalid script shebang";
    *flags = 0;
    *body = (struct bytes){end, source.len - (size_t)(end - source.data)};
    return take_line((struct bytes){source.data, (size_t)(end - source.data)}, flags, error, error_size);
}
