/* cjson.decode: JSON as a value. A token at a time, and a function for each kind of value. */
#include "lua/cjson.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

enum kind {
    T_OBJ_BEGIN,
    T_OBJ_END,
    T_ARR_BEGIN,
    T_ARR_END,
    T_STRING,
    T_NUMBER,
    T_BOOLEAN,
    T_NULL,
    T_COLON,
    T_COMMA,
    T_END,
    T_ERROR
};

/* Errors show them. */
static const char *const kind_names[] = {"T_OBJ_BEGIN", "T_OBJ_END", "T_ARR_BEGIN", "T_ARR_END", "T_STRING", "T_NUMBER",
                                         "T_BOOLEAN",   "T_NULL",    "T_COLON",     "T_COMMA",   "T_END"};

struct token {
    enum kind kind;
    const char *at;
    const char *error;      /* of T_ERROR */
    struct lua_value value; /* of a string, number or boolean */
};

struct decoder {
    struct lua_call *call;
    const char *start, *at; /* a zero byte follows the text, and ends it where it stands */
    struct text string;     /* of the token that is read */
    int depth, depth_max;
    bool allows_invalid;
};

static bool read_value(struct decoder *decoder, const struct token *token, int slots, struct lua_value *value);

static void set_error(const struct decoder *decoder, struct token *token, const char *error)
{
    token->kind = T_ERROR;
    token->at = decoder->at;
    token->error = error;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four digits; -1: they are not. */
static int hex_word(const char *at)
{
    int word = 0;

    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);

        if (digit < 0)
            return -1;
        word = word * 16 + digit;
    }
    return word;
}

static void add_utf8(struct text *out, int code)
{
    char bytes[4];
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0};

    for (size_t i = len; i-- > 1; code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3F));
    bytes[0] = (char)(first[len] | code);
    text_add(out, (struct bytes){bytes, len});
}

/* \uXXXX, or two of them for what is beyond 16 bits. */
static bool read_unicode(struct decoder *decoder)
{
    int code = hex_word(decoder->at + 2), low;

    if (code < 0)
        return false;
    decoder->at += 6;
    if (code >= 0xD800 && code <= 0xDFFF) {
        if (code >= 0xDC00 || decoder->at[0] != '\\' || decoder->at[1] != 'u')
            return decoder->at -= 6, false;
        low = hex_word(decoder->at + 2);
        if (low < 0xDC00 || low > 0xDFFF)
            return decoder->at -= 6, false;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        decoder->at += 6;
    }
    add_utf8(&decoder->string, code);
    return true;
}

static void read_string(struct decoder *decoder, struct token *token)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    size_t plain = strcspn(++decoder->at, "\"\\");

    token->kind = T_STRING;
    if (decoder->at[plain] == '"') { /* as nearly all are: not copied first */
        token->value = lua_string(decoder->call->lua, (struct bytes){decoder->at, plain});
        decoder->at += plain + 1;
        return;
    }
    decoder->string.len = 0;
    for (;; plain = strcspn(decoder->at, "\"\\")) {
        const char *found;

        text_add(&decoder->string, (struct bytes){decoder->at, plain});
        decoder->at += plain;
        if (!*decoder->at) {
            set_error(decoder, token, "unexpected end of string");
            return;
        }
        if (*decoder->at == '"')
            break;
        if (decoder->at[1] == 'u') {
            if (!read_unicode(decoder)) {
                set_error(decoder, token, "invalid unicode escape code");
                return;
            }
            continue;
        }
        found = decoder->at[1] ? strchr(letters, decoder->at[1]) : NULL;
        if (!found) {
            set_error(decoder, token, "invalid escape code");
            return;
        }
        text_add(&decoder->string, (struct bytes){meant + (found - letters), 1});
        decoder->at += 2;
    }
    decoder->at++;
    token->value = lua_string(decoder->call->lua, text_bytes(&decoder->string));
}

/* What strtod reads and JSON does not have. */
static bool is_invalid_number(const char *at)
{
    if (*at == '+')
        return true;
    if (*at == '-')
        at++;
    if (*at == '0')
        return (at[1] | 0x20) == 'x' || (at[1] >= '0' && at[1] <= '9');
    if (*at <= '9')
        return false;
    return strncasecmp(at, "inf", 3) == 0 || strncasecmp(at, "nan", 3) == 0;
}

static void read_number(struct decoder *decoder, struct token *token)
{
    char *end;
    double number = strtod(decoder->at, &end);

    if (end == decoder->at) {
        set_error(decoder, token, "invalid number");
        return;
    }
    decoder->at = end;
    token->kind = T_NUMBER;
    token->value = lua_number(number);
}

static bool read_word(struct decoder *decoder, struct token *token, const char *word, enum kind kind,
                      struct lua_value value)
{
    if (strncmp(decoder->at, word, strlen(word)) != 0)
        return false;
    decoder->at += strlen(word);
    token->kind = kind;
    token->value = value;
    return true;
}

