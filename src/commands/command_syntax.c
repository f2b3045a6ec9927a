/* The little language of a row's 'syntax', as a tree.
 *
 *     key value [NX | XX] [GET] [EX seconds | KEEPTTL] [member [member ...]]
 *
 *     word               a value           [ ... ]        may be left out
 *     TOKEN              itself            a | b          one of them
 *     TOKEN word word    one block         < a | b >      the same, where no bracket holds it
 *     x y [x y ...]      x and y come once or more, together
 *
 * Outside of brackets a | b takes its two neighbours only.
 *
 * Words stand with one blank between them. */
#include "command_docs_internal.h"

#include "base/mem.h"

struct parser {
    const char *start, *at;
    struct syntax *syntax;
    const char *group; /* what the innermost bracket holds; NULL outside */
    bool is_group_repeated;
};

static struct argument *parse_group(struct parser *parser, char closer);

/* --- words -------------------------------------------------------------------------------------------- */

static char next_char(struct parser *parser)
{
    while (*parser->at == ' ')
        parser->at++;
    return *parser->at;
}

static bool take(struct parser *parser, char wanted)
{
    if (next_char(parser) != wanted || !wanted)
        return false;
    parser->at++;
    return true;
}

static struct bytes peek_word(struct parser *parser)
{
    next_char(parser);
    return (struct bytes){parser->at, strcspn(parser->at, " []<>|")};
}

static bool is_token(struct bytes word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.data[i] >= 'a' && word.data[i] <= 'z')
            return false;
    return word.len && !bytes_equal(word, BYTES("..."));
}

/* --- nodes -------------------------------------------------------------------------------------------- */

static struct argument *new_node(struct parser *parser, enum argument_kind kind)
{
    struct argument *node = &parser->syntax->nodes[parser->syntax->count++];

    *node = (struct argument){.kind = kind};
    return node;
}

static void append(struct argument **list, struct argument *node)
{
    while (*list)
        list = &(*list)->next;
    *list = node;
}

/* One node for several. */
static struct argument *fold(struct parser *parser, struct argument *list)
{
    struct argument *block;

    if (list && !list->next)
        return list;
    block = new_node(parser, ARGUMENT_BLOCK);
    block->first = list;
    block->start = list ? list->start : parser->at;
    return block;
}

/* --- repetition --------------------------------------------------------------------------------------- */

static const char *matching_bracket(const char *open)
{
    int depth = 0;

    for (const char *at = open; *at; at++) {
        depth += *at == '[';
        depth -= *at == ']';
        if (!depth)
            return at;
    }
    return NULL;
}

/* At "[x y ...]": where the "x y" before it begins, and '*end' behind the bracket; NULL when that is none. */
static const char *repeated_text(struct parser *parser, const char **end)
{
    const char *open = parser->at, *close, *dots;
    size_t len;

    close = next_char(parser) == '[' ? matching_bracket(open = parser->at) : NULL;
    dots = close ? close - 3 : NULL;
    if (!dots || dots <= open + 2 || memcmp(dots, "...", 3) != 0)
        return NULL;
    len = (size_t)(dots - open) - 2; /* without bracket and blank */
    if (open < parser->start + len + 1 || memcmp(open - 1 - len, open + 1, len) != 0)
        return NULL;
    *end = close + 1;
    return open - 1 - len;
}

/* The last nodes of the list, or all that its brackets hold, come several times. */
static bool take_repetition(struct parser *parser, struct argument **list)
{
    const char *end, *text = repeated_text(parser, &end);
    struct argument *node;

    if (!text)
        return false;
    while (*list && (*list)->start != text)
        list = &(*list)->next;
    if (!*list && text != parser->group)
        return false;
    parser->at = end;
    if (!*list) {
        parser->is_group_repeated = true;
        return true;
    }
    node = fold(parser, *list);
    node->flags |= ARGUMENT_MULTIPLE;
    if (node == *list && node->token.len)
        node->flags |= ARGUMENT_MULTIPLE_TOKEN;
    *list = node;
    return true;
}

/* --- the pieces --------------------------------------------------------------------------------------- */

