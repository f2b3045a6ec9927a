/* Scripts over an engine: what travels of their writes, the cache, the first line. */
#include "unit.h"

#include "engine/fake_commands.h"

#include "script/script_cache.h"

static struct rig rig;
static struct peer a;

/* RUN script: as EVAL does, without keys */
static void fake_run(struct request *req)
{
    struct script_cache *cache = scripts_cache(req->engine->scripts);
    struct cached_script *script = script_cache_take_or_reply(req, req->argv[1], false);
    struct script_call call = {.machine = script_cache_machine(cache)};

    if (!script)
        return;
    call.function = lua_pinned(call.machine->lua, script->pin);
    call.name = (struct bytes){script->sum, SCRIPT_SUM_LEN};
    call.flags = script->flags;
    script_run(req, &call);
}

static const struct command run_commands[] = {
    {"run", fake_run, 2, CMD_NOSCRIPT},
};
REGISTER_COMMANDS("scripting", run_commands);

static int setup(void **state)
{
    rig_init(&rig);
    scripts_new(rig.engine);
    peer_connect(&a, &rig);
    return 0;
}

static int teardown(void **state)
{
    peer_release(&a);
    fake_log_release();
    scripts_free(rig.engine->scripts);
    rig_release(&rig);
    return 0;
}

static void run(const char *script, const char *reply)
{
    peer_sends_args(&a, 2, (struct bytes[]){BYTES("run"), bytes_from_string(script)});
    rig_run(&rig);
    peer_receives(&a, reply);
}

static void travels(const char *expected)
{
    rig_run(&rig);
    assert_string_equal(rig_stream(&rig), expected);
    rig_forget(&rig);
}

/* ---- what travels ---- */

static void what_a_script_writes_travels_together(void **state)
{
    run("return redis.call('put', 'k', 'v')", "+OK\r\n");
    travels("put k v\n");
    run("redis.call('put', 'a', 1) redis.call('put', 'b', 2) return 3", ":3\r\n");
    travels("MULTI\nput a 1\nput b 2\nEXEC\n");
    run("return 1", ":1\r\n");
    travels("");
}

static void an_error_does_not_undo_what_was_written(void **state)
{
    peer_sends_args(&a, 2, (struct bytes[]){BYTES("run"), BYTES("redis.call('put', 'a', 1) error('x')")});
    travels("put a 1\n");
    peer_forget(&a);
}

static void a_script_says_to_whom_its_writes_travel(void **state)
{
    struct rig file = {0};

    file.sink = (struct propagation_sink){rig_on_write, &file, NULL, PROPAGATE_TO_FILE};
    rig.sink.kind = PROPAGATE_TO_REPLICAS;
    propagate_join(rig.engine, &file.sink);
    run("redis.set_repl(redis.REPL_NONE) redis.call('put', 'a', 1)\n"
        "redis.set_repl(redis.REPL_AOF) redis.call('put', 'b', 2)\n"
        "redis.set_repl(redis.REPL_REPLICA) redis.call('put', 'c', 3)\n"
        "redis.set_repl(redis.REPL_ALL) redis.call('put', 'd', 4) return 1", ":1\r\n");
    travels("MULTI\nput c 3\nput d 4\nEXEC\n");
    assert_string_equal(rig_stream(&file), "MULTI\nput b 2\nput d 4\nEXEC\n");
    rig_forget(&file);
    run("redis.set_repl(redis.REPL_NONE) return 1", ":1\r\n");
    run("redis.call('put', 'e', 5) return 1", ":1\r\n"); /* it held for one script */
    travels("put e 5\n");
    assert_string_equal(rig_stream(&file), "put e 5\n");
    propagate_leave(rig.engine, &file.sink);
    text_release(&file.stream);
}

/* ---- the cache ---- */

static void the_cache_finds_by_text_and_by_sum(void **state)
{
    struct script_cache *cache = scripts_cache(rig.engine->scripts);
    struct bytes sum = BYTES("E0E1F9fabfc9d4800c877a703b823ac0578ff8db");
    unsigned flags;

    assert_null(script_cache_find(cache, sum));
    run("return 1", ":1\r\n");
    assert_non_null(script_cache_find(cache, sum));
    assert_null(script_cache_find(cache, (struct bytes){sum.data, sum.len - 1}));
    assert_true(script_cache_flags(cache, BYTES("return 1"), &flags));
    assert_int_equal(flags, SCRIPT_SAYS_NOTHING);
    script_cache_flush(cache, true);
    assert_int_equal(script_cache_size(cache), 0);
    assert_null(script_cache_find(cache, sum));
    while (scripts_work(rig.engine->scripts, 1000))
        ;
    run("return 1", ":1\r\n");
}

