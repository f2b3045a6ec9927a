/* string.format. Each directive is checked and then handed to the C library's printf. */
#include "lua/library.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#define FLAGS       "-+ #0"
#define FLAGS_MAX   5
#define NUMBER_MAX  512 /* %99.99f of the largest double has 410 bytes */
#define FORMAT_SIZE (1 + FLAGS_MAX + 2 + 1 + 2 + sizeof PRId64)

/* In quotes, so that Lua reads it back. */
static void add_quoted(struct text *out, struct bytes text)
{
    text_add(out, BYTES("\""));
    for (size_t i = 0; i < text.len; i++)
        switch (text.data[i]) {
        case '"':
            text_add(out, BYTES("\\\""));
            break;
        case '\\':
            text_add(out, BYTES("\\\\"));
            break;
        case '\n':
            text_add(out, BYTES("\\\n"));
            break;
        case '\r':
            text_add(out, BYTES("\\r"));
            break;
        case '\0':
            text_add(out, BYTES("\\000"));
            break;
        default:
            text_add(out, (struct bytes){text.data + i, 1});
        }
    text_add(out, BYTES("\""));
}

/* The length of flags, width and precision; -1: raised. The text ends with a zero byte. */
static int directive_len(struct lua *lua, const char *text)
{
    const char *at = text;

    while (*at && strchr(FLAGS, *at))
        at++;
    if (at - text > FLAGS_MAX)
        return lua_raise_text(lua, "invalid format (repeated flags)") ? 0 : -1;
    for (int i = 0; i < 2 && isdigit((unsigned char)*at); i++)
        at++;
    if (*at == '.') {
        at++;
        for (int i = 0; i < 2 && isdigit((unsigned char)*at); i++)
            at++;
    }
    if (isdigit((unsigned char)*at))
        return lua_raise_text(lua, "invalid format (width or precision too long)") ? 0 : -1;
    return (int)(at - text);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void add_number(struct text *out, const char *format, char conversion, double number)
{
    char buffer[NUMBER_MAX];

    switch (conversion) {
    case 'c':
        snprintf(buffer, sizeof buffer, format, lua_double_to_int(number));
        break;
    case 'd':
    case 'i':
        snprintf(buffer, sizeof buffer, format, lua_double_to_int64(number));
        break;
    case 'o':
    case 'u':
    case 'x':
    case 'X':
        snprintf(buffer, sizeof buffer, format, lua_double_to_uint64(number));
        break;
    default:
        snprintf(buffer, sizeof buffer, format, number);
    }
    text_add(out, bytes_from_string(buffer)); /* so %c of zero is nothing */
}

/* printf sees the text up to its first zero byte. */
static void add_padded(struct text *out, const char *format, const char *text)
{
    char buffer[NUMBER_MAX];

    snprintf(buffer, sizeof buffer, format, text);
    text_add(out, bytes_from_string(buffer));
}
#pragma GCC diagnostic pop

static bool add_string(struct lua_call *call, int at, struct text *out, const char *format)
{
    struct bytes text;

    if (!lua_arg_string(call, at, &text))
        return false;
    if (!strchr(format, '.') && text.len >= 100) { /* wider than any width */
        if (!lua_string_fits(call->lua, out->len, text.len))
            return false;
        text_add(out, text);
    } else {
        add_padded(out, format, text.data);
    }
    return true;
}

static bool invalid_option(struct lua_call *call, char conversion)
{
    char shown[2] = {conversion, 0};

    return lua_raise_text(call->lua, "invalid option '%%%s' to 'format'", shown);
}

/* 'at' is the argument; *text is behind the '%' and moves behind the directive. */
static bool add_directive(struct lua_call *call, int at, struct text *out, const char **text)
{
    char format[FORMAT_SIZE];
    int len = directive_len(call->lua, *text);
    const char *length = "";
    char conversion;
    struct bytes string;
    double number;

    if (len < 0)
        return false;
    conversion = (*text)[len];
    switch (conversion) {
    case 'd':
    case 'i':
        length = PRId64;
        break;
    case 'o':
    case 'u':
    case 'x':
    case 'X':
        length = PRIu64;
        break;
    case 'c':
    case 'e':
    case 'E':
    case 'f':
    case 'g':
    case 'G':
    case 'q':
    case 's':
        break;
    default:
        return invalid_option(call, conversion);
    }
    snprintf(format, sizeof format, "%%%.*s%.*s%c", len, *text, *length ? (int)strlen(length) - 1 : 0, length,
             conversion);
    *text += len + 1;
    if (conversion == 's')
        return add_string(call, at, out, format);
    if (conversion == 'q') {
        if (!lua_arg_string(call, at, &string) || !lua_string_fits(call->lua, out->len, string.len))
            return false;
        add_quoted(out, string);
        return true;
    }
    if (!lua_arg_number(call, at, &number))
        return false;
    add_number(out, format, conversion, number);
    return true;
}

static bool add_all(struct lua_call *call, struct bytes format, struct text *out)
{
    const char *at = format.data, *end = format.data + format.len;
    int argument = 0;

    while (at < end) {
        const char *next = memchr(at, '%', (size_t)(end - at));

        text_add(out, (struct bytes){at, (size_t)((next ? next : end) - at)});
        if (!next)
            break;
        at = next + 1;
        if (*at == '%') {
            text_add(out, BYTES("%"));
            at++;
            continue;
        }
        if (++argument >= call->argc)
            return lua_raise_argument(call, argument, "no value");
        if (!add_directive(call, argument, out, &at))
            return false;
    }
    return true;
}

bool lua_string_format(struct lua_call *call)
{
    struct bytes format;
    struct text out = {0};

    if (!lua_arg_string(call, 0, &format))
        return false;
    if (add_all(call, format, &out))
        return lua_return_text(call, &out);
    text_release(&out);
    return false;
}
