/* SPDX-License-Identifier: Apache-2.0 */
/* Events files for whoever counts or learns from them: each event in order, decoded as the live pipeline would,
 * and the one place where such readers hear who is to be left out.
 *
 *   {"shoal_forget": U}           `forget` is called: what was taken of U so far must not count
 *   consent_processing: false     the same; events of U that follow are not handed over, until one gives the
 *                                 consent again. A forget message does not lift it
 *
 * This is what happens to U's record (stream/pipeline_forget.c), so nothing is learnt or counted of anybody of
 * whom Shoal itself keeps nothing. One difference, on the safe side: the order is that of the files. Where all
 * partitions were told, a message may stand behind later events of another partition and takes these with it.
 *
 * Events hold the original ids, forget messages what is stored of them: with pseudonyms both meet only under the
 * key, and users are handed over under their pseudonyms. */
#ifndef SHOAL_EVENT_WALK_H
#define SHOAL_EVENT_WALK_H

#include "stream/event.h"

/* For the options of a command that walks: the file with the key. */
#define SHOAL_WALK_OPTIONS                                                                         \
    {                                                                                              \
        "pseudonym-key", "FILE", NULL,                                                             \
            "the key (privacy.pseudonym_key), by which users who were forgotten are recognised; "  \
            "users then appear under their pseudonyms",                                            \
            false, false                                                                           \
    }

/* What was read. Messages that cannot be read are left out, like the dead letters that they would be. */
struct shoal_walked {
    uint64_t messages, refused;
    uint64_t refused_for[SHOAL_STATUS_COUNT]; /* by their reason */
    struct shoal_message why; /* the reason of the first refusal */
    uint64_t forgotten;       /* messages that have somebody forgotten */
    uint64_t unmatched;       /* of them, those of pseudonyms while there is no key: these users are still in it */
    uint64_t declined;        /* events left out, of users who had declined to be processed */
};

struct shoal_walk {
    const char *pseudonym_key; /* in: its file; NULL: none */
    enum shoal_status (*take)(void *context, const struct shoal_event *event);
    enum shoal_status (*forget)(void *context, const char *user, size_t user_size);
    void *context;
    struct shoal_walked walked; /* out */
};

/* Walks through `files` ("a,b,…"; - for standard input). NOT_FOUND, IO, CONFIG, NOMEM, with the reason; or what a
 * callback fails with. */
enum shoal_status shoal_walk_events(const char *files, struct shoal_walk *walk,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* Says on standard error what could not be read, and who could not be recognised. */
void shoal_walked_tell(const struct shoal_walked *walked);

#endif
