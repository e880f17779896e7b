/* SPDX-License-Identifier: Apache-2.0 */
/* Having users forgotten: finds the partition of each and writes the message of forget.h into it.
 *
 * The state says in which partition a user is. A user whom the store does not know may be in the log all the
 * same, not saved yet or on the way: then every partition is told, and all but one have nothing to do.
 *
 * Nothing is deleted here. Whoever owns the partition does it when the message comes to it, in the order of
 * the log and exactly once; a user is gone from the store with the next save after that.
 *
 * For the command line and the DELETE call; one owner (thread). */
#ifndef SHOAL_FORGETTING_H
#define SHOAL_FORGETTING_H

#include "state/store.h"
#include "stream/config.h"
#include "stream/log.h"

struct shoal_forgetting;

/* `store` is borrowed, needs no ownership of partitions, and must outlive it; so must `config` and `log`. Asks
 * the broker how many partitions there are: UNAVAILABLE while it does not answer, CONFIG. */
enum shoal_status shoal_forgetting_create(const struct shoal_config *config, const struct shoal_log *log,
                                          struct shoal_store *store,
                                          struct shoal_forgetting **forgetting,
                                          struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_forgetting_destroy(struct shoal_forgetting *forgetting);

/* Where a user is: the partition, or −1 if the store does not know. `declined`: all that is kept is that the user
 * declines to be processed, which stays (pipeline_forget.c). As the store's `find`; BAD_USER for what can be no user
 * id. `user` as it is stored (pseudonym.h). */
enum shoal_status shoal_forgetting_find(struct shoal_forgetting *forgetting, const char *user,
                                        size_t user_size, int32_t *partition, bool *declined,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;
/* Hands the message over for the user's partition, or for all if it is −1. On its way until flushed. */
enum shoal_status shoal_forgetting_send(struct shoal_forgetting *forgetting, const char *user,
                                        size_t user_size, int32_t partition,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;
/* Waits until the broker has all that was sent; then it will happen, whatever dies. UNAVAILABLE, TIMED_OUT: some of
 * it may be there; to send it again does no harm. */
enum shoal_status shoal_forgetting_flush(struct shoal_forgetting *forgetting,
                                         struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
