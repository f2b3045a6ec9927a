/* The compiler: the lexer (lexer.c) reads words; parser.c (statements) and expression.c (expressions) follow the grammar
 * and, in the same pass, have code.c write instructions.
 *
 * An error is noted once, the first one, and from then on the lexer reads nothing but the end of the text: so all
 * loops end, and nobody else has to look at return values. What was compiled until then is thrown away. */
#ifndef TERN_LUA_PARSER_INTERNAL_H
#define TERN_LUA_PARSER_INTERNAL_H

#include "opcode_internal.h"
#include "state_internal.h"

/* --- words (lexer.c) ----------------------------------------------------------------------- */

/* A character stands for itself. The reserved words first, in the order of lexer.c's table. */
enum {
    TOKEN_AND = 257,
    TOKEN_BREAK,
    TOKEN_DO,
    TOKEN_ELSE,
    TOKEN_ELSEIF,
    TOKEN_END,
    TOKEN_FALSE,
    TOKEN_FOR,
    TOKEN_FUNCTION,
    TOKEN_IF,
    TOKEN_IN,
    TOKEN_LOCAL,
    TOKEN_NIL,
    TOKEN_NOT,
    TOKEN_OR,
    TOKEN_REPEAT,
    TOKEN_RETURN,
    TOKEN_THEN,
    TOKEN_TRUE,
    TOKEN_UNTIL,
    TOKEN_WHILE,
    TOKEN_CONCAT,
    TOKEN_DOTS,
    TOKEN_EQ,
    TOKEN_GE,
    TOKEN_LE,
    TOKEN_NE,
    TOKEN_NUMBER,
    TOKEN_NAME,
    TOKEN_STRING,
    TOKEN_EOS,
};

struct token {
    int kind;
    union {
        double number;
        struct lua_string *string; /* of TOKEN_NAME and TOKEN_STRING */
    };
};

struct parser {
    struct lua *lua;
    struct lua_string *source;
    const char *at, *end;
    int line;      /* of 'at' */
    int last_line; /* of the word before 'token' */
    struct token token, ahead;
    bool has_ahead;
    bool has_failed;
    char *buffer; /* the word read last, as errors show it */
    size_t buffer_len, buffer_size;
    int depth; /* of syntax, on top of the state's calls from C */
    struct function_state *function;
};

void parser_next(struct parser *parser);
int parser_peek(struct parser *parser); /* the kind of the word after 'token' */
/* "user_script:1: message near 'x'"; kind 0: no near. */
void parser_fail(struct parser *parser, int kind, const char *format, ...) __attribute__((format(printf, 3, 4)));
void parser_fail_here(struct parser *parser, const char *message);
/* A kind as errors show it; 'out' has 16 bytes. */
const char *token_name(int kind, char *out);
void parser_release(struct parser *parser);

/* --- code (code.c) ------------------------------------------------------------------------- */

enum expression_kind {
    EXPRESSION_VOID, /* an empty list */
    EXPRESSION_NIL,
    EXPRESSION_TRUE,
    EXPRESSION_FALSE,
    EXPRESSION_CONSTANT,    /* info: its number */
    EXPRESSION_NUMBER,      /* number */
    EXPRESSION_LOCAL,       /* info: its register */
    EXPRESSION_UPVALUE,     /* info: its number */
    EXPRESSION_GLOBAL,      /* info: constant with its name */
    EXPRESSION_INDEXED,     /* info: register of the table; key */
    EXPRESSION_JUMP,        /* info: place of the comparison that jumps when true */
    EXPRESSION_RELOCATABLE, /* info: place of the instruction that will get a register */
    EXPRESSION_REGISTER,    /* info: its register */
    EXPRESSION_CALL,        /* info: place of the call */
    EXPRESSION_VARARG,      /* info: place of the instruction */
};

enum operand_kind { OPERAND_REGISTER, OPERAND_CONSTANT, OPERAND_FIELD, OPERAND_INT };

/* A register, a constant, a constant that is a short string, or a small number. */
struct operand {
    enum operand_kind kind;
    int at;
};

enum { NO_JUMP = -1 }; /* ends a list of jumps */

