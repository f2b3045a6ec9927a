/* The command line, turned into lines of a configuration file as Redis does it:
 *
 *     tern-server [file] [-] [--directive value ...] [-]
 *
 *     --port 7777            port "7777"
 *     --bind 127.0.0.1 ::1   bind "127.0.0.1" "::1"
 *     "--port 7777"          port 7777
 *     --save --port 7777     save "", port "7777": an empty list made somebody's script say that */
#include "server_internal.h"

static bool is_option(const char *word) { return word[0] == '-' && word[1] == '-'; }

static void add_quoted(struct text *out, const char *word)
{
    static const char from[] = "\n\r\t\a\b\\\"", to[] = "nrtab\\\"";

    text_add(out, BYTES("\""));
    for (; *word; word++) {
        const char *found = strchr(from, *word);
        unsigned char c = (unsigned char)*word;

        if (found)
            text_format(out, "\\%c", to[found - from]);
        else if (c < ' ' || c > '~')
            text_format(out, "\\x%02x", c);
        else
            text_add(out, (struct bytes){word, 1});
    }
    text_add(out, BYTES("\""));
}

/* "--port 7777" in one argument; such an option takes no values behind it, but may have some. */
static bool has_value_within(const char *option)
{
    size_t name = strcspn(option, " \t");

    return option[name + strspn(option + name, " \t")] != '\0';
}

/* Adds one option; returns false when the next argument is its value, whatever it looks like. */
static bool add_option(struct text *out, const char *option, const char *next)
{
    if (out->len)
        text_add(out, BYTES("\n"));
    text_format(out, "%s ", option + 2);
    if (has_value_within(option))
        return true;
    if (bytes_is(bytes_from_string(option), "--save") && (!next || is_option(next))) {
        text_add(out, BYTES("\"\""));
        return true;
    }
    return false;
}

void options_read(char **argv, int argc, const char **path, bool *reads_stdin, struct text *options)
{
    bool may_begin = true; /* what begins with -- is an option, not a value */
    int at = 0;

    *path = NULL;
    *reads_stdin = false;
    if (argc && argv[0][0] != '-')
        *path = argv[at++];
    for (; at < argc; at++) {
        const char *next = at + 1 < argc ? argv[at + 1] : NULL;

        if (!strcmp(argv[at], "-") && (at == 0 || !next)) {
            *reads_stdin = true;
        } else if (may_begin && is_option(argv[at])) {
            may_begin = add_option(options, argv[at], next);
        } else {
            add_quoted(options, argv[at]);
            text_add(options, BYTES(" "));
            may_begin = true;
        }
    }
}
