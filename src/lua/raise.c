/* Raising errors: the value, and where it happened. */
#include "state_internal.h"

#include "base/text.h"

#include <stdio.h>

/* --- places -------------------------------------------------------------------------------- */

int lua_frame_line(const struct lua_frame *frame)
{
    const struct lua_proto *proto = frame->function->function->proto;
    ptrdiff_t at = frame->pc - proto->code;

    return proto->lines[at > 0 ? at - 1 : 0];
}

/* The frame of a level; NULL where there is none, or where a tail call has taken its place. */
static const struct lua_frame *frame_of_level(const struct lua_thread *thread, int level)
{
    int at = thread->frame_count;

    for (; level > 0 && at > 0; at--) {
        const struct lua_frame *frame = &thread->frames[at - 1];
        level--;
        if (frame->is_lua)
            level -= frame->tail_calls;
    }
    return level == 0 && at > 0 ? &thread->frames[at - 1] : NULL;
}

static const struct lua_frame *innermost_lua_frame(const struct lua_thread *thread)
{
    for (int at = thread->frame_count; at-- > 0;)
        if (thread->frames[at].is_lua)
            return &thread->frames[at];
    return NULL;
}

static size_t frame_place_text(const struct lua_frame *frame, char *out, size_t size)
{
    char chunk[CHUNK_DISPLAY_MAX];

    if (!frame || !frame->is_lua)
        return 0;
    lua_chunk_display(frame->function->function->proto->source, chunk, sizeof chunk);
    return (size_t)snprintf(out, size, "%s:%d: ", chunk, lua_frame_line(frame));
}

size_t lua_place_text(const struct lua *lua, int level, char *out, size_t size)
{
    return frame_place_text(frame_of_level(lua->running, level), out, size);
}

bool lua_place(const struct lua *lua, int level, struct bytes *chunk, int *line)
{
    const struct lua_thread *thread = lua->running;
    int at = thread->frame_count, skipped = 0;

    for (; at > 0 && !thread->frames[at - 1].is_lua; at--)
        skipped++;
    const struct lua_frame *frame = frame_of_level(thread, level + skipped);
    if (!frame || !frame->is_lua)
        return false;
    struct lua_string *source = frame->function->function->proto->source;
    char *display = ((struct lua *)lua)->place_display;
    *chunk = (struct bytes){display, lua_chunk_display(source, display, CHUNK_DISPLAY_MAX)};
    *line = lua_frame_line(frame);
    return true;
}

/* --- raising ------------------------------------------------------------------------------- */

bool lua_raise(struct lua *lua, struct lua_value error)
{
    const struct lua_frame *frame = innermost_lua_frame(lua->running);

    lua->unwind = UNWIND_ERROR;
    lua->error = error;
    lua->error_source = frame ? frame->function->function->proto->source : NULL;
    lua->error_line = frame ? lua_frame_line(frame) : 0;
    return false;
}

struct lua_value lua_error_value(const struct lua *lua) { return lua->error; }

bool lua_error_place(const struct lua *lua, struct bytes *chunk, int *line)
{
    char *display = ((struct lua *)lua)->place_display;

    if (!lua->error_source)
        return false;
    *chunk = (struct bytes){display, lua_chunk_display(lua->error_source, display, CHUNK_DISPLAY_MAX)};
    *line = lua->error_line;
    return true;
}

void lua_format_into(struct lua *lua, struct lua_value *out, const char *format, va_list arguments)
{
    char small[256];
    va_list again;
    int len;

    va_copy(again, arguments);
    len = vsnprintf(small, sizeof small, format, arguments);
    if (len < 0) { /* longer than printf can tell */
        *out = lua_text(lua, "not enough memory");
    } else if ((size_t)len < sizeof small) {
        *out = lua_string(lua, (struct bytes){small, (size_t)len});
    } else {
        struct lua_string *string = lua_string_new_long(lua, (size_t)len);
        vsnprintf(string->data, (size_t)len + 1, format, again);
        *out = lua_of_string(string);
    }
    va_end(again);
}

struct lua_value lua_format(struct lua *lua, const char *format, ...)
{
    struct lua_value value;
    va_list arguments;

    va_start(arguments, format);
    lua_format_into(lua, &value, format, arguments);
    va_end(arguments);
    return value;
}

static bool raise_at(struct lua *lua, const struct lua_frame *frame, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

static bool raise_at(struct lua *lua, const struct lua_frame *frame, const char *format, va_list arguments)
{
    char place[PLACE_TEXT_MAX];
    struct lua_value message;
    size_t len = frame_place_text(frame, place, sizeof place);
    struct text text = {0};

    lua_format_into(lua, &message, format, arguments);
    if (len) {
        text_add(&text, (struct bytes){place, len});
        text_add(&text, lua_string_bytes(message));
        message = lua_string(lua, text_bytes(&text));
        text_release(&text);
    }
    return lua_raise(lua, message);
}

bool lua_raise_text(struct lua *lua, const char *format, ...)
{
    const struct lua_thread *thread = lua->running;
    const struct lua_frame *frame = thread->frame_count ? lua_frame_top(thread) : NULL;
    va_list arguments;

    if (frame && !frame->is_lua)
        frame = frame_of_level(thread, 1);
    va_start(arguments, format);
    raise_at(lua, frame, format, arguments);
    va_end(arguments);
    return false;
}

bool lua_raise_runtime(struct lua *lua, const char *format, ...)
{
    const struct lua_thread *thread = lua->running;
    va_list arguments;

    va_start(arguments, format);
    raise_at(lua, thread->frame_count ? lua_frame_top(thread) : NULL, format, arguments);
    va_end(arguments);
    return false;
}

bool lua_raise_type(struct lua *lua, const struct lua_value *value, const char *doing)
{
    const struct lua_thread *thread = lua->running;
    const struct lua_frame *frame = thread->frame_count ? lua_frame_top(thread) : NULL;
    const char *type = lua_type_name(value->type), *kind = NULL, *name;

    if (frame && frame->is_lua && value >= frame->base
        && value < frame->base + frame->function->function->proto->stack_size) {
        lua_charge(lua, (size_t)frame->function->function->proto->code_count << 4); /* that are searched for it */
        kind = lua_register_name(frame, (int)(value - frame->base), &name);
    }
    if (kind)
        return lua_raise_runtime(lua, "attempt to %s %s '%s' (a %s value)", doing, kind, name, type);
    return lua_raise_runtime(lua, "attempt to %s a %s value", doing, type);
}

bool lua_raise_compare(struct lua *lua, struct lua_value a, struct lua_value b)
{
    if (a.type == b.type)
        return lua_raise_runtime(lua, "attempt to compare two %s values", lua_type_name(a.type));
    return lua_raise_runtime(lua, "attempt to compare %s with %s", lua_type_name(a.type), lua_type_name(b.type));
}
