/* struct: C structures from and to strings. A format is a run of options, each a letter and perhaps a number:
 *
 *     > < big, little endian      !n alignment      blank: nothing
 *     b B h H l L T in In         integers; a capital reads without sign
 *     f d                         floating point
 *     s cn                        a string with its zero byte; n bytes (c0: all, or as many as the number before it)
 *     x                           a byte of padding */
#include "lua/library.h"

#include <ctype.h>
#include <limits.h>

#define SIZE_MAX_OF_INTEGER 32
#define ALIGNMENT_USUAL     8
#define STACK_MAX           8000 /* what 5.1's stack for functions in C has room for */

struct format {
    struct lua_call *call;
    const char *at; /* ends with a zero byte */
    bool is_big;
    size_t alignment;
    char option;
    size_t size; /* of the option; 0 for what has none */
};

static bool format_begin(struct format *format, struct lua_call *call)
{
    struct bytes text;

    if (!lua_arg_string(call, 0, &text))
        return false;
    *format = (struct format){.call = call, .at = text.data, .alignment = 1};
    return true;
}

/* The digits that come next, or what is usual when there are none. */
static bool read_number(struct format *format, int usual, int *number)
{
    *number = usual;
    if (!isdigit((unsigned char)*format->at))
        return true;
    for (*number = 0; isdigit((unsigned char)*format->at); format->at++) {
        int digit = *format->at - '0';

        if (*number > INT_MAX / 10 || *number * 10 > INT_MAX - digit)
            return lua_raise_text(format->call->lua, "integral size overflow");
        *number = *number * 10 + digit;
    }
    return true;
}

static bool read_size(struct format *format)
{
    int number = 0;

    switch (format->option) {
    case 'B':
    case 'b':
    case 'x':
        number = 1;
        break;
    case 'H':
    case 'h':
        number = sizeof(short);
        break;
    case 'L':
    case 'l':
        number = sizeof(long);
        break;
    case 'T':
        number = sizeof(size_t);
        break;
    case 'f':
        number = sizeof(float);
        break;
    case 'd':
        number = sizeof(double);
        break;
    case 'c':
        if (!read_number(format, 1, &number))
            return false;
        break;
    case 'I':
    case 'i':
        if (!read_number(format, sizeof(int), &number))
            return false;
        if (number > SIZE_MAX_OF_INTEGER)
            return lua_raise_text(format->call->lua, "integral size %d is larger than limit of %d", number,
                                  SIZE_MAX_OF_INTEGER);
        break;
    default:
        break;
    }
    format->size = (size_t)number;
    return true;
}

/* The next option with its size. False: raised. At the end the option is a zero byte. */
static bool format_next(struct format *format)
{
    format->option = *format->at;
    format->size = 0;
    if (!format->option)
        return true;
    format->at++;
    return read_size(format);
}

/* The option, 'i' for all integers. It is not the end. */
static char kind_of(const struct format *format) { return strchr("bBhHlLTI", format->option) ? 'i' : format->option; }

/* Bytes of padding before the option at 'offset'. */
static size_t padding(const struct format *format, size_t offset)
{
    size_t size = format->size < format->alignment ? format->size : format->alignment;

    if (size == 0 || format->option == 'c')
        return 0;
    return (size - (offset & (size - 1))) & (size - 1);
}

/* An option that changes the format itself. */
static bool apply_control(struct format *format)
{
    char shown[2] = {format->option, 0}, message[] = "invalid format option 'x'";
    int alignment;

    switch (format->option) {
    case ' ':
        return true;
    case '>':
        format->is_big = true;
        return true;
    case '<':
        format->is_big = false;
        return true;
    case '!':
        if (!read_number(format, ALIGNMENT_USUAL, &alignment))
            return false;
        if (alignment == 0 || (alignment & (alignment - 1)))
            return lua_raise_text(format->call->lua, "alignment %d is not a power of 2", alignment);
        format->alignment = (size_t)alignment;
        return true;
    default:
        message[sizeof message - 3] = shown[0];
        return lua_raise_argument(format->call, 0, message);
    }
}

/* Arguments that are not there count as nil. */
static bool arg_number(struct lua_call *call, int at, double *number)
{
    if (at >= call->argc)
        return lua_raise_argument(call, at, "number expected, got nil");
    return lua_arg_number(call, at, number);
}

