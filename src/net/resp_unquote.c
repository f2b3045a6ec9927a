/* The second half of reading an inline command: its arguments, which resp_parser.c found and whose
 * quotes it saw balanced, lose their quotes and escapes when the command is about to run.
 *
 *     ab"c\n'\x41"   ->   abc<newline>'A      one quoted part at most, and it ends the argument
 *     'a\'b\n'       ->   a'b\n              single quotes know one escape
 *
 * What is written is always shorter than what was read, so it goes to the same place. */
#include "net/resp_parser.h"

#include "base/words.h"

/* Moves what stands between the quote at 'read' and the one before 'end' to 'write', which it never
 * overtakes. Returns the end of what was written. */
static char *unquote(const char *read, const char *end, char *write)
{
    char quote = *read++;

    end--;
    while (read < end) {
        char c = *read++;
        if (c == '\\' && quote == '"')
            c = words_unescape(&read, end);
        else if (c == '\\' && read < end && *read == '\'')
            c = *read++;
        *write++ = c;
    }
    return write;
}

void resp_unquote(struct bytes *args, uint32_t argc)
{
    for (struct bytes *arg = args; arg < args + argc; arg++) {
        size_t plain = 0;
        while (plain < arg->len && arg->data[plain] != '"' && arg->data[plain] != '\'')
            plain++;
        if (plain == arg->len)
            continue;
        char *quote = (char *)arg->data + plain; /* the cast that resp_parser.h tells of */
        arg->len = (size_t)(unquote(quote, arg->data + arg->len, quote) - arg->data);
    }
}
