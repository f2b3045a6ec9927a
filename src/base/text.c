/* Text that grows as it is written. */
#include "base/text.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

static void ensure(struct text *text, size_t room)
{
    size_t size = 2 * (text->len + room);

    if (text->len + room <= text->size)
        return;
    text->data = text->size ? mem_resize(text->data, text->size, size) : mem_alloc(size);
    text->size = size;
}

void text_add(struct text *text, struct bytes part)
{
    if (!part.len)
        return;
    ensure(text, part.len);
    memcpy(text->data + text->len, part.data, part.len);
    text->len += part.len;
}

static void add_escaped(struct text *text, unsigned char byte)
{
    static const char plain[] = "\\\"\n\r\t\a\b", letters[] = "\\\"nrtab";
    const char *found = byte ? strchr(plain, byte) : NULL;

    if (found)
        text_format(text, "\\%c", letters[found - plain]);
    else if (byte >= ' ' && byte <= '~')
        text_add(text, (struct bytes){(const char *)&byte, 1});
    else
        text_format(text, "\\x%02x", byte);
}

void text_add_quoted(struct text *text, struct bytes bytes)
{
    text_add(text, BYTES("\""));
    for (size_t i = 0; i < bytes.len; i++)
        add_escaped(text, (unsigned char)bytes.data[i]);
    text_add(text, BYTES("\""));
}

void text_format(struct text *text, const char *format, ...)
{
    va_list args, again;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    if (len > 0) {
        ensure(text, (size_t)len + 1);
        vsnprintf(text->data + text->len, (size_t)len + 1, format, again);
        text->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

void text_release(struct text *text)
{
    if (text->size)
        mem_free(text->data, text->size);
    *text = (struct text){0};
}