static bool arg_string(struct lua_call *call, int at, struct bytes *text)
{
    if (at >= call->argc)
        return lua_raise_argument(call, at, "string expected, got nil");
    return lua_arg_string(call, at, text);
}

static void add_zeros(struct text *out, size_t count)
{
    while (count-- > 0)
        text_add(out, BYTES("\0"));
}

static void add_integer(struct text *out, const struct format *format, double number)
{
    uint64_t value = lua_double_to_uint64(number);
    char bytes[SIZE_MAX_OF_INTEGER];

    for (size_t i = 0; i < format->size; i++, value >>= 8)
        bytes[format->is_big ? format->size - 1 - i : i] = (char)value;
    text_add(out, (struct bytes){bytes, format->size});
}

static void turn(char *bytes, size_t size)
{
    for (size_t i = 0; i < size / 2; i++) {
        char byte = bytes[i];

        bytes[i] = bytes[size - 1 - i];
        bytes[size - 1 - i] = byte;
    }
}

/* Doubles and floats as they stand in memory, which is with the low byte first. */
static void add_real(struct text *out, const struct format *format, double number)
{
    float narrow = (float)number;
    char bytes[sizeof number];

    memcpy(bytes, format->size == sizeof narrow ? (const void *)&narrow : &number, format->size);
    if (format->is_big)
        turn(bytes, format->size);
    text_add(out, (struct bytes){bytes, format->size});
}

static double read_real(const struct format *format, const char *from)
{
    char bytes[sizeof(double)];
    double number;
    float narrow;

    memcpy(bytes, from, format->size);
    if (format->is_big)
        turn(bytes, format->size);
    if (format->size == sizeof narrow) {
        memcpy(&narrow, bytes, sizeof narrow);
        return (double)narrow;
    }
    memcpy(&number, bytes, sizeof number);
    return number;
}

/* One option; '*argument' moves on when it takes one. */
static bool pack_one(struct format *format, struct text *out, int *argument)
{
    struct lua_call *call = format->call;
    struct bytes text;
    double number;

    switch (kind_of(format)) {
    case 'i':
        if (!arg_number(call, (*argument)++, &number))
            return false;
        add_integer(out, format, number);
        return true;
    case 'f':
    case 'd':
        if (!arg_number(call, (*argument)++, &number))
            return false;
        add_real(out, format, number);
        return true;
    case 'x':
        add_zeros(out, 1);
        return true;
    case 'c':
    case 's':
        if (!arg_string(call, (*argument)++, &text))
            return false;
        if (format->size == 0)
            format->size = text.len;
        if (text.len < format->size)
            return lua_raise_argument(call, *argument, "string too short");
        if (!lua_string_fits(call->lua, out->len, format->size))
            return false;
        text_add(out, (struct bytes){text.data, format->size});
        if (format->option == 's')
            add_zeros(out, 1);
        return true;
    default:
        return apply_control(format);
    }
}

static bool pack_all(struct format *format, struct text *out)
{
    int argument = 1;

    for (;;) {
        if (!format_next(format))
            return false;
        if (!format->option)
            return true;
        add_zeros(out, padding(format, out->len));
        if (!pack_one(format, out, &argument))
            return false;
    }
}

static bool struct_pack(struct lua_call *call)
{
    struct format format;
    struct text out = {0};

    if (!format_begin(&format, call))
        return false;
    if (pack_all(&format, &out))
        return lua_return_text(call, &out);
    text_release(&out);
    return false;
}

static bool struct_size(struct lua_call *call)
{
    struct format format;
    size_t size = 0;

    if (!format_begin(&format, call))
        return false;
    for (;;) {
        if (!format_next(&format))
            return false;
        if (!format.option)
            break;
        size += padding(&format, size);
        if (format.option == 's')
            return lua_raise_argument(call, 0, "option 's' has no fixed size");
        if (format.option == 'c' && format.size == 0)
            return lua_raise_argument(call, 0, "option 'c0' has no fixed size");
        if (!isalnum((unsigned char)format.option) && !apply_control(&format))
            return false;
        size += format.size;
    }
    lua_return(call, lua_number((double)size));
    return true;
}

struct unpacking {
    struct format format;
    struct bytes data;
    size_t offset;
    struct lua_value last; /* is not returned yet: c0 takes it back */
    int count;             /* with the last one */
};

