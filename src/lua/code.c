/* Writes the instructions of a function: where values are (constants, registers, still to be computed), jumps that do
 * not know their target yet, and operators.
 *
 * Jumps without a target form lists through their own 'wide' fields. 'pending' are those whose target is the next
 * instruction. An expression with 'and', 'or' or a comparison has a list of the jumps that leave it when it is true,
 * and one for false; JUMP_TRUE_SET and JUMP_FALSE_SET of these lists carry the value along and become plain tests where
 * nobody wants it. */
#include "parser_internal.h"
#include "table_internal.h"

#include "base/elementary.h"

/* --- instructions -------------------------------------------------------------------------- */

static void patch_jump(struct function_state *function, int at, int target)
{
    int offset = target - (at + 1);
    uint64_t *i = &function->proto->code[at];

    if (offset > JUMP_MAX || offset < -JUMP_MAX)
        parser_fail_here(function->parser, "control structure too long");
    *i = (uint32_t)*i | (uint64_t)(uint32_t)offset << 32;
}

static int jump_target(const struct function_state *function, int at)
{
    int offset = lua_op_wide(function->proto->code[at]);

    return offset == NO_JUMP ? NO_JUMP : at + 1 + offset;
}

static bool is_set_jump(uint64_t i) { return lua_op(i) == OP_JUMP_TRUE_SET || lua_op(i) == OP_JUMP_FALSE_SET; }

/* A jump that carries a value gets the register for it, or becomes a test. False: it carries none. */
static bool patch_value(struct function_state *function, int at, int reg)
{
    uint64_t *i = &function->proto->code[at];
    unsigned from = lua_op_b(*i);
    uint32_t wide = (uint32_t)(*i >> 32);

    if (!is_set_jump(*i))
        return false;
    if (reg != REGISTER_NONE && (unsigned)reg != from)
        *i = lua_instruction(lua_op(*i), (unsigned)reg, from, wide);
    else
        *i = lua_instruction(lua_op(*i) == OP_JUMP_TRUE_SET ? OP_JUMP_TRUE : OP_JUMP_FALSE, from, 0, wide);
    return true;
}

/* Those that carry a value go to 'value_target' with it in 'reg', the others to 'target'. */
static void patch_list(struct function_state *function, int list, int value_target, int reg, int target)
{
    while (list != NO_JUMP) {
        int next = jump_target(function, list);
        patch_jump(function, list, patch_value(function, list, reg) ? value_target : target);
        list = next;
    }
}

int code_emit(struct function_state *function, enum lua_opcode op, int a, int b, int wide)
{
    struct lua *lua = function->parser->lua;
    struct lua_proto *proto = function->proto;
    int pending = function->pending;

    function->pending = NO_JUMP;
    patch_list(function, pending, proto->code_count, REGISTER_NONE, proto->code_count);
    proto->code = lua_grow(lua, proto->code, proto->code_count, &proto->code_size, sizeof *proto->code);
    proto->lines = lua_grow(lua, proto->lines, proto->code_count, &proto->line_size, sizeof *proto->lines);
    proto->code[proto->code_count] = lua_instruction(op, (unsigned)a, (unsigned)b, (uint32_t)wide);
    proto->lines[proto->code_count] = function->parser->last_line;
    return proto->code_count++;
}

static int emit_abc(struct function_state *function, enum lua_opcode op, int a, int b, int c)
{
    return code_emit(function, op, a, b, c & 0xffff);
}

void code_set_line(struct function_state *function, int line)
{
    function->proto->lines[function->proto->code_count - 1] = line;
}

static void set_a(struct function_state *function, int at, int reg)
{
    uint64_t *i = &function->proto->code[at];

    *i = (*i & ~UINT64_C(0xff00)) | (uint64_t)(uint8_t)reg << 8;
}

static void set_b(struct function_state *function, int at, int b)
{
    uint64_t *i = &function->proto->code[at];

    *i = (*i & ~UINT64_C(0xffff0000)) | (uint64_t)(uint16_t)b << 16;
}

