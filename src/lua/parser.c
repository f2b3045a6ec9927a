/* The grammar of statements, blocks and functions, and the scopes of names. */
#include "parser_internal.h"

#include "base/assert.h"

#include <stdio.h>

static void parse_chunk(struct parser *parser);

/* --- words --------------------------------------------------------------------------------- */

bool parser_accept(struct parser *parser, int kind)
{
    if (parser->token.kind != kind)
        return false;
    parser_next(parser);
    return true;
}

void parser_check(struct parser *parser, int kind)
{
    char name[16];

    if (parser->token.kind != kind)
        parser_fail(parser, parser->token.kind, "'%s' expected", token_name(kind, name));
}

void parser_expect(struct parser *parser, int kind)
{
    parser_check(parser, kind);
    parser_next(parser);
}

void parser_expect_match(struct parser *parser, int what, int who, int line)
{
    char name[16], opener[16];

    if (parser_accept(parser, what))
        return;
    if (line == parser->line)
        parser_check(parser, what);
    else
        parser_fail(parser, parser->token.kind, "'%s' expected (to close '%s' at line %d)", token_name(what, name),
                    token_name(who, opener), line);
}

struct lua_string *parser_expect_name(struct parser *parser)
{
    struct lua_string *name;

    parser_check(parser, TOKEN_NAME);
    name = parser->has_failed ? parser->source : parser->token.string;
    parser_next(parser);
    return name;
}

void parser_limit(struct function_state *function, int count, int limit, const char *what)
{
    if (count <= limit)
        return;
    if (function->proto->line_defined == 0)
        parser_fail(function->parser, 0, "main function has more than %d %s", limit, what);
    else
        parser_fail(function->parser, 0, "function at line %d has more than %d %s", function->proto->line_defined,
                    limit, what);
}

bool parser_enter(struct parser *parser)
{
    if (++parser->depth <= C_DEPTH_MAX)
        return true;
    parser_fail(parser, 0, "chunk has too many syntax levels");
    return false;
}

void parser_leave(struct parser *parser) { parser->depth--; }

/* --- scopes -------------------------------------------------------------------------------- */

static struct lua_local_name *active_local(struct function_state *function, int at)
{
    return &function->proto->locals[function->active[at]];
}

/* The local is number 'at' behind the active ones; it becomes visible with activate_locals. */
static void new_local(struct parser *parser, struct lua_string *name, int at)
{
    struct function_state *function = parser->function;
    struct lua_proto *proto = function->proto;

    parser_limit(function, function->active_count + at + 1, LOCALS_MAX, "local variables");
    if (parser->has_failed)
        return;
    proto->locals =
        lua_grow(parser->lua, proto->locals, proto->local_count, &proto->local_size, sizeof *proto->locals);
    proto->locals[proto->local_count] = (struct lua_local_name){.name = name};
    function->active[function->active_count + at] = proto->local_count++;
}

static void new_local_text(struct parser *parser, const char *name, int at)
{
    new_local(parser, lua_string_new(parser->lua, name, strlen(name)), at);
}

static void activate_locals(struct parser *parser, int count)
{
    struct function_state *function = parser->function;

    if (parser->has_failed)
        return;
    for (; count > 0; count--)
        active_local(function, function->active_count++)->begin = function->proto->code_count;
}

static void remove_locals(struct function_state *function, int level)
{
    while (function->active_count > level)
        active_local(function, --function->active_count)->end = function->proto->code_count;
}

static int find_local(struct function_state *function, const struct lua_string *name)
{
    for (int i = function->active_count; i-- > 0;)
        if (active_local(function, i)->name == name
            || lua_equal_raw(lua_of_string(active_local(function, i)->name), lua_of_string((struct lua_string *)name)))
            return i;
    return -1;
}

