/* LOLWUT: a picture, and the version. A colony of terns as seen from the ground, another one each time. */
#include "server_internal.h"

#include "engine/version.h"

#define WIDTH_DEFAULT  66
#define HEIGHT_DEFAULT 8
#define SIDE_MAX       1000
#define BIRD_EVERY     24 /* cells */

static void draw(struct random *random, int64_t width, int64_t height, struct text *out)
{
    static const char *const birds[] = {"\\_/", "-v-", "^v^", "~v~"};

    for (int64_t y = 0; y < height; y++) {
        for (int64_t x = 0; x < width;) {
            if (x + 3 <= width && random_next(random) % BIRD_EVERY == 0) {
                text_format(out, "%s", birds[random_next(random) % 4]);
                x += 3;
            } else {
                text_add(out, BYTES(" "));
                x++;
            }
        }
        text_add(out, BYTES("\n"));
    }
}

static int64_t side(int64_t asked) { return asked < 1 ? 1 : asked > SIDE_MAX ? SIDE_MAX : asked; }

static void cmd_lolwut(struct request *req)
{
    int64_t version = 0, width = WIDTH_DEFAULT, height = HEIGHT_DEFAULT;
    int at = 1;
    struct text text = {0};

    if (req->argc >= 3 && argument_is(req, 1, "version")) {
        if (!parse_int_or_reply(req, 2, &version))
            return;
        at = 3;
    }
    if (at < req->argc && !parse_int_or_reply(req, at, &width))
        return;
    if (at + 1 < req->argc && !parse_int_or_reply(req, at + 1, &height))
        return;
    draw(&req->engine->store->random, side(width), side(height), &text);
    text_format(&text, "\nTern %s. Redis ver. %s\n", TERN_VERSION, REDIS_VERSION);
    reply_verbatim(req, text_bytes(&text), "txt");
    text_release(&text);
}

static const struct command lolwut_commands[] = {
    {"lolwut", cmd_lolwut, -1, CMD_READONLY | CMD_FAST, {0, 0, 0}, NULL, "5.0.0", "",
     "[VERSION version] [width [height]]", "Draws, and shows the version."},
};
REGISTER_COMMANDS("server", lolwut_commands);