/* --- jumps --------------------------------------------------------------------------------- */

int code_label(struct function_state *function)
{
    function->last_target = function->proto->code_count;
    return function->last_target;
}

void code_concat_lists(struct function_state *function, int *list, int other)
{
    if (other == NO_JUMP)
        return;
    if (*list == NO_JUMP) {
        *list = other;
        return;
    }
    /* Whichever ends first goes before the other one: long lists grow by short ones, in either order. */
    int last = *list, other_last = other, next, other_next;
    while ((next = jump_target(function, last)) != NO_JUMP) {
        if ((other_next = jump_target(function, other_last)) == NO_JUMP) {
            patch_jump(function, other_last, *list);
            *list = other;
            return;
        }
        last = next;
        other_last = other_next;
    }
    patch_jump(function, last, other);
}

int code_jump(struct function_state *function)
{
    int pending = function->pending, jump;

    function->pending = NO_JUMP; /* what would jump to this jump goes where it goes */
    jump = code_emit(function, OP_JUMP, 0, 0, NO_JUMP);
    code_concat_lists(function, &jump, pending);
    return jump;
}

void code_patch_here(struct function_state *function, int list)
{
    code_label(function);
    code_concat_lists(function, &function->pending, list);
}

void code_patch(struct function_state *function, int list, int target)
{
    if (target == function->proto->code_count)
        code_patch_here(function, list);
    else
        patch_list(function, list, target, REGISTER_NONE, target);
}

static void invert_jump(struct function_state *function, const struct expression *e)
{
    function->proto->code[e->info] ^= 1;
}

static bool has_jumps(const struct expression *e) { return e->jumps_true != e->jumps_false; }

/* Some jump of the list does not carry the value. */
static bool needs_value(const struct function_state *function, int list)
{
    for (; list != NO_JUMP; list = jump_target(function, list))
        if (!is_set_jump(function->proto->code[list]))
            return true;
    return false;
}

static void drop_values(struct function_state *function, int list)
{
    for (; list != NO_JUMP; list = jump_target(function, list))
        patch_value(function, list, REGISTER_NONE);
}

/* --- registers ----------------------------------------------------------------------------- */

static void check_stack(struct function_state *function, int count)
{
    int needed = function->free_register + count;

    if (needed <= function->proto->stack_size)
        return;
    if (needed >= REGISTER_MAX) {
        parser_fail_here(function->parser, "function or expression too complex");
        function->free_register = function->active_count;
        return;
    }
    function->proto->stack_size = (uint8_t)needed;
}

void code_reserve(struct function_state *function, int count)
{
    check_stack(function, count);
    function->free_register += count;
}

static void free_register(struct function_state *function, int reg)
{
    if (reg >= function->active_count && function->free_register > function->active_count)
        function->free_register--;
}

static void free_expression(struct function_state *function, const struct expression *e)
{
    if (e->kind == EXPRESSION_REGISTER)
        free_register(function, e->info);
}

static void free_operand(struct function_state *function, struct operand operand)
{
    if (operand.kind == OPERAND_REGISTER)
        free_register(function, operand.at);
}

void code_nil(struct function_state *function, int from, int count)
{
    struct lua_proto *proto = function->proto;

    if (proto->code_count > function->last_target && proto->code_count > 0) {
        uint64_t previous = proto->code[proto->code_count - 1];
        int first = (int)lua_op_a(previous), last = (int)lua_op_b(previous);
        if (lua_op(previous) == OP_LOADNIL && first <= from && from <= last + 1) {
            if (from + count - 1 > last)
                set_b(function, proto->code_count - 1, from + count - 1);
            return;
        }
    }
    code_emit(function, OP_LOADNIL, from, from + count - 1, 0);
}

void code_return(struct function_state *function, int first, int count)
{
    if (count == 0)
        code_emit(function, OP_RETURN0, 0, 0, 0);
    else if (count == 1)
        code_emit(function, OP_RETURN1, first, 0, 0);
    else
        code_emit(function, OP_RETURN, first, count + 1, 0);
}

