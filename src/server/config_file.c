/* Reading the configuration: lines of a directive and its values, in Redis's quoting. A file, standard input and the
 * options of the command line are one text. */
#include "server_internal.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/words.h"
#include "engine/command.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>

#define INCLUDES_MAX 16

/* --- words ------------------------------------------------------------------------------------------------- */

int config_split(struct bytes line, char *buffer, struct bytes *words, int words_max)
{
    struct words left = {.at = line.data, .end = line.len ? line.data + line.len : line.data}; /* it may be NULL */
    int count = 0, found;

    while ((found = words_next(&left)) > 0 && count < words_max) {
        struct bytes word = text_bytes(&left.word);

        bytes_copy(buffer, word.data, word.len);
        words[count++] = (struct bytes){buffer, word.len};
        buffer += word.len;
    }
    text_release(&left.word);
    return found == 0 ? count : -1;
}

/* --- lines that are no directives --------------------------------------------------------------------------- */

/* Patterns stand for all files that match, in order; that there is none is no error. */
static int include(struct server *server, struct bytes pattern, struct error *error)
{
    char path[PATH_MAX];
    glob_t found;
    int outcome = 0;

    snprintf(path, sizeof path, "%.*s", (int)pattern.len, pattern.data);
    if (!strpbrk(path, "*?["))
        return config_load(server, path, false, (struct bytes){NULL, 0}, error);
    if (glob(path, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc && outcome == 0; i++)
        outcome = config_load(server, found.gl_pathv[i], false, (struct bytes){NULL, 0}, error);
    globfree(&found);
    return outcome;
}

static int rename_command(struct server *server, struct bytes from, struct bytes to, struct error *error)
{
    if (!server->commands)
        server->commands = command_set_new();
    if (!command_find(server->commands, from))
        return error_set(error, "No such command in rename-command");
    if (!command_rename(server->commands, from, to))
        return error_set(error, "Target command name already exists");
    return 0;
}

/* Redis had them once, and takes no notice of them. */
static bool is_forgotten(struct bytes name)
{
    return bytes_is(name, "list-max-ziplist-entries") || bytes_is(name, "list-max-ziplist-value") ||
           bytes_is(name, "lua-replicate-commands");
}

static int apply_words(struct server *server, const struct bytes *words, int count, struct error *error)
{
    if (bytes_is(words[0], "include") && count == 2)
        return include(server, words[1], error);
    if (bytes_is(words[0], "rename-command") && count == 3)
        return rename_command(server, words[1], words[2], error);
    if (bytes_is(words[0], "user"))
        return error_set(error, "Users are not supported yet, but for the default one (requirepass)");
    if (bytes_is(words[0], "loadmodule"))
        return error_set(error, "Modules are not supported");
    if (is_forgotten(words[0]) && count == 2)
        return 0;
    return config_apply(server, words, count, error);
}

/* --- texts -------------------------------------------------------------------------------------------------- */

static struct bytes trimmed(struct bytes line)
{
    static const char blanks[] = " \t\r\n";

    while (line.len && memchr(blanks, line.data[0], sizeof blanks - 1))
        line.data++, line.len--;
    while (line.len && memchr(blanks, line.data[line.len - 1], sizeof blanks - 1))
        line.len--;
    return line;
}

static int apply_line(struct server *server, struct bytes line, struct error *error)
{
    struct bytes words[CONFIG_ARGS_MAX];
    char *buffer;
    int count, outcome = 0;

    if (!line.len || line.data[0] == '#')
        return 0;
    buffer = mem_alloc(line.len + 1);
    count = config_split(line, buffer, words, CONFIG_ARGS_MAX);
    if (count < 0)
        outcome = error_set(error, "Unbalanced quotes in configuration line");
    else if (count > 0)
        outcome = apply_words(server, words, count, error);
    mem_free(buffer, line.len + 1);
    return outcome;
}

/* What an included file said stays as it is: it names its own line. */
static void explain(struct error *error, int number, struct bytes line)
{
    static const char beginning[] = "Reading the configuration file, at line ";
    struct error reason = *error;

    if (*reason.text && strncmp(reason.text, beginning, sizeof beginning - 1) != 0)
        error_set(error, "%s%d\n>>> '%.*s'\n%.200s", beginning, number, (int)(line.len < 256 ? line.len : 256),
                  line.data, reason.text);
}

static int apply_text(struct server *server, struct bytes text, struct error *error)
{
    const char *at = text.data, *end = text.len ? at + text.len : at;

    for (int number = 1; at < end; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct bytes line = trimmed((struct bytes){at, (size_t)((newline ? newline : end) - at)});

        if (apply_line(server, line, error) < 0) {
            explain(error, number, line);
            return -1;
        }
        at = newline ? newline + 1 : end;
    }
    return 0;
}

static void read_all(FILE *file, struct text *out)
{
    char buffer[4096];
    size_t count;

    while ((count = fread(buffer, 1, sizeof buffer, file)) > 0)
        text_add(out, (struct bytes){buffer, count});
}

static int read_file(const char *path, struct text *out, struct error *error)
{
    FILE *file = fopen(path, "r");

    if (!file) {
        log_write(LOG_WARNING, "Fatal error, can't open config file '%s': %s", path, strerror(errno));
        *error->text = '\0';
        return -1;
    }
    read_all(file, out);
    fclose(file);
    return 0;
}

int config_load(struct server *server, const char *path, bool reads_stdin, struct bytes options,
                struct error *error)
{
    struct text whole = {0};
    int outcome = 0;

    if (server->include_depth == INCLUDES_MAX)
        return error_set(error, "Files include each other more than %d deep", INCLUDES_MAX);
    if (path)
        outcome = read_file(path, &whole, error);
    if (outcome == 0 && reads_stdin) {
        log_write(LOG_NOTICE, "Reading config from stdin");
        text_add(&whole, BYTES("\n"));
        read_all(stdin, &whole);
    }
    if (outcome == 0 && options.len) {
        text_add(&whole, BYTES("\n"));
        text_add(&whole, options);
    }
    server->include_depth++;
    if (outcome == 0)
        outcome = apply_text(server, text_bytes(&whole), error);
    server->include_depth--;
    text_release(&whole);
    return outcome;
}
