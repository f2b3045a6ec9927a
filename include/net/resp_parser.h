/* The requests of RESP (https://redis.io/docs/reference/protocol-spec/), arrays of bulk strings and
 * inline commands, from bytes that arrive in any pieces.
 *
 * The parser is fed the bytes of one command from its first byte on, each time all that is there.
 * It remembers where it stopped and looks at no byte twice. It owns nothing: the arguments are
 * views into the caller's bytes, put into the caller's array.
 *
 *     resp_parser_init(&parser);
 *     switch (resp_parse(&parser, &limits, bytes, args, args_max)) {
 *     case RESP_COMPLETE: the command took parser.at bytes and has parser.argc arguments (0: an
 *                         empty line or array, skip it); init again for the next one. When
 *                         parser.is_quoted, the arguments need resp_unquote() before they are used
 *     case RESP_MORE:     append bytes, call again with all of them; when they moved,
 *                         resp_rebase() the arguments found so far
 *     case RESP_ARGS:     args_max is too small: enlarge the array, keeping its content, call again
 *     case RESP_ERROR:    resp_parser_error() is the reply, after which the connection is closed
 *     }
 */
#ifndef TERN_NET_RESP_PARSER_H
#define TERN_NET_RESP_PARSER_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes of an inline command, or of a count or length line, without its end. One more: an error. */
#define RESP_INLINE_MAX (64 * 1024)

struct resp_limits {
    int64_t bulk_len_max;  /* proto-max-bulk-len; 16384 before authentication */
    int64_t multibulk_max; /* INT32_MAX; 10 before authentication */
    bool is_authenticated; /* picks the error text */
};

enum resp_status { RESP_COMPLETE, RESP_MORE, RESP_ARGS, RESP_ERROR };

struct resp_parser {
    size_t at;         /* bytes of this command that are done with */
    size_t scanned;    /* bytes seen to hold no end of line yet, from the command's first byte */
    int64_t args_left; /* bulk strings still to come; -1 before the count line, -2 inline */
    int64_t bulk_len;  /* of the next bulk string; -1 before its length line, -2 when supplied */
    uint32_t argc;     /* arguments complete so far */
    uint8_t error;     /* enum of the implementation */
    char unexpected;   /* the byte that stood where '$' should */
    bool is_quoted;    /* an inline command with quotes: its arguments are as they were sent */
};

static inline void resp_parser_init(struct resp_parser *parser)
{
    *parser = (struct resp_parser){.args_left = -1, .bulk_len = -1};
}

enum resp_status resp_parse(struct resp_parser *parser, const struct resp_limits *limits,
                            struct bytes bytes, struct bytes *args, uint32_t args_max);

/* Takes the quotes and escapes out of the arguments of an inline command, in their place: the bytes
 * must be writable, const as they look. To be called once, when the command is about to run: bytes
 * that were unquoted cannot be parsed again, as happens to what was parsed ahead and is dropped. */
void resp_unquote(struct bytes *args, uint32_t argc);

/* After RESP_ERROR: "Protocol error: ..." without "-ERR " and end of line, as Redis words it. 'out'
 * holds 128 bytes; returns it. */
const char *resp_parser_error(const struct resp_parser *parser, char *out);

/* After RESP_MORE: the length of the bulk string whose content is being waited for, -1 when what is
 * missing is something else. Its bytes so far are bytes.data[parser->at ..]. */
int64_t resp_awaited_bulk(const struct resp_parser *parser);

/* The awaited bulk string is complete elsewhere, at 'content' (of that length): it becomes the next
 * argument. The command's bytes go on, from parser->at, with the end of line behind it; parser->at
 * does not count the content. */
void resp_supply_bulk(struct resp_parser *parser, const char *content, struct bytes *args);

/* The command's bytes moved from 'from' to 'to': arguments that lie in the first 'size' bytes there
 * move along (supplied ones stay). */
void resp_rebase(struct bytes *args, uint32_t argc, const char *from, size_t size, const char *to);

#endif