/* --- constants ----------------------------------------------------------------------------- */

/* 'key' stands for the value in the table of those that are there. */
static int add_constant(struct function_state *function, struct lua_value key, struct lua_value value)
{
    struct lua *lua = function->parser->lua;
    struct lua_proto *proto = function->proto;
    struct lua_value *place = lua_table_place(lua, function->constants, key);

    if (place->type == LUA_NUMBER)
        return (int)place->number;
    *place = lua_number(proto->constant_count);
    proto->constants = lua_grow(lua, proto->constants, proto->constant_count, &proto->constant_size,
                                sizeof *proto->constants);
    proto->constants[proto->constant_count] = value;
    return proto->constant_count++;
}

int code_constant_string(struct function_state *function, struct lua_string *string)
{
    return add_constant(function, lua_of_string(string), lua_of_string(string));
}

static int constant_of(struct function_state *function, const struct expression *e)
{
    switch (e->kind) {
    case EXPRESSION_NIL:
        return add_constant(function, lua_pointer(NULL), lua_nil());
    case EXPRESSION_TRUE:
        return add_constant(function, lua_boolean(true), lua_boolean(true));
    case EXPRESSION_FALSE:
        return add_constant(function, lua_boolean(false), lua_boolean(false));
    case EXPRESSION_NUMBER:
        return add_constant(function, lua_number(e->number), lua_number(e->number));
    default:
        return e->info;
    }
}

static bool is_constant(const struct expression *e)
{
    return e->kind >= EXPRESSION_NIL && e->kind <= EXPRESSION_NUMBER;
}

/* --- expressions to values ----------------------------------------------------------------- */

void code_set_results(struct function_state *function, struct expression *e, int count)
{
    uint64_t *i = &function->proto->code[e->info];

    if (e->kind == EXPRESSION_CALL) {
        *i = (uint32_t)*i | (uint64_t)(uint16_t)(count + 1) << 32;
    } else if (e->kind == EXPRESSION_VARARG) {
        set_b(function, e->info, count + 1);
        set_a(function, e->info, function->free_register);
        code_reserve(function, 1);
    }
}

void code_set_one_result(struct function_state *function, struct expression *e)
{
    if (e->kind == EXPRESSION_CALL) {
        e->kind = EXPRESSION_REGISTER;
        e->info = (int)lua_op_a(function->proto->code[e->info]);
    } else if (e->kind == EXPRESSION_VARARG) {
        set_b(function, e->info, 2);
        e->kind = EXPRESSION_RELOCATABLE;
    }
}

static void discharge_indexed(struct function_state *function, struct expression *e)
{
    static const enum lua_opcode OPS[] = {OP_GETTABLE, OP_GETCONST, OP_GETFIELD, OP_GETINT};

    free_operand(function, e->key);
    free_register(function, e->info);
    e->info = emit_abc(function, OPS[e->key.kind], 0, e->info, e->key.at);
    e->kind = EXPRESSION_RELOCATABLE;
}

/* A variable or a call becomes a value. */
void code_discharge(struct function_state *function, struct expression *e)
{
    switch (e->kind) {
    case EXPRESSION_LOCAL:
        e->kind = EXPRESSION_REGISTER;
        break;
    case EXPRESSION_UPVALUE:
        e->info = code_emit(function, OP_GETUPVAL, 0, e->info, 0);
        e->kind = EXPRESSION_RELOCATABLE;
        break;
    case EXPRESSION_GLOBAL:
        e->info = code_emit(function, OP_GETGLOBAL, 0, 0, e->info);
        e->kind = EXPRESSION_RELOCATABLE;
        break;
    case EXPRESSION_INDEXED:
        discharge_indexed(function, e);
        break;
    case EXPRESSION_CALL:
    case EXPRESSION_VARARG:
        code_set_one_result(function, e);
        break;
    default:
        break;
    }
}