static int upvalue_index(struct function_state *function, struct lua_string *name, const struct expression *e)
{
    struct lua_proto *proto = function->proto;

    for (int i = 0; i < proto->upvalue_count; i++)
        if (function->upvalues[i].kind == e->kind && function->upvalues[i].at == e->info)
            return i;
    parser_limit(function, proto->upvalue_count + 1, UPVALUES_MAX, "upvalues");
    if (function->parser->has_failed)
        return 0;
    proto->upvalues = lua_grow(function->parser->lua, proto->upvalues, proto->upvalue_count, &proto->upvalue_size,
                               sizeof *proto->upvalues);
    proto->upvalues[proto->upvalue_count] =
        (struct lua_upvalue_source){name, e->kind == EXPRESSION_LOCAL, (uint8_t)e->info};
    function->upvalues[proto->upvalue_count].kind = e->kind;
    function->upvalues[proto->upvalue_count].at = e->info;
    return proto->upvalue_count++;
}

/* The block that declares register 'level' has to close it. */
static void mark_upvalue(struct function_state *function, int level)
{
    struct block *block = function->block;

    while (block && block->active_count > level)
        block = block->previous;
    if (block)
        block->has_upvalue = true;
}

/* False: a global. */
static bool find_variable(struct function_state *function, struct lua_string *name, struct expression *e, bool is_own)
{
    if (!function)
        return false;
    int local = find_local(function, name);
    if (local >= 0) {
        expression_init(e, EXPRESSION_LOCAL, local);
        if (!is_own)
            mark_upvalue(function, local);
        return true;
    }
    if (!find_variable(function->previous, name, e, false))
        return false;
    expression_init(e, EXPRESSION_UPVALUE, upvalue_index(function, name, e));
    return true;
}

void parse_variable(struct parser *parser, struct expression *e)
{
    struct lua_string *name = parser_expect_name(parser);

    if (!find_variable(parser->function, name, e, true))
        expression_init(e, EXPRESSION_GLOBAL, code_constant_string(parser->function, name));
}

/* 'value_count' values for 'variable_count' variables, in registers. */
static void adjust_assignment(struct function_state *function, int variable_count, int value_count,
                              struct expression *last)
{
    int extra = variable_count - value_count;

    if (last->kind == EXPRESSION_CALL || last->kind == EXPRESSION_VARARG) {
        extra = extra + 1 < 0 ? 0 : extra + 1;
        code_set_results(function, last, extra);
        if (extra > 1)
            code_reserve(function, extra - 1);
        return;
    }
    if (last->kind != EXPRESSION_VOID)
        code_to_next_register(function, last);
    if (extra > 0) {
        int reg = function->free_register;
        code_reserve(function, extra);
        code_nil(function, reg, extra);
    }
}

/* --- blocks -------------------------------------------------------------------------------- */

static void enter_block(struct function_state *function, struct block *block, bool is_loop)
{
    *block = (struct block){.previous = function->block,
                            .breaks = NO_JUMP,
                            .active_count = function->active_count,
                            .is_loop = is_loop};
    function->block = block;
}

static void leave_block(struct function_state *function)
{
    struct block *block = function->block;

    function->block = block->previous;
    remove_locals(function, block->active_count);
    if (block->has_upvalue)
        code_emit(function, OP_CLOSE, block->active_count, 0, 0);
    function->free_register = function->active_count;
    code_patch_here(function, block->breaks);
}

static bool is_block_end(int kind)
{
    return kind == TOKEN_ELSE || kind == TOKEN_ELSEIF || kind == TOKEN_END || kind == TOKEN_UNTIL || kind == TOKEN_EOS;
}

static void parse_block(struct parser *parser)
{
    struct block block;

    enter_block(parser->function, &block, false);
    parse_chunk(parser);
    leave_block(parser->function);
}

/* --- functions ----------------------------------------------------------------------------- */

static void open_function(struct parser *parser, struct function_state *function)
{
    *function = (struct function_state){
        .parser = parser,
        .previous = parser->function,
        .proto = lua_proto_new(parser->lua),
        .constants = lua_table_new(parser->lua, 0, 0),
        .last_target = -1,
        .pending = NO_JUMP,
    };
    function->proto->source = parser->source;
    parser->function = function;
}

