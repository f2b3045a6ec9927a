/* Reading a configuration file: lines of a directive and its values, in Redis's quoting. */
#include "server_internal.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdio.h>

#define LINE_MAX_BYTES (64 * 1024)

/* --- words ------------------------------------------------------------------------------------------------- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What stands behind a backslash within "..."; returns the bytes read. */
static size_t unescape(const char *at, size_t left, char *out)
{
    static const char from[] = "nrtba", to[] = "\n\r\t\b\a";
    const char *found;

    if (left >= 3 && at[0] == 'x' && hex_value(at[1]) >= 0 && hex_value(at[2]) >= 0) {
        *out = (char)(hex_value(at[1]) * 16 + hex_value(at[2]));
        return 3;
    }
    found = *at ? strchr(from, *at) : NULL;
    *out = found ? to[found - from] : *at;
    return 1;
}

/* One quoted part; '*at' stands behind the opening quote. False when it does not end, or something
 * follows its end at once. */
static bool take_quoted(const char **at, const char *end, char quote, char **out)
{
    while (*at < end && **at != quote) {
        if (**at == '\\' && *at + 1 < end && quote == '"') {
            *at += 1 + unescape(*at + 1, (size_t)(end - *at - 1), *out);
            ++*out;
        } else if (**at == '\\' && *at + 1 < end && (*at)[1] == '\'') {
            *(*out)++ = '\'';
            *at += 2;
        } else {
            *(*out)++ = *(*at)++;
        }
    }
    if (*at == end)
        return false;
    ++*at;
    return *at == end || isspace((unsigned char)**at);
}

int config_split(struct bytes line, char *buffer, struct bytes *words, int words_max)
{
    const char *at = line.data, *end = line.len ? line.data + line.len : at; /* it may be NULL */
    int count = 0;

    for (;;) {
        char *start = buffer;

        while (at < end && isspace((unsigned char)*at))
            at++;
        if (at == end)
            return count;
        while (at < end && !isspace((unsigned char)*at)) {
            char c = *at++;

            if (c != '"' && c != '\'')
                *buffer++ = c;
            else if (!take_quoted(&at, end, c, &buffer))
                return -1;
        }
        if (count == words_max)
            return -1;
        words[count++] = (struct bytes){start, (size_t)(buffer - start)};
    }
}

/* --- files -------------------------------------------------------------------------------------------------- */

static int apply_line(struct server *server, struct bytes line, struct error *error)
{
    struct bytes words[CONFIG_ARGS_MAX];
    char *buffer = mem_alloc(line.len + 1);
    int count = config_split(line, buffer, words, CONFIG_ARGS_MAX), outcome = 0;

    if (count < 0)
        outcome = error_set(error, "Unbalanced quotes in configuration line");
    else if (count > 0)
        outcome = config_apply(server, words, count, true, error);
    mem_free(buffer, line.len + 1);
    return outcome;
}

static void explain(struct error *error, int number, struct bytes line)
{
    struct error reason = *error;

    error_set(error, "Reading the configuration file, at line %d\n>>> '%.*s'\n%.300s", number,
              (int)(line.len < 128 ? line.len : 128), line.data, reason.text);
}

int config_read_file(struct server *server, const char *path, struct error *error)
{
    FILE *file = fopen(path, "r");
    char *buffer;
    int number = 0, outcome = 0;

    if (!file)
        return error_set_errno(error, "Fatal error, can't open config file '%s'", path);
    buffer = mem_alloc(LINE_MAX_BYTES);
    while (outcome == 0 && fgets(buffer, LINE_MAX_BYTES, file)) {
        struct bytes line = {buffer, strcspn(buffer, "\r\n")};
        size_t blank = strspn(buffer, " \t");

        number++;
        if (blank == line.len || buffer[blank] == '#')
            continue;
        outcome = apply_line(server, line, error);
        if (outcome < 0)
            explain(error, number, line);
    }
    mem_free(buffer, LINE_MAX_BYTES);
    fclose(file);
    return outcome;
}
