/* The grammar of expressions. */
#include "parser_internal.h"

void expression_init(struct expression *e, enum expression_kind kind, int info)
{
    *e = (struct expression){.kind = kind, .info = info, .jumps_true = NO_JUMP, .jumps_false = NO_JUMP};
}

static void init_string(struct parser *parser, struct expression *e, struct lua_string *string)
{
    expression_init(e, EXPRESSION_CONSTANT, code_constant_string(parser->function, string));
}

/* --- table constructors -------------------------------------------------------------------- */

struct constructor {
    struct expression value; /* the list item read last, not stored yet */
    struct expression table;
    int hash_count, array_count;
    int pending; /* list items in registers */
};

/* A count as a byte: three bits with a leading one and five of exponent; rounds up. Tables are made for so many. */
static int size_byte(unsigned count)
{
    int exponent = 0;

    while (count >= 16) {
        count = (count + 1) >> 1;
        exponent++;
    }
    return count < 8 ? (int)count : (exponent + 1) << 3 | ((int)count - 8);
}

/* "[x] = value" or "name = value" */
static void parse_record(struct parser *parser, struct constructor *constructor)
{
    struct function_state *function = parser->function;
    int free_register = function->free_register;
    struct expression key, value, place;

    if (parser->token.kind == TOKEN_NAME) {
        init_string(parser, &key, parser_expect_name(parser));
    } else {
        parser_next(parser);
        parse_expression(parser, &key);
        code_to_value(function, &key);
        parser_expect(parser, ']');
    }
    constructor->hash_count++;
    parser_expect(parser, '=');
    place = constructor->table;
    code_index(function, &place, &key);
    parse_expression(parser, &value);
    code_store(function, &place, &value);
    function->free_register = free_register;
}

static void store_pending(struct function_state *function, struct constructor *constructor)
{
    if (constructor->value.kind == EXPRESSION_VOID)
        return;
    code_to_next_register(function, &constructor->value);
    constructor->value.kind = EXPRESSION_VOID;
    if (constructor->pending == FIELDS_PER_FLUSH) {
        code_set_list(function, constructor->table.info, constructor->array_count, constructor->pending);
        constructor->pending = 0;
    }
}

static void store_last(struct function_state *function, struct constructor *constructor)
{
    struct expression *value = &constructor->value;

    if (constructor->pending == 0)
        return;
    if (value->kind == EXPRESSION_CALL || value->kind == EXPRESSION_VARARG) {
        code_set_results(function, value, -1);
        code_set_list(function, constructor->table.info, constructor->array_count, -1);
        constructor->array_count--; /* nobody knows how many these are */
        return;
    }
    if (value->kind != EXPRESSION_VOID)
        code_to_next_register(function, value);
    code_set_list(function, constructor->table.info, constructor->array_count, constructor->pending);
}

static void parse_constructor(struct parser *parser, struct expression *e)
{
    struct function_state *function = parser->function;
    int line = parser->line, at = code_emit(function, OP_NEWTABLE, 0, 0, 0);
    struct constructor constructor = {0};

    expression_init(&constructor.table, EXPRESSION_RELOCATABLE, at);
    expression_init(&constructor.value, EXPRESSION_VOID, 0);
    code_to_next_register(function, &constructor.table);
    parser_expect(parser, '{');
    while (parser->token.kind != '}') {
        store_pending(function, &constructor);
        if (parser->token.kind == '['
            || (parser->token.kind == TOKEN_NAME && parser_peek(parser) == '=')) {
            parse_record(parser, &constructor);
        } else {
            parse_expression(parser, &constructor.value);
            constructor.array_count++;
            constructor.pending++;
        }
        if (!parser_accept(parser, ',') && !parser_accept(parser, ';'))
            break;
    }
    parser_expect_match(parser, '}', '{', line);
    store_last(function, &constructor);
    uint64_t *i = &function->proto->code[at];
    *i = lua_instruction(OP_NEWTABLE, lua_op_a(*i), (unsigned)size_byte((unsigned)constructor.array_count),
                         (uint32_t)size_byte((unsigned)constructor.hash_count));
    *e = constructor.table;
}

/* --- calls --------------------------------------------------------------------------------- */

int parse_expression_list(struct parser *parser, struct expression *last)
{
    int count = 1;

    parse_expression(parser, last);
    while (parser_accept(parser, ',')) {
        code_to_next_register(parser->function, last);
        parse_expression(parser, last);
        count++;
    }
    return count;
}

static void parse_arguments(struct parser *parser, struct expression *e)
{
    struct function_state *function = parser->function;
    struct expression arguments;
    int line = parser->line, base = e->info, count = -1;

    switch (parser->token.kind) {
    case '(':
        if (line != parser->last_line) {
            parser_fail_here(parser, "ambiguous syntax (function call x new statement)");
            return;
        }
        parser_next(parser);
        if (parser->token.kind == ')') {
            expression_init(&arguments, EXPRESSION_VOID, 0);
        } else {
            parse_expression_list(parser, &arguments);
            code_set_results(function, &arguments, -1);
        }
        parser_expect_match(parser, ')', '(', line);
        break;
    case '{':
        parse_constructor(parser, &arguments);
        break;
    case TOKEN_STRING:
        init_string(parser, &arguments, parser->token.string);
        parser_next(parser);
        break;
    default:
        parser_fail_here(parser, "function arguments expected");
        return;
    }
    if (arguments.kind != EXPRESSION_CALL && arguments.kind != EXPRESSION_VARARG) {
        if (arguments.kind != EXPRESSION_VOID)
            code_to_next_register(function, &arguments);
        count = function->free_register - (base + 1);
    }
    expression_init(e, EXPRESSION_CALL, code_emit(function, OP_CALL, base, count + 1, 2));
    code_set_line(function, line);
    function->free_register = base + 1; /* the results begin there; one is expected */
}