/* Its value without its jumps. */
static void discharge_to(struct function_state *function, struct expression *e, int reg)
{
    code_discharge(function, e);
    switch (e->kind) {
    case EXPRESSION_NIL:
        code_nil(function, reg, 1);
        break;
    case EXPRESSION_FALSE:
    case EXPRESSION_TRUE:
        code_emit(function, OP_LOADBOOL, reg, e->kind == EXPRESSION_TRUE, 0);
        break;
    case EXPRESSION_CONSTANT:
    case EXPRESSION_NUMBER:
        code_emit(function, OP_LOADK, reg, 0, constant_of(function, e));
        break;
    case EXPRESSION_RELOCATABLE:
        set_a(function, e->info, reg);
        break;
    case EXPRESSION_REGISTER:
        if (e->info != reg)
            code_emit(function, OP_MOVE, reg, e->info, 0);
        break;
    default:
        return;
    }
    e->info = reg;
    e->kind = EXPRESSION_REGISTER;
}

static void discharge_to_any(struct function_state *function, struct expression *e)
{
    if (e->kind == EXPRESSION_REGISTER)
        return;
    code_reserve(function, 1);
    discharge_to(function, e, function->free_register - 1);
}

static int load_bool(struct function_state *function, int reg, bool value, bool skip)
{
    code_label(function);
    return code_emit(function, OP_LOADBOOL, reg, value, skip);
}

static void to_register(struct function_state *function, struct expression *e, int reg)
{
    discharge_to(function, e, reg);
    if (e->kind == EXPRESSION_JUMP)
        code_concat_lists(function, &e->jumps_true, e->info);
    if (has_jumps(e)) {
        int when_false = NO_JUMP, when_true = NO_JUMP;
        if (needs_value(function, e->jumps_true) || needs_value(function, e->jumps_false)) {
            int over = e->kind == EXPRESSION_JUMP ? NO_JUMP : code_jump(function);
            when_false = load_bool(function, reg, false, true);
            when_true = load_bool(function, reg, true, false);
            code_patch_here(function, over);
        }
        int end = code_label(function);
        patch_list(function, e->jumps_false, end, reg, when_false);
        patch_list(function, e->jumps_true, end, reg, when_true);
    }
    e->jumps_true = e->jumps_false = NO_JUMP;
    e->info = reg;
    e->kind = EXPRESSION_REGISTER;
}

void code_to_next_register(struct function_state *function, struct expression *e)
{
    code_discharge(function, e);
    free_expression(function, e);
    code_reserve(function, 1);
    to_register(function, e, function->free_register - 1);
}

int code_to_any_register(struct function_state *function, struct expression *e)
{
    code_discharge(function, e);
    if (e->kind == EXPRESSION_REGISTER) {
        if (!has_jumps(e))
            return e->info;
        if (e->info >= function->active_count) { /* not a local's: it may be written */
            to_register(function, e, e->info);
            return e->info;
        }
    }
    code_to_next_register(function, e);
    return e->info;
}

void code_to_value(struct function_state *function, struct expression *e)
{
    if (has_jumps(e))
        code_to_any_register(function, e);
    else
        code_discharge(function, e);
}

/* A register or a constant. */
static struct operand to_operand(struct function_state *function, struct expression *e)
{
    code_to_value(function, e);
    if (is_constant(e)) {
        int at = constant_of(function, e);
        if (at <= OPERAND_MAX) {
            e->info = at;
            e->kind = EXPRESSION_CONSTANT;
            return (struct operand){OPERAND_CONSTANT, at};
        }
    }
    return (struct operand){OPERAND_REGISTER, code_to_any_register(function, e)};
}

static struct operand to_key(struct function_state *function, struct expression *e)
{
    struct operand operand = to_operand(function, e);

