/* What commands of streams put into the write stream makes the same stream again, its groups, their
 * consumers and what is pending included: random commands run, what travelled is run again, and
 * XINFO STREAM FULL must say the same. Reading one's history again (XREADGROUP with an id) counts
 * deliveries and does not travel, as in Redis: it is left out. */
#include "unit.h"

#include "base/random.h"
#include "engine_rig.h"

static struct random dice;

static uint64_t below(uint64_t n) { return random_below(&dice, n); }

static void add_word(struct text *line, const char *word)
{
    text_format(line, "%s%s", line->len ? " " : "", word);
}

/* One of 'count' words, which stand behind each other. */
static void add_one_of(struct text *line, size_t count, ...)
{
    size_t choice = below(count);
    va_list words;

    va_start(words, count);
    for (; choice; choice--)
        va_arg(words, const char *);
    add_word(line, va_arg(words, const char *));
    va_end(words);
}

static void add_id(struct text *line, uint64_t top)
{
    text_format(line, " %d", (int)(top - below(top < 30 ? top : 30)));
}

static void make_add(struct text *line, uint64_t *top)
{
    text_format(line, "XADD s");
    if (below(4) == 0)
        text_format(line, " %s %s %d", below(2) ? "MAXLEN" : "MINID", below(2) ? "~" : "=",
                    (int)(*top > 20 && below(2) ? *top - 20 : 20 + below(10)));
    text_format(line, below(2) ? " %d" : " %d-*", (int)++*top);
    text_format(line, " f %d", (int)below(100));
}

static void make_claim(struct text *line, uint64_t top)
{
    text_format(line, "XCLAIM s");
    add_one_of(line, 2, "g", "h");
    add_one_of(line, 3, "a", "b", "c");
    add_one_of(line, 2, "0", "10");
    for (uint64_t i = below(4); i <= 4; i++)
        add_id(line, top);
    add_one_of(line, 3, "FORCE", "JUSTID", "IDLE 50");
    add_one_of(line, 3, "RETRYCOUNT 4", "TIME 1794999999999", "LASTID 3");
}

static void make(struct text *line, uint64_t *top)
{
    uint64_t choice = below(100);

    line->len = 0;
    if (choice < 30) {
        make_add(line, top);
    } else if (choice < 55) {
        text_format(line, "XREADGROUP GROUP");
        add_one_of(line, 2, "g", "h");
        add_one_of(line, 3, "a", "b", "c");
        add_one_of(line, 4, "COUNT 1", "COUNT 5", "COUNT 2 NOACK", "BLOCK 1");
        text_format(line, " STREAMS s >");
    } else if (choice < 65) {
        text_format(line, "XACK s");
        add_one_of(line, 2, "g", "h");
        add_id(line, *top);
        add_id(line, *top);
    } else if (choice < 75) {
        make_claim(line, *top);
    } else if (choice < 82) {
        text_format(line, "XAUTOCLAIM s");
        add_one_of(line, 2, "g", "h");
        add_one_of(line, 3, "a", "b", "c");
        add_one_of(line, 2, "0 - COUNT 3", "5 - JUSTID");
    } else if (choice < 90) {
        text_format(line, "XDEL s");
        add_id(line, *top);
        add_id(line, *top);
    } else if (choice < 92) {
        text_format(line, "XTRIM s MAXLEN");
        add_one_of(line, 2, "~", "=");
        text_format(line, " %d", (int)below(60));
    } else if (choice < 96) {
        add_one_of(line, 2, "XGROUP CREATECONSUMER s", "XGROUP DELCONSUMER s");
        add_one_of(line, 2, "g a", "h b");
    } else if (choice < 98) {
        add_one_of(line, 3, "XGROUP CREATE s g $ MKSTREAM", "XGROUP CREATE s h 0 MKSTREAM",
                   "XGROUP SETID s g 5");
    } else if (choice < 99) {
        text_format(line, "XSETID s %d ENTRIESADDED 1000 MAXDELETEDID 5", (int)(*top += below(3)));
    } else {
        add_one_of(line, 2, "XGROUP DESTROY s h", "XGROUP DESTROY s g");
    }
}

static void say_all(struct peer *peer, const char *lines)
{
    char line[512];

    while (*lines) {
        size_t len = strcspn(lines, "\n");

        assert_true(len < sizeof line);
        memcpy(line, lines, len);
        line[len] = '\0';
        peer_says(peer, line);
        peer_forget(peer);
        lines += len + 1;
    }
}

/* As the server tells it, behind the numbers of nodes. */
static char *state_of(struct peer *peer)
{
    char *state;

    peer_forget(peer);
    peer_says(peer, "XINFO STREAM s FULL COUNT 0");
    peer_reads_all(peer);
    state = strdup(rig_text(&peer->received));
    peer->received.len = 0;
    return state;
}

static void run_and_run_again(uint64_t seed)
{
    struct text line = {0};
    struct peer peer;
    struct rig rig;
    uint64_t top = 1;
    char *before, *after, *travelled;

    random_init(&dice, seed);
    rig_init(&rig);
    rig.engine->settings.stream_node_max_entries = 1 + (int64_t)seed % 12;
    peer_connect(&peer, &rig);
    say_all(&peer, "XGROUP CREATE s g $ MKSTREAM\nXGROUP CREATE s h 0\n");
    for (int step = 0; step < RANDOM_STEPS(600); step++) {
        make(&line, &top);
        peer_says(&peer, rig_text(&line));
        rig_advance(&rig, 1); /* whoever waits goes on */
        peer_forget(&peer);
        rig.clock.now_us = RIG_NOW_MS * 1000;
    }
    before = state_of(&peer);
    travelled = strdup(rig_stream(&rig));
    say_all(&peer, "FLUSHALL\n");
    rig_advance(&rig, 0); /* it may wait until the memory is free */
    say_all(&peer, travelled);
    after = state_of(&peer);
    assert_true(strlen(before) > 200);
    if (strcmp(before, after) != 0)
        fail_msg("seed %d: %s\n---\n%s", (int)seed, before, after);
    free(before);
    free(after);
    free(travelled);
    text_release(&line);
    peer_release(&peer);
    rig_release(&rig);
}

static void what_travels_makes_the_same_stream(void **state)
{
    for (uint64_t seed = 1; seed <= 30; seed++)
        run_and_run_again(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_travels_makes_the_same_stream)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