static void close_function(struct parser *parser)
{
    struct function_state *function = parser->function;

    remove_locals(function, 0);
    code_return(function, 0, 0);
    parser->function = function->previous;
}

static void parse_parameters(struct parser *parser)
{
    struct function_state *function = parser->function;
    struct lua_proto *proto = function->proto;
    int count = 0;

    if (parser->token.kind != ')') {
        do {
            if (parser->token.kind == TOKEN_NAME) {
                new_local(parser, parser_expect_name(parser), count++);
            } else if (parser->token.kind == TOKEN_DOTS) {
                parser_next(parser);
                new_local_text(parser, "arg", count++);
                proto->vararg = VARARG_IS | VARARG_HAS_ARG | VARARG_NEEDS_ARG;
            } else {
                parser_fail_here(parser, "<name> or '...' expected");
            }
        } while (!proto->vararg && parser_accept(parser, ','));
    }
    activate_locals(parser, count);
    proto->parameter_count = (uint8_t)(function->active_count - (proto->vararg & VARARG_HAS_ARG ? 1 : 0));
    code_reserve(function, function->active_count);
}

void parse_body(struct parser *parser, struct expression *e, bool needs_self, int line)
{
    struct function_state function, *outer = parser->function;
    struct lua_proto *proto = outer->proto;

    open_function(parser, &function);
    function.proto->line_defined = line;
    parser_expect(parser, '(');
    if (needs_self) {
        new_local_text(parser, "self", 0);
        activate_locals(parser, 1);
    }
    parse_parameters(parser);
    parser_expect(parser, ')');
    parse_chunk(parser);
    parser_expect_match(parser, TOKEN_END, TOKEN_FUNCTION, line);
    close_function(parser);

    proto->protos =
        lua_grow(parser->lua, proto->protos, proto->proto_count, &proto->proto_size, sizeof *proto->protos);
    proto->protos[proto->proto_count] = function.proto;
    expression_init(e, EXPRESSION_RELOCATABLE, code_emit(outer, OP_CLOSURE, 0, 0, proto->proto_count++));
}

/* --- assignments --------------------------------------------------------------------------- */

/* The left sides so far, the last first. */
struct left_side {
    struct left_side *previous;
    struct expression e;
};

/* "a[i], a = ..." : the table or key of an earlier left side is a local that is assigned to itself. They use a copy. */
static void keep_from_conflict(struct function_state *function, struct left_side *side, const struct expression *local)
{
    int copy = function->free_register;
    bool has_conflict = false;

    for (; side; side = side->previous) {
        if (side->e.kind != EXPRESSION_INDEXED)
            continue;
        if (side->e.info == local->info) {
            has_conflict = true;
            side->e.info = copy;
        }
        if (side->e.key.kind == OPERAND_REGISTER && side->e.key.at == local->info) {
            has_conflict = true;
            side->e.key.at = copy;
        }
    }
    if (has_conflict) {
        code_emit(function, OP_MOVE, copy, local->info, 0);
        code_reserve(function, 1);
    }
}

static void parse_assignment(struct parser *parser, struct left_side *side, int count)
{
    struct function_state *function = parser->function;
    struct expression value;

    if (side->e.kind < EXPRESSION_LOCAL || side->e.kind > EXPRESSION_INDEXED) {
        parser_fail_here(parser, "syntax error");
        return;
    }
    if (parser_accept(parser, ',')) {
        struct left_side next = {.previous = side};
        parse_primary(parser, &next.e);
        if (next.e.kind == EXPRESSION_LOCAL)
            keep_from_conflict(function, side, &next.e);
        parser_limit(function, count, C_DEPTH_MAX - parser->depth, "variables in assignment");
        if (parser->has_failed)
            return;
        parse_assignment(parser, &next, count + 1);
    } else {
        parser_expect(parser, '=');
        int value_count = parse_expression_list(parser, &value);
        if (value_count == count) {
            code_set_one_result(function, &value);
            code_store(function, &side->e, &value);
            return;
        }
        adjust_assignment(function, count, value_count, &value);
        if (value_count > count)
            function->free_register -= value_count - count;
    }
    expression_init(&value, EXPRESSION_REGISTER, function->free_register - 1);
    code_store(function, &side->e, &value);
}