    if (operand.kind == OPERAND_CONSTANT) {
        struct lua_value key = function->proto->constants[operand.at];
        if (key.type == LUA_STRING && lua_string_is_short(key.string))
            operand.kind = OPERAND_FIELD;
        else if (key.type == LUA_NUMBER && key.number >= 0 && key.number <= OPERAND_MAX
                 && key.number == (int)key.number)
            operand = (struct operand){OPERAND_INT, (int)key.number};
    }
    return operand;
}

/* --- variables ----------------------------------------------------------------------------- */

void code_store(struct function_state *function, const struct expression *variable, struct expression *value)
{
    static const enum lua_opcode OPS[] = {OP_SETTABLE, OP_SETCONST, OP_SETFIELD, OP_SETINT};

    switch (variable->kind) {
    case EXPRESSION_LOCAL:
        free_expression(function, value);
        to_register(function, value, variable->info);
        return;
    case EXPRESSION_UPVALUE:
        code_emit(function, OP_SETUPVAL, code_to_any_register(function, value), variable->info, 0);
        break;
    case EXPRESSION_GLOBAL:
        code_emit(function, OP_SETGLOBAL, code_to_any_register(function, value), 0, variable->info);
        break;
    default: {
        struct operand from = to_operand(function, value);
        int d = from.kind == OPERAND_CONSTANT;
        code_emit(function, OPS[variable->key.kind], variable->info, variable->key.at, from.at | d << 16);
        break;
    }
    }
    free_expression(function, value);
}

void code_self(struct function_state *function, struct expression *object, struct expression *name)
{
    int from = code_to_any_register(function, object), at;

    free_expression(function, object);
    at = function->free_register;
    code_reserve(function, 2);
    if (name->info <= OPERAND_MAX && lua_string_is_short(function->proto->constants[name->info].string)) {
        emit_abc(function, OP_SELF, at, from, name->info);
    } else {
        code_emit(function, OP_MOVE, at + 1, from, 0);
        code_emit(function, OP_LOADK, at, 0, name->info);
        emit_abc(function, OP_GETTABLE, at, at + 1, at);
    }
    object->info = at;
    object->kind = EXPRESSION_REGISTER;
}

void code_index(struct function_state *function, struct expression *table, struct expression *key)
{
    table->key = to_key(function, key);
    table->kind = EXPRESSION_INDEXED;
}

/* --- logic --------------------------------------------------------------------------------- */

static int jump_on(struct function_state *function, struct expression *e, bool condition)
{
    struct lua_proto *proto = function->proto;

    if (e->kind == EXPRESSION_RELOCATABLE && lua_op(proto->code[e->info]) == OP_NOT) {
        int reg = (int)lua_op_b(proto->code[e->info]);
        proto->code_count--;
        return code_emit(function, condition ? OP_JUMP_FALSE : OP_JUMP_TRUE, reg, 0, NO_JUMP);
    }
    discharge_to_any(function, e);
    free_expression(function, e);
    return code_emit(function, condition ? OP_JUMP_TRUE_SET : OP_JUMP_FALSE_SET, REGISTER_NONE, e->info, NO_JUMP);
}

void code_go_if_true(struct function_state *function, struct expression *e)
{
    int jump;

    code_discharge(function, e);
    switch (e->kind) {
    case EXPRESSION_CONSTANT:
    case EXPRESSION_NUMBER:
    case EXPRESSION_TRUE:
        jump = NO_JUMP;
        break;
    case EXPRESSION_JUMP:
        invert_jump(function, e);
        jump = e->info;
        break;
    default:
        jump = jump_on(function, e, false);
    }
    code_concat_lists(function, &e->jumps_false, jump);
    code_patch_here(function, e->jumps_true);
    e->jumps_true = NO_JUMP;
}

static void go_if_false(struct function_state *function, struct expression *e)
{
    int jump;

    code_discharge(function, e);
    switch (e->kind) {
    case EXPRESSION_NIL:
    case EXPRESSION_FALSE:
        jump = NO_JUMP;
        break;
    case EXPRESSION_JUMP:
        jump = e->info;
        break;
    default:
        jump = jump_on(function, e, true);
    }
    code_concat_lists(function, &e->jumps_true, jump);
    code_patch_here(function, e->jumps_false);
    e->jumps_false = NO_JUMP;
}