static struct argument *parse_value(struct parser *parser)
{
    struct argument *node = new_node(parser, ARGUMENT_VALUE);

    node->name = peek_word(parser);
    node->start = node->name.data;
    parser->at += node->name.len;
    return node;
}

/* The token with what belongs to it. */
static struct argument *parse_token(struct parser *parser)
{
    struct bytes token = peek_word(parser), word;
    struct argument *list = NULL, *node;

    parser->at += token.len;
    for (;;) {
        word = peek_word(parser);
        if (word.len && !is_token(word) && !bytes_equal(word, BYTES("...")))
            append(&list, parse_value(parser));
        else if (!list || !take_repetition(parser, &list))
            break;
    }
    if (!list && take(parser, '<'))
        list = parse_group(parser, '>');
    if (!list || (!list->next && list->token.len)) {
        node = new_node(parser, ARGUMENT_TOKEN);
        if (list)
            node->next = list;
    } else {
        node = fold(parser, list);
    }
    node->token = token;
    node->start = token.data;
    return node;
}

static void mark_last_multiple(struct argument *list)
{
    while (list && list->next)
        list = list->next;
    if (list)
        list->flags |= ARGUMENT_MULTIPLE;
}

/* Joins what comes to the last node as another choice. */
static void join_choice(struct parser *parser, struct argument **list)
{
    struct argument *choice;

    if (!*list)
        return;
    while ((*list)->next)
        list = &(*list)->next;
    if ((*list)->kind != ARGUMENT_ONE_OF || (*list)->token.len) {
        choice = new_node(parser, ARGUMENT_ONE_OF);
        choice->first = *list;
        choice->start = (*list)->start;
        *list = choice;
    }
    append(&(*list)->first, is_token(peek_word(parser)) ? parse_token(parser) : parse_value(parser));
}

static struct argument *parse_sequence(struct parser *parser)
{
    struct argument *list = NULL;

    for (;;) {
        struct bytes word = peek_word(parser);

        if (bytes_equal(word, BYTES("..."))) {
            parser->at += word.len;
            mark_last_multiple(list);
        } else if (word.len) {
            append(&list, is_token(word) ? parse_token(parser) : parse_value(parser));
        } else if (take(parser, '<')) {
            append(&list, parse_group(parser, '>'));
        } else if (!parser->group && take(parser, '|')) {
            join_choice(parser, &list);
        } else if (next_char(parser) != '[') {
            return list;
        } else if (!take_repetition(parser, &list)) {
            struct argument *node;

            parser->at++;
            node = parse_group(parser, ']');
            node->flags |= ARGUMENT_OPTIONAL;
            append(&list, node);
        }
    }
}

static struct argument *parse_group(struct parser *parser, char closer)
{
    struct argument *list = NULL, *node;
    const char *outer = parser->group, *start = parser->at - 1;
    bool was_repeated = parser->is_group_repeated;

    next_char(parser);
    parser->group = parser->at;
    parser->is_group_repeated = false;
    do {
        append(&list, fold(parser, parse_sequence(parser)));
    } while (take(parser, '|'));
    take(parser, closer);
    node = list;
    if (list->next) {
        node = new_node(parser, ARGUMENT_ONE_OF);
        node->first = list;
    }
    node->start = start;
    if (parser->is_group_repeated)
        node->flags |= ARGUMENT_MULTIPLE | (node->token.len ? ARGUMENT_MULTIPLE_TOKEN : 0);
    parser->group = outer;
    parser->is_group_repeated = was_repeated;
    return node;
}

void syntax_parse(struct syntax *syntax, const char *text)
{
    struct parser parser = {text, text, syntax, NULL, false};

    syntax->count = 0;
    syntax->size = 2 * strlen(text) + 2; /* a node stands for a word or a bracket at least */
    syntax->nodes = mem_alloc(syntax->size * sizeof *syntax->nodes);
    syntax->first = parse_sequence(&parser);
}

void syntax_release(struct syntax *syntax)
{
    mem_free(syntax->nodes, syntax->size * sizeof *syntax->nodes);
}
