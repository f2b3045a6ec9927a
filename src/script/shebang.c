/* The first line of a script, which names the engine and says what the script does:
 *
 *     #!lua flags=no-writes,allow-stale
 *
 * Its words are read as those of an inline command: with quotes. */
#include "script/script_cache.h"

#include "base/mem.h"
#include "base/words.h"

#include <stdio.h>

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

static const char *take_line(struct bytes line, unsigned *flags, char *error, size_t error_size)
{
    struct words words = {.at = line.data, .end = line.data + line.len};
    const char *failure = NULL;

    if (!words_are_good(&words))
        return "ERR Invalid engine in script shebang";
    words_next(&words);
    if (!bytes_equal(text_bytes(&words.word), BYTES("#!lua")))
        failure = unexpected(error, error_size, "ERR Unexpected engine in script shebang", text_bytes(&words.word));
    while (!failure && words_next(&words) > 0)
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
