/* Words of a program text. */
#include "parser_internal.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const NAMES[] = {
    "and",   "break", "do",  "else",   "elseif", "end",  "false", "for",   "function", "if",  "in",
    "local", "nil",   "not", "or",     "repeat", "return", "then", "true", "until",    "while",
    "..",    "...",   "==",  ">=",     "<=",     "~=",   "<number>", "<name>", "<string>", "<eof>",
};

enum { RESERVED_COUNT = TOKEN_WHILE - TOKEN_AND + 1, END_OF_TEXT = -1 };

const char *token_name(int kind, char *out)
{
    if (kind >= TOKEN_AND)
        return NAMES[kind - TOKEN_AND];
    if (kind < 32 || kind == 127)
        snprintf(out, 16, "char(%hhu)", (unsigned char)kind);
    else
        snprintf(out, 16, "%c", kind);
    return out;
}

/* --- errors -------------------------------------------------------------------------------- */

void parser_fail(struct parser *parser, int kind, const char *format, ...)
{
    char name[CHUNK_DISPLAY_SYNTAX_MAX], character[16];
    struct lua_value message;
    va_list arguments;

    if (parser->has_failed)
        return;
    va_start(arguments, format);
    lua_format_into(parser->lua, &message, format, arguments);
    va_end(arguments);
    lua_chunk_display(parser->source, name, sizeof name);
    if (kind == 0) {
        message = lua_format(parser->lua, "%s:%d: %s", name, parser->line, message.string->data);
    } else {
        bool is_in_buffer = kind >= TOKEN_NUMBER && kind <= TOKEN_STRING;
        message = lua_format(parser->lua, "%s:%d: %s near '%s'", name, parser->line, message.string->data,
                             is_in_buffer ? parser->buffer : token_name(kind, character));
    }
    lua_raise(parser->lua, message);
    parser->has_failed = true;
    parser->has_ahead = false;
    parser->at = parser->end;
    parser->token.kind = TOKEN_EOS;
}

void parser_fail_here(struct parser *parser, const char *message)
{
    parser_fail(parser, parser->token.kind, "%s", message);
}

/* --- characters ---------------------------------------------------------------------------- */

static int peek_char(const struct parser *parser)
{
    return parser->at < parser->end ? (unsigned char)*parser->at : END_OF_TEXT;
}

