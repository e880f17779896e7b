/* SPDX-License-Identifier: Apache-2.0 */
/* The servers behind a URL: one, the master that sentinels name, or the nodes of a cluster. Chooses
 * for every call the connection on which it is made, and turns to another server when it is sent
 * there. Used by one thread.
 *
 *   ONE       one server. Its name is resolved anew with every connection, so that an endpoint that
 *             moves is followed. If it says that it is a cluster's node, the kind becomes CLUSTER.
 *   SENTINEL  the same; the address is asked of the sentinels before every connection, and the
 *             server must say that it is a master.
 *   CLUSTER   slot ──owner──► node ──► connection, opened when needed
 *
 * A call on one key or on several of one slot is a *visit*:
 *
 *   struct shoal_redis_visit visit = shoal_redis_visit_to(&servers, &key);
 *   do {
 *       status = shoal_redis_visit_begin(&visit, message);
 *       if (status == SHOAL_OK)
 *           status = (… on visit.connection …);
 *   } while (shoal_redis_visit_again(&visit, status));
 *
 * so that everything is done again as a whole when the server answers that the slot is elsewhere
 * (MOVED, ASK) or on its way (TRYAGAIN). A server that has gone or does not serve makes the visit
 * fail with UNAVAILABLE; the next visit asks anew who serves the slot. */
#ifndef SHOAL_REDIS_SERVERS_H
#define SHOAL_REDIS_SERVERS_H

#include "state/redis_connection.h"
#include "state/redis_keys.h"

enum { SHOAL_REDIS_NODES = 1024 }; /* that a cluster may have */

struct shoal_redis_node {
    struct shoal_redis_connection connection;
    bool serves; /* has slots, as far as is known */
};

struct shoal_redis_servers {
    enum shoal_redis_kind kind;
    struct shoal_redis_url url;
    struct shoal_redis_tls *tls; /* owned; NULL = none */
    int timeout_ms;
    struct shoal_redis_node **nodes; /* ONE, SENTINEL: one. They stay where they are */
    size_t nodes_count;
    uint16_t *owners; /* CLUSTER: by slot, index of the node + 1; 0 = nobody */
    bool stale;       /* who owns what is to be asked before the next visit */
    bool looked;      /* ONE: whether it is a cluster's node is known */
    unsigned newcomers; /* redirections to servers that had no slots before: replicas that have taken over, as a rule */
    size_t turn;      /* which node or sentinel is asked first */
};

/* Takes over `tls`, also on failure. Connects nothing. NOMEM. */
enum shoal_status shoal_redis_servers_init(struct shoal_redis_servers *servers,
                                           const struct shoal_redis_url *url,
                                           struct shoal_redis_tls *tls, int timeout_ms,
                                           struct shoal_message *message) SHOAL_MUST_CHECK;
/* Accepts a zeroed struct. */
void shoal_redis_servers_finish(struct shoal_redis_servers *servers);
/* For messages: the server, or the first of those in the URL. */
const char *shoal_redis_servers_label(const struct shoal_redis_servers *servers);
/* Connects to the one server, or finds out who serves what, if that is not so already: afterwards
 * `kind` is settled, and the nodes that `serves` are those that hold keys. */
enum shoal_status shoal_redis_servers_open(struct shoal_redis_servers *servers,
                                           struct shoal_message *message) SHOAL_MUST_CHECK;
/* The connection to nodes[index], standing. */
enum shoal_status shoal_redis_servers_reach(struct shoal_redis_servers *servers, size_t index,
                                            struct shoal_redis_connection **connection,
                                            struct shoal_message *message) SHOAL_MUST_CHECK;

struct shoal_redis_visit {
    struct shoal_redis_servers *servers;
    const struct shoal_redis_key *key;
    struct shoal_redis_connection *connection; /* of this attempt */
    size_t ask;       /* the next attempt asks this node + 1 on behalf of the owner; 0 = the owner */
    int turns;        /* attempts that were sent elsewhere */
    int64_t until_ms; /* when patience ends; 0 = not yet needed */
};

/* The key may be a prefix as long as it has the braces; it must outlive the visit. */
struct shoal_redis_visit shoal_redis_visit_to(struct shoal_redis_servers *servers,
                                              const struct shoal_redis_key *key);
enum shoal_status shoal_redis_visit_begin(struct shoal_redis_visit *visit,
                                          struct shoal_message *message) SHOAL_MUST_CHECK;
/* After an attempt with this result: shall there be another? Leaves the connection in step. */
bool shoal_redis_visit_again(struct shoal_redis_visit *visit, enum shoal_status status);

/* The address of the master that the sentinels of the URL name. UNAVAILABLE if none answers, CONFIG if
 * they know none of that name. *turn is the sentinel asked first, and is moved on when it does not answer. */
enum shoal_status shoal_redis_sentinel_resolve(const struct shoal_redis_url *url,
                                               struct shoal_redis_tls *tls, int timeout_ms,
                                               size_t *turn, struct shoal_redis_address *master,
                                               struct shoal_message *message) SHOAL_MUST_CHECK;
/* Does the server say that it is a master? UNAVAILABLE if it says otherwise. */
enum shoal_status shoal_redis_sentinel_check(struct shoal_redis_connection *connection,
                                             struct shoal_message *message) SHOAL_MUST_CHECK;
/* Asks a node who owns which slot: fills servers->owners. CONFIG if it is no node of a cluster. */
enum shoal_status shoal_redis_cluster_ask(struct shoal_redis_servers *servers, size_t index,
                                          struct shoal_message *message) SHOAL_MUST_CHECK;
/* The index + 1 of the node at host:port, which is added if it is new; an empty host is that of `from`.
 * 0 when out of memory or of room. */
size_t shoal_redis_servers_node(struct shoal_redis_servers *servers,
                                const struct shoal_redis_connection *from, const char *host, int port);

#endif