/* --- primary expressions ------------------------------------------------------------------- */

void parse_field(struct parser *parser, struct expression *e)
{
    struct expression key;

    code_to_any_register(parser->function, e);
    parser_next(parser);
    init_string(parser, &key, parser_expect_name(parser));
    code_index(parser->function, e, &key);
}

static void parse_prefix(struct parser *parser, struct expression *e)
{
    int line = parser->line;

    switch (parser->token.kind) {
    case '(':
        parser_next(parser);
        parse_expression(parser, e);
        parser_expect_match(parser, ')', '(', line);
        code_discharge(parser->function, e);
        break;
    case TOKEN_NAME:
        parse_variable(parser, e);
        break;
    default:
        expression_init(e, EXPRESSION_VOID, 0);
        parser_fail_here(parser, "unexpected symbol");
    }
}

void parse_primary(struct parser *parser, struct expression *e)
{
    struct function_state *function = parser->function;
    struct expression key;

    parse_prefix(parser, e);
    for (;;) {
        switch (parser->token.kind) {
        case '.':
            parse_field(parser, e);
            break;
        case '[':
            code_to_any_register(function, e);
            parser_next(parser);
            parse_expression(parser, &key);
            code_to_value(function, &key);
            parser_expect(parser, ']');
            code_index(function, e, &key);
            break;
        case ':':
            parser_next(parser);
            init_string(parser, &key, parser_expect_name(parser));
            code_self(function, e, &key);
            parse_arguments(parser, e);
            break;
        case '(':
        case '{':
        case TOKEN_STRING:
            code_to_next_register(function, e);
            parse_arguments(parser, e);
            break;
        default:
            return;
        }
    }
}

static void parse_simple(struct parser *parser, struct expression *e)
{
    switch (parser->token.kind) {
    case TOKEN_NUMBER:
        expression_init(e, EXPRESSION_NUMBER, 0);
        e->number = parser->token.number;
        break;
    case TOKEN_STRING:
        init_string(parser, e, parser->token.string);
        break;
    case TOKEN_NIL:
        expression_init(e, EXPRESSION_NIL, 0);
        break;
    case TOKEN_TRUE:
        expression_init(e, EXPRESSION_TRUE, 0);
        break;
    case TOKEN_FALSE:
        expression_init(e, EXPRESSION_FALSE, 0);
        break;
    case TOKEN_DOTS:
        if (!parser->function->proto->vararg)
            parser_fail_here(parser, "cannot use '...' outside a vararg function");
        parser->function->proto->vararg &= (uint8_t)~VARARG_NEEDS_ARG;
        expression_init(e, EXPRESSION_VARARG, code_emit(parser->function, OP_VARARG, 0, 2, 0));
        break;
    case '{':
        parse_constructor(parser, e);
        return;
    case TOKEN_FUNCTION:
        parser_next(parser);
        parse_body(parser, e, false, parser->line);
        return;
    default:
        parse_primary(parser, e);
        return;
    }
    parser_next(parser);
}

/* --- operators ----------------------------------------------------------------------------- */

enum { PRIORITY_UNARY = 8 };

/* In the order of enum operator. 'right' below 'left': right associative. */
static const struct {
    int token, left, right;
} BINARY[] = {
    {'+', 6, 6},        {'-', 6, 6},      {'*', 7, 7}, {'/', 7, 7},      {'%', 7, 7},
    {'^', 10, 9},       {TOKEN_CONCAT, 5, 4}, {TOKEN_NE, 3, 3}, {TOKEN_EQ, 3, 3}, {'<', 3, 3},
    {TOKEN_LE, 3, 3},   {'>', 3, 3},      {TOKEN_GE, 3, 3}, {TOKEN_AND, 2, 2}, {TOKEN_OR, 1, 1},
};

static enum operator binary_operator(int kind)
{
    for (int i = 0; i < OPERATOR_NONE; i++)
        if (BINARY[i].token == kind)
            return (enum operator)i;
    return OPERATOR_NONE;
}

static enum operator unary_operator(int kind)
{
    switch (kind) {
    case TOKEN_NOT:
        return OPERATOR_NOT;
    case '-':
        return OPERATOR_MINUS;
    case '#':
        return OPERATOR_LEN;
    default:
        return OPERATOR_NONE;
    }
}

/* Reads on while operators bind closer than 'limit'; returns the first that does not. */
static enum operator parse_operators(struct parser *parser, struct expression *e, int limit)
{
    enum operator operator = unary_operator(parser->token.kind);

    expression_init(e, EXPRESSION_VOID, 0);
    if (!parser_enter(parser)) {
        parser_leave(parser);
        return OPERATOR_NONE;
    }
    if (operator != OPERATOR_NONE) {
        parser_next(parser);
        parse_operators(parser, e, PRIORITY_UNARY);
        code_prefix(parser->function, operator, e);
    } else {
        parse_simple(parser, e);
    }
    operator = binary_operator(parser->token.kind);
    while (operator != OPERATOR_NONE && BINARY[operator].left > limit) {
        struct expression right;
        enum operator next;
        parser_next(parser);
        code_infix(parser->function, operator, e);
        next = parse_operators(parser, &right, BINARY[operator].right);
        code_postfix(parser->function, operator, e, &right);
        operator = next;
    }
    parser_leave(parser);
    return operator;
}

void parse_expression(struct parser *parser, struct expression *e) { parse_operators(parser, e, 0); }
