/* Clients that wait for keys: who is served, when, and who is not. */
#include "unit.h"

#include "fake_commands.h"

static struct rig rig;
static struct peer a, b, c;

static int setup(void **state)
{
    rig_init(&rig);
    peer_connect(&a, &rig);
    peer_connect(&b, &rig);
    peer_connect(&c, &rig);
    return 0;
}

static int teardown(void **state)
{
    peer_release(&a);
    peer_release(&b);
    peer_release(&c);
    assert_int_equal(blocking_clients(rig.engine), 0);
    fake_log_release();
    rig_release(&rig);
    return 0;
}

/* ---- serving ---- */

static void who_came_first_is_served_first(void **state)
{
    struct peer d;

    peer_connect(&d, &rig);
    peer_says(&b, "take k 0");
    peer_says(&a, "take k 0");
    peer_says(&c, "take k 0");
    assert_int_equal(blocking_clients(rig.engine), 3);
    peer_says(&d, "put k 1");
    peer_receives(&b, "*2\r\n$1\r\nk\r\n$1\r\n1\r\n");
    peer_receives(&a, "");
    peer_asks(&d, "put k 2");
    peer_asks(&d, "put k 3");
    peer_asks(&d, "look k");
    peer_receives(&a, "*2\r\n$1\r\nk\r\n$1\r\n2\r\n");
    peer_receives(&c, "*2\r\n$1\r\nk\r\n$1\r\n3\r\n");
    peer_receives(&d, "+OK\r\n+OK\r\n+OK\r\n$-1\r\n");
    peer_release(&d);
}

static void what_is_there_already_is_taken_at_once(void **state)
{
    peer_says(&a, "put two x");
    peer_says(&b, "take one two 0");
    peer_receives(&b, "*2\r\n$3\r\ntwo\r\n$1\r\nx\r\n");
    assert_int_equal(blocking_clients(rig.engine), 0);
}

static void one_of_several_keys_is_enough(void **state)
{
    peer_says(&a, "take one two three two 0");
    peer_says(&b, "take three 0");
    peer_says(&c, "put two x");
    peer_receives(&a, "*2\r\n$3\r\ntwo\r\n$1\r\nx\r\n");
    peer_says(&c, "put three y"); /* for which it waits no more */
    peer_receives(&a, "");
    peer_receives(&b, "*2\r\n$5\r\nthree\r\n$1\r\ny\r\n");
    peer_says(&c, "put one z");
    peer_says(&c, "look one");
    peer_receives(&c, "+OK\r\n+OK\r\n+OK\r\n$1\r\nz\r\n");
}

static void a_transaction_serves_when_it_is_over(void **state)
{
    peer_says(&a, "take k 0");
    peer_asks(&b, "multi");
    peer_asks(&b, "put k 1");
    peer_asks(&b, "put k 2");
    peer_asks(&b, "exec");
    peer_asks(&b, "look k");
    peer_receives(&a, "*2\r\n$1\r\nk\r\n$1\r\n2\r\n");
    peer_receives(&b, "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n+OK\r\n$-1\r\n");
    peer_says(&a, "take k 0");
    peer_asks(&b, "multi");
    peer_asks(&b, "put k 1");
    peer_asks(&b, "drop k");
    peer_asks(&b, "exec");
    peer_receives(&a, ""); /* there was nothing for it at the end */
    assert_int_equal(blocking_clients(rig.engine), 1);
    peer_says(&c, "put k 3");
    peer_receives(&a, "*2\r\n$1\r\nk\r\n$1\r\n3\r\n");
}

static void one_who_finds_nothing_keeps_place_and_deadline(void **state)
{
    struct peer d;

    peer_connect(&d, &rig);
    peer_says(&a, "take k 0");
    peer_says(&b, "take k 1");
    rig_advance(&rig, 500);
    peer_says(&c, "put k 1"); /* for a; b looks in vain */
    peer_says(&d, "take k 0");
    peer_says(&c, "put k 2");
    peer_receives(&a, "*2\r\n$1\r\nk\r\n$1\r\n1\r\n");
    peer_receives(&b, "*2\r\n$1\r\nk\r\n$1\r\n2\r\n");
    peer_receives(&d, "");
    peer_says(&a, "take k 0");
    peer_says(&b, "take k 1");
    rig_advance(&rig, 999);
    peer_says(&c, "put k 3"); /* for d */
    peer_says(&c, "put k 4"); /* for a */
    rig_advance(&rig, 1);
    peer_receives(&b, "*-1\r\n");
    peer_receives(&d, "*2\r\n$1\r\nk\r\n$1\r\n3\r\n");
    peer_receives(&a, "*2\r\n$1\r\nk\r\n$1\r\n4\r\n");
    peer_release(&d);
}

