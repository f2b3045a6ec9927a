/* find, match, gmatch, gsub: what a script does with patterns. */
#include "lua/library.h"
#include "lua/pattern.h"

/* A capture's value; number 0 is the whole match when there is none. False: raised. */
static bool capture_value(struct lua *lua, const struct pattern_match *match, int at, const char *start,
                          const char *end, struct lua_value *value)
{
    const struct pattern_capture *capture = &match->captures[at];

    if (at >= match->level) {
        if (at)
            return lua_raise_text(lua, "invalid capture index");
        *value = lua_string(lua, (struct bytes){start, (size_t)(end - start)});
        return true;
    }
    if (capture->len == CAPTURE_IS_OPEN)
        return lua_raise_text(lua, "unfinished capture");
    if (capture->len == CAPTURE_IS_POSITION)
        *value = lua_number((double)(capture->start - match->text + 1));
    else
        *value = lua_string(lua, (struct bytes){capture->start, (size_t)capture->len});
    return true;
}

/* All captures; the whole match when there are none and 'start' is given. Returns how many, -1: raised. */
static int capture_values(struct lua *lua, const struct pattern_match *match, const char *start, const char *end,
                          struct lua_value values[PATTERN_CAPTURES])
{
    int count = match->level == 0 && start ? 1 : match->level;

    for (int i = 0; i < count; i++)
        if (!capture_value(lua, match, i, start, end, &values[i]))
            return -1;
    return count;
}

static bool return_captures(struct lua_call *call, const struct pattern_match *match, const char *start,
                            const char *end)
{
    struct lua_value values[PATTERN_CAPTURES];
    int count = capture_values(call->lua, match, start, end, values);

    for (int i = 0; i < count; i++)
        lua_return(call, values[i]);
    return count >= 0;
}

static bool work(void *lua, int64_t steps) { return lua_work(lua, steps); }

static bool raise_pattern(struct lua_call *call, const struct pattern_match *match)
{
    return !match->is_stopped && lua_raise_text(call->lua, "%s", match->error);
}

static void return_place(struct lua_call *call, struct bytes text, const char *start, const char *end)
{
    lua_return(call, lua_number((double)(start - text.data + 1)));
    lua_return(call, lua_number((double)(end - text.data)));
}

static bool find_or_match(struct lua_call *call, bool finds)
{
    struct bytes text, pattern;
    struct pattern_match match;
    int64_t from = 1;
    bool is_anchored;

    if (!lua_arg_string(call, 0, &text) || !lua_arg_string(call, 1, &pattern) || !lua_arg_optional_int(call, 2, &from))
        return false;
    if (from < 0)
        from += (int64_t)text.len + 1;
    from = from < 1 ? 0 : from - 1;
    if (from > (int64_t)text.len)
        from = (int64_t)text.len;
    if (finds && (lua_is_true(lua_arg(call, 3)) || pattern_is_plain(pattern))) {
        const char *found = pattern_find_plain((struct bytes){text.data + from, text.len - (size_t)from}, pattern);

        if (found)
            return_place(call, text, found, found + pattern.len);
        else
            lua_return(call, lua_nil());
        return true;
    }
    pattern_begin(&match, text, pattern, work, call->lua);
    is_anchored = *match.pattern == '^';
    for (const char *at = text.data + from; at <= match.text_end; at++) {
        const char *end = pattern_try(&match, at, match.pattern + is_anchored);

        if (end) {
            if (finds)
                return_place(call, text, at, end);
            return return_captures(call, &match, finds ? NULL : at, end);
        }
        if (match.error)
            return raise_pattern(call, &match);
        if (is_anchored)
            break;
    }
    lua_return(call, lua_nil());
    return true;
}

bool lua_string_find(struct lua_call *call) { return find_or_match(call, true); }
bool lua_string_match(struct lua_call *call) { return find_or_match(call, false); }

/* The iterator's upvalues: the text, the pattern, and how far it is. */
static bool next_match(struct lua_call *call)
{
    struct bytes text = lua_string_bytes(lua_upvalue(call, 0));
    struct pattern_match match;

    pattern_begin(&match, text, lua_string_bytes(lua_upvalue(call, 1)), work, call->lua);
    for (const char *at = text.data + (size_t)lua_upvalue(call, 2).number; at <= match.text_end; at++) {
        const char *end = pattern_try(&match, at, match.pattern);

        if (end) {
            /* an empty match is not found again */
            lua_set_upvalue(call, 2, lua_number((double)(end - text.data + (end == at))));
            return return_captures(call, &match, at, end);
        }
        if (match.error)
            return raise_pattern(call, &match);
    }
    return true; /* without a value: the loop ends */
}

bool lua_string_gmatch(struct lua_call *call)
{
    struct bytes text, pattern;

    if (!lua_arg_string(call, 0, &text) || !lua_arg_string(call, 1, &pattern))
        return false;
    lua_return(call, lua_new_closure(call->lua, "for iterator", next_match, NULL,
                                     (struct lua_value[]){lua_arg(call, 0), lua_arg(call, 1), lua_number(0)}, 3));
    return true;
}