static void code_not(struct function_state *function, struct expression *e)
{
    int list = e->jumps_false;

    code_discharge(function, e);
    switch (e->kind) {
    case EXPRESSION_NIL:
    case EXPRESSION_FALSE:
        e->kind = EXPRESSION_TRUE;
        break;
    case EXPRESSION_CONSTANT:
    case EXPRESSION_NUMBER:
    case EXPRESSION_TRUE:
        e->kind = EXPRESSION_FALSE;
        break;
    case EXPRESSION_JUMP:
        invert_jump(function, e);
        break;
    case EXPRESSION_RELOCATABLE:
    case EXPRESSION_REGISTER:
        discharge_to_any(function, e);
        free_expression(function, e);
        e->info = code_emit(function, OP_NOT, 0, e->info, 0);
        e->kind = EXPRESSION_RELOCATABLE;
        break;
    default:
        break;
    }
    e->jumps_false = e->jumps_true;
    e->jumps_true = list;
    drop_values(function, e->jumps_false);
    drop_values(function, e->jumps_true);
}

/* --- operators ----------------------------------------------------------------------------- */

static bool is_numeral(const struct expression *e)
{
    return e->kind == EXPRESSION_NUMBER && e->jumps_true == NO_JUMP && e->jumps_false == NO_JUMP;
}

/* Computes what is known now, but for what a reader of the program would rather see at run time. */
static bool fold(enum operator operator, struct expression *left, const struct expression *right)
{
    if (!is_numeral(left) || !is_numeral(right))
        return false;
    if ((operator == OPERATOR_DIV || operator == OPERATOR_MOD) && right->number == 0)
        return false;
    double result = operator == OPERATOR_MINUS
                        ? -left->number
                        : lua_compute((enum lua_event)(EVENT_ADD + (int)operator), left->number, right->number);
    if (result != result)
        return false;
    left->number = result;
    return true;
}

static void unary(struct function_state *function, enum lua_opcode op, struct expression *e)
{
    int from = code_to_any_register(function, e);

    free_expression(function, e);
    e->info = code_emit(function, op, 0, from, 0);
    e->kind = EXPRESSION_RELOCATABLE;
}

void code_prefix(struct function_state *function, enum operator operator, struct expression *e)
{
    switch (operator) {
    case OPERATOR_MINUS: {
        struct expression number = *e;
        if (!fold(OPERATOR_MINUS, e, &number))
            unary(function, OP_UNM, e);
        break;
    }
    case OPERATOR_NOT:
        code_not(function, e);
        break;
    default:
        unary(function, OP_LEN, e);
    }
}

void code_infix(struct function_state *function, enum operator operator, struct expression *e)
{
    switch (operator) {
    case OPERATOR_AND:
        code_go_if_true(function, e);
        break;
    case OPERATOR_OR:
        go_if_false(function, e);
        break;
    case OPERATOR_CONCAT:
        code_to_next_register(function, e);
        break;
    default:
        if (operator > OPERATOR_POW || !is_numeral(e))
            to_operand(function, e);
    }
}

/* Both are operands now; where both are constants the left one goes to a register. */
static void free_two(struct function_state *function, struct operand left, struct operand right)
{
    if (left.kind == OPERAND_REGISTER && right.kind == OPERAND_REGISTER && left.at > right.at) {
        free_operand(function, left);
        free_operand(function, right);
    } else {
        free_operand(function, right);
        free_operand(function, left);
    }
}

static void two_operands(struct function_state *function, struct expression *left, struct expression *right,
                         struct operand *l, struct operand *r)
{
    *r = to_operand(function, right);
    *l = to_operand(function, left);
    if (l->kind == OPERAND_CONSTANT && r->kind == OPERAND_CONSTANT)
        *l = (struct operand){OPERAND_REGISTER, code_to_any_register(function, left)};
    free_two(function, *l, *r);
}

