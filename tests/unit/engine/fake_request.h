/* A request without a command: what a handler would get, for tests of what it calls. */
#ifndef TERN_TESTS_FAKE_REQUEST_H
#define TERN_TESTS_FAKE_REQUEST_H

#include "engine_rig.h"

struct fake_request {
    struct request req;
    struct bytes argv[16];
};

/* Its replies go to 'peer' when fake_request_end is called. */
static inline struct request *fake_request_begin(struct fake_request *fake, struct peer *peer)
{
    struct engine *engine = peer->rig->engine;

    *fake = (struct fake_request){.req = {.client = peer->client,
                                          .engine = engine,
                                          .window = &engine->turn->window,
                                          .db = peer->client->db}};
    fake->req.argv = fake->argv;
    window_begin(fake->req.window, peer->client);
    fake->req.window->command_start = fake->req.window->at;
    return &fake->req;
}

static inline void fake_request_add(struct fake_request *fake, struct bytes argument)
{
    fake->argv[fake->req.argc++] = argument;
}

static inline void fake_request_end(struct fake_request *fake) { window_flush(fake->req.window); }

#endif