static void parse_expression_statement(struct parser *parser)
{
    struct function_state *function = parser->function;
    struct left_side side = {0};

    parse_primary(parser, &side.e);
    if (side.e.kind == EXPRESSION_CALL) {
        uint64_t *i = &function->proto->code[side.e.info];
        *i = (uint32_t)*i | UINT64_C(1) << 32;
    } else {
        parse_assignment(parser, &side, 1);
    }
}

/* --- control structures -------------------------------------------------------------------- */

/* Returns the list of jumps for when it is false. */
static int parse_condition(struct parser *parser)
{
    struct expression e;

    parse_expression(parser, &e);
    if (e.kind == EXPRESSION_NIL)
        e.kind = EXPRESSION_FALSE;
    code_go_if_true(parser->function, &e);
    return e.jumps_false;
}

static void parse_while(struct parser *parser, int line)
{
    struct function_state *function = parser->function;
    struct block block;

    parser_next(parser);
    int begin = code_label(function);
    int exit = parse_condition(parser);
    enter_block(function, &block, true);
    parser_expect(parser, TOKEN_DO);
    parse_block(parser);
    code_patch(function, code_jump(function), begin);
    parser_expect_match(parser, TOKEN_END, TOKEN_WHILE, line);
    leave_block(function);
    code_patch_here(function, exit);
}

static void parse_break(struct parser *parser)
{
    struct function_state *function = parser->function;
    struct block *block = function->block;
    bool has_upvalue = false;

    for (; block && !block->is_loop; block = block->previous)
        has_upvalue |= block->has_upvalue;
    if (!block) {
        parser_fail_here(parser, "no loop to break");
        return;
    }
    if (has_upvalue)
        code_emit(function, OP_CLOSE, block->active_count, 0, 0);
    code_concat_lists(function, &block->breaks, code_jump(function));
}

static void parse_repeat(struct parser *parser, int line)
{
    struct function_state *function = parser->function;
    struct block loop, scope;
    int begin = code_label(function);

    code_emit(function, OP_LOOP, 0, 0, 0);
    enter_block(function, &loop, true);
    enter_block(function, &scope, false); /* the condition sees the locals of the body */
    parser_next(parser);
    parse_chunk(parser);
    parser_expect_match(parser, TOKEN_UNTIL, TOKEN_REPEAT, line);
    int again = parse_condition(parser);
    if (!scope.has_upvalue) {
        leave_block(function);
        code_patch(function, again, begin);
    } else {
        parse_break(parser); /* true: leave, and close */
        code_patch_here(function, again);
        leave_block(function);
        code_patch(function, code_jump(function), begin);
    }
    leave_block(function);
}

/* From 'do' on; the loop's registers begin at 'base'. */
static void parse_for_body(struct parser *parser, int base, int line, int count, bool is_numeric)
{
    struct function_state *function = parser->function;
    struct block block;

    activate_locals(parser, 3);
    parser_expect(parser, TOKEN_DO);
    int prepare = is_numeric ? code_emit(function, OP_FORPREP, base, 0, NO_JUMP) : code_jump(function);
    enter_block(function, &block, false);
    activate_locals(parser, count);
    code_reserve(function, count);
    parse_block(parser);
    leave_block(function);
    code_patch_here(function, prepare);
    int end = is_numeric ? code_emit(function, OP_FORLOOP, base, 0, NO_JUMP)
                         : code_emit(function, OP_TFORLOOP, base, count, NO_JUMP);
    code_set_line(function, line);
    code_patch(function, end, prepare + 1);
}

