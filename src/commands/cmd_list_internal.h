/* What the commands of lists share: cmd_list.c (pushing, looking, changing), cmd_list_pop.c, cmd_list_move.c. */
#ifndef TERN_CMD_LIST_INTERNAL_H
#define TERN_CMD_LIST_INTERNAL_H

#include "engine/events.h"
#include "engine/request.h"
#include "types/list.h"

const struct event_kind *list_push_event(enum list_end end);
const struct event_kind *list_pop_event(enum list_end end);

/* LEFT or RIGHT. */
bool list_parse_end_or_reply(struct request *req, int at, enum list_end *end);

/* The list at a found or absent key, made when absent. */
struct list *list_make_at(struct key_ref *ref, struct bytes key);
/* Takes 'count' values from one end and reports it; a list that is empty then goes. 'ref' is void then. */
void list_take(struct request *req, struct key_ref *ref, struct bytes key, enum list_end end,
               size_t count);
/* After values were taken: reports it, and removes a list that is empty now. 'ref' is void then. */
void list_report_taken(struct request *req, struct key_ref *ref, struct bytes key,
                       const struct event_kind *event, int64_t taken);

#endif
