/* From expiry options to a deadline. */
#include "expire_argument_internal.h"

bool expire_argument_take(struct request *req, int *at, struct expire_argument *expire)
{
    static const struct {
        const char *word;
        int64_t unit_ms;
        bool is_relative;
    } options[] = {{"ex", 1000, true}, {"px", 1, true}, {"exat", 1000, false}, {"pxat", 1, false}};

    if (*at + 1 >= req->argc)
        return false;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (argument_is(req, *at, options[i].word)) {
            if (expire->at && (expire->unit_ms != options[i].unit_ms ||
                               expire->is_relative != options[i].is_relative))
                return false;
            expire->at = ++*at;
            expire->unit_ms = options[i].unit_ms;
            expire->is_relative = options[i].is_relative;
            return true;
        }
    return false;
}

bool expire_argument_parse_or_reply(struct request *req, struct expire_argument *expire)
{
    int64_t base = expire->is_relative ? clock_now_ms(req->engine->clock) : 0, value;
    char name[COMMAND_NAME_MAX];

    if (!expire->at)
        return true;
    if (!parse_int_or_reply(req, expire->at, &value))
        return false;
    if (value > 0 && !__builtin_mul_overflow(value, expire->unit_ms, &value) &&
        !__builtin_add_overflow(value, base, &expire->deadline_ms))
        return true;
    reply_error_format(req, "ERR invalid expire time in '%s' command",
                       command_full_name(req->command, name));
    return false;
}
