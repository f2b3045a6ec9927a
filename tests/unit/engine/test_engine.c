/* The whole engine in a storm: many clients that say whatever they like, go and are thrown out.
 * What each of them hears is well formed, and as many answers as it had questions. */
#include "unit.h"

#include "fake_commands.h"

#define CLIENTS 7

struct sailor {
    struct peer peer;
    struct text to_send;
    size_t sent;
    uint64_t questions, answers; /* pushes are none */
    bool may_be_cut;             /* somebody may have thrown it out */
    bool is_in_multi, is_slow;
};

static struct rig rig;
static struct sailor sailors[CLIENTS];
static struct random storm;

static uint64_t any(uint64_t bound) { return random_below(&storm, bound); }

/* ---- hearing ---- */

static int64_t number_at(const char *at, const char *end)
{
    char text[32] = {0};

    assert_true((size_t)(end - at) < sizeof text);
    memcpy(text, at, (size_t)(end - at));
    return strtoll(text, NULL, 10);
}

/* Behind one reply, or NULL when it is not complete. Anything that is no reply fails. */
static const char *skip_reply(const char *at, const char *end)
{
    const char *line = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    int64_t number;

    if (at < end && !memchr("+-:$*_,#>%~=", *at, 12))
        fail_msg("no reply begins with '%.20s'", at);
    if (!line)
        return NULL;
    assert_int_equal(line[-1], '\r');
    number = number_at(at + 1, memchr("$*>%~=", *at, 6) ? line - 1 : at + 1);
    line++;
    switch (*at) {
    case '$':
    case '=':
        if (number < 0)
            return line;
        if (end - line < number + 2)
            return NULL;
        assert_memory_equal(line + number, "\r\n", 2);
        return line + number + 2;
    case '*':
    case '>':
    case '~':
    case '%':
        for (number *= *at == '%' ? 2 : 1; number > 0 && line; number--)
            line = skip_reply(line, end);
        return line;
    default:
        return line;
    }
}

static void hear(struct sailor *sailor)
{
    struct text *received = &sailor->peer.received;
    const char *at, *end, *next;

    peer_read(&sailor->peer);
    if (!received->len)
        return;
    at = received->data;
    end = at + received->len;
    while ((next = skip_reply(at, end)) != NULL) {
        sailor->answers += *at != '>';
        at = next;
    }
    assert_true(sailor->answers <= sailor->questions);
    received->len = (size_t)(end - at);
    memmove(received->data, at, received->len);
}

/* ---- speaking ---- */

static void add_value(struct text *text)
{
    static char value[50000];
    size_t len = any(20) ? any(40) : any(sizeof value);

    memset(value, 'a' + (int)any(26), len);
    text_format(text, "$%zu\r\n", len);
    text_add(text, (struct bytes){value, len});
    text_add(text, BYTES("\r\n"));
}

static void add_words(struct sailor *sailor, const char *line)
{
    struct text *text = &sailor->to_send;
    int count = 1;

    for (const char *at = line; *at; at++)
        count += *at == ' ';
    text_format(text, "*%d\r\n", count);
    while (*line) {
        size_t len = strcspn(line, " ");

        if (len == 1 && *line == '@')
            add_value(text);
        else
            text_format(text, "$%zu\r\n%.*s\r\n", len, (int)len, line);
        line += len + (line[len] == ' ');
    }
    sailor->questions++;
}

static struct sailor *any_sailor(void) { return &sailors[any(CLIENTS)]; }

static void speak(struct sailor *sailor)
{
    struct sailor *other = any_sailor();
    char line[128];
    int key = (int)any(6), second = (int)any(6);

    switch (any(33)) {
    case 0:
    case 1:
    case 2:
    case 3:
        snprintf(line, sizeof line, "put k%d @", key);
        break;
    case 4:
    case 5:
        snprintf(line, sizeof line, "look k%d k%d", key, second);
        break;
    case 6:
        snprintf(line, sizeof line, "drop k%d k%d", key, second);
        break;
    case 7:
    case 8:
        snprintf(line, sizeof line, "take k%d k%d 0.0%d", key, second, 1 + (int)any(9));
        break;
    case 9:
        snprintf(line, sizeof line, "hand k%d k%d 0.01", key, second);
        break;
    case 10:
        snprintf(line, sizeof line, "expire grown:%d %d", (int)any(10), (int)any(20) - 2);
        add_words(sailor, "grow 10");
        break;
    case 11:
        snprintf(line, sizeof line, "grow %d", (int)any(300));
        break;
    case 12:
        snprintf(line, sizeof line, any(4) ? "use %d" : "flush", key % 3);
        break;
    case 13:
        snprintf(line, sizeof line, "pause %d %s", (int)any(10), any(2) ? "all" : "write");
        break;
    case 14:
        snprintf(line, sizeof line, "unpause");
        break;
    case 15:
    case 16:
        snprintf(line, sizeof line, "nest %d", (int)any(4));
        break;
    case 17:
        sailor->is_in_multi = true;
        snprintf(line, sizeof line, "multi");
        break;
    case 18:
    case 19:
        sailor->is_in_multi = false;
        snprintf(line, sizeof line, any(8) ? "exec" : "discard");
        break;
    case 20:
        snprintf(line, sizeof line, "watch k%d k%d", key, second);
        break;
    case 21:
        snprintf(line, sizeof line, "unblock %d%s", (int)other->peer.id, any(2) ? " error" : "");
        break;
    case 22:
        if (any(10))
            return;
        other->may_be_cut = true;
        snprintf(line, sizeof line, "kill %d", (int)other->peer.id);
        break;
    case 23:
        if (any(20))
            return;
        sailor->may_be_cut = true;
        snprintf(line, sizeof line, "leave");
        break;
    case 24: /* answered by a push, which is not counted, but for its being queued */
        snprintf(line, sizeof line, "%s c%d", any(3) ? "psubscribe" : "subscribe", key);
        add_words(sailor, any(2) ? "psubscribe *" : line);
        sailor->questions -= !sailor->is_in_multi;
        return;
    case 25:
        snprintf(line, sizeof line, "unsubscribe c%d", key);
        add_words(sailor, line);
        sailor->questions -= !sailor->is_in_multi;
        return;
    case 26:
    case 27:
        snprintf(line, sizeof line, "publish c%d @", key);
        break;
    case 28:
        snprintf(line, sizeof line, "twice k%d", key);
        break;
    case 29:
        snprintf(line, sizeof line, "nosuch @");
        break;
    case 30: /* neither this nor the next is answered */
        if (sailor->is_in_multi)
            return;
        add_words(sailor, "mute skip");
        add_words(sailor, any(2) ? "take k1 k2 0.01" : "echo @");
        sailor->questions -= 2;
        return;
    default:
        snprintf(line, sizeof line, "echo @");
    }
    add_words(sailor, line);
}