/* What a served client changes serves the next one. */
static void serving_goes_on_from_key_to_key(void **state)
{
    struct peer d;

    peer_connect(&d, &rig);
    peer_says(&a, "take three 0");
    peer_says(&b, "hand two three 0");
    peer_says(&c, "hand one two 0");
    rig_forget(&rig);
    peer_asks(&d, "put one x");
    peer_asks(&d, "look one two three");
    peer_receives(&d, "+OK\r\n*3\r\n$-1\r\n$-1\r\n$-1\r\n");
    peer_receives(&c, "$1\r\nx\r\n");
    peer_receives(&b, "$1\r\nx\r\n");
    peer_receives(&a, "*2\r\n$5\r\nthree\r\n$1\r\nx\r\n");
    assert_string_equal(rig_stream(&rig),
                        "put one x\nhand one two 0\nhand two three 0\nDROP three\n");
    peer_release(&d);
}

static void a_key_handed_in_a_circle_stops_with_those_who_wait(void **state)
{
    peer_says(&a, "hand one two 0");
    peer_says(&b, "hand two one 0");
    peer_says(&c, "put one x");
    peer_receives(&a, "$1\r\nx\r\n");
    peer_receives(&b, "$1\r\nx\r\n");
    peer_says(&c, "look one two");
    peer_receives(&c, "+OK\r\n*2\r\n$1\r\nx\r\n$-1\r\n");
}

static void another_type_wakes_nobody(void **state)
{
    peer_says(&a, "take k 0");
    peer_says(&b, "list k");
    peer_receives(&a, "");
    assert_int_equal(blocking_clients(rig.engine), 1);
    peer_says(&b, "drop k");
    peer_says(&b, "put k v");
    peer_receives(&a, "*2\r\n$1\r\nk\r\n$1\r\nv\r\n");
    peer_says(&b, "list other");
    peer_says(&a, "take k other 0"); /* refused before it waits */
    peer_receives(&a, "-" ERR_WRONG_TYPE "\r\n");
}

static void databases_have_their_own_waiters(void **state)
{
    peer_says(&a, "use 1");
    peer_says(&a, "take k 0");
    peer_says(&b, "take k 0");
    peer_forget(&a);
    peer_says(&c, "put k zero");
    peer_receives(&a, "");
    peer_receives(&b, "*2\r\n$1\r\nk\r\n$4\r\nzero\r\n");
    peer_says(&c, "use 1");
    peer_says(&c, "put k one");
    peer_receives(&a, "*2\r\n$1\r\nk\r\n$3\r\none\r\n");
}

static void a_key_that_has_expired_meanwhile_is_not_served(void **state)
{
    peer_says(&a, "take k 0");
    peer_asks(&b, "multi");
    peer_asks(&b, "put k v");
    peer_asks(&b, "expire k -1");
    peer_asks(&b, "exec");
    peer_receives(&a, "");
    assert_int_equal(blocking_clients(rig.engine), 1);
    peer_says(&b, "put k w");
    peer_receives(&a, "*2\r\n$1\r\nk\r\n$1\r\nw\r\n");
}

static void within_a_transaction_nobody_waits(void **state)
{
    peer_asks(&a, "multi");
    peer_asks(&a, "take k 0");
    peer_asks(&a, "hand k j 0");
    peer_asks(&a, "exec");
    peer_receives(&a, "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n*-1\r\n$-1\r\n");
    peer_says(&a, "proto 3");
    peer_asks(&a, "multi");
    peer_asks(&a, "take k 0");
    peer_asks(&a, "exec");
    peer_receives(&a, "+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n_\r\n");
    assert_int_equal(blocking_clients(rig.engine), 0);
}