static bool add(struct lua *lua, struct text *out, struct bytes part)
{
    if (!lua_string_fits(lua, out->len, part.len))
        return false;
    text_add(out, part);
    return true;
}

/* A replacement that is a string: %0 to %9 are captures, % before anything else is taken away. */
static bool add_expanded(struct lua_call *call, struct text *out, const struct pattern_match *match, struct bytes by,
                         struct bytes whole)
{
    struct lua *lua = call->lua;

    for (size_t i = 0; i < by.len; i++) {
        const char *next = memchr(by.data + i, '%', by.len - i);
        size_t plain = next ? (size_t)(next - by.data) - i : by.len - i;
        struct lua_value value;
        char text[LUA_NUMBER_TEXT_MAX];
        char code;

        if (!add(lua, out, (struct bytes){by.data + i, plain}))
            return false;
        if (!next)
            return true;
        i += plain + 1;
        code = by.data[i]; /* a zero byte stands behind the end */
        if (code < '0' || code > '9') {
            text_add(out, (struct bytes){&code, 1});
            continue;
        }
        if (code == '0') {
            if (!add(lua, out, whole))
                return false;
            continue;
        }
        if (!capture_value(lua, match, code - '1', whole.data, whole.data + whole.len, &value))
            return false;
        if (lua_is(value, LUA_NUMBER) ? !add(lua, out, (struct bytes){text, lua_number_text(text, value.number)})
                                      : !add(lua, out, lua_string_bytes(value)))
            return false;
    }
    return true;
}

/* A replacement that a table or a function tells. */
static bool add_answer(struct lua_call *call, struct text *out, const struct pattern_match *match, struct bytes whole)
{
    struct lua *lua = call->lua;
    struct lua_value by = lua_arg(call, 2), values[PATTERN_CAPTURES], answer;
    char text[LUA_NUMBER_TEXT_MAX];

    if (lua_is(by, LUA_TABLE)) {
        if (!capture_value(lua, match, 0, whole.data, whole.data + whole.len, &values[0]) ||
            !lua_index(lua, by, values[0], &answer))
            return false;
    } else {
        int count = capture_values(lua, match, whole.data, whole.data + whole.len, values);

        if (count < 0 || lua_call(lua, by, values, count) < 0)
            return false;
        answer = lua_result(lua, 0);
    }
    if (!lua_is_true(answer))
        return add(lua, out, whole);
    if (lua_is(answer, LUA_NUMBER))
        return add(lua, out, (struct bytes){text, lua_number_text(text, answer.number)});
    if (!lua_is(answer, LUA_STRING))
        return lua_raise_text(lua, "invalid replacement value (a %s)", lua_type_name(answer.type));
    return add(lua, out, lua_string_bytes(answer));
}

static bool substitute(struct lua_call *call, struct pattern_match *match, int64_t most, struct text *out,
                       int64_t *count)
{
    bool is_anchored = *match->pattern == '^', is_text = lua_is(lua_arg(call, 2), LUA_STRING);
    const char *at = match->text, *kept = at; /* what is between the two goes over as it is */

    while (*count < most) {
        const char *end = pattern_try(match, at, match->pattern + is_anchored);

        if (match->error)
            return raise_pattern(call, match);
        if (end) {
            struct bytes whole = {at, (size_t)(end - at)};

            ++*count;
            if (!add(call->lua, out, (struct bytes){kept, (size_t)(at - kept)}))
                return false;
            kept = end;
            if (is_text ? !add_expanded(call, out, match, lua_string_bytes(lua_arg(call, 2)), whole)
                        : !add_answer(call, out, match, whole))
                return false;
        }
        if (end && end > at)
            at = end;
        else if (at < match->text_end)
            at++;
        else
            break;
        if (is_anchored)
            break;
    }
    return add(call->lua, out, (struct bytes){kept, (size_t)(match->text_end - kept)});
}

bool lua_string_gsub(struct lua_call *call)
{
    struct bytes text, pattern, by;
    struct pattern_match match;
    struct text out = {0};
    int32_t most;
    int64_t count = 0;
    enum lua_type type;

    if (!lua_arg_string(call, 0, &text) || !lua_arg_string(call, 1, &pattern))
        return false;
    type = lua_arg(call, 2).type;
    if (type != LUA_NUMBER && type != LUA_STRING && type != LUA_FUNCTION && type != LUA_TABLE)
        return lua_raise_argument(call, 2, "string/function/table expected");
    if (type == LUA_NUMBER && !lua_arg_string(call, 2, &by))
        return false;
    most = (int32_t)(text.len + 1);
    if (!lua_arg_optional_int32(call, 3, &most))
        return false;
    pattern_begin(&match, text, pattern, work, call->lua);
    if (!substitute(call, &match, most, &out, &count)) {
        text_release(&out);
        return false;
    }
    if (!lua_return_text(call, &out))
        return false;
    lua_return(call, lua_number((double)count));
    return true;
}