static void add_result(struct unpacking *unpacking, struct lua_value value)
{
    if (unpacking->count++)
        lua_return(unpacking->format.call, unpacking->last);
    unpacking->last = value;
}

static double read_integer(const struct unpacking *unpacking)
{
    const struct format *format = &unpacking->format;
    const char *from = unpacking->data.data + unpacking->offset;
    uint64_t value = 0, above;

    for (size_t i = 0; i < format->size; i++)
        value = value << 8 | (unsigned char)from[format->is_big ? i : format->size - 1 - i];
    if (isupper((unsigned char)format->option))
        return (double)value;
    above = ~UINT64_C(0) << ((format->size * 8 - 1) & 63); /* the sign and what is above it */
    if (value & above)
        value |= above;
    return (double)(int64_t)value;
}

static bool too_short(struct unpacking *unpacking)
{
    return lua_raise_argument(unpacking->format.call, 1, "data string too short");
}

/* The length for c0 is the number that was read before it. */
static bool take_size(struct unpacking *unpacking)
{
    struct format *format = &unpacking->format;
    double number;

    if (!unpacking->count || !lua_to_number(unpacking->last, &number))
        return lua_raise_text(format->call->lua, "format 'c0' needs a previous size");
    format->size = (size_t)lua_double_to_uint64(number); /* a negative one is too long for any data */
    return true;
}

static bool unpack_string(struct unpacking *unpacking)
{
    struct format *format = &unpacking->format;
    struct bytes data = unpacking->data;
    const char *from = data.data + unpacking->offset, *end;
    struct lua_value string;

    if (format->option == 's') {
        end = memchr(from, 0, data.len - unpacking->offset);
        if (!end)
            return lua_raise_text(format->call->lua, "unfinished string in data");
        format->size = (size_t)(end - from) + 1;
        add_result(unpacking, lua_string(format->call->lua, (struct bytes){from, format->size - 1}));
        return true;
    }
    if (format->size) {
        add_result(unpacking, lua_string(format->call->lua, (struct bytes){from, format->size}));
        return true;
    }
    if (!take_size(unpacking))
        return false;
    if (format->size > data.len || unpacking->offset > data.len - format->size)
        return too_short(unpacking);
    string = lua_string(format->call->lua, (struct bytes){from, format->size});
    unpacking->last = string;
    return true;
}

static bool unpack_one(struct unpacking *unpacking)
{
    struct format *format = &unpacking->format;

    if (format->size > unpacking->data.len)
        return too_short(unpacking);
    unpacking->offset += padding(format, unpacking->offset);
    if (unpacking->offset > unpacking->data.len - format->size)
        return too_short(unpacking);
    if (format->call->argc + unpacking->count + 2 > STACK_MAX)
        return lua_raise_text(format->call->lua, "stack overflow (too many results)");
    switch (kind_of(format)) {
    case 'i':
        add_result(unpacking, lua_number(read_integer(unpacking)));
        break;
    case 'f':
    case 'd':
        add_result(unpacking, lua_number(read_real(format, unpacking->data.data + unpacking->offset)));
        break;
    case 'x':
        break;
    case 'c':
    case 's':
        if (!unpack_string(unpacking))
            return false;
        break;
    default:
        if (!apply_control(format))
            return false;
    }
    unpacking->offset += format->size;
    return true;
}

static bool struct_unpack(struct lua_call *call)
{
    struct unpacking unpacking = {.count = 0};
    int64_t from = 1;

    if (!format_begin(&unpacking.format, call) || !lua_arg_string(call, 1, &unpacking.data) ||
        !lua_arg_optional_int(call, 2, &from))
        return false;
    if (from == 0)
        return lua_raise_argument(call, 2, "offset must be 1 or greater");
    unpacking.offset = (size_t)from - 1; /* a negative one is far behind the end */
    for (;;) {
        if (!format_next(&unpacking.format))
            return false;
        if (!unpacking.format.option)
            break;
        if (!unpack_one(&unpacking))
            return false;
    }
    if (unpacking.count)
        lua_return(call, unpacking.last);
    lua_return(call, lua_number((double)(int64_t)(unpacking.offset + 1)));
    return true;
}

static const struct lua_row functions[] = {
    {"pack", struct_pack}, {"size", struct_size}, {"unpack", struct_unpack}, {NULL, NULL}};

void lua_open_struct(struct lua *lua) { lua_open_library(lua, "struct", functions); }
