/* The first line of a library:
 *
 *     #!lua name=mylib
 *
 * What is wrong in it is told in the order in which it stands there, and all of it before anything is looked up. */
#include "functions_internal.h"

#include "base/words.h"

#define NAME "name="

static bool fail(struct text *error, const char *text)
{
    text_format(error, "ERR %s", text);
    return false;
}

static bool take_option(struct function_header *header, bool *has_name, struct bytes word, struct text *error)
{
    size_t skipped = sizeof NAME - 1;

    if (word.len < skipped || !bytes_is((struct bytes){word.data, skipped}, NAME)) {
        text_format(error, "ERR Invalid metadata value given: %.*s", (int)word.len, word.len ? word.data : "");
        return false;
    }
    if (*has_name)
        return fail(error, "Invalid metadata value, name argument was given multiple times");
    *has_name = true;
    text_add(&header->name, (struct bytes){word.data + skipped, word.len - skipped});
    return true;
}

static bool take_words(struct words *words, struct function_header *header, struct text *engine, struct text *error)
{
    bool has_name = false;

    if (words_next(words) > 0)
        text_add(engine, (struct bytes){words->word.data + 2, words->word.len - 2}); /* "#!" */
    while (words_next(words) > 0)
        if (!take_option(header, &has_name, text_bytes(&words->word), error))
            return false;
    if (!has_name)
        return fail(error, "Library name was not given");
    if (!library_name_is_good(text_bytes(&header->name)))
        return fail(error, BAD_NAME);
    if (!bytes_is(text_bytes(engine), "lua")) {
        text_format(error, "ERR Engine '%.*s' not found", (int)engine->len, engine->len ? engine->data : "");
        return false;
    }
    return true;
}

bool function_header_parse(struct bytes code, struct function_header *header, struct text *error)
{
    struct text engine = {0};
    struct words words;
    const char *end;
    bool is_good;

    if (code.len < 2 || memcmp(code.data, "#!", 2) != 0)
        return fail(error, "Missing library metadata");
    end = memchr(code.data, '\n', code.len);
    if (!end || memchr(code.data, '\0', (size_t)(end - code.data)))
        return fail(error, "Invalid library metadata");
    words = (struct words){.at = code.data, .end = end};
    if (!words_are_good(&words))
        return fail(error, "Invalid library metadata");
    is_good = take_words(&words, header, &engine, error);
    header->body = (struct bytes){end, code.len - (size_t)(end - code.data)};
    text_release(&words.word);
    text_release(&engine);
    return is_good;
}

void function_header_release(struct function_header *header) { text_release(&header->name); }