static void many_waiters_are_served_one_by_one(void **state)
{
    enum { MANY = 200 };
    static struct peer waiters[MANY];
    char line[32], expected[64];

    for (int i = 0; i < MANY; i++) {
        peer_connect(&waiters[i], &rig);
        peer_says(&waiters[i], i % 2 ? "take k 0" : "take other k 0");
    }
    for (int i = 0; i < MANY; i += 2) { /* half of them go */
        close(waiters[i].fd);
        waiters[i].fd = -1;
    }
    rig_run(&rig);
    assert_int_equal(blocking_clients(rig.engine), MANY / 2);
    for (int i = 1; i < MANY; i += 2) {
        snprintf(line, sizeof line, "put k %03d", i);
        peer_asks(&a, line);
    }
    for (int i = 1; i < MANY; i += 2) {
        snprintf(expected, sizeof expected, "*2\r\n$1\r\nk\r\n$3\r\n%03d\r\n", i);
        peer_receives(&waiters[i], expected);
    }
    peer_forget(&a);
    for (int i = 0; i < MANY; i++)
        peer_release(&waiters[i]);
}

/* ---- other ends ---- */

static void a_deadline_is_kept_to_the_millisecond(void **state)
{
    peer_says(&a, "take k 1");
    peer_says(&b, "take k 0.9995");
    peer_says(&c, "hand k j 2.5");
    rig_advance(&rig, 999);
    peer_receives(&a, "");
    peer_receives(&b, "");
    rig_advance(&rig, 1);
    peer_receives(&a, "*-1\r\n");
    peer_receives(&b, "*-1\r\n");
    peer_says(&a, "put k v"); /* in time for c */
    peer_receives(&c, "$1\r\nv\r\n");
    rig_advance(&rig, 100000);
    peer_receives(&c, "");
}

static void a_wait_ends_when_another_client_says_so(void **state)
{
    char line[32];

    peer_says(&a, "take k 0");
    peer_says(&b, "take k 100");
    snprintf(line, sizeof line, "unblock %d", (int)a.id);
    peer_says(&c, line);
    peer_receives(&a, "*-1\r\n");
    peer_says(&c, line); /* it waits no more */
    snprintf(line, sizeof line, "unblock %d error", (int)b.id);
    peer_says(&c, line);
    peer_receives(&b, "-" ERR_UNBLOCKED "\r\n");
    peer_says(&c, "unblock 999");
    peer_receives(&c, ":1\r\n:0\r\n:1\r\n:0\r\n");
    rig_advance(&rig, 100000);
    peer_receives(&b, "");
    peer_says(&c, "put k v");
    peer_says(&c, "look k");
    peer_receives(&c, "+OK\r\n$1\r\nv\r\n");
}

static void free_for_a_while(void)
{
    store_free_now(rig.store, 0);
    rig_run(&rig);
}

static void who_waits_for_memory_waits_until_it_is_freed(void **state)
{
    char line[32];

    peer_says(&a, "grow 2000");
    peer_asks(&a, "flush wait");
    peer_says(&a, "look k");
    peer_says(&c, "grow 2000");
    peer_says(&b, "flush wait");
    peer_says(&c, "flush");
    peer_receives(&c, "+OK\r\n+OK\r\n"); /* others are served */
    snprintf(line, sizeof line, "unblock %d", (int)a.id);
    peer_says(&c, line); /* not for this */
    peer_says(&c, "flush wait");
    peer_receives(&c, ":0\r\n");
    peer_receives(&a, "+OK\r\n");
    assert_int_equal(blocking_clients(rig.engine), 3);
    while (blocking_clients(rig.engine) == 3)
        free_for_a_while();
    peer_receives(&a, "+waited\r\n$-1\r\n");
    peer_receives(&b, "");
    while (blocking_clients(rig.engine))
        free_for_a_while();
    peer_receives(&b, "+waited\r\n");
    peer_receives(&c, "+waited\r\n");
    assert_int_equal(store_pending_frees(rig.store), 0);
}

static void who_waits_for_memory_may_go_first(void **state)
{
    char line[32];

    peer_says(&a, "grow 2000");
    peer_receives(&a, "+OK\r\n");
    peer_says(&a, "flush wait");
    peer_says(&b, "flush wait");
    peer_says(&c, "multi");
    peer_says(&c, "flush wait");
    peer_says(&c, "exec");
    peer_receives(&c, "+OK\r\n+QUEUED\r\n*1\r\n+not waited\r\n");
    snprintf(line, sizeof line, "kill %d", (int)b.id);
    peer_says(&c, line);
    assert_true(peer_is_gone(&b));
    assert_int_equal(blocking_clients(rig.engine), 1);
    peer_says(&c, "flush wait");
    while (blocking_clients(rig.engine))
        free_for_a_while();
    peer_receives(&a, "+waited\r\n");
    peer_receives(&c, ":1\r\n+waited\r\n");
}