static void send_some(struct sailor *sailor)
{
    size_t left = sailor->to_send.len - sailor->sent, part = 1 + any(any(3) ? 200 : 20000);
    ssize_t sent;

    if (!left)
        return;
    sent = send(sailor->peer.fd, sailor->to_send.data + sailor->sent, part < left ? part : left,
                MSG_NOSIGNAL);
    if (sent > 0)
        sailor->sent += (size_t)sent;
    if (sailor->sent == sailor->to_send.len)
        sailor->sent = sailor->to_send.len = 0;
}

/* ---- coming and going ---- */

static void come(struct sailor *sailor)
{
    int small = 4096;

    peer_connect(&sailor->peer, &rig);
    sailor->is_slow = any(3) == 0;
    if (sailor->is_slow)
        setsockopt(sailor->peer.client->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    sailor->peer.client->resp = 3;
    sailor->may_be_cut = rig.engine->settings.output_limits[CLIENT_PUBSUB].hard_bytes == 60000;
    sailor->is_in_multi = false;
    sailor->questions = sailor->answers = 0;
    sailor->to_send.len = sailor->sent = 0;
}

static void go(struct sailor *sailor)
{
    close(sailor->peer.fd);
    sailor->peer.fd = -1;
    text_release(&sailor->peer.received);
}

static void check_presence(struct sailor *sailor)
{
    if (!peer_is_gone(&sailor->peer))
        return;
    assert_true(sailor->may_be_cut);
    go(sailor);
    come(sailor);
}

/* ---- the storm ---- */

static void weather(void)
{
    switch (any(12)) {
    case 0:
        clock_advance(&rig.clock, (int64_t)any(4));
        break;
    case 1:
        store_work(rig.store, (int64_t)any(50000));
        break;
    case 2:
        engine_cron(rig.engine);
        break;
    case 3:
        if (any(20))
            break;
        rig.engine->settings.notify_classes = any(2) ? 0 : ~0u;
        break;
    case 4: /* a limit that is reached now and then */
        if (any(200))
            break;
        rig.engine->settings.output_limits[CLIENT_PUBSUB].hard_bytes = any(2) ? 60000 : 0;
        for (int i = 0; i < CLIENTS; i++)
            sailors[i].may_be_cut = true;
        break;
    default:
        break;
    }
}

static void drain(void)
{
    bool is_done;

    rig.engine->settings.output_limits[CLIENT_PUBSUB].hard_bytes = 0;
    do {
        is_done = true;
        clock_advance(&rig.clock, 1);
        for (int i = 0; i < CLIENTS; i++) {
            struct sailor *sailor = &sailors[i];

            check_presence(sailor);
            send_some(sailor);
            engine_turn(rig.engine, 0);
            hear(sailor);
            is_done &= !sailor->to_send.len && sailor->answers == sailor->questions;
        }
    } while (!is_done);
}

static void ride_out(uint64_t seed, size_t steps)
{
    random_init(&storm, seed);
    rig_init(&rig);
    for (int i = 0; i < CLIENTS; i++)
        come(&sailors[i]);
    for (size_t step = 0; step < steps; step++) {
        struct sailor *sailor = any_sailor();

        check_presence(sailor);
        if (sailor->to_send.len < 100000)
            speak(sailor);
        if (any(3))
            send_some(sailor);
        if (any(2))
            engine_turn(rig.engine, 0);
        if (any(sailor->is_slow ? 20 : 2) == 0)
            hear(sailor);
        weather();
        if (any(1000) == 0) {
            go(sailor);
            come(sailor);
        }
        if (step % 64 == 0) {
            for (int db = 0; db < rig.store->db_count; db++)
                store_check(&rig.store->dbs[db]);
            rig_forget(&rig);
            fake_log.len = 0;
        }
    }
    drain();
    for (int i = 0; i < CLIENTS; i++) {
        text_release(&sailors[i].to_send);
        peer_release(&sailors[i].peer);
    }
    assert_int_equal(blocking_clients(rig.engine), 0);
    fake_log_release();
    rig_release(&rig);
}

static void everybody_hears_as_many_answers_as_they_had_questions(void **state)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        ride_out(seed, RANDOM_STEPS(20000));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_hears_as_many_answers_as_they_had_questions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