static void read_token(struct decoder *decoder, struct token *token)
{
    static const char marks[] = "{}[]:,";
    static const enum kind kinds[] = {T_OBJ_BEGIN, T_OBJ_END, T_ARR_BEGIN, T_ARR_END, T_COLON, T_COMMA};
    const char *mark;
    char c;

    decoder->at += strspn(decoder->at, " \t\n\r");
    token->at = decoder->at;
    c = *decoder->at;
    if (!c) {
        token->kind = T_END;
        return;
    }
    mark = strchr(marks, c);
    if (mark) {
        token->kind = kinds[mark - marks];
        decoder->at++;
    } else if (c == '"') {
        read_string(decoder, token);
    } else if (c == '-' || isdigit((unsigned char)c)) {
        if (!decoder->allows_invalid && is_invalid_number(decoder->at))
            set_error(decoder, token, "invalid number");
        else
            read_number(decoder, token);
    } else if (!read_word(decoder, token, "true", T_BOOLEAN, lua_boolean(true)) &&
               !read_word(decoder, token, "false", T_BOOLEAN, lua_boolean(false)) &&
               !read_word(decoder, token, "null", T_NULL, lua_pointer(NULL))) {
        if (decoder->allows_invalid && is_invalid_number(decoder->at))
            read_number(decoder, token);
        else
            set_error(decoder, token, "invalid token");
    }
}

static bool unexpected(const struct decoder *decoder, const char *expected, const struct token *token)
{
    return lua_raise_text(decoder->call->lua, "Expected %s but found %s at character %d", expected,
                          token->kind == T_ERROR ? token->error : kind_names[token->kind],
                          (int)(token->at - decoder->start) + 1);
}

/* 'slots' is what the reference would have on its stack, with what this level takes. */
static bool descend(struct decoder *decoder, int slots)
{
    if (++decoder->depth <= decoder->depth_max && slots <= CJSON_STACK_MAX)
        return true;
    return lua_raise_text(decoder->call->lua, "Found too many nested data structures (%d) at character %d",
                          decoder->depth, (int)(decoder->at - decoder->start));
}

static bool read_object(struct decoder *decoder, int slots, struct lua_value *object)
{
    struct lua *lua = decoder->call->lua;
    struct token token;

    if (!descend(decoder, slots + 3))
        return false;
    *object = lua_of_table(lua_table_new(lua, 0, 0));
    read_token(decoder, &token);
    if (token.kind == T_OBJ_END) {
        decoder->depth--;
        return true;
    }
    for (;;) {
        struct lua_value key, value;

        if (token.kind != T_STRING)
            return unexpected(decoder, "object key string", &token);
        key = token.value;
        read_token(decoder, &token);
        if (token.kind != T_COLON)
            return unexpected(decoder, "colon", &token);
        read_token(decoder, &token);
        if (!read_value(decoder, &token, slots + 2, &value))
            return false;
        lua_table_set(lua, object->table, key, value);
        read_token(decoder, &token);
        if (token.kind == T_OBJ_END) {
            decoder->depth--;
            return true;
        }
        if (token.kind != T_COMMA)
            return unexpected(decoder, "comma or object end", &token);
        read_token(decoder, &token);
    }
}

static bool read_array(struct decoder *decoder, int slots, struct lua_value *array)
{
    struct lua *lua = decoder->call->lua;
    struct token token;

    if (!descend(decoder, slots + 2))
        return false;
    *array = lua_of_table(lua_table_new(lua, 0, 0));
    read_token(decoder, &token);
    if (token.kind == T_ARR_END) {
        decoder->depth--;
        return true;
    }
    for (int64_t i = 1;; i++) {
        struct lua_value value;

        if (!read_value(decoder, &token, slots + 1, &value))
            return false;
        lua_table_set_int(lua, array->table, i, value);
        read_token(decoder, &token);
        if (token.kind == T_ARR_END) {
            decoder->depth--;
            return true;
        }
        if (token.kind != T_COMMA)
            return unexpected(decoder, "comma or array end", &token);
        read_token(decoder, &token);
    }
}

static bool read_value(struct decoder *decoder, const struct token *token, int slots, struct lua_value *value)
{
    if (!lua_work(decoder->call->lua, 1))
        return false;
    switch (token->kind) {
    case T_STRING:
    case T_NUMBER:
    case T_BOOLEAN:
    case T_NULL:
        *value = token->value;
        return true;
    case T_OBJ_BEGIN:
        return read_object(decoder, slots, value);
    case T_ARR_BEGIN:
        return read_array(decoder, slots, value);
    default:
        return unexpected(decoder, "value", token);
    }
}

bool cjson_decode(struct lua_call *call)
{
    struct decoder decoder = {
        .call = call,
        .depth_max = cjson_setting(call, CJSON_DECODE_MAX_DEPTH),
        .allows_invalid = cjson_setting(call, CJSON_DECODE_INVALID) != CJSON_REFUSE,
    };
    struct token token;
    struct bytes text;
    struct lua_value value;
    bool is_good;

    if (call->argc != 1)
        return lua_raise_argument(call, 0, "expected 1 argument");
    if (!lua_arg_string(call, 0, &text))
        return false;
    if (text.len >= 2 && (!text.data[0] || !text.data[1]))
        return lua_raise_text(call->lua, "JSON parser does not support UTF-16 or UTF-32");
    decoder.start = decoder.at = text.data;
    read_token(&decoder, &token);
    is_good = read_value(&decoder, &token, 1, &value);
    if (is_good) {
        read_token(&decoder, &token);
        is_good = token.kind == T_END || unexpected(&decoder, "the end", &token);
    }
    text_release(&decoder.string);
    if (is_good)
        lua_return(call, value);
    return is_good;
}
