/* SPDX-License-Identifier: Apache-2.0 */
/* How many users a partition can have at most, where a server tells the number of its keys at once: in a cluster, which
 * counts them by slot. So a node that has lost a part of a slot is found out: a replica that takes over
 * while its master's slot is half moved does not know that the rest is elsewhere (up to Redis 7), and answers as if
 * those keys had never been.
 *
 * Others may have keys in the slot too, therefore "at most". */
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>

#include "state/redis_slots.h"
#include "state/redis_store.h"

/* Keys of the partition that are no user's, and one that nobody ever writes: a node from which the slot is just
 * moving does not say of that one that it is not there. Asked last, so that a move that has begun before the count is
 * noticed. */
static void write_questions(struct shoal_redis_connection *connection, const char *topic,
                            int32_t partition)
{
    const struct shoal_redis_key checkpoint = shoal_redis_key_checkpoint(topic, partition),
                                 timers = shoal_redis_key_timers(topic, partition),
                                 users = shoal_redis_key_users(topic, partition);
    char slot[8];
    (void)snprintf(slot, sizeof slot, "%u", shoal_redis_slot(users.text, users.size));
    shoal_redis_command(connection, 3);
    shoal_redis_argument_text(connection, "CLUSTER");
    shoal_redis_argument_text(connection, "COUNTKEYSINSLOT");
    shoal_redis_argument_text(connection, slot);
    shoal_redis_command(connection, 5);
    shoal_redis_argument_text(connection, "EXISTS");
    shoal_redis_argument(connection, checkpoint.text, checkpoint.size);
    shoal_redis_argument(connection, timers.text, timers.size);
    shoal_redis_argument(connection, users.text, users.size); /* of the partition as a whole */
    shoal_redis_argument_pair(connection, checkpoint.text, checkpoint.size, "?", 1);
}

/* The reply to one of the two; −1 where it is none. */
static enum shoal_status read_number(struct shoal_redis_connection *connection, int64_t *number,
                                     struct shoal_message *message)
{
    struct redisReply *reply;
    *number = -1;
    enum shoal_status status = shoal_redis_answer(connection, &reply, message);
    if (status == SHOAL_OK && reply->type == REDIS_REPLY_INTEGER)
        *number = reply->integer;
    if (status == SHOAL_OK)
        shoal_redis_reply_free(reply);
    /* Who may not ask has no answer, and neither has who asks while the slot is moving. */
    bool is_moving = connection->turn.kind == SHOAL_REDIS_ASK || connection->turn.kind == SHOAL_REDIS_WAIT;
    if (is_moving)
        connection->turn.kind = SHOAL_REDIS_STAY;
    return status == SHOAL_CONFIG || status == SHOAL_IO || is_moving ? SHOAL_OK : status;
}

static enum shoal_status count_on(struct shoal_redis_store *store,
                                  struct shoal_redis_connection *connection, int32_t partition,
                                  uint64_t *most, struct shoal_message *message)
{
    int64_t keys, others = -1;
    write_questions(connection, store->topic, partition);
    enum shoal_status status = shoal_redis_flush(connection, message);
    if (status == SHOAL_OK)
        status = read_number(connection, &keys, message);
    if (status == SHOAL_OK)
        status = read_number(connection, &others, message);
    if (status == SHOAL_OK && keys >= others && others >= 0)
        *most = (uint64_t)(keys - others);
    return status;
}

enum shoal_status shoal_redis_ceiling(struct shoal_store *base, int32_t partition, uint64_t *most,
                                      struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    struct shoal_redis_key users = shoal_redis_key_users(store->topic, partition);
    struct shoal_redis_visit visit = shoal_redis_visit_to(&store->servers, &users);
    enum shoal_status status;
    *most = UINT64_MAX;
    shoal_redis_drop_kept(store);
    do {
        status = shoal_redis_visit_begin(&visit, message);
        if (status == SHOAL_OK && store->servers.kind == SHOAL_REDIS_CLUSTER)
            status = count_on(store, visit.connection, partition, most, message);
    } while (shoal_redis_visit_again(&visit, status));
    return status;
}
