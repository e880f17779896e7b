/* SPDX-License-Identifier: Apache-2.0 */
/* A store in front of another one, for those that measure, count or fail calls: each is passed on, with a word
 * before it and one after it. Who embeds it sets `base.ops` to shoal_forward_ops, or to a copy in which calls of
 * its own stand for some. */
#ifndef SHOAL_FORWARD_STORE_H
#define SHOAL_FORWARD_STORE_H

#include "state/store.h"

/* The calls that have a status: members of struct shoal_store_ops. */
#define SHOAL_STORE_CALLS(X)                                                                       \
    X(open) X(acquire) X(load) X(verify) X(save) X(timers) X(scan) X(find) X(peek) X(scan_piece)   \
    X(ceiling) X(layout) X(set_layout)

enum shoal_store_call {
#define X(name) SHOAL_CALL_##name,
    SHOAL_STORE_CALLS(X)
#undef X
    SHOAL_STORE_CALLS_COUNT,
};

struct shoal_forward_store {
    struct shoal_store base; /* its lost_writes is the inner one's after every call */
    struct shoal_store *inner; /* owned */
    /* NULL, or called before each call: false if it is not to be passed on. */
    bool (*before)(struct shoal_forward_store *store, enum shoal_store_call call);
    /* NULL, or called with its result (OK if it was not passed on): returns what is answered. */
    enum shoal_status (*after)(struct shoal_forward_store *store, enum shoal_store_call call,
                               enum shoal_status status, struct shoal_message *message);
};

/* Destroy destroys the inner store, then frees the struct, or what embeds it as its first member. */
extern const struct shoal_store_ops shoal_forward_ops;

#endif