static void arithmetic(struct function_state *function, enum operator operator, struct expression *left,
                       struct expression *right)
{
    struct operand l, r;
    int op = OP_ADD;

    if (fold(operator, left, right))
        return;
    two_operands(function, left, right, &l, &r);
    if (r.kind == OPERAND_CONSTANT)
        op = OP_ADD_K;
    else if (l.kind == OPERAND_CONSTANT)
        op = OP_K_ADD;
    left->info = emit_abc(function, (enum lua_opcode)(op + (int)operator), 0, l.at, r.at);
    left->kind = EXPRESSION_RELOCATABLE;
}

static void compare(struct function_state *function, enum operator operator, struct expression *left,
                    struct expression *right)
{
    struct operand l, r;
    enum lua_opcode op;

    two_operands(function, left, right, &l, &r);
    bool is_left = l.kind == OPERAND_CONSTANT, is_right = r.kind == OPERAND_CONSTANT;
    switch (operator) {
    case OPERATOR_EQ:
        op = is_left || is_right ? OP_JUMP_EQ_K : OP_JUMP_EQ;
        break;
    case OPERATOR_NE:
        op = is_left || is_right ? OP_JUMP_NE_K : OP_JUMP_NE;
        break;
    case OPERATOR_LT:
        op = is_right ? OP_JUMP_LT_K : is_left ? OP_JUMP_GT_K : OP_JUMP_LT;
        break;
    case OPERATOR_LE:
        op = is_right ? OP_JUMP_LE_K : is_left ? OP_JUMP_GE_K : OP_JUMP_LE;
        break;
    case OPERATOR_GT:
        op = is_right ? OP_JUMP_GT_K : is_left ? OP_JUMP_LT_K : OP_JUMP_LT;
        break;
    default:
        op = is_right ? OP_JUMP_GE_K : is_left ? OP_JUMP_LE_K : OP_JUMP_LE;
    }
    bool is_swapped = operator == OPERATOR_GT || operator == OPERATOR_GE;
    if (is_left || (is_swapped && !is_right)) {
        struct operand other = l;
        l = r;
        r = other;
    }
    left->info = code_emit(function, op, l.at, r.at, NO_JUMP);
    left->kind = EXPRESSION_JUMP;
}

static void concat(struct function_state *function, struct expression *left, struct expression *right)
{
    code_to_value(function, right);
    if (right->kind == EXPRESSION_RELOCATABLE && lua_op(function->proto->code[right->info]) == OP_CONCAT) {
        free_expression(function, left);
        set_b(function, right->info, left->info);
        left->kind = EXPRESSION_RELOCATABLE;
        left->info = right->info;
        return;
    }
    code_to_next_register(function, right);
    free_expression(function, right);
    free_expression(function, left);
    left->info = emit_abc(function, OP_CONCAT, 0, left->info, right->info);
    left->kind = EXPRESSION_RELOCATABLE;
}

void code_postfix(struct function_state *function, enum operator operator, struct expression *left,
                  struct expression *right)
{
    switch (operator) {
    case OPERATOR_AND:
        code_discharge(function, right);
        code_concat_lists(function, &right->jumps_false, left->jumps_false);
        *left = *right;
        break;
    case OPERATOR_OR:
        code_discharge(function, right);
        code_concat_lists(function, &right->jumps_true, left->jumps_true);
        *left = *right;
        break;
    case OPERATOR_CONCAT:
        concat(function, left, right);
        break;
    default:
        if (operator <= OPERATOR_POW)
            arithmetic(function, operator, left, right);
        else
            compare(function, operator, left, right);
    }
}

/* The values stand behind the table's register; 'pending' of them, -1: up to the top. */
void code_set_list(struct function_state *function, int table, int stored, int pending)
{
    code_emit(function, OP_SETLIST, table, pending < 0 ? 0 : pending, (stored - 1) / FIELDS_PER_FLUSH);
    function->free_register = table + 1;
}