static void parse_for_value(struct parser *parser)
{
    struct expression e;

    parse_expression(parser, &e);
    code_to_next_register(parser->function, &e);
}

static void parse_for_numbers(struct parser *parser, struct lua_string *name, int line)
{
    struct function_state *function = parser->function;
    int base = function->free_register;

    new_local_text(parser, "(for index)", 0);
    new_local_text(parser, "(for limit)", 1);
    new_local_text(parser, "(for step)", 2);
    new_local(parser, name, 3);
    parser_expect(parser, '=');
    parse_for_value(parser);
    parser_expect(parser, ',');
    parse_for_value(parser);
    if (parser_accept(parser, ',')) {
        parse_for_value(parser);
    } else {
        struct expression one;
        expression_init(&one, EXPRESSION_NUMBER, 0);
        one.number = 1;
        code_to_next_register(function, &one);
    }
    parse_for_body(parser, base, line, 1, true);
}

static void parse_for_list(struct parser *parser, struct lua_string *name)
{
    struct function_state *function = parser->function;
    struct expression e;
    int count = 0, base = function->free_register;

    new_local_text(parser, "(for generator)", count++);
    new_local_text(parser, "(for state)", count++);
    new_local_text(parser, "(for control)", count++);
    new_local(parser, name, count++);
    while (parser_accept(parser, ','))
        new_local(parser, parser_expect_name(parser), count++);
    parser_expect(parser, TOKEN_IN);
    int line = parser->line;
    adjust_assignment(function, 3, parse_expression_list(parser, &e), &e);
    code_reserve(function, 3); /* the call of the iterator needs them */
    function->free_register -= 3;
    parse_for_body(parser, base, line, count - 3, false);
}

static void parse_for(struct parser *parser, int line)
{
    struct block block;

    enter_block(parser->function, &block, true);
    parser_next(parser);
    struct lua_string *name = parser_expect_name(parser);
    switch (parser->token.kind) {
    case '=':
        parse_for_numbers(parser, name, line);
        break;
    case ',':
    case TOKEN_IN:
        parse_for_list(parser, name);
        break;
    default:
        parser_fail_here(parser, "'=' or 'in' expected");
    }
    parser_expect_match(parser, TOKEN_END, TOKEN_FOR, line);
    leave_block(parser->function);
}

static int parse_then(struct parser *parser)
{
    parser_next(parser);
    int otherwise = parse_condition(parser);
    parser_expect(parser, TOKEN_THEN);
    parse_block(parser);
    return otherwise;
}

static void parse_if(struct parser *parser, int line)
{
    struct function_state *function = parser->function;
    int end = NO_JUMP, otherwise = parse_then(parser);

    while (parser->token.kind == TOKEN_ELSEIF) {
        code_concat_lists(function, &end, code_jump(function));
        code_patch_here(function, otherwise);
        otherwise = parse_then(parser);
    }
    if (parser->token.kind == TOKEN_ELSE) {
        code_concat_lists(function, &end, code_jump(function));
        code_patch_here(function, otherwise);
        parser_next(parser);
        parse_block(parser);
    } else {
        code_concat_lists(function, &end, otherwise);
    }
    code_patch_here(function, end);
    parser_expect_match(parser, TOKEN_END, TOKEN_IF, line);
}

/* --- other statements ---------------------------------------------------------------------- */

static void parse_local_function(struct parser *parser)
{
    struct function_state *function = parser->function;
    struct expression variable, value;

    new_local(parser, parser_expect_name(parser), 0);
    expression_init(&variable, EXPRESSION_LOCAL, function->free_register);
    code_reserve(function, 1);
    activate_locals(parser, 1);
    parse_body(parser, &value, false, parser->line);
    code_store(function, &variable, &value);
    if (!parser->has_failed)
        active_local(function, function->active_count - 1)->begin = function->proto->code_count;
}

