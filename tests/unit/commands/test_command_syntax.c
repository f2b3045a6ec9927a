/* The syntax of commands as a tree. A tree is written here as
 *
 *     name   TOKEN   TOKEN=name   TOKEN(...)   (a b) a block   {a|b} one of them   ? optional   * multiple
 *     + the token comes with each
 */
#include "unit.h"

#include "commands/command_docs_internal.h"

static void draw(char *out, size_t size, const struct argument *list, const char *between)
{
    for (const struct argument *at = list; at; at = at->next) {
        size_t len = strlen(out);
        bool is_choice = at->kind == ARGUMENT_ONE_OF;

        snprintf(out + len, size - len, "%s%.*s%s%.*s%s", at == list ? "" : between, (int)at->token.len,
                 at->token.data ? at->token.data : "", at->token.len && at->name.len ? "=" : "",
                 (int)at->name.len, at->name.data ? at->name.data : "",
                 !at->first  ? ""
                 : is_choice ? "{"
                             : "(");
        draw(out, size, at->first, is_choice ? "|" : " ");
        len = strlen(out);
        snprintf(out + len, size - len, "%s%s%s%s",
                 !at->first  ? ""
                 : is_choice ? "}"
                             : ")",
                 at->flags & ARGUMENT_OPTIONAL ? "?" : "", at->flags & ARGUMENT_MULTIPLE ? "*" : "",
                 at->flags & ARGUMENT_MULTIPLE_TOKEN ? "+" : "");
    }
}

static void expect(const char *text, const char *expected)
{
    struct syntax syntax;
    char got[1024] = "";

    syntax_parse(&syntax, text);
    assert_true(syntax.count <= syntax.size);
    draw(got, sizeof got, syntax.first, " ");
    syntax_release(&syntax);
    if (strcmp(got, expected) != 0)
        fail_msg("%s\nis       %s\nnot      %s", text, got, expected);
}

static void words_and_tokens(void **state)
{
    expect("", "");
    expect("key", "key");
    expect("key start end", "key start end");
    expect("key [WITHSCORES]", "key WITHSCORES?");
    expect("[MATCH pattern] [COUNT count]", "MATCH=pattern? COUNT=count?");
    expect("key [LIMIT offset count]", "key LIMIT(offset count)?");
    expect("GROUP group consumer [COUNT count]", "GROUP(group consumer) COUNT=count?");
    expect("[username] password", "username? password");
}

static void choices(void **state)
{
    expect("[NX | XX] [GET]", "{NX|XX}? GET?");
    expect("[EX seconds | KEEPTTL]", "{EX=seconds|KEEPTTL}?");
    expect("key <BEFORE | AFTER> pivot", "key {BEFORE|AFTER} pivot");
    expect("a LEFT | RIGHT LEFT | RIGHT", "a {LEFT|RIGHT} {LEFT|RIGHT}");
    expect("LIB-NAME libname | LIB-VER libver", "{LIB-NAME=libname|LIB-VER=libver}");
    expect("[FILTERBY <MODULE name | PATTERN pattern>]", "FILTERBY{MODULE=name|PATTERN=pattern}?");
    expect("<* | id>", "{*|id}");
    expect("<BYRADIUS radius <M | KM> | BYBOX width height <M | KM>>",
           "{(BYRADIUS=radius {M|KM})|(BYBOX(width height) {M|KM})}");
}

static void repetitions(void **state)
{
    expect("key [key ...]", "key*");
    expect("[key [key ...]]", "key?*");
    expect("key value [key value ...]", "(key value)*");
    expect("key [NX] score member [score member ...]", "key NX? (score member)*");
    expect("[GET pattern [GET pattern ...]] [ALPHA]", "GET=pattern?*+ ALPHA?");
    expect("STREAMS key [key ...] id [id ...]", "STREAMS(key* id*)");
    expect("[ID client-id [client-id ...]]", "ID=client-id?*");
    expect("numkeys key [key ...] [WEIGHTS weight [weight ...]]", "numkeys key* WEIGHTS=weight?*");
    expect("[CONFIG name value [CONFIG name value ...]]", "CONFIG(name value)?*+");
    expect("key [GET type | [SIGN] <SET value | INCR by> [GET type | [SIGN] <SET value | INCR by> ...]]",
           "key {GET=type|(SIGN? {SET=value|INCR=by})}?*");
    expect("<ip:port | <[ID id] | [USER user]> ...>", "{ip:port|{ID=id?|USER=user?}*}");
}

static void brackets_within_brackets(void **state)
{
    expect("[protover [AUTH username password] [SETNAME name]]",
           "(protover AUTH(username password)? SETNAME=name?)?");
    expect("[COUNT count [ANY]]", "(COUNT=count ANY?)?");
    expect("key [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]]",
           "key ({MAXLEN|MINID} {=|~}? threshold LIMIT=count?)?");
    expect("[key [count [WITHVALUES]]]", "(key (count WITHVALUES?)?)?");
}

static void what_is_broken_does_no_harm(void **state)
{
    static const char *const texts[] = {"[", "]", "<", "|", "...", "[...]", "[a", "<a | ", "a | ", "| a", "[[[", "a [ ...]", "A | | B", "[a ...] b"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct syntax syntax;

        syntax_parse(&syntax, texts[i]);
        assert_true(syntax.count <= syntax.size);
        syntax_release(&syntax);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_tokens),
        cmocka_unit_test(choices),
        cmocka_unit_test(repetitions),
        cmocka_unit_test(brackets_within_brackets),
        cmocka_unit_test(what_is_broken_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