struct expression {
    enum expression_kind kind;
    int info;
    struct operand key;
    double number;
    int jumps_true, jumps_false; /* lists of jumps out of it when it is true, false */
};

enum operator {
    OPERATOR_ADD,
    OPERATOR_SUB,
    OPERATOR_MUL,
    OPERATOR_DIV,
    OPERATOR_MOD,
    OPERATOR_POW,
    OPERATOR_CONCAT,
    OPERATOR_NE,
    OPERATOR_EQ,
    OPERATOR_LT,
    OPERATOR_LE,
    OPERATOR_GT,
    OPERATOR_GE,
    OPERATOR_AND,
    OPERATOR_OR,
    OPERATOR_NONE,
    OPERATOR_MINUS,
    OPERATOR_NOT,
    OPERATOR_LEN
};

enum {
    LOCALS_MAX = 200,
    UPVALUES_MAX = 60,
    JUMP_MAX = 131071,
};

struct block {
    struct block *previous;
    int breaks; /* list of jumps out of the loop */
    int active_count;
    bool has_upvalue;
    bool is_loop;
};

struct function_state {
    struct parser *parser;
    struct function_state *previous;
    struct lua_proto *proto;
    struct lua_table *constants; /* value -> its number */
    struct block *block;
    int last_target;  /* the last place that something jumps to */
    int pending;      /* list of jumps to the next instruction */
    int free_register;
    int active_count;
    int active[LOCALS_MAX]; /* -> proto->locals */
    struct {
        enum expression_kind kind;
        int at;
    } upvalues[UPVALUES_MAX];
};

int code_emit(struct function_state *function, enum lua_opcode op, int a, int b, int wide);
void code_set_line(struct function_state *function, int line);
int code_constant_string(struct function_state *function, struct lua_string *string);
void code_nil(struct function_state *function, int from, int count);
int code_jump(struct function_state *function);
void code_return(struct function_state *function, int first, int count);
void code_patch(struct function_state *function, int list, int target);
void code_patch_here(struct function_state *function, int list);
void code_concat_lists(struct function_state *function, int *list, int other);
int code_label(struct function_state *function);
void code_reserve(struct function_state *function, int count);

void code_to_next_register(struct function_state *function, struct expression *e);
int code_to_any_register(struct function_state *function, struct expression *e);
void code_to_value(struct function_state *function, struct expression *e);
void code_discharge(struct function_state *function, struct expression *e);
void code_set_results(struct function_state *function, struct expression *e, int count);
void code_set_one_result(struct function_state *function, struct expression *e);
void code_store(struct function_state *function, const struct expression *variable, struct expression *value);
void code_self(struct function_state *function, struct expression *object, struct expression *name);
void code_index(struct function_state *function, struct expression *table, struct expression *key);
void code_go_if_true(struct function_state *function, struct expression *e);
void code_prefix(struct function_state *function, enum operator operator, struct expression *e);
void code_infix(struct function_state *function, enum operator operator, struct expression *e);
void code_postfix(struct function_state *function, enum operator operator, struct expression *left,
                  struct expression *right);
void code_set_list(struct function_state *function, int table, int stored, int pending);

/* --- grammar ------------------------------------------------------------------------------- */

void expression_init(struct expression *e, enum expression_kind kind, int info);
void parse_expression(struct parser *parser, struct expression *e);
void parse_primary(struct parser *parser, struct expression *e); /* with its suffixes */
int parse_expression_list(struct parser *parser, struct expression *last);
void parse_variable(struct parser *parser, struct expression *e);
void parse_field(struct parser *parser, struct expression *e);

bool parser_accept(struct parser *parser, int kind);
void parser_check(struct parser *parser, int kind);
void parser_expect(struct parser *parser, int kind);
void parser_expect_match(struct parser *parser, int what, int who, int line);
struct lua_string *parser_expect_name(struct parser *parser);
void parser_limit(struct function_state *function, int count, int limit, const char *what);
bool parser_enter(struct parser *parser); /* one level of syntax; leave it with parser_leave also when false */
void parser_leave(struct parser *parser);
void parse_body(struct parser *parser, struct expression *e, bool needs_self, int line); /* of a function */

#endif