static void parse_local(struct parser *parser)
{
    struct expression e;
    int variable_count = 0, value_count = 0;

    do
        new_local(parser, parser_expect_name(parser), variable_count++);
    while (parser_accept(parser, ','));
    if (parser_accept(parser, '='))
        value_count = parse_expression_list(parser, &e);
    else
        expression_init(&e, EXPRESSION_VOID, 0);
    adjust_assignment(parser->function, variable_count, value_count, &e);
    activate_locals(parser, variable_count);
}

static void parse_function(struct parser *parser, int line)
{
    struct expression variable, value;
    bool needs_self = false;

    parser_next(parser);
    parse_variable(parser, &variable);
    while (parser->token.kind == '.')
        parse_field(parser, &variable);
    if (parser->token.kind == ':') {
        needs_self = true;
        parse_field(parser, &variable);
    }
    parse_body(parser, &value, needs_self, line);
    code_store(parser->function, &variable, &value);
    code_set_line(parser->function, line);
}

static void parse_return(struct parser *parser)
{
    struct function_state *function = parser->function;
    struct expression e;
    int first = 0, count = 0;

    parser_next(parser);
    if (!is_block_end(parser->token.kind) && parser->token.kind != ';') {
        count = parse_expression_list(parser, &e);
        if (e.kind == EXPRESSION_CALL || e.kind == EXPRESSION_VARARG) {
            code_set_results(function, &e, -1);
            if (e.kind == EXPRESSION_CALL && count == 1) {
                uint64_t *i = &function->proto->code[e.info];
                *i = (*i & ~UINT64_C(0xff)) | OP_TAILCALL;
            }
            first = function->active_count;
            count = -1;
        } else if (count == 1) {
            first = code_to_any_register(function, &e);
        } else {
            code_to_next_register(function, &e);
            first = function->active_count;
        }
    }
    code_return(function, first, count);
}

/* True: nothing may follow in the block. */
static bool parse_statement(struct parser *parser)
{
    int line = parser->line;

    switch (parser->token.kind) {
    case TOKEN_IF:
        parse_if(parser, line);
        return false;
    case TOKEN_WHILE:
        parse_while(parser, line);
        return false;
    case TOKEN_DO:
        parser_next(parser);
        parse_block(parser);
        parser_expect_match(parser, TOKEN_END, TOKEN_DO, line);
        return false;
    case TOKEN_FOR:
        parse_for(parser, line);
        return false;
    case TOKEN_REPEAT:
        parse_repeat(parser, line);
        return false;
    case TOKEN_FUNCTION:
        parse_function(parser, line);
        return false;
    case TOKEN_LOCAL:
        parser_next(parser);
        if (parser_accept(parser, TOKEN_FUNCTION))
            parse_local_function(parser);
        else
            parse_local(parser);
        return false;
    case TOKEN_RETURN:
        parse_return(parser);
        return true;
    case TOKEN_BREAK:
        parser_next(parser);
        parse_break(parser);
        return true;
    default:
        parse_expression_statement(parser);
        return false;
    }
}

static void parse_chunk(struct parser *parser)
{
    bool is_last = false;

    if (parser_enter(parser))
        while (!is_last && !is_block_end(parser->token.kind)) {
            is_last = parse_statement(parser);
            parser_accept(parser, ';');
            parser->function->free_register = parser->function->active_count;
        }
    parser_leave(parser);
}

struct lua_proto *lua_compile(struct lua *lua, struct bytes source, struct lua_string *name)
{
    struct parser parser = {.lua = lua,
                            .source = name,
                            .at = source.data,
                            .end = source.data + source.len,
                            .line = 1,
                            .last_line = 1,
                            .depth = lua->c_depth};
    struct function_state function;

    open_function(&parser, &function);
    function.proto->vararg = VARARG_IS;
    parser_next(&parser);
    parse_chunk(&parser);
    parser_check(&parser, TOKEN_EOS);
    close_function(&parser);
    parser_release(&parser);
    return parser.has_failed ? NULL : function.proto;
}