static void old_scripts_give_way(void **state)
{
    struct script_cache *cache = scripts_cache(rig.engine->scripts);
    char source[64];

    for (int i = 0; i < EVAL_SCRIPTS_MAX + 50; i++) {
        char reply[32];

        snprintf(source, sizeof source, "return %d", i);
        snprintf(reply, sizeof reply, ":%d\r\n", i);
        run(source, reply);
        run("return 'kept'", "$4\r\nkept\r\n");
    }
    assert_int_equal(script_cache_size(cache), EVAL_SCRIPTS_MAX);
    assert_int_equal(rig.engine->stats.evicted_scripts, 51);
}

/* ---- the first line ---- */

static void says(const char *source, unsigned flags, size_t body_at)
{
    struct bytes body;
    unsigned said;
    char error[256];

    assert_null(shebang_parse(bytes_from_string(source), &said, &body, error, sizeof error));
    assert_int_equal(said, flags);
    assert_ptr_equal(body.data, source + body_at);
}

static void is_refused(const char *source, const char *text)
{
    struct bytes body;
    unsigned said;
    char error[256];

    assert_string_equal(shebang_parse(bytes_from_string(source), &said, &body, error, sizeof error), text);
}

static void the_first_line_says_what_a_script_does(void **state)
{
    says("return 1", SCRIPT_SAYS_NOTHING, 0);
    says("", SCRIPT_SAYS_NOTHING, 0);
    says("#!lua\nreturn 1", 0, 5);
    says("#!lua flags=\n", 0, 12);
    says("#!lua flags=no-writes,allow-oom flags=allow-stale\n", SCRIPT_NO_WRITES | SCRIPT_ALLOW_OOM | SCRIPT_ALLOW_STALE, 49);
    says("#!lua  \"flags=\\x6eo-writes\" \r\n", SCRIPT_NO_WRITES, 29);
    is_refused("#!lua", "ERR Invalid script shebang");
    is_refused("#!\n", "ERR Unexpected engine in script shebang: #!");
    is_refused("#!lisp\n", "ERR Unexpected engine in script shebang: #!lisp");
    is_refused("#!lua flags=a\n", "ERR Unexpected flag in script shebang: a");
    is_refused("#!lua flags=no-writes,\n", "ERR Unexpected flag in script shebang: ");
    is_refused("#!lua x\n", "ERR Unknown lua shebang option: x");
    is_refused("#!lisp 'x\n", "ERR Invalid engine in script shebang");
    is_refused("#!lua \"x\"y\n", "ERR Invalid engine in script shebang");
}

static void flags_rule_the_gate(void **state)
{
    assert_int_equal(script_flag(BYTES("allow-cross-slot-keys")), SCRIPT_ALLOW_CROSS_SLOT);
    assert_int_equal(script_flag(BYTES("Allow-oom")), 0);
    assert_int_equal(script_command_flags(CMD_STALE | CMD_MAY_REPLICATE, SCRIPT_SAYS_NOTHING), CMD_STALE | CMD_MAY_REPLICATE);
    assert_int_equal(script_command_flags(CMD_STALE | CMD_MAY_REPLICATE, 0), CMD_WRITE | CMD_GROWS);
    assert_int_equal(script_command_flags(CMD_NOSCRIPT, SCRIPT_NO_WRITES | SCRIPT_ALLOW_STALE), CMD_NOSCRIPT | CMD_STALE);
    assert_int_equal(script_command_flags(0, SCRIPT_ALLOW_OOM), CMD_WRITE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_script_writes_travels_together),
        TEST(an_error_does_not_undo_what_was_written),
        TEST(a_script_says_to_whom_its_writes_travel),
        TEST(the_cache_finds_by_text_and_by_sum),
        TEST(old_scripts_give_way),
        TEST(the_first_line_says_what_a_script_does),
        TEST(flags_rule_the_gate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
