/* A growing piece of text: INFO, CLIENT LIST, log reports. */
#ifndef TERN_BASE_TEXT_H
#define TERN_BASE_TEXT_H

#include "base/bytes.h"

struct text {
    char *data;
    size_t len, size;
};

/* {0} is an empty text. */
void text_add(struct text *text, struct bytes part);
/* In double quotes, with escapes for what does not print, as MONITOR and the configuration show it. */
void text_add_quoted(struct text *text, struct bytes bytes);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_release(struct text *text);

static inline struct bytes text_bytes(const struct text *text)
{
    return (struct bytes){text->data, text->len};
}

#endif