static void who_is_killed_in_a_round_of_serving_is_left_out(void **state)
{
    char line[64];

    peer_says(&a, "take k 0");
    peer_says(&b, "take k 0");
    snprintf(line, sizeof line, "kill %d", (int)a.id);
    peer_asks(&c, "multi");
    peer_asks(&c, "put k v");
    peer_asks(&c, line);
    peer_asks(&c, "exec");
    peer_receives(&b, "*2\r\n$1\r\nk\r\n$1\r\nv\r\n");
    peer_receives(&c, "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:1\r\n");
    assert_true(peer_is_gone(&a));
}

/* Its chain is as long as it may be: whatever comes on top closes it. */
static void fill_to_the_limit(struct peer *peer, struct peer *publisher)
{
    static char text[1000];
    int small = 4096;

    setsockopt(peer->client->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    peer_says(peer, "proto 3");
    peer_says(peer, "subscribe news");
    memset(text, 't', sizeof text);
    for (int i = 0; i < 300 && peer->client->output.memory < 50000; i++)
        peer_sends_args(publisher, 3,
                        (struct bytes[]){BYTES("publish"), BYTES("news"), {text, sizeof text}}),
            rig_run(&rig);
    assert_true(peer->client->output.memory >= 50000);
    rig.engine->settings.output_limits[CLIENT_PUBSUB] =
        (struct output_limit){peer->client->output.memory - 1, 0, 0};
}

static void a_client_may_be_cut_at_its_limit_by_the_reply_that_ends_its_wait(void **state)
{
    char line[64];

    peer_says(&a, "take k 1");
    peer_forget(&a);
    client_close(a.client); /* not by its limit, to begin with */
    rig_run(&rig);
    for (int way = 0; way < 3; way++) {
        struct peer d;

        peer_connect(&d, &rig);
        rig.engine->settings.output_limits[CLIENT_PUBSUB] = (struct output_limit){0};
        fill_to_the_limit(&d, &b);
        peer_asks(&d, "take k 1"); /* its own input is read, its output is not taken */
        rig_run(&rig);
        assert_int_equal(blocking_clients(rig.engine), 1);
        snprintf(line, sizeof line, "unblock %d", (int)d.id);
        if (way == 0)
            rig_advance(&rig, 1000);
        else if (way == 1)
            peer_says(&c, line);
        else
            peer_says(&c, "put k v");
        assert_true(peer_is_gone(&d));
        assert_int_equal(blocking_clients(rig.engine), 0);
        peer_release(&d);
    }
    peer_forget(&c);
    peer_says(&c, "look k"); /* taken before it was cut */
    peer_receives(&c, "$-1\r\n");
}

/* A push about what served another client comes behind the reply to what one said oneself. */
static void events_of_serving_come_behind_ones_own_reply(void **state)
{
    peer_says(&a, "proto 3");
    peer_says(&a, "psubscribe *");
    peer_forget(&a);
    rig.engine->settings.notify_classes = EVENT_CLASS_STRING | EVENT_CLASS_GENERIC | (1u << 1);
    peer_says(&b, "take k 0");
    peer_asks(&a, "put k v");
    peer_asks(&a, "echo end");
    peer_receives(&a, "+OK\r\n"
                      ">4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$18\r\n__keyevent@0__:put\r\n$1\r\nk\r\n"
                      ">4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$18\r\n__keyevent@0__:del\r\n$1\r\nk\r\n"
                      "$3\r\nend\r\n");
    peer_receives(&b, "*2\r\n$1\r\nk\r\n$1\r\nv\r\n");
}

/* ---- everything at once ---- */

#define PLAYERS 8
#define KEYS    5

struct player {
    struct peer peer;
    bool waits;
    bool keys[KEYS];
    int64_t deadline_ms; /* 0: none */
    uint64_t came;
};

struct game {
    struct random random;
    struct player players[PLAYERS];
    int value[KEYS]; /* 0: none */
    uint64_t serial;
    int last_value;
};

static void hears(struct player *player, int key, int value)
{
    char expected[64];

    snprintf(expected, sizeof expected, "*2\r\n$2\r\nk%d\r\n$5\r\n%05d\r\n", key, value);
    peer_receives(&player->peer, expected);
    player->waits = false;
}

static void game_take(struct game *game, struct player *player)
{
    char line[64] = "take";
    int served = -1;

    memset(player->keys, 0, sizeof player->keys);
    for (uint64_t n = 1 + random_below(&game->random, 4); n; n--) {
        int key = (int)random_below(&game->random, KEYS);

        snprintf(line + strlen(line), sizeof line - strlen(line), " k%d", key);
        player->keys[key] = true;
        if (served < 0 && game->value[key])
            served = key;
    }
    player->deadline_ms = 0;
    if (random_below(&game->random, 2))
        player->deadline_ms =
            clock_now_ms(&rig.clock) + 1 + (int64_t)random_below(&game->random, 50);
    snprintf(line + strlen(line), sizeof line - strlen(line), " %g",
             player->deadline_ms ? (double)(player->deadline_ms - clock_now_ms(&rig.clock)) / 1000
                                 : 0);
    peer_says(&player->peer, line);
    player->waits = true;
    player->came = ++game->serial;
    if (served < 0)
        return;
    hears(player, served, game->value[served]);
    game->value[served] = 0;
}

static void game_put(struct game *game)
{
    int key = (int)random_below(&game->random, KEYS);
    struct player *first = NULL;
    char line[64];

    game->value[key] = ++game->last_value;
    snprintf(line, sizeof line, "put k%d %05d", key, game->last_value);
    peer_says(&a, line);
    for (int i = 0; i < PLAYERS; i++) {
        struct player *player = &game->players[i];

        if (player->waits && player->keys[key] && (!first || player->came < first->came))
            first = player;
    }
    if (!first)
        return;
    hears(first, key, game->value[key]);
    game->value[key] = 0;
}

static void game_advance(struct game *game)
{
    rig_advance(&rig, (int64_t)random_below(&game->random, 20));
    for (int i = 0; i < PLAYERS; i++) {
        struct player *player = &game->players[i];

        if (player->waits && player->deadline_ms &&
            player->deadline_ms <= clock_now_ms(&rig.clock)) {
            peer_receives(&player->peer, "*-1\r\n");
            player->waits = false;
        }
    }
}

static void a_long_random_game_is_served_as_a_simple_model_says(void **state)
{
    struct game *game = calloc(1, sizeof *game);

    random_init(&game->random, 1);
    for (int i = 0; i < PLAYERS; i++)
        peer_connect(&game->players[i].peer, &rig);
    for (size_t step = 0; step < RANDOM_STEPS(20000); step++) {
        struct player *player = &game->players[random_below(&game->random, PLAYERS)];
        uint64_t kind = random_below(&game->random, 100);

        if (kind < 50 && !player->waits)
            game_take(game, player);
        else if (kind < 85)
            game_put(game);
        else if (kind < 97)
            game_advance(game);
        else if (kind < 99)
            peer_receives(&player->peer, "");
        else {
            peer_release(&player->peer);
            peer_connect(&player->peer, &rig);
            player->waits = false;
        }
        peer_read(&a);
        a.received.len = 0;
    }
    for (int i = 0; i < PLAYERS; i++)
        peer_release(&game->players[i].peer);
    free(game);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_came_first_is_served_first),
        TEST(what_is_there_already_is_taken_at_once),
        TEST(one_of_several_keys_is_enough),
        TEST(a_transaction_serves_when_it_is_over),
        TEST(one_who_finds_nothing_keeps_place_and_deadline),
        TEST(serving_goes_on_from_key_to_key),
        TEST(a_key_handed_in_a_circle_stops_with_those_who_wait),
        TEST(another_type_wakes_nobody),
        TEST(databases_have_their_own_waiters),
        TEST(a_key_that_has_expired_meanwhile_is_not_served),
        TEST(within_a_transaction_nobody_waits),
        TEST(many_waiters_are_served_one_by_one),
        TEST(a_deadline_is_kept_to_the_millisecond),
        TEST(a_wait_ends_when_another_client_says_so),
        TEST(who_waits_for_memory_waits_until_it_is_freed),
        TEST(who_waits_for_memory_may_go_first),
        TEST(who_is_killed_in_a_round_of_serving_is_left_out),
        TEST(a_client_may_be_cut_at_its_limit_by_the_reply_that_ends_its_wait),
        TEST(events_of_serving_come_behind_ones_own_reply),
        TEST(a_long_random_game_is_served_as_a_simple_model_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
