/* What FUNCTION and FCALL write into the write stream. */
#include "unit.h"

#include "engine_rig.h"
#include "script/functions.h"
#include "store/store.h"

static struct rig rig;
static struct peer a;

static int setup(void **state)
{
    rig_init(&rig);
    scripts_new(rig.engine);
    functions_new(rig.engine);
    peer_connect(&a, &rig);
    return 0;
}

static int teardown(void **state)
{
    peer_release(&a);
    functions_free(rig.engine->functions);
    scripts_free(rig.engine->scripts);
    rig_release(&rig);
    return 0;
}

static void asks(int argc, const struct bytes *argv, const char *expected)
{
    peer_sends_args(&a, argc, (struct bytes *)argv);
    rig_run(&rig);
    assert_string_equal(rig_stream(&rig), expected);
    rig_forget(&rig);
}

#define ASKS(expected, ...)                                                                                            \
    asks((int)(sizeof((struct bytes[]){__VA_ARGS__}) / sizeof(struct bytes)), (struct bytes[]){__VA_ARGS__}, expected)

#define CODE                                                                                                           \
    BYTES("#!lua name=l\nredis.register_function('f',function(k,a)redis.call('set',k[1],a[1])redis.call('incr','n')end)")
#define CODE_SHOWN "<107 bytes of #>"

static void what_changes_libraries_travels_as_it_was_sent(void **state)
{
    ASKS("FUNCTION LOAD " CODE_SHOWN "\n", BYTES("FUNCTION"), BYTES("LOAD"), CODE);
    ASKS("", BYTES("FUNCTION"), BYTES("LOAD"), CODE); /* it is there already */
    ASKS("", BYTES("FUNCTION"), BYTES("DUMP"));
    ASKS("", BYTES("FUNCTION"), BYTES("DELETE"), BYTES("none"));
    ASKS("function delete l\n", BYTES("function"), BYTES("delete"), BYTES("l"));
    ASKS("FUNCTION FLUSH\n", BYTES("FUNCTION"), BYTES("FLUSH"));
    ASKS("", BYTES("FUNCTION"), BYTES("RESTORE"), BYTES("x"));
}

static void of_a_call_its_writes_travel_together(void **state)
{
    ASKS("FUNCTION LOAD " CODE_SHOWN "\n", BYTES("FUNCTION"), BYTES("LOAD"), CODE);
    ASKS("MULTI\nset key value\nincr n\nEXEC\n", BYTES("FCALL"), BYTES("f"), BYTES("1"), BYTES("key"), BYTES("value"));
    ASKS("", BYTES("FCALL"), BYTES("none"), BYTES("0"));
    ASKS("", BYTES("FCALL_RO"), BYTES("f"), BYTES("1"), BYTES("key"), BYTES("value"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_changes_libraries_travels_as_it_was_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(of_a_call_its_writes_travel_together, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