static bool is_newline(int c) { return c == '\n' || c == '\r'; }
static bool is_digit(int c) { return c >= '0' && c <= '9'; }
static bool is_letter(int c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/* The buffer always ends with a zero byte. */
static void buffer_add(struct parser *parser, int c)
{
    if (parser->buffer_len + 2 > parser->buffer_size) {
        size_t size = parser->buffer_size ? parser->buffer_size * 2 : 64;
        parser->buffer = lua_resize(parser->lua, parser->buffer, parser->buffer_size, size);
        parser->buffer_size = size;
    }
    parser->buffer[parser->buffer_len++] = (char)c;
    parser->buffer[parser->buffer_len] = '\0';
}

static void buffer_clear(struct parser *parser)
{
    parser->buffer_len = 0;
    buffer_add(parser, 0);
    parser->buffer_len = 0;
}

static void take(struct parser *parser) { buffer_add(parser, (unsigned char)*parser->at++); }

void parser_release(struct parser *parser) { lua_release(parser->lua, parser->buffer, parser->buffer_size); }

static void skip_newline(struct parser *parser)
{
    int first = (unsigned char)*parser->at++;

    if (is_newline(peek_char(parser)) && peek_char(parser) != first)
        parser->at++;
    parser->line++;
}

/* --- literals ------------------------------------------------------------------------------ */

static void read_number(struct parser *parser, struct token *token)
{
    while (is_digit(peek_char(parser)) || peek_char(parser) == '.')
        take(parser);
    if (peek_char(parser) == 'e' || peek_char(parser) == 'E') {
        take(parser);
        if (peek_char(parser) == '+' || peek_char(parser) == '-')
            take(parser);
    }
    while (is_letter(peek_char(parser)) || is_digit(peek_char(parser)))
        take(parser);
    token->kind = TOKEN_NUMBER;
    if (!lua_text_to_number(parser->buffer, parser->buffer_len, &token->number))
        parser_fail(parser, TOKEN_NUMBER, "malformed number");
}

/* Behind a '[' or ']': how many '=' stand before the same bracket; else -1 - that number. */
static int read_level(struct parser *parser)
{
    int bracket = peek_char(parser), count = 0;

    take(parser);
    for (; peek_char(parser) == '='; count++)
        take(parser);
    return peek_char(parser) == bracket ? count : -1 - count;
}

/* Up to the closing bracket; the text is in the buffer with its brackets, or nowhere for a comment. */
static void read_long(struct parser *parser, struct token *token, int level)
{
    take(parser);
    if (is_newline(peek_char(parser)))
        skip_newline(parser);
    for (;;) {
        int c = peek_char(parser);
        if (c == END_OF_TEXT) {
            parser_fail(parser, TOKEN_EOS, "%s", token ? "unfinished long string" : "unfinished long comment");
            return;
        }
        if (c == ']') {
            if (read_level(parser) == level) {
                take(parser);
                break;
            }
        } else if (is_newline(c)) {
            buffer_add(parser, '\n');
            skip_newline(parser);
            if (!token)
                buffer_clear(parser);
        } else if (token) {
            take(parser);
        } else {
            parser->at++;
        }
    }
    if (token) {
        size_t around = 2 + (size_t)level;
        token->kind = TOKEN_STRING;
        token->string =
            lua_string_new(parser->lua, parser->buffer + around, parser->buffer_len - 2 * around);
    }
}

/* Behind the backslash. */
static void read_escape(struct parser *parser)
{
    static const char LETTERS[] = "a\ab\bf\fn\nr\rt\tv\v";
    int c = peek_char(parser), code = 0;

    if (c == END_OF_TEXT)
        return; /* the string is unfinished */
    if (is_newline(c)) {
        buffer_add(parser, '\n');
        skip_newline(parser);
        return;
    }
    for (int i = 0; LETTERS[i]; i += 2)
        if (LETTERS[i] == c) {
            buffer_add(parser, LETTERS[i + 1]);
            parser->at++;
            return;
        }
    if (!is_digit(c)) {
        take(parser);
        return;
    }
    for (int i = 0; i < 3 && is_digit(peek_char(parser)); i++)
        code = code * 10 + (*parser->at++ - '0');
    if (code > 255)
        parser_fail(parser, TOKEN_STRING, "escape sequence too large");
    else
        buffer_add(parser, code);
}

static void read_string(struct parser *parser, struct token *token)
{
    int quote = peek_char(parser);

    take(parser);
    while (!parser->has_failed && peek_char(parser) != quote) {
        int c = peek_char(parser);
        if (c == END_OF_TEXT) {
            parser_fail(parser, TOKEN_EOS, "unfinished string");
        } else if (is_newline(c)) {
            parser_fail(parser, TOKEN_STRING, "unfinished string");
        } else if (c == '\\') {
            parser->at++;
            read_escape(parser);
        } else {
            take(parser);
        }
    }
    if (parser->has_failed)
        return;
    take(parser);
    token->kind = TOKEN_STRING;
    token->string = lua_string_new(parser->lua, parser->buffer + 1, parser->buffer_len - 2);
}

static void read_name(struct parser *parser, struct token *token)
{
    while (is_letter(peek_char(parser)) || is_digit(peek_char(parser)))
        take(parser);
    for (int i = 0; i < RESERVED_COUNT; i++)
        if (NAMES[i][0] == parser->buffer[0] && bytes_is((struct bytes){parser->buffer, parser->buffer_len}, NAMES[i])
            && strcmp(parser->buffer, NAMES[i]) == 0) {
            token->kind = TOKEN_AND + i;
            return;
        }
    token->kind = TOKEN_NAME;
    token->string = lua_string_new(parser->lua, parser->buffer, parser->buffer_len);
}

/* --- words --------------------------------------------------------------------------------- */

static void skip_comment(struct parser *parser)
{
    if (peek_char(parser) == '[') {
        int level = read_level(parser);
        buffer_clear(parser);
        if (level >= 0) {
            read_long(parser, NULL, level);
            buffer_clear(parser);
            return;
        }
    }
    while (peek_char(parser) != END_OF_TEXT && !is_newline(peek_char(parser)))
        parser->at++;
}

/* From the character 'c' on: 'kind' when '=' follows it, else itself. */
static int with_equals(struct parser *parser, int c, int kind)
{
    parser->at++;
    if (peek_char(parser) != '=')
        return c;
    parser->at++;
    return kind;
}

/* From a dot on. */
static void read_dots(struct parser *parser, struct token *token)
{
    take(parser);
    token->kind = '.';
    if (peek_char(parser) == '.') {
        take(parser);
        token->kind = TOKEN_CONCAT;
        if (peek_char(parser) == '.') {
            take(parser);
            token->kind = TOKEN_DOTS;
        }
    } else if (is_digit(peek_char(parser))) {
        read_number(parser, token);
    }
}

static void read_token(struct parser *parser, struct token *token)
{
    buffer_clear(parser);
    for (;;) {
        int c = peek_char(parser), level;
        token->kind = c;
        switch (c) {
        case END_OF_TEXT:
            token->kind = TOKEN_EOS;
            return;
        case '\n':
        case '\r':
            skip_newline(parser);
            continue;
        case ' ':
        case '\t':
        case '\v':
        case '\f':
            parser->at++;
            continue;
        case '-':
            parser->at++;
            if (peek_char(parser) != '-')
                return;
            parser->at++;
            skip_comment(parser);
            if (parser->has_failed)
                return;
            continue;
        case '[':
            level = read_level(parser);
            if (level >= 0)
                read_long(parser, token, level);
            else if (level != -1)
                parser_fail(parser, TOKEN_STRING, "invalid long string delimiter");
            return;
        case '=':
            token->kind = with_equals(parser, c, TOKEN_EQ);
            return;
        case '<':
            token->kind = with_equals(parser, c, TOKEN_LE);
            return;
        case '>':
            token->kind = with_equals(parser, c, TOKEN_GE);
            return;
        case '~':
            token->kind = with_equals(parser, c, TOKEN_NE);
            return;
        case '"':
        case '\'':
            read_string(parser, token);
            return;
        case '.':
            read_dots(parser, token);
            return;
        default:
            if (is_digit(c))
                read_number(parser, token);
            else if (is_letter(c))
                read_name(parser, token);
            else
                parser->at++;
            return;
        }
    }
}

void parser_next(struct parser *parser)
{
    struct token token = {TOKEN_EOS};

    parser->last_line = parser->line;
    if (parser->has_ahead) {
        parser->token = parser->ahead;
        parser->has_ahead = false;
        return;
    }
    read_token(parser, &token);
    if (!parser->has_failed)
        parser->token = token;
}

int parser_peek(struct parser *parser)
{
    struct token token = {TOKEN_EOS};

    read_token(parser, &token);
    if (parser->has_failed)
        return TOKEN_EOS;
    parser->ahead = token;
    parser->has_ahead = true;
    return token.kind;
}
